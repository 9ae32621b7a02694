package random

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"

	"geoclic.fr/fleet/toolchain/internal/provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"golang.org/x/crypto/bcrypt"
)

// randomPassword is a text of characters of the wanted sets. Its id tells nothing, unlike RandomBytes'.
type randomPassword struct{}

// id of every RandomPassword.
const passwordID = "none"

// bcryptLimit is as many bytes as bcrypt looks at.
const bcryptLimit = 72

// sets of characters by the inputs that want them and that say how many there must be at least.
var sets = []struct {
	wanted, least resource.PropertyKey
	characters    string
}{
	{"upper", "minUpper", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
	{"lower", "minLower", "abcdefghijklmnopqrstuvwxyz"},
	{"numeric", "minNumeric", "0123456789"},
	{"special", "minSpecial", "!@#$%&*()-_=+[]{}<>:?"},
}

func (randomPassword) Defaults() resource.PropertyMap {
	defaults := resource.PropertyMap{}
	for _, set := range sets {
		defaults[set.wanted] = resource.NewBoolProperty(true)
		defaults[set.least] = resource.NewNumberProperty(0)
	}
	return defaults
}

func (p randomPassword) ReplaceOn() []resource.PropertyKey {
	keys := []resource.PropertyKey{"keepers", "length", "overrideSpecial"}
	return append(keys, p.Defaults().StableKeys()...)
}

func (p randomPassword) Check(inputs resource.PropertyMap) map[resource.PropertyKey]string {
	wrong := randomBytes{}.Check(inputs)
	if wrong == nil {
		wrong = map[resource.PropertyKey]string{}
	}
	if _, ok := inputs["number"]; ok {
		wrong["number"] = "deprecated, and the substitute of plugin random does not have it; use numeric"
	}
	whole := provider.WithDefaults(inputs, p.Defaults())
	length, least, any := provider.Number(inputs, "length", 0), 0.0, false
	for _, set := range sets {
		least += provider.Number(whole, set.least, 0)
		any = any || provider.Bool(whole, set.wanted, true)
	}
	if !any {
		wrong["special"] = "at least one of upper, lower, numeric and special must be true"
	}
	if !provider.Plain(inputs["length"]).IsComputed() && length < least {
		wrong["length"] = fmt.Sprintf("expected at least minUpper + minLower + minNumeric + minSpecial = %v, got %v", least, length)
	}
	return wrong
}

func (p randomPassword) Create(_ context.Context, call provider.Call) (string, resource.PropertyMap, error) {
	state := provider.WithDefaults(call.Inputs, p.Defaults())
	state["number"] = state["numeric"]
	if call.Preview {
		state["result"], state["bcryptHash"] = provider.Unknown(), provider.Unknown()
		return "", state, nil
	}
	result, err := generate(state)
	if err != nil {
		return "", nil, err
	}
	return passwordID, state, hash(state, result)
}

func (randomPassword) Update(_ context.Context, call provider.Call) (resource.PropertyMap, error) {
	return call.State, nil
}

func (randomPassword) Delete(context.Context, provider.Call) error { return nil }

// Import takes the password itself as the id, which the state does not keep.
func (p randomPassword) Import(id string) (*provider.Found, error) {
	inputs := resource.PropertyMap{"length": resource.NewNumberProperty(float64(len(id)))}
	state := provider.WithDefaults(inputs, p.Defaults())
	state["number"] = state["numeric"]
	if err := hash(state, id); err != nil {
		return nil, err
	}
	return &provider.Found{ID: passwordID, Inputs: inputs, State: state}, nil
}

// hash keeps the password and its bcrypt hash, both secret.
func hash(state resource.PropertyMap, password string) error {
	hashed, err := bcrypt.GenerateFromPassword([]byte(password)[:min(len(password), bcryptLimit)], bcrypt.DefaultCost)
	if err != nil {
		return err
	}
	state["result"], state["bcryptHash"] = provider.Secret(password), provider.Secret(string(hashed))
	return nil
}

// generate draws the least numbers from each set, the rest from all that are wanted, and shuffles.
func generate(wanted resource.PropertyMap) (string, error) {
	var all, drawn []byte
	for _, set := range sets {
		characters := set.characters
		if special, ok := provider.String(wanted, "overrideSpecial"); ok && special != "" && set.wanted == "special" {
			characters = special
		}
		if provider.Bool(wanted, set.wanted, true) {
			all = append(all, characters...)
		}
		for range int(provider.Number(wanted, set.least, 0)) {
			character, err := draw([]byte(characters))
			if err != nil {
				return "", err
			}
			drawn = append(drawn, character)
		}
	}
	for len(drawn) < int(provider.Number(wanted, "length", 0)) {
		character, err := draw(all)
		if err != nil {
			return "", err
		}
		drawn = append(drawn, character)
	}
	return shuffle(drawn)
}

func shuffle(characters []byte) (string, error) {
	for last := len(characters) - 1; last > 0; last-- {
		other, err := rand.Int(rand.Reader, big.NewInt(int64(last+1)))
		if err != nil {
			return "", err
		}
		index := other.Int64()
		characters[last], characters[index] = characters[index], characters[last]
	}
	return string(characters), nil
}

func draw(characters []byte) (byte, error) {
	index, err := rand.Int(rand.Reader, big.NewInt(int64(len(characters))))
	if err != nil {
		return 0, err
	}
	return characters[index.Int64()], nil
}
