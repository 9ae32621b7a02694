package nodejs

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	sdk "github.com/pulumi/pulumi/sdk/v3"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

type pluginStream = grpc.ServerStreamingServer[pulumirpc.RunPluginResponse]

// streamWriter sends what a plugin writes to the engine.
type streamWriter struct {
	stream pluginStream
	wrap   func([]byte) *pulumirpc.RunPluginResponse
}

func (w streamWriter) Write(content []byte) (int, error) {
	return len(content), w.stream.Send(w.wrap(content))
}

func stdout(content []byte) *pulumirpc.RunPluginResponse {
	return &pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Stdout{Stdout: content}}
}

func stderr(content []byte) *pulumirpc.RunPluginResponse {
	return &pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Stderr{Stderr: content}}
}

// RunPlugin runs a policy pack or a plugin written for Node.js.
func (h *Host) RunPlugin(request *pulumirpc.RunPluginRequest, stream pluginStream) error {
	out, problems := streamWriter{stream, stdout}, streamWriter{stream, stderr}
	if request.GetKind() == "analyzer" {
		return h.runPolicyPack(request, stream, out, problems)
	}
	return h.runPlugin(request, stream, out, problems)
}

func (h *Host) runPlugin(request *pulumirpc.RunPluginRequest, stream pluginStream, out, problems io.Writer) error {
	project := request.GetInfo().GetProgramDirectory()
	script, err := resolve(project, "@pulumi/pulumi/cmd/run-plugin")
	if err != nil {
		return err
	}
	ctx, stop := h.context(stream.Context())
	defer stop()
	process := command(ctx, project, append([]string{script}, append(request.GetArgs(), filepath.Clean(request.GetPwd()))...))
	process.Dir, process.Stdout, process.Stderr = request.GetPwd(), out, problems
	process.Env = append(os.Environ(), request.GetEnv()...)
	err = process.Run()
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		return stream.Send(&pulumirpc.RunPluginResponse{Output: &pulumirpc.RunPluginResponse_Exitcode{Exitcode: int32(ended.ExitCode())}})
	}
	return err
}

func (h *Host) runPolicyPack(request *pulumirpc.RunPluginRequest, stream pluginStream, out, problems io.Writer) error {
	project := request.GetInfo().GetProgramDirectory()
	script, err := resolve(project, "@pulumi/pulumi/cmd/run-policy-pack")
	if err != nil {
		return err
	}
	ctx, stop := h.context(stream.Context())
	defer stop()
	proxy, proxied, err := sdk.NewPolicyProxy(ctx, out)
	if err != nil {
		return err
	}
	// The pack's program starts when the engine has said what it is configured with.
	configuration, err := proxy.AwaitConfiguration(ctx)
	if err != nil {
		return err
	}
	process := command(ctx, project, append([]string{script}, append(request.GetArgs(), project)...))
	process.Dir, process.Stdout, process.Stderr = project, proxied, problems
	process.Env = append(append(os.Environ(), request.GetEnv()...), "PULUMI_NODEJS_TYPESCRIPT=true")
	if configuration != nil {
		config, err := json.Marshal(configuration.Config)
		if err != nil {
			return err
		}
		process.Env = append(process.Env, "PULUMI_NODEJS_STACK="+configuration.Stack, "PULUMI_NODEJS_PROJECT="+configuration.Project,
			"PULUMI_NODEJS_DRY_RUN="+strconv.FormatBool(configuration.DryRun), "PULUMI_CONFIG="+string(config))
	}
	if err := process.Start(); err != nil {
		return err
	}
	return proxy.Attach(ctx, process)
}
