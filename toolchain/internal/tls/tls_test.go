package tls

import (
	"testing"

	"geoclic.fr/fleet/toolchain/internal/provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

func TestAlgorithmAndCurveAreChecked(t *testing.T) {
	text := provider.Text
	for name, wanted := range map[string]struct {
		inputs resource.PropertyMap
		wrong  int
	}{
		"ED25519":            {resource.PropertyMap{"algorithm": text("ED25519")}, 0},
		"unknown":            {resource.PropertyMap{"algorithm": provider.Unknown()}, 0},
		"a curve":            {resource.PropertyMap{"algorithm": text("ECDSA"), "ecdsaCurve": text("P384")}, 0},
		"lower case":         {resource.PropertyMap{"algorithm": text("rsa")}, 1},
		"none":               {resource.PropertyMap{}, 1},
		"an unheard curve":   {resource.PropertyMap{"algorithm": text("ECDSA"), "ecdsaCurve": text("P255")}, 1},
		"both of them wrong": {resource.PropertyMap{"algorithm": text("DSA"), "ecdsaCurve": text("P255")}, 2},
	} {
		if got := (privateKey{}).Check(wanted.inputs); len(got) != wanted.wrong {
			t.Errorf("%s: got %v, expected %d failures", name, got, wanted.wrong)
		}
	}
}

func TestCurveThatOpenSSHLacks(t *testing.T) {
	inputs := resource.PropertyMap{"algorithm": provider.Text("ECDSA"), "ecdsaCurve": provider.Text("P224")}
	id, state, err := privateKey{}.Create(t.Context(), provider.Call{Inputs: inputs})
	if err != nil {
		t.Fatal(err)
	}
	if len(id) != 40 {
		t.Errorf("id %q, expected a SHA-1 in hex", id)
	}
	for key, empty := range map[resource.PropertyKey]bool{
		"publicKeyOpenssh": true, "privateKeyOpenssh": true, "publicKeyFingerprintSha256": true,
		"publicKeyPem": false, "privateKeyPemPkcs8": false,
	} {
		if text, ok := provider.String(state, key); !ok || (text == "") != empty {
			t.Errorf("%s: got %q", key, text)
		}
	}
}

func TestPreviewMakesNoKey(t *testing.T) {
	inputs := resource.PropertyMap{"algorithm": provider.Text("RSA")}
	id, state, err := privateKey{}.Create(t.Context(), provider.Call{Inputs: inputs, Preview: true})
	if err != nil || id != "" {
		t.Fatal(id, err)
	}
	for _, key := range outputs {
		if !state[key].IsComputed() {
			t.Errorf("%s: got %v, expected unknown", key, state[key])
		}
	}
}
