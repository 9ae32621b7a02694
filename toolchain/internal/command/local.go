package command

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"geoclic.fr/fleet/toolchain/internal/provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

func checkLocal(inputs resource.PropertyMap) map[resource.PropertyKey]string {
	wrong := map[resource.PropertyKey]string{}
	for _, key := range []resource.PropertyKey{"assetPaths", "archivePaths"} {
		if _, ok := inputs[key]; ok {
			wrong[key] = "the substitute of plugin command does not have it; install the official plugin"
		}
	}
	return wrong
}

func runLocal(ctx context.Context, wanted execution) error {
	words := append(interpreter(wanted.inputs), wanted.line)
	process := exec.CommandContext(ctx, words[0], words[1:]...)
	process.Env = os.Environ()
	for _, variables := range []map[string]string{wanted.variables, wanted.former} {
		for name, value := range variables {
			process.Env = append(process.Env, name+"="+value)
		}
	}
	process.Dir, _ = provider.String(wanted.inputs, "dir")
	if stdin, _ := provider.String(wanted.inputs, "stdin"); stdin != "" {
		process.Stdin = strings.NewReader(stdin)
	}
	process.Stdout, process.Stderr = wanted.output.stdoutWriter(), wanted.output.stderrWriter()
	// A group of its own, so that a cancelled command takes its children along.
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	process.Cancel = func() error { return syscall.Kill(-process.Process.Pid, syscall.SIGTERM) }
	process.WaitDelay = 10 * time.Second
	err := process.Run()
	if ctx.Err() != nil {
		return fmt.Errorf("%w (%v)", errCancelled, ctx.Err())
	}
	return err
}

func interpreter(inputs resource.PropertyMap) []string {
	given := provider.Plain(inputs["interpreter"])
	if !given.IsArray() || len(given.ArrayValue()) == 0 {
		return []string{"/bin/sh", "-c"}
	}
	var words []string
	for _, word := range given.ArrayValue() {
		words = append(words, provider.Plain(word).StringValue())
	}
	return words
}
