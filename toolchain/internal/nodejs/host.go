// Package nodejs is a language host for Node.js programs and policy packs, on the published protocol of the engine.
// It leaves everything else of the official host (code generation, package linking) out.
package nodejs

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Host answers the engine.
type Host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	// Version that the host says it has.
	Version string
	engine  string
	done    context.Context
	cancel  context.CancelFunc
}

// New makes a host for the engine at an address; the engine may tell another one by Handshake.
func New(version, engine string) *Host {
	host := &Host{Version: version, engine: engine}
	host.done, host.cancel = context.WithCancel(context.Background())
	return host
}

func (h *Host) Handshake(_ context.Context, request *pulumirpc.LanguageHandshakeRequest) (*pulumirpc.LanguageHandshakeResponse, error) {
	h.engine = request.GetEngineAddress()
	return &pulumirpc.LanguageHandshakeResponse{}, nil
}

func (h *Host) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: h.Version}, nil
}

// GetRequiredPackages names none: the program's resources name their plugins and versions themselves.
func (h *Host) GetRequiredPackages(context.Context, *pulumirpc.GetRequiredPackagesRequest) (*pulumirpc.GetRequiredPackagesResponse, error) {
	return &pulumirpc.GetRequiredPackagesResponse{}, nil
}

func (h *Host) RuntimeOptionsPrompts(context.Context, *pulumirpc.RuntimeOptionsRequest) (*pulumirpc.RuntimeOptionsResponse, error) {
	return &pulumirpc.RuntimeOptionsResponse{}, nil
}

func (h *Host) About(context.Context, *pulumirpc.AboutRequest) (*pulumirpc.AboutResponse, error) {
	path, err := exec.LookPath("node")
	if err != nil {
		return nil, err
	}
	version, err := exec.Command(path, "--version").Output()
	if err != nil {
		return nil, err
	}
	return &pulumirpc.AboutResponse{Executable: path, Version: strings.TrimSpace(string(version))}, nil
}

func (h *Host) GetProgramDependencies(context.Context, *pulumirpc.GetProgramDependenciesRequest) (*pulumirpc.GetProgramDependenciesResponse, error) {
	return &pulumirpc.GetProgramDependenciesResponse{}, nil
}

func (h *Host) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	h.cancel()
	return &emptypb.Empty{}, nil
}

// node prefers the project's own Node.js over the machine's.
func node(project string) string {
	own := filepath.Join(project, "node_modules", ".bin", "node")
	if _, err := os.Stat(own); err == nil {
		return own
	}
	return "node"
}

// resolve finds a module as the program would.
func resolve(project, module string) (string, error) {
	process := exec.Command(node(project), "-p", fmt.Sprintf("require.resolve(%q)", module))
	process.Dir = project
	found, err := process.Output()
	if err != nil {
		return "", fmt.Errorf("%s is not installed for %s (run `npm ci` there): %w", module, project, err)
	}
	return strings.TrimSpace(string(found)), nil
}

// context ends with the call or when the engine cancels.
func (h *Host) context(call context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(call)
	stop := context.AfterFunc(h.done, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}
