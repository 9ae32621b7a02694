package nodejs

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// alreadyTold is the status of a program that has shown its error to the user.
const alreadyTold = 32

// Run runs a program to its end.
func (h *Host) Run(call context.Context, request *pulumirpc.RunRequest) (*pulumirpc.RunResponse, error) {
	info := request.GetInfo()
	script, err := resolve(info.GetProgramDirectory(), "@pulumi/pulumi/cmd/run")
	if err != nil {
		return &pulumirpc.RunResponse{Error: err.Error()}, nil
	}
	variables, err := programVariables(request)
	if err != nil {
		return nil, err
	}
	ctx, stop := h.context(call)
	defer stop()
	process := command(ctx, info.GetProgramDirectory(), h.programWords(request, script))
	process.Dir, process.Stdout, process.Stderr = request.GetPwd(), os.Stdout, os.Stderr
	process.Env = append(os.Environ(), variables...)
	err = process.Run()
	var ended *exec.ExitError
	switch {
	case err == nil:
		return &pulumirpc.RunResponse{}, nil
	case errors.As(err, &ended) && ended.ExitCode() == alreadyTold:
		return &pulumirpc.RunResponse{Bail: true}, nil
	default:
		return &pulumirpc.RunResponse{Error: "the program failed: " + err.Error()}, nil
	}
}

func (h *Host) programWords(request *pulumirpc.RunRequest, script string) []string {
	info := request.GetInfo()
	words := strings.Fields(option(request, "nodeargs"))
	words = append(words, script,
		"--monitor", request.GetMonitorAddress(), "--engine", h.engine,
		"--organization", request.GetOrganization(), "--project", request.GetProject(), "--stack", request.GetStack(),
		"--root-directory", info.GetRootDirectory(), "--pwd", request.GetPwd(),
		"--parallel", strconv.Itoa(int(request.GetParallel())))
	if request.GetDryRun() {
		words = append(words, "--dry-run")
	}
	return append(append(words, info.GetEntryPoint()), request.GetArgs()...)
}

func programVariables(request *pulumirpc.RunRequest) ([]string, error) {
	config, err := json.Marshal(request.GetConfig())
	if err != nil {
		return nil, err
	}
	secrets, err := json.Marshal(request.GetConfigSecretKeys())
	if err != nil {
		return nil, err
	}
	variables := []string{"PULUMI_CONFIG=" + string(config), "PULUMI_CONFIG_SECRET_KEYS=" + string(secrets)}
	if value, ok := request.GetInfo().GetOptions().AsMap()["typescript"].(bool); !ok || value {
		variables = append(variables, "PULUMI_NODEJS_TYPESCRIPT=true")
	}
	return variables, nil
}

func option(request *pulumirpc.RunRequest, name string) string {
	value, _ := request.GetInfo().GetOptions().AsMap()[name].(string)
	return value
}

// command runs Node.js in a group of its own: a cancelled program is asked to end, then ended.
func command(ctx context.Context, project string, words []string) *exec.Cmd {
	process := exec.CommandContext(ctx, node(project), words...)
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	process.Cancel = func() error { return syscall.Kill(-process.Process.Pid, syscall.SIGTERM) }
	process.WaitDelay = 5 * time.Second
	return process
}
