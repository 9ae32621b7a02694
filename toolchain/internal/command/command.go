// Package command stands in for plugin command 1.2.1: commands on this machine and over SSH.
package command

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"geoclic.fr/fleet/toolchain/internal/provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Resources by token.
var Resources = map[string]provider.Resource{
	"command:local:Command":  command{check: checkLocal, run: runLocal, outputNeverSecret: true},
	"command:remote:Command": command{check: checkRemote, run: runRemote},
}

// execution is one run of a command line.
type execution struct {
	line   string
	inputs resource.PropertyMap
	// variables of the input.
	variables map[string]string
	// former output as variables; a host may refuse them.
	former map[string]string
	output *output
	// log shows progress to the user, warn a warning.
	log, warn func(line string)
}

// command is what local and remote commands share: which line runs when, and what the state holds.
type command struct {
	check func(resource.PropertyMap) map[resource.PropertyKey]string
	run   func(context.Context, execution) error
	// outputNeverSecret: a secret line makes a remote command's output secret, a local one's not; as in the official plugin.
	outputNeverSecret bool
}

func (c command) Check(inputs resource.PropertyMap) map[resource.PropertyKey]string {
	wrong := c.check(inputs)
	if logging, ok := provider.String(inputs, "logging"); ok && !isLogging(logging) {
		wrong["logging"] = fmt.Sprintf("expected stdout, stderr, stdoutAndStderr or none, got %q", logging)
	}
	return wrong
}

// ReplaceOn: the official documentation says that triggers run `update`; in fact they replace.
func (c command) ReplaceOn() []resource.PropertyKey { return []resource.PropertyKey{"triggers"} }

func (c command) Create(ctx context.Context, call provider.Call) (string, resource.PropertyMap, error) {
	state := call.Inputs.Copy()
	if call.Preview {
		state["stdout"], state["stderr"] = provider.Unknown(), provider.Unknown()
		return "", state, nil
	}
	suffix := make([]byte, 4)
	if _, err := rand.Read(suffix); err != nil {
		return "", nil, err
	}
	state["stdout"], state["stderr"] = provider.Text(""), provider.Text("")
	id := call.URN.Name() + hex.EncodeToString(suffix)
	line, ok := provider.String(call.Inputs, "create")
	if !ok {
		return id, state, nil
	}
	return id, state, c.execute(ctx, call, state, line)
}

// Update runs `update`, or `create` again where there is none.
func (c command) Update(ctx context.Context, call provider.Call) (resource.PropertyMap, error) {
	state := call.Inputs.Copy()
	state["stdout"], state["stderr"] = call.State["stdout"], call.State["stderr"]
	if call.Preview {
		state["stdout"], state["stderr"] = provider.Unknown(), provider.Unknown()
		return state, nil
	}
	line, ok := provider.String(call.Inputs, "update")
	if !ok {
		line, ok = provider.String(call.Inputs, "create")
	}
	if !ok {
		return state, nil
	}
	return state, c.execute(ctx, call, state, line)
}

func (c command) Delete(ctx context.Context, call provider.Call) error {
	inputs := call.Inputs
	if len(inputs) == 0 {
		inputs = call.State
	}
	line, ok := provider.String(inputs, "delete")
	if !ok {
		return nil
	}
	call.Inputs = inputs
	return c.execute(ctx, call, call.State.Copy(), line)
}

func (c command) Defaults() resource.PropertyMap { return nil }

// execute runs a line and writes its output into the state.
func (c command) execute(ctx context.Context, call provider.Call, state resource.PropertyMap, line string) error {
	logging, _ := provider.String(call.Inputs, "logging")
	written := newOutput(logging, call.Log)
	err := c.run(ctx, execution{
		line: line, inputs: call.Inputs, variables: variables(call), former: formerOutput(call),
		output: written, log: call.Log, warn: call.Warn,
	})
	written.flush()
	var before notStarted
	if errors.As(err, &before) {
		return before.error
	}
	if err != nil {
		return fmt.Errorf("%w: running %q:\n%s", err, line, written.both.String())
	}
	isSecret := !c.outputNeverSecret && hasSecretLine(call.Inputs)
	state["stdout"] = outputValue(written.stdout.String(), isSecret)
	state["stderr"] = outputValue(written.stderr.String(), isSecret)
	return nil
}

// notStarted is a failure before the line ran, so that the line explains nothing.
type notStarted struct{ error }

// hasSecretLine: outputs are secret when a line that can make them is.
func hasSecretLine(inputs resource.PropertyMap) bool {
	return inputs["create"].ContainsSecrets() || inputs["update"].ContainsSecrets()
}

func outputValue(text string, isSecret bool) resource.PropertyValue {
	trimmed := strings.TrimSuffix(strings.ToValidUTF8(text, "�"), "\n")
	if isSecret {
		return provider.Secret(trimmed)
	}
	return provider.Text(trimmed)
}

func variables(call provider.Call) map[string]string {
	found := map[string]string{}
	for name := range provider.Object(call.Inputs, "environment") {
		found[string(name)], _ = provider.String(provider.Object(call.Inputs, "environment"), name)
	}
	return found
}

func formerOutput(call provider.Call) map[string]string {
	found := map[string]string{}
	if !provider.Bool(call.Inputs, "addPreviousOutputInEnv", true) {
		return found
	}
	for variable, key := range map[string]resource.PropertyKey{"PULUMI_COMMAND_STDOUT": "stdout", "PULUMI_COMMAND_STDERR": "stderr"} {
		if former, _ := provider.String(call.State, key); former != "" {
			found[variable] = former
		}
	}
	return found
}

// errCancelled: the engine wants no more, or the time is over.
var errCancelled = errors.New("cancelled")
