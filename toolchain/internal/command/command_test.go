package command

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"geoclic.fr/fleet/toolchain/internal/provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"golang.org/x/crypto/ssh"
)

type properties = resource.PropertyMap

// recorder runs nothing: it remembers and writes one line to each stream.
type recorder struct{ runs []execution }

func (r *recorder) run(_ context.Context, wanted execution) error {
	r.runs = append(r.runs, wanted)
	_, _ = wanted.output.stdoutWriter().Write([]byte("out\n\n"))
	_, _ = wanted.output.stderrWriter().Write([]byte("err\n"))
	if wanted.line == "fail" {
		return errors.New("exit status 3")
	}
	return nil
}

func (r *recorder) lines() []string {
	var lines []string
	for _, run := range r.runs {
		lines = append(lines, run.line)
	}
	return lines
}

func call(inputs, state properties) provider.Call {
	return provider.Call{
		URN: "urn:pulumi:s::p::command:local:Command::name", Inputs: inputs, State: state,
		Log: func(string) {}, Warn: func(string) {},
	}
}

func TestWhichLineRuns(t *testing.T) {
	text, secret := provider.Text, provider.Secret
	former := properties{"stdout": text("was"), "stderr": text("")}
	cases := map[string]struct {
		inputs                   properties
		created, updated, erased []string
	}{
		"create alone":  {properties{"create": text("c")}, []string{"c"}, []string{"c"}, nil},
		"with update":   {properties{"create": text("c"), "update": text("u")}, []string{"c"}, []string{"u"}, nil},
		"update alone":  {properties{"update": text("u")}, nil, []string{"u"}, nil},
		"delete alone":  {properties{"delete": text("d")}, nil, nil, []string{"d"}},
		"all, secret":   {properties{"create": secret("c"), "update": secret("u"), "delete": secret("d")}, []string{"c"}, []string{"u"}, []string{"d"}},
		"none whatever": {properties{}, nil, nil, nil},
	}
	for name, wanted := range cases {
		t.Run(name, func(t *testing.T) {
			var created, updated, erased recorder
			ctx := context.Background()
			_, _, createErr := command{run: created.run}.Create(ctx, call(wanted.inputs, nil))
			state, updateErr := command{run: updated.run}.Update(ctx, call(wanted.inputs, former))
			deleteErr := command{run: erased.run}.Delete(ctx, call(wanted.inputs, former))
			if err := errors.Join(createErr, updateErr, deleteErr); err != nil {
				t.Fatal(err)
			}
			got := [][]string{created.lines(), updated.lines(), erased.lines()}
			if expected := [][]string{wanted.created, wanted.updated, wanted.erased}; !reflect.DeepEqual(got, expected) {
				t.Errorf("create, update, delete ran %q, expected %q", got, expected)
			}
			if stdout, _ := provider.String(state, "stdout"); wanted.updated == nil && stdout != "was" {
				t.Errorf("an update that runs nothing left %q as stdout, expected the former", stdout)
			}
		})
	}
}

func TestPreviewRunsNothing(t *testing.T) {
	var none recorder
	previewed := call(properties{"create": provider.Text("c")}, properties{"stdout": provider.Text("was")})
	previewed.Preview = true
	_, created, createErr := command{run: none.run}.Create(context.Background(), previewed)
	updated, updateErr := command{run: none.run}.Update(context.Background(), previewed)
	if err := errors.Join(createErr, updateErr); err != nil {
		t.Fatal(err)
	}
	if len(none.runs) != 0 || !created["stdout"].IsComputed() || !updated["stderr"].IsComputed() {
		t.Errorf("ran %q, %v, %v: expected nothing and unknown outputs", none.lines(), created, updated)
	}
}

func TestOutputsInTheState(t *testing.T) {
	text, secret := provider.Text, provider.Secret
	for name, wanted := range map[string]struct {
		inputs properties
		secret bool
	}{
		"plain lines":       {properties{"create": text("c"), "update": text("u")}, false},
		"secret create":     {properties{"create": secret("c")}, true},
		"secret update":     {properties{"create": text("c"), "update": secret("u")}, true},
		"the other is not":  {properties{"create": secret("c"), "update": text("u")}, true},
		"secret stdin only": {properties{"create": text("c"), "stdin": secret("s")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var created recorder
			_, state, err := command{run: created.run}.Create(context.Background(), call(wanted.inputs, nil))
			if err != nil {
				t.Fatal(err)
			}
			expected := properties{"stdout": text("out\n"), "stderr": text("err")}
			for key, value := range expected {
				if got := state[key]; got.IsSecret() != wanted.secret || !provider.Plain(got).DeepEquals(value) {
					t.Errorf("%s: got %v, expected %v, secret %v", key, got, value, wanted.secret)
				}
			}
		})
	}
}

func TestFailureTellsLineAndOutput(t *testing.T) {
	var failed recorder
	_, _, err := command{run: failed.run}.Create(context.Background(), call(properties{"create": provider.Text("fail")}, nil))
	if expected := "exit status 3: running \"fail\":\nout\n\nerr\n"; err == nil || err.Error() != expected {
		t.Errorf("got %v, expected %q", err, expected)
	}
}

func TestVariables(t *testing.T) {
	former := properties{"stdout": provider.Secret("out"), "stderr": provider.Text("")}
	environment := resource.NewObjectProperty(properties{"A": provider.Text("1"), "B": provider.Secret("2")})
	for name, wanted := range map[string]struct {
		inputs            properties
		variables, former map[string]string
	}{
		"former output by default": {properties{}, map[string]string{}, map[string]string{"PULUMI_COMMAND_STDOUT": "out"}},
		"and when wanted": {
			properties{"addPreviousOutputInEnv": resource.NewBoolProperty(true)},
			map[string]string{}, map[string]string{"PULUMI_COMMAND_STDOUT": "out"},
		},
		"not when unwanted": {
			properties{"addPreviousOutputInEnv": resource.NewBoolProperty(false), "environment": environment},
			map[string]string{"A": "1", "B": "2"}, map[string]string{},
		},
		"secret as a whole": {
			properties{"environment": resource.MakeSecret(environment)},
			map[string]string{"A": "1", "B": "2"}, map[string]string{"PULUMI_COMMAND_STDOUT": "out"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			given := call(wanted.inputs, former)
			if got := variables(given); !reflect.DeepEqual(got, wanted.variables) {
				t.Errorf("variables: got %v, expected %v", got, wanted.variables)
			}
			if got := formerOutput(given); !reflect.DeepEqual(got, wanted.former) {
				t.Errorf("former output: got %v, expected %v", got, wanted.former)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	text := provider.Text
	connection := func(values properties) properties {
		return properties{"connection": resource.MakeSecret(resource.NewObjectProperty(values))}
	}
	for name, wanted := range map[string]struct {
		token  string
		inputs properties
		wrong  []string
	}{
		"a local command":      {"command:local:Command", properties{"create": text("true"), "logging": text("none")}, nil},
		"an unknown logging":   {"command:local:Command", properties{"logging": text("all")}, []string{"logging"}},
		"what is not there":    {"command:local:Command", properties{"assetPaths": text("x")}, []string{"assetPaths"}},
		"a remote command":     {"command:remote:Command", connection(properties{"host": text("h")}), nil},
		"no host":              {"command:remote:Command", connection(properties{"port": resource.NewNumberProperty(22)}), []string{"connection"}},
		"a host not yet known": {"command:remote:Command", connection(properties{"host": provider.Unknown()}), nil},
		"nothing yet known":    {"command:remote:Command", properties{"connection": provider.Unknown()}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var wrong []string
			for key := range Resources[wanted.token].Check(wanted.inputs) {
				wrong = append(wrong, string(key))
			}
			if !reflect.DeepEqual(wrong, wanted.wrong) {
				t.Errorf("got %q, expected %q", wrong, wanted.wrong)
			}
		})
	}
}

func TestHostKeyAlgorithms(t *testing.T) {
	for keyType, expected := range map[string][]string{
		ssh.KeyAlgoED25519:  {ssh.KeyAlgoED25519},
		ssh.KeyAlgoECDSA256: {ssh.KeyAlgoECDSA256},
		ssh.KeyAlgoRSA:      {ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256},
	} {
		if got := algorithms(keyType); !reflect.DeepEqual(got, expected) {
			t.Errorf("%s: got %v, expected %v", keyType, got, expected)
		}
	}
}

func TestConnection(t *testing.T) {
	t.Setenv("SSH_AUTH_SOCK", "")
	text := provider.Text
	for name, wanted := range map[string]struct {
		connection properties
		endpoint   string
		user       string
		fails      bool
	}{
		"defaults":         {properties{"host": text("h")}, "h:22", "root", false},
		"given":            {properties{"host": text("h"), "port": resource.NewNumberProperty(2222), "user": text("u")}, "h:2222", "u", false},
		"IPv6":             {properties{"host": text("::1")}, "[::1]:22", "root", false},
		"a broken hostKey": {properties{"host": text("h"), "hostKey": text("ssh-ed25519 none")}, "h:22", "", true},
		"a broken key":     {properties{"host": text("h"), "privateKey": provider.Secret("none")}, "h:22", "", true},
		"a missing agent":  {properties{"host": text("h"), "agentSocketPath": text("/nowhere/agent")}, "h:22", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := endpoint(wanted.connection); got != wanted.endpoint {
				t.Errorf("endpoint %q, expected %q", got, wanted.endpoint)
			}
			config, release, err := clientConfig(wanted.connection)
			if (err != nil) != wanted.fails {
				t.Fatalf("got error %v, expected one: %v", err, wanted.fails)
			}
			if err == nil {
				release()
				if config.User != wanted.user {
					t.Errorf("user %q, expected %q", config.User, wanted.user)
				}
			}
		})
	}
}
