package provider

import (
	"context"
	"errors"
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
	if s.plugin.CheckConfig == nil {
		return &pulumirpc.CheckResponse{Inputs: request.GetNews()}, nil
	}
	return check(request, s.plugin.CheckConfig)
}

// DiffConfig: another configuration never needs other resources.
func (s *server) DiffConfig(_ context.Context, request *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	if s.plugin.Configure == nil {
		return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}, nil
	}
	former, wanted, err := unmarshalBoth(request.GetOldInputs(), request.GetNews())
	if err != nil {
		return nil, err
	}
	delete(former, "version")
	delete(wanted, "version")
	return told(diff(former, wanted, nil)), nil
}

func (s *server) Configure(ctx context.Context, request *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	// The lab is made for substitutes; anybody else must know what they run.
	if os.Getenv("GEOCLIC_LAB") != "1" {
		s.log(ctx, pulumirpc.LogSeverity_WARNING, "", fmt.Sprintf(
			"SUBSTITUTE: plugin %s %s is not the official one but GéoClic's stand-in for closed networks; install the official plugin for production (`geoclic-fleet doctor`)",
			s.plugin.Name, s.plugin.Version))
	}
	if s.plugin.Configure != nil {
		config, err := unmarshal(request.GetArgs())
		if err != nil {
			return nil, err
		}
		if err := s.plugin.Configure(ctx, config); err != nil {
			return nil, err
		}
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
	return check(request, typed.Check)
}

func (s *server) Diff(_ context.Context, request *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	typed, err := s.resource(request.GetUrn())
	if err != nil {
		return nil, err
	}
	former, wanted, err := unmarshalBoth(request.GetOldInputs(), request.GetNews())
	if err != nil {
		return nil, err
	}
	// What others can change is compared with what was seen there last.
	if external, ok := typed.(External); ok {
		if former, err = unmarshal(request.GetOlds()); err != nil {
			return nil, err
		}
		wanted = external.Kept(wanted, former)
	}
	for _, ignored := range request.GetIgnoreChanges() {
		delete(former, resource.PropertyKey(ignored))
		delete(wanted, resource.PropertyKey(ignored))
	}
	defaults := typed.Defaults()
	return told(diff(WithDefaults(former, defaults), WithDefaults(wanted, defaults), typed.ReplaceOn())), nil
}

func (s *server) Create(ctx context.Context, request *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	response := &pulumirpc.CreateResponse{}
	op := operation{urn: request.GetUrn(), inputs: request.GetProperties(), seconds: request.GetTimeout()}
	return response, s.operate(ctx, op, func(ctx context.Context, typed Resource, call Call) error {
		call.Preview = request.GetPreview()
		id, state, failure := typed.Create(ctx, call)
		var incomplete Incomplete
		if failure != nil && !errors.As(failure, &incomplete) {
			return failure
		}
		properties, err := plugin.MarshalProperties(state, marshalling)
		if err == nil && failure != nil {
			return initFailed(id, properties, request.GetProperties(), failure)
		}
		response.Id, response.Properties = id, properties
		return err
	})
}

func (s *server) Update(ctx context.Context, request *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	response := &pulumirpc.UpdateResponse{}
	op := operation{request.GetUrn(), request.GetNews(), request.GetOlds(), request.GetTimeout()}
	return response, s.operate(ctx, op, func(ctx context.Context, typed Resource, call Call) error {
		call.ID, call.Preview = request.GetId(), request.GetPreview()
		state, err := typed.Update(ctx, call)
		if err != nil {
			return err
		}
		response.Properties, err = plugin.MarshalProperties(state, marshalling)
		return err
	})
}

func (s *server) Delete(ctx context.Context, request *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	op := operation{request.GetUrn(), request.GetOldInputs(), request.GetProperties(), request.GetTimeout()}
	return &emptypb.Empty{}, s.operate(ctx, op, func(ctx context.Context, typed Resource, call Call) error {
		call.ID = request.GetId()
		return typed.Delete(ctx, call)
	})
}

// Read returns what is known of a resource that exists nowhere but in the state, and looks at one that does. Without a
// state it imports.
func (s *server) Read(ctx context.Context, request *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	response := &pulumirpc.ReadResponse{Id: request.GetId(), Properties: request.GetProperties(), Inputs: request.GetInputs()}
	op := operation{urn: request.GetUrn(), inputs: request.GetInputs(), state: request.GetProperties()}
	return response, s.operate(ctx, op, func(ctx context.Context, typed Resource, call Call) error {
		call.ID = request.GetId()
		found, err := find(ctx, typed, call)
		if err != nil || found == nil {
			return err
		}
		response.Id = found.ID
		if response.Inputs, err = plugin.MarshalProperties(found.Inputs, marshalling); err != nil {
			return err
		}
		response.Properties, err = plugin.MarshalProperties(found.State, marshalling)
		return err
	})
}

// find reads or imports; nil: what is known holds. A resource that is gone is found with an empty id.
func find(ctx context.Context, typed Resource, call Call) (*Found, error) {
	if external, ok := typed.(External); ok {
		found, err := external.Read(ctx, call)
		if err == nil && found == nil {
			found = &Found{}
		}
		return found, err
	}
	if len(call.State) > 0 {
		return nil, nil
	}
	if importer, ok := typed.(Importer); ok {
		return importer.Import(call.ID)
	}
	return nil, status.Errorf(codes.Unimplemented, "%s cannot be imported", call.URN.Type())
}

func (s *server) Invoke(ctx context.Context, request *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	function, ok := s.plugin.Functions[request.GetTok()]
	if !ok {
		return nil, status.Errorf(codes.Unimplemented,
			"the substitute of plugin %s has no function %s; install the official plugin", s.plugin.Name, request.GetTok())
	}
	inputs, err := unmarshal(request.GetArgs())
	if err != nil {
		return nil, err
	}
	ctx, stop := withDeadline(ctx, s.done, 0)
	defer stop()
	answer, err := function(ctx, inputs, func(line string) { s.log(ctx, pulumirpc.LogSeverity_WARNING, "", line) })
	if err != nil {
		return nil, err
	}
	properties, err := plugin.MarshalProperties(answer, marshalling)
	return &pulumirpc.InvokeResponse{Return: properties}, err
}

// operation of a resource: what the requests have in common.
type operation struct {
	urn           string
	inputs, state *structpb.Struct
	// seconds that it may take; 0 is no limit.
	seconds float64
}

// operate runs an operation until it ends, its time is over or the engine cancels.
func (s *server) operate(ctx context.Context, op operation, run func(context.Context, Resource, Call) error) error {
	typed, err := s.resource(op.urn)
	if err != nil {
		return err
	}
	wanted, former, err := unmarshalBoth(op.inputs, op.state)
	if err != nil {
		return err
	}
	ctx, stop := withDeadline(ctx, s.done, op.seconds)
	defer stop()
	return run(ctx, typed, Call{
		URN: resource.URN(op.urn), Inputs: wanted, State: former,
		Log:  func(line string) { s.log(ctx, pulumirpc.LogSeverity_INFO, op.urn, line) },
		Warn: func(line string) { s.log(ctx, pulumirpc.LogSeverity_WARNING, op.urn, line) },
	})
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
