// Package random stands in for the resources of plugin random 4.21.2 that the program uses.
package random

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"

	"geoclic.fr/fleet/toolchain/internal/provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Resources by token.
var Resources = map[string]provider.Resource{
	"random:index/randomBytes:RandomBytes":       randomBytes{},
	"random:index/randomPassword:RandomPassword": randomPassword{},
}

type randomBytes struct{}

func (randomBytes) Check(inputs resource.PropertyMap) map[resource.PropertyKey]string {
	length := provider.Plain(inputs["length"])
	if length.IsComputed() || (length.IsNumber() && length.NumberValue() >= 1 && length.NumberValue() == float64(int(length.NumberValue()))) {
		return nil
	}
	return map[resource.PropertyKey]string{"length": fmt.Sprintf("expected a whole number of at least 1, got %v", length)}
}

func (randomBytes) ReplaceOn() []resource.PropertyKey {
	return []resource.PropertyKey{"keepers", "length"}
}

func (randomBytes) Create(_ context.Context, call provider.Call) (string, resource.PropertyMap, error) {
	state := call.Inputs.Copy()
	if call.Preview {
		state["hex"], state["base64"] = provider.Unknown(), provider.Unknown()
		return "", state, nil
	}
	content := make([]byte, int(provider.Number(call.Inputs, "length", 0)))
	if _, err := rand.Read(content); err != nil {
		return "", nil, err
	}
	fill(state, content)
	// As the official plugin's: the id is the bytes, and ids are kept in clear. No secret may be a RandomBytes.
	return base64.StdEncoding.EncodeToString(content), state, nil
}

func (randomBytes) Update(_ context.Context, call provider.Call) (resource.PropertyMap, error) {
	state := call.State.Copy()
	for key, value := range call.Inputs {
		state[key] = value
	}
	return state, nil
}

func (randomBytes) Delete(context.Context, provider.Call) error { return nil }

func (randomBytes) Defaults() resource.PropertyMap { return nil }

func (randomBytes) Import(id string) (*provider.Found, error) {
	content, err := base64.StdEncoding.DecodeString(id)
	if err != nil {
		return nil, fmt.Errorf("the id to import must be the bytes in base64: %w", err)
	}
	if len(content) == 0 {
		return nil, errors.New("the id to import must be the bytes in base64, got none")
	}
	inputs := resource.PropertyMap{"length": resource.NewNumberProperty(float64(len(content)))}
	state := inputs.Copy()
	fill(state, content)
	return &provider.Found{ID: id, Inputs: inputs, State: state}, nil
}

func fill(state resource.PropertyMap, content []byte) {
	state["hex"] = provider.Secret(hex.EncodeToString(content))
	state["base64"] = provider.Secret(base64.StdEncoding.EncodeToString(content))
}
