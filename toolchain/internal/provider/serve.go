package provider

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

var marshalling = plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true, SkipNulls: true}

// Serve answers the engine until it ends the plugin. The engine's address is the first word.
func Serve(served Plugin, words []string) error {
	server := &server{plugin: served}
	server.done, server.cancel = context.WithCancel(context.Background())
	if len(words) > 0 {
		if err := server.attach(words[0]); err != nil {
			return err
		}
	}
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Init: func(g *grpc.Server) error {
			pulumirpc.RegisterResourceProviderServer(g, server)
			return nil
		},
		Options: rpcutil.OpenTracingServerInterceptorOptions(nil),
	})
	if err != nil {
		return err
	}
	fmt.Printf("%d\n", handle.Port)
	return <-handle.Done
}

type server struct {
	pulumirpc.UnimplementedResourceProviderServer
	plugin Plugin
	engine pulumirpc.EngineClient
	done   context.Context
	cancel context.CancelFunc
}

func (s *server) attach(address string) error {
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		rpcutil.GrpcChannelOptions())
	if err != nil {
		return fmt.Errorf("the engine at %s: %w", address, err)
	}
	s.engine = pulumirpc.NewEngineClient(connection)
	return nil
}

func (s *server) Attach(_ context.Context, request *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, s.attach(request.GetAddress())
}

func (s *server) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: s.plugin.Version}, nil
}

func (s *server) CheckConfig(_ context.Context, request *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Inputs: request.GetNews()}, nil
}

func (s *server) DiffConfig(context.Context, *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}, nil
}

func (s *server) Configure(ctx context.Context, _ *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	// The lab is made for substitutes; anybody else must know what they run.
	if os.Getenv("GEOCLIC_LAB") != "1" {
		s.log(ctx, pulumirpc.LogSeverity_WARNING, "", fmt.Sprintf(
			"SUBSTITUTE: plugin %s %s is not the official one but GéoClic's stand-in for closed networks; install the official plugin for production (`geoclic-fleet doctor`)",
			s.plugin.Name, s.plugin.Version))
	}
	return &pulumirpc.ConfigureResponse{SupportsPreview: true, AcceptSecrets: true}, nil
}

func (s *server) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	s.cancel()
	return &emptypb.Empty{}, nil
}

func (s *server) Check(_ context.Context, request *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	typed, err := s.resource(request.GetUrn())
	if err != nil {
		return nil, err
	}
	inputs, err := unmarshal(request.GetNews())
	if err != nil {
		return nil, err
	}
	response := &pulumirpc.CheckResponse{Inputs: request.GetNews()}
	for property, reason := range typed.Check(inputs) {
		response.Failures = append(response.Failures, &pulumirpc.CheckFailure{Property: string(property), Reason: reason})
	}
	return response, nil
}

func (s *server) Diff(_ context.Context, request *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	typed, err := s.resource(request.GetUrn())
	if err != nil {
		return nil, err
	}
	former, err := unmarshal(request.GetOldInputs())
	if err != nil {
		return nil, err
	}
	wanted, err := unmarshal(request.GetNews())
	if err != nil {
		return nil, err
	}
	for _, ignored := range request.GetIgnoreChanges() {
		delete(former, resource.PropertyKey(ignored))
		delete(wanted, resource.PropertyKey(ignored))
	}
	change := diff(WithDefaults(former, typed.Defaults()), WithDefaults(wanted, typed.Defaults()), typed.ReplaceOn())
	response := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}
	if len(change.Keys) > 0 {
		response.Changes = pulumirpc.DiffResponse_DIFF_SOME
	}
	for _, key := range change.Keys {
		response.Diffs = append(response.Diffs, string(key))
	}
	for _, key := range change.Replace {
		response.Replaces = append(response.Replaces, string(key))
	}
	return response, nil
}

func (s *server) Create(ctx context.Context, request *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	typed, err := s.resource(request.GetUrn())
	if err != nil {
		return nil, err
	}
	inputs, err := unmarshal(request.GetProperties())
	if err != nil {
		return nil, err
	}
	ctx, stop := s.context(ctx, request.GetTimeout())
	defer stop()
	id, state, err := typed.Create(ctx, s.call(ctx, request.GetUrn(), inputs, nil, request.GetPreview()))
	if err != nil {
		return nil, err
	}
	properties, err := plugin.MarshalProperties(state, marshalling)
	return &pulumirpc.CreateResponse{Id: id, Properties: properties}, err
}

func (s *server) Update(ctx context.Context, request *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	typed, err := s.resource(request.GetUrn())
	if err != nil {
		return nil, err
	}
	inputs, err := unmarshal(request.GetNews())
	if err != nil {
		return nil, err
	}
	former, err := unmarshal(request.GetOlds())
	if err != nil {
		return nil, err
	}
	ctx, stop := s.context(ctx, request.GetTimeout())
	defer stop()
	state, err := typed.Update(ctx, s.call(ctx, request.GetUrn(), inputs, former, request.GetPreview()))
	if err != nil {
		return nil, err
	}
	properties, err := plugin.MarshalProperties(state, marshalling)
	return &pulumirpc.UpdateResponse{Properties: properties}, err
}

func (s *server) Delete(ctx context.Context, request *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	typed, err := s.resource(request.GetUrn())
	if err != nil {
		return nil, err
	}
	inputs, err := unmarshal(request.GetOldInputs())
	if err != nil {
		return nil, err
	}
	state, err := unmarshal(request.GetProperties())
	if err != nil {
		return nil, err
	}
	ctx, stop := s.context(ctx, request.GetTimeout())
	defer stop()
	return &emptypb.Empty{}, typed.Delete(ctx, s.call(ctx, request.GetUrn(), inputs, state, false))
}

// Read returns what is known: none of these resources exists anywhere but in the state. Without a state it imports.
func (s *server) Read(_ context.Context, request *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	typed, err := s.resource(request.GetUrn())
	if err != nil {
		return nil, err
	}
	if len(request.GetProperties().GetFields()) > 0 {
		return &pulumirpc.ReadResponse{Id: request.GetId(), Properties: request.GetProperties(), Inputs: request.GetInputs()}, nil
	}
	imported, err := typed.Import(request.GetId())
	if err != nil {
		return nil, err
	}
	if imported == nil {
		return nil, status.Errorf(codes.Unimplemented, "%s cannot be imported", resource.URN(request.GetUrn()).Type())
	}
	inputs, err := plugin.MarshalProperties(imported.Inputs, marshalling)
	if err != nil {
		return nil, err
	}
	properties, err := plugin.MarshalProperties(imported.State, marshalling)
	return &pulumirpc.ReadResponse{Id: imported.ID, Properties: properties, Inputs: inputs}, err
}

func (s *server) Invoke(_ context.Context, request *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	return nil, status.Errorf(codes.Unimplemented, "the substitute of plugin %s has no function %s", s.plugin.Name, request.GetTok())
}

func (s *server) resource(urn string) (Resource, error) {
	token := string(resource.URN(urn).Type())
	typed, ok := s.plugin.Resources[token]
	if !ok {
		return nil, status.Errorf(codes.Unimplemented,
			"the substitute of plugin %s has no resource %s; install the official plugin", s.plugin.Name, token)
	}
	return typed, nil
}

func (s *server) call(ctx context.Context, urn string, inputs, state resource.PropertyMap, preview bool) Call {
	return Call{
		URN: resource.URN(urn), Inputs: inputs, State: state, Preview: preview,
		Log:  func(line string) { s.log(ctx, pulumirpc.LogSeverity_INFO, urn, line) },
		Warn: func(line string) { s.log(ctx, pulumirpc.LogSeverity_WARNING, urn, line) },
	}
}

func (s *server) log(ctx context.Context, severity pulumirpc.LogSeverity, urn, line string) {
	if s.engine == nil {
		return
	}
	// A line that cannot be shown is no reason to fail the work.
	_, _ = s.engine.Log(ctx, &pulumirpc.LogRequest{
		Severity: severity, Urn: urn, Message: strings.ToValidUTF8(line, "�"),
		// As the official plugin: what a command writes is progress, warnings stay.
		Ephemeral: severity == pulumirpc.LogSeverity_INFO,
	})
}

// context ends with the call, with its time limit in seconds, or when the engine cancels.
func (s *server) context(ctx context.Context, seconds float64) (context.Context, context.CancelFunc) {
	return withDeadline(ctx, s.done, seconds)
}

func unmarshal(properties *structpb.Struct) (resource.PropertyMap, error) {
	return plugin.UnmarshalProperties(properties, marshalling)
}
