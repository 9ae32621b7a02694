package ovh

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"geoclic.fr/fleet/toolchain/internal/provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// zoneRecord is the resource; every output is an input, too.
type zoneRecord struct{ *account }

func (zoneRecord) Check(inputs resource.PropertyMap) map[resource.PropertyKey]string {
	wrong := map[resource.PropertyKey]string{}
	for _, key := range []resource.PropertyKey{"fieldtype", "target", "zone"} {
		if text, _ := provider.String(inputs, key); text == "" && !provider.Plain(inputs[key]).IsComputed() {
			wrong[key] = fmt.Sprintf("expected a text, got %v", provider.Plain(inputs[key]))
		}
	}
	ttl := provider.Plain(inputs["ttl"])
	if ttl.IsNull() || ttl.IsComputed() {
		return wrong
	}
	if !ttl.IsNumber() || ttl.NumberValue() != float64(int64(ttl.NumberValue())) {
		wrong["ttl"] = fmt.Sprintf("expected a whole number of seconds, got %v", ttl)
	} else if seconds := ttl.NumberValue(); seconds != 0 && seconds < 60 {
		wrong["ttl"] = fmt.Sprintf(`"ttl" must be either equal to 0 or, greater than or equal to 60, got: %v`, seconds)
	}
	return wrong
}

func (zoneRecord) ReplaceOn() []resource.PropertyKey {
	return []resource.PropertyKey{"fieldtype", "zone"}
}

func (zoneRecord) Defaults() resource.PropertyMap {
	return resource.PropertyMap{"subdomain": provider.Text(""), "ttl": resource.NewNumberProperty(0)}
}

func (z zoneRecord) Create(ctx context.Context, call provider.Call) (string, resource.PropertyMap, error) {
	planned := provider.WithDefaults(call.Inputs, z.Defaults())
	if call.Preview {
		return "", planned, nil
	}
	zone, wanted := wire(call.Inputs)
	wanted.FieldType, _ = provider.String(call.Inputs, "fieldtype")
	id, err := z.post(ctx, zone, wanted)
	if err != nil {
		return "", nil, err
	}
	z.publish(ctx, zone, call.Warn)
	made, err := z.await(ctx, zone, id)
	if errors.Is(err, errUnknown) {
		return "", nil, err
	}
	if err != nil {
		return id, planned, provider.NewIncomplete(err)
	}
	return id, made.properties(call.Inputs), nil
}

func (z zoneRecord) Update(ctx context.Context, call provider.Call) (resource.PropertyMap, error) {
	if call.Preview {
		return provider.WithDefaults(call.Inputs, z.Defaults()), nil
	}
	zone, wanted := wire(call.Inputs)
	if err := z.client.PutWithContext(ctx, recordAt(zone, call.ID), wanted, nil); err != nil {
		return nil, fmt.Errorf("failed to update OVH Record: %w", err)
	}
	z.publish(ctx, zone, call.Warn)
	changed, err := z.get(ctx, zone, call.ID)
	if err != nil {
		return nil, err
	}
	if changed == nil {
		return nil, fmt.Errorf("record %s of zone %s was deleted by somebody else; refresh the stack and try again", call.ID, zone)
	}
	return changed.properties(call.Inputs), nil
}

func (z zoneRecord) Delete(ctx context.Context, call provider.Call) error {
	zone, _ := provider.String(call.State, "zone")
	err := z.client.DeleteWithContext(ctx, recordAt(zone, call.ID), nil)
	if isMissing(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("calling %s: %w", recordAt(zone, call.ID), err)
	}
	z.publish(ctx, zone, call.Warn)
	return nil
}

// Read imports by `{id}.{zone}`.
func (z zoneRecord) Read(ctx context.Context, call provider.Call) (*provider.Found, error) {
	id := call.ID
	zone, _ := provider.String(call.State, "zone")
	if zone == "" {
		var ok bool
		if id, zone, ok = strings.Cut(call.ID, "."); !ok {
			return nil, fmt.Errorf("expected the id to import as {record's id}.{zone}, got %q", call.ID)
		}
	}
	found, err := z.get(ctx, zone, id)
	if found == nil {
		return nil, err
	}
	like := call.Inputs
	if len(like) == 0 {
		like = call.State
	}
	state := found.properties(like)
	return &provider.Found{ID: id, Inputs: z.inputs(call.Inputs, state), State: state}, nil
}

// inputs that would make a state: the former ones where they still do.
func (z zoneRecord) inputs(former, state resource.PropertyMap) resource.PropertyMap {
	inputs := former.Copy()
	kept := z.Kept(provider.WithDefaults(former, z.Defaults()), state)
	for key, value := range state {
		if !provider.Plain(kept[key]).DeepEquals(provider.Plain(value)) {
			inputs[key] = value
		}
	}
	return inputs
}

// Kept: the API puts the text of a TXT record in quotes that it lacks.
func (zoneRecord) Kept(wanted, state resource.PropertyMap) resource.PropertyMap {
	kind, _ := provider.String(wanted, "fieldtype")
	target, _ := provider.String(wanted, "target")
	held, _ := provider.String(state, "target")
	if kind != "TXT" || held != `"`+target+`"` {
		return wanted
	}
	kept := wanted.Copy()
	kept["target"] = state["target"]
	return kept
}

// wire is the zone of inputs, and what the API can change of its record.
func wire(inputs resource.PropertyMap) (string, record) {
	zone, _ := provider.String(inputs, "zone")
	target, _ := provider.String(inputs, "target")
	subDomain, _ := provider.String(inputs, "subdomain")
	return zone, record{Target: target, SubDomain: subDomain, TTL: int64(provider.Number(inputs, "ttl", 0))}
}

// properties of a record; secret where those like it are.
func (r record) properties(like resource.PropertyMap) resource.PropertyMap {
	state := resource.PropertyMap{
		"zone": provider.Text(r.Zone), "fieldtype": provider.Text(r.FieldType), "subdomain": provider.Text(r.SubDomain),
		"target": provider.Text(r.Target), "ttl": resource.NewNumberProperty(float64(r.TTL)),
	}
	for key, value := range state {
		if like[key].ContainsSecrets() {
			state[key] = resource.MakeSecret(value)
		}
	}
	return state
}
