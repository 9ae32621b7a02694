package random

import (
	"testing"

	"geoclic.fr/fleet/toolchain/internal/provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

func TestLengthIsChecked(t *testing.T) {
	for name, wanted := range map[string]struct {
		length resource.PropertyValue
		wrong  int
	}{
		"whole":   {resource.NewNumberProperty(16), 0},
		"secret":  {resource.MakeSecret(resource.NewNumberProperty(16)), 0},
		"unknown": {provider.Unknown(), 0},
		"zero":    {resource.NewNumberProperty(0), 1},
		"half":    {resource.NewNumberProperty(1.5), 1},
		"text":    {provider.Text("16"), 1},
		"absent":  {resource.NewNullProperty(), 1},
	} {
		if got := (randomBytes{}).Check(resource.PropertyMap{"length": wanted.length}); len(got) != wanted.wrong {
			t.Errorf("%s: got %v, expected %d failures", name, got, wanted.wrong)
		}
	}
}

func TestImport(t *testing.T) {
	imported, err := randomBytes{}.Import("AP8Q")
	if err != nil {
		t.Fatal(err)
	}
	if length := imported.Inputs["length"].NumberValue(); length != 3 {
		t.Errorf("length %v, expected 3", length)
	}
	if hex := imported.State["hex"]; !hex.IsSecret() || provider.Plain(hex).StringValue() != "00ff10" {
		t.Errorf("got %v, expected the secret 00ff10", hex)
	}
	for _, id := range []string{"", "not base64!", "AP8"} {
		if imported, err := (randomBytes{}).Import(id); err == nil || imported != nil {
			t.Errorf("%q was accepted", id)
		}
	}
}
