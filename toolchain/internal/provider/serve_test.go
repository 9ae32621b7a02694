package provider

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"
)

// outside is a resource of which others removed one, "gone", and changed another.
type outside struct{ failure error }

func (outside) Check(properties) map[resource.PropertyKey]string { return nil }
func (outside) ReplaceOn() []resource.PropertyKey                { return []resource.PropertyKey{"kind"} }
func (outside) Defaults() properties                             { return nil }
func (o outside) Create(_ context.Context, call Call) (string, properties, error) {
	return "made", call.Inputs, o.failure
}
func (outside) Update(_ context.Context, call Call) (properties, error) {
	return properties{"id": Text(call.ID), "former": call.State["size"]}, nil
}
func (outside) Delete(_ context.Context, call Call) error { return errors.New("deletes " + call.ID) }
func (outside) Read(_ context.Context, call Call) (*Found, error) {
	if call.ID == "gone" {
		return nil, nil
	}
	return &Found{ID: "1", Inputs: properties{"size": Text("seen")}, State: properties{"size": Text("seen")}}, nil
}
func (outside) Kept(wanted, _ properties) properties {
	return properties{"kind": wanted["kind"], "size": Text(strings.ToLower(wanted["size"].StringValue()))}
}

const urn = "urn:pulumi:test::project::test:index:Outside::name"

func serving(typed outside, seen *properties) *server {
	served := &server{plugin: Plugin{
		Name: "test", Resources: map[string]Resource{"test:index:Outside": typed},
		Functions: map[string]Function{"test:index:ask": func(_ context.Context, inputs properties, _ func(string)) (properties, error) {
			return properties{"answer": inputs["question"]}, nil
		}},
		CheckConfig: func(properties) map[resource.PropertyKey]string {
			return map[resource.PropertyKey]string{"endpoint": "expected another"}
		},
		Configure: func(_ context.Context, config properties) error {
			*seen = config
			return errors.New("no configuration")
		},
	}}
	served.done, served.cancel = context.WithCancel(context.Background())
	return served
}

func pack(t *testing.T, given properties) *structpb.Struct {
	t.Helper()
	packed, err := plugin.MarshalProperties(given, marshalling)
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

func text(packed *structpb.Struct, key string) string {
	return packed.GetFields()[key].GetStringValue()
}

func TestWhatIsGoneHasNoId(t *testing.T) {
	served := serving(outside{}, nil)
	for id, expected := range map[string]string{"gone": "", "1": "1"} {
		request := &pulumirpc.ReadRequest{Id: id, Urn: urn, Properties: pack(t, properties{"size": Text("old")})}
		response, err := served.Read(t.Context(), request)
		if err != nil || response.GetId() != expected {
			t.Errorf("%s: got %v, %v", id, response, err)
		}
		if expected != "" && (text(response.GetProperties(), "size") != "seen" || text(response.GetInputs(), "size") != "seen") {
			t.Errorf("%s: got %v", id, response)
		}
	}
}

func TestWhatOthersCanChangeIsComparedWithWhatWasSeen(t *testing.T) {
	served := serving(outside{}, nil)
	for name, wanted := range map[string]struct {
		state   properties
		ignored []string
		diffs   string
	}{
		"kept in another form": {properties{"kind": Text("k"), "size": Text("big")}, nil, ""},
		"changed by others":    {properties{"kind": Text("k"), "size": Text("small")}, nil, "size"},
		"changed and ignored":  {properties{"kind": Text("k"), "size": Text("small")}, []string{"size"}, ""},
	} {
		inputs := pack(t, properties{"kind": Text("k"), "size": Text("BIG")})
		response, err := served.Diff(t.Context(), &pulumirpc.DiffRequest{
			Urn: urn, Olds: pack(t, wanted.state), OldInputs: inputs, News: inputs, IgnoreChanges: wanted.ignored,
		})
		if err != nil || strings.Join(response.GetDiffs(), " ") != wanted.diffs {
			t.Errorf("%s: got %v, %v", name, response, err)
		}
	}
}

func TestOnlyAnIncompleteCreationIsKept(t *testing.T) {
	for failure, kept := range map[error]bool{errors.New("nothing made"): false, NewIncomplete(errors.New("made, but")): true} {
		_, err := serving(outside{failure}, nil).Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn, Properties: pack(t, properties{"size": Text("big")})})
		details := status.Convert(err).Details()
		if err == nil || (len(details) == 1) != kept {
			t.Fatalf("got %v with %v, expected kept %v", err, details, kept)
		}
		if !kept {
			continue
		}
		detail, _ := details[0].(*pulumirpc.ErrorResourceInitFailed)
		if detail.GetId() != "made" || text(detail.GetProperties(), "size") != "big" || text(detail.GetInputs(), "size") != "big" {
			t.Errorf("got %v", detail)
		}
	}
}

func TestOperationsHaveIdAndState(t *testing.T) {
	served := serving(outside{}, nil)
	updated, err := served.Update(t.Context(), &pulumirpc.UpdateRequest{Id: "1", Urn: urn, Olds: pack(t, properties{"size": Text("old")})})
	if err != nil || text(updated.GetProperties(), "id") != "1" || text(updated.GetProperties(), "former") != "old" {
		t.Errorf("got %v, %v", updated, err)
	}
	if _, err := served.Delete(t.Context(), &pulumirpc.DeleteRequest{Id: "1", Urn: urn}); err == nil || err.Error() != "deletes 1" {
		t.Errorf("got %v", err)
	}
}

func TestInvoke(t *testing.T) {
	served := serving(outside{}, nil)
	request := &pulumirpc.InvokeRequest{Tok: "test:index:ask", Args: pack(t, properties{"question": Text("why")})}
	if response, err := served.Invoke(t.Context(), request); err != nil || text(response.GetReturn(), "answer") != "why" {
		t.Errorf("got %v, %v", response, err)
	}
	if _, err := served.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "test:index:other"}); err == nil {
		t.Error("a function that is not there answered")
	}
}

func TestConfiguration(t *testing.T) {
	var seen properties
	served := serving(outside{}, &seen)
	config := properties{"endpoint": Secret("a")}
	if _, err := served.Configure(t.Context(), &pulumirpc.ConfigureRequest{Args: pack(t, config)}); err == nil || !seen["endpoint"].IsSecret() {
		t.Errorf("got %v after %v", err, seen)
	}
	checked, err := served.CheckConfig(t.Context(), &pulumirpc.CheckRequest{News: pack(t, config)})
	if err != nil || len(checked.GetFailures()) != 1 || len(checked.GetInputs().GetFields()) != 1 {
		t.Errorf("got %v, %v", checked, err)
	}
	former := properties{"endpoint": Secret("a"), "version": Text("1")}
	for name, wanted := range map[string]struct {
		news  properties
		diffs string
	}{
		"the same":        {properties{"endpoint": Text("a"), "version": Text("2")}, ""},
		"another address": {properties{"endpoint": Text("b"), "version": Text("1")}, "endpoint"},
		"without version": {properties{"endpoint": Text("a")}, ""},
	} {
		response, err := served.DiffConfig(t.Context(), &pulumirpc.DiffRequest{OldInputs: pack(t, former), News: pack(t, wanted.news)})
		if err != nil || strings.Join(response.GetDiffs(), " ") != wanted.diffs || len(response.GetReplaces()) > 0 {
			t.Errorf("%s: got %v, %v", name, response, err)
		}
	}
}
