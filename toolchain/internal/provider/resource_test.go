package provider

import (
	"reflect"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

type properties = resource.PropertyMap

func list(values ...resource.PropertyValue) resource.PropertyValue {
	return resource.NewArrayProperty(values)
}

func object(values properties) resource.PropertyValue { return resource.NewObjectProperty(values) }

func TestDiff(t *testing.T) {
	replaceOn := []resource.PropertyKey{"triggers"}
	cases := map[string]struct {
		former, wanted properties
		keys, replace  []resource.PropertyKey
	}{
		"the same": {
			former: properties{"create": Text("a")}, wanted: properties{"create": Text("a")},
		},
		"another value": {
			former: properties{"create": Text("a"), "dir": Text("d")}, wanted: properties{"create": Text("b"), "dir": Text("d")},
			keys: []resource.PropertyKey{"create"},
		},
		"added and removed": {
			former: properties{"update": Text("a")}, wanted: properties{"delete": Text("a")},
			keys: []resource.PropertyKey{"delete", "update"},
		},
		"replacing": {
			former: properties{"triggers": list(Text("1"))}, wanted: properties{"triggers": list(Text("2"))},
			keys: []resource.PropertyKey{"triggers"}, replace: []resource.PropertyKey{"triggers"},
		},
		"order of a list": {
			former: properties{"triggers": list(Text("1"), Text("2"))}, wanted: properties{"triggers": list(Text("2"), Text("1"))},
			keys: []resource.PropertyKey{"triggers"}, replace: []resource.PropertyKey{"triggers"},
		},
		"wrapped as secret only": {
			former: properties{"stdin": Text("a")}, wanted: properties{"stdin": Secret("a")},
		},
		"wrapped deep inside": {
			former: properties{"environment": object(properties{"A": Secret("a")})},
			wanted: properties{"environment": resource.MakeSecret(object(properties{"A": Text("a")}))},
		},
		"another secret": {
			former: properties{"stdin": Secret("a")}, wanted: properties{"stdin": Secret("b")},
			keys: []resource.PropertyKey{"stdin"},
		},
		"null inside an object is absent": {
			former: properties{"connection": object(properties{"host": Text("h")})},
			wanted: properties{"connection": object(properties{"host": Text("h"), "proxy": resource.NewNullProperty()})},
		},
		"unknown is a change": {
			former: properties{"create": Text("a")}, wanted: properties{"create": Unknown()},
			keys: []resource.PropertyKey{"create"},
		},
		"the engine's defaults do not count": {
			former: properties{"__defaults": list()}, wanted: properties{},
		},
	}
	for name, wanted := range cases {
		t.Run(name, func(t *testing.T) {
			got := diff(wanted.former, wanted.wanted, replaceOn)
			if !reflect.DeepEqual(got.Keys, wanted.keys) || !reflect.DeepEqual(got.Replace, wanted.replace) {
				t.Errorf("got %v and replace %v, expected %v and %v", got.Keys, got.Replace, wanted.keys, wanted.replace)
			}
		})
	}
}

func TestBareLeavesNoSecret(t *testing.T) {
	value := resource.MakeSecret(object(properties{
		"list":   list(Secret("a"), resource.MakeSecret(list(Secret("b")))),
		"number": resource.MakeSecret(resource.NewNumberProperty(1)),
	}))
	expected := object(properties{
		"list":   list(Text("a"), list(Text("b"))),
		"number": resource.NewNumberProperty(1),
	})
	if got := bare(value); got.ContainsSecrets() || !got.DeepEquals(expected) {
		t.Errorf("got %v, expected %v", got, expected)
	}
	if !value.ContainsSecrets() {
		t.Error("the value itself was changed")
	}
}

func TestReadersSeeThroughSecretsAndFallBack(t *testing.T) {
	given := properties{
		"text": Secret("a"), "number": resource.MakeSecret(resource.NewNumberProperty(2)),
		"flag": resource.MakeSecret(resource.NewBoolProperty(false)), "unknown": Unknown(),
		"object": resource.MakeSecret(object(properties{"host": Text("h")})),
	}
	if text, ok := String(given, "text"); text != "a" || !ok {
		t.Errorf("text: got %q, %v", text, ok)
	}
	for _, key := range []resource.PropertyKey{"absent", "unknown", "number"} {
		if text, ok := String(given, key); text != "" || ok {
			t.Errorf("%s: got %q, %v, expected no text", key, text, ok)
		}
	}
	if got := []float64{Number(given, "number", 7), Number(given, "absent", 7)}; got[0] != 2 || got[1] != 7 {
		t.Errorf("numbers: got %v, expected 2 and 7", got)
	}
	if Bool(given, "flag", true) || !Bool(given, "absent", true) {
		t.Error("flags: expected the value, then the fallback")
	}
	if got := Object(given, "object"); len(got) != 1 || len(Object(given, "absent")) != 0 {
		t.Errorf("object: got %v", got)
	}
}
