// Package provider is the gRPC side that all substitutes share: it turns Pulumi's resource provider protocol into
// calls of a Resource or Function, keeps secrets secret in both directions and unknown values unknown.
package provider

import (
	"context"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Plugin is one plugin that a substitute stands in for.
type Plugin struct {
	Name string
	// Version that the npm SDK asks for.
	Version string
	// Resources by type token, e.g. `command:local:Command`.
	Resources map[string]Resource
	// Functions by token.
	Functions map[string]Function
	// CheckConfig names what is wrong with the plugin's configuration; nil: there is none.
	CheckConfig func(config resource.PropertyMap) map[resource.PropertyKey]string
	// Configure takes the configuration before any operation but checks; nil: there is none.
	Configure func(ctx context.Context, config resource.PropertyMap) error
}

// Function answers a program's question; warn shows a warning to the user.
type Function func(ctx context.Context, inputs resource.PropertyMap, warn func(line string)) (resource.PropertyMap, error)

// Change is what differs between the inputs of a resource in the state and the wanted ones.
type Change struct {
	// Keys of the inputs that differ.
	Keys []resource.PropertyKey
	// Replace lists those of them that need a new resource.
	Replace []resource.PropertyKey
}

// Call is one call of a resource's operation.
type Call struct {
	URN resource.URN
	// ID in the state; empty on create. The id to import by when Read imports.
	ID string
	// Inputs wanted, secrets wrapped.
	Inputs resource.PropertyMap
	// State holds the former outputs, secrets wrapped; empty on create.
	State resource.PropertyMap
	// Preview means: nothing may be done, what only doing tells is unknown.
	Preview bool
	// Log shows a line of the resource to the user while the operation runs.
	Log func(line string)
	// Warn shows a warning of the resource to the user.
	Warn func(line string)
}

// Resource is one resource type.
type Resource interface {
	// Check names what is wrong with inputs: property and reason. Unknown values are not wrong.
	Check(inputs resource.PropertyMap) map[resource.PropertyKey]string
	// ReplaceOn lists the inputs whose change needs a new resource.
	ReplaceOn() []resource.PropertyKey
	// Create returns the id and the whole state.
	Create(ctx context.Context, call Call) (string, resource.PropertyMap, error)
	// Update returns the whole state.
	Update(ctx context.Context, call Call) (resource.PropertyMap, error)
	Delete(ctx context.Context, call Call) error
	// Defaults of the inputs: an absent one is as good as its default.
	Defaults() resource.PropertyMap
}

// Importer is a Resource whose id tells all of it.
type Importer interface {
	Import(id string) (*Found, error)
}

// External is a Resource that exists outside the state, where others can change or remove it.
type External interface {
	// Read looks at the resource, or imports it by Call.ID when Call has no state; nil: there is none.
	Read(ctx context.Context, call Call) (*Found, error)
	// Kept returns the wanted inputs in the form in which the state holds them when they mean the same.
	Kept(wanted, state resource.PropertyMap) resource.PropertyMap
}

// Incomplete is the failure of a Create that made something: it returns id and state, too, and the state keeps them.
type Incomplete struct{ error }

// NewIncomplete marks the failure of a Create after which the resource exists.
func NewIncomplete(err error) Incomplete { return Incomplete{err} }

// Found is a resource as it was read or imported.
type Found struct {
	// ID in the state; not always the id that it was imported by.
	ID            string
	Inputs, State resource.PropertyMap
}

// WithDefaults is a copy of inputs in which absent ones have their default.
func WithDefaults(inputs, defaults resource.PropertyMap) resource.PropertyMap {
	whole := inputs.Copy()
	for key, value := range defaults {
		if given, ok := whole[key]; !ok || Plain(given).IsNull() {
			whole[key] = value
		}
	}
	return whole
}

// Plain is a value without its secret wrapping.
func Plain(value resource.PropertyValue) resource.PropertyValue {
	for value.IsSecret() {
		value = value.SecretValue().Element
	}
	return value
}

// String is a text property without its secret wrapping; ok is false when it is absent, null or unknown.
func String(properties resource.PropertyMap, key resource.PropertyKey) (string, bool) {
	value := Plain(properties[key])
	if !value.IsString() {
		return "", false
	}
	return value.StringValue(), true
}

// Number is a number property; fallback where it is absent.
func Number(properties resource.PropertyMap, key resource.PropertyKey, fallback float64) float64 {
	value := Plain(properties[key])
	if !value.IsNumber() {
		return fallback
	}
	return value.NumberValue()
}

// Bool is a boolean property; fallback where it is absent.
func Bool(properties resource.PropertyMap, key resource.PropertyKey, fallback bool) bool {
	value := Plain(properties[key])
	if !value.IsBool() {
		return fallback
	}
	return value.BoolValue()
}

// Object is a map property; empty where it is absent.
func Object(properties resource.PropertyMap, key resource.PropertyKey) resource.PropertyMap {
	value := Plain(properties[key])
	if !value.IsObject() {
		return resource.PropertyMap{}
	}
	return value.ObjectValue()
}

// Secret wraps a text.
func Secret(text string) resource.PropertyValue {
	return resource.MakeSecret(resource.NewStringProperty(text))
}

// Text is a text that is no secret.
func Text(text string) resource.PropertyValue {
	return resource.NewStringProperty(text)
}

// Unknown is a value that only doing tells.
func Unknown() resource.PropertyValue {
	return resource.MakeComputed(resource.NewStringProperty(""))
}

// diff compares inputs without their secret wrapping.
func diff(former, wanted resource.PropertyMap, replaceOn []resource.PropertyKey) Change {
	var change Change
	for _, key := range keys(former, wanted) {
		before, after := former[key], wanted[key]
		if bare(before).DeepEquals(bare(after)) {
			continue
		}
		change.Keys = append(change.Keys, key)
		for _, needed := range replaceOn {
			if needed == key {
				change.Replace = append(change.Replace, key)
			}
		}
	}
	return change
}

// bare removes secret wrappings at every depth, so that wrapping alone is no change.
func bare(value resource.PropertyValue) resource.PropertyValue {
	value = Plain(value)
	switch {
	case value.IsObject():
		object := resource.PropertyMap{}
		for key, element := range value.ObjectValue() {
			if !Plain(element).IsNull() {
				object[key] = bare(element)
			}
		}
		return resource.NewObjectProperty(object)
	case value.IsArray():
		array := make([]resource.PropertyValue, len(value.ArrayValue()))
		for index, element := range value.ArrayValue() {
			array[index] = bare(element)
		}
		return resource.NewArrayProperty(array)
	default:
		return value
	}
}

func keys(maps ...resource.PropertyMap) []resource.PropertyKey {
	all := resource.PropertyMap{}
	for _, properties := range maps {
		for key, value := range properties {
			if key != "__defaults" {
				all[key] = value
			}
		}
	}
	return all.StableKeys()
}
