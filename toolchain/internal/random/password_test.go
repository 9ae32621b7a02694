package random

import (
	"strings"
	"testing"

	"geoclic.fr/fleet/toolchain/internal/provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"golang.org/x/crypto/bcrypt"
)

func number(value float64) resource.PropertyValue { return resource.NewNumberProperty(value) }

// hexadecimal are the inputs by which a password is hexadecimal.
func hexadecimal(length float64) resource.PropertyMap {
	return resource.PropertyMap{
		"length": number(length), "upper": resource.NewBoolProperty(false), "lower": resource.NewBoolProperty(false),
		"overrideSpecial": provider.Text("abcdef"),
	}
}

func create(t *testing.T, inputs resource.PropertyMap) (string, resource.PropertyMap) {
	t.Helper()
	id, state, err := randomPassword{}.Create(t.Context(), provider.Call{Inputs: inputs})
	if err != nil {
		t.Fatal(err)
	}
	if id != "none" {
		t.Errorf("id %q tells something of the password", id)
	}
	if !state["result"].IsSecret() || !state["bcryptHash"].IsSecret() {
		t.Error("the password or its hash is not secret")
	}
	result, _ := provider.String(state, "result")
	return result, state
}

func TestPasswordDrawsFromTheWantedCharacters(t *testing.T) {
	result, state := create(t, hexadecimal(4096))
	for _, character := range result {
		if !strings.ContainsRune("0123456789abcdef", character) {
			t.Fatalf("%q is not hexadecimal", character)
		}
	}
	// 256 each on average; outside these bounds by chance less than once in 10^9 runs.
	for _, character := range "0123456789abcdef" {
		if count := strings.Count(result, string(character)); count < 150 || count > 370 {
			t.Errorf("%q is drawn %d times of 4096, expected some 256", character, count)
		}
	}
	hashed, _ := provider.String(state, "bcryptHash")
	if err := bcrypt.CompareHashAndPassword([]byte(hashed), []byte(result[:72])); err != nil {
		t.Error(err)
	}
}

func TestPasswordHasTheLeastNumbers(t *testing.T) {
	inputs := resource.PropertyMap{
		"length": number(8), "minUpper": number(2), "minLower": number(2), "minNumeric": number(2), "minSpecial": number(2),
	}
	for range 20 {
		result, _ := create(t, inputs)
		for _, set := range sets {
			count := 0
			for _, character := range result {
				if strings.ContainsRune(set.characters, character) {
					count++
				}
			}
			if len(result) != 8 || count != 2 {
				t.Fatalf("%q has %d of %q, expected 2 of 8", result, count, set.characters)
			}
		}
	}
}

func TestPasswordIsChecked(t *testing.T) {
	off := resource.NewBoolProperty(false)
	for name, wanted := range map[string]struct {
		inputs resource.PropertyMap
		wrong  resource.PropertyKey
	}{
		"hexadecimal":      {hexadecimal(64), ""},
		"length unknown":   {resource.PropertyMap{"length": provider.Unknown(), "minUpper": number(3)}, ""},
		"no length":        {resource.PropertyMap{}, "length"},
		"too short":        {resource.PropertyMap{"length": number(3), "minUpper": number(2), "minLower": number(2)}, "length"},
		"no character set": {resource.PropertyMap{"length": number(3), "upper": off, "lower": off, "numeric": off, "special": off}, "special"},
		"number":           {resource.PropertyMap{"length": number(3), "number": off}, "number"},
	} {
		got := randomPassword{}.Check(wanted.inputs)
		if _, found := got[wanted.wrong]; found != (wanted.wrong != "") || (wanted.wrong == "" && len(got) > 0) {
			t.Errorf("%s: got %v, expected %q", name, got, wanted.wrong)
		}
	}
}

func TestPasswordIsImportedWithoutLeavingATrace(t *testing.T) {
	imported, err := randomPassword{}.Import("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if imported.ID != "none" || !imported.State["result"].IsSecret() {
		t.Errorf("id %q, result %v: the password is in clear", imported.ID, imported.State["result"])
	}
	if length := imported.Inputs["length"].NumberValue(); length != 13 {
		t.Errorf("length %v, expected 13", length)
	}
}
