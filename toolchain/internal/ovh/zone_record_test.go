package ovh

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"geoclic.fr/fleet/toolchain/internal/provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

const (
	www  = `{"id":7,"zone":"example.net","subDomain":"www","fieldType":"A","target":"203.0.113.10","ttl":300}`
	gone = `{"class":"Client::NotFound","message":"The requested object (id = 7) does not exist"}`
	busy = `{"class":"Client::TooManyRequests","message":"Too many requests"}`

	postRecord = "POST /domain/zone/example.net/record"
	listIDs    = "GET /domain/zone/example.net/record"
	refresh    = "POST /domain/zone/example.net/refresh"
	getRecord  = "GET /domain/zone/example.net/record/7"
	putRecord  = "PUT /domain/zone/example.net/record/7"
	delRecord  = "DELETE /domain/zone/example.net/record/7"
	body       = ` {"target":"203.0.113.10","ttl":300,"fieldType":"A","subDomain":"www"}`
)

func inputs() properties {
	return properties{
		"zone": provider.Text("example.net"), "subdomain": provider.Text("www"), "fieldtype": provider.Text("A"),
		"target": provider.Text("203.0.113.10"), "ttl": resource.NewNumberProperty(300),
	}
}

func with(changes properties) properties {
	changed := inputs()
	for key, value := range changes {
		changed[key] = value
	}
	return changed
}

func hasten(t *testing.T) {
	patience, firstPause = 100*time.Millisecond, 5*time.Millisecond
	t.Cleanup(func() { patience, firstPause = time.Minute, 500*time.Millisecond })
}

func TestCreate(t *testing.T) {
	hasten(t)
	for name, wanted := range map[string]struct {
		answers map[string][]answer
		asked   []string
		id      string
		message string
		// incomplete: the record exists all the same.
		incomplete bool
		warned     string
	}{
		"in order": {
			answers: map[string][]answer{postRecord: ok(www), refresh: ok("null"), getRecord: ok(www)},
			asked:   []string{postRecord + body, refresh, getRecord}, id: "7",
		},
		"the refresh fails": {
			answers: map[string][]answer{postRecord: ok(www), refresh: {{500, `{"message":"Internal server error"}`}}, getRecord: ok(www)},
			asked:   []string{postRecord + body, refresh, getRecord}, id: "7", warned: "zone example.net is not refreshed",
		},
		"known late": {
			answers: map[string][]answer{postRecord: ok(www), refresh: ok(""), getRecord: {{404, gone}, {404, gone}, {200, www}}},
			asked:   []string{postRecord + body, refresh, getRecord, getRecord, getRecord}, id: "7",
		},
		"refused": {
			answers: map[string][]answer{postRecord: {{429, busy}}}, asked: []string{postRecord + body},
			message: `OVHcloud API error (status code 429): Client::TooManyRequests: "Too many requests" (X-OVH-Query-Id: EU.ext-1.2.3.4)`,
		},
		"the look fails": {
			answers: map[string][]answer{postRecord: ok(www), refresh: ok(""), getRecord: {{429, busy}}},
			asked:   []string{postRecord + body, refresh, getRecord}, id: "7", message: "status code 429", incomplete: true,
		},
		"no id told": {
			answers: map[string][]answer{
				postRecord: ok(`{"id":0}`), listIDs: ok("[3,9,7,5]"), refresh: ok(""), getRecord: ok(www),
				"GET /domain/zone/example.net/record/9": ok(strings.Replace(www, `"id":7`, `"id":9`, 1)),
				"GET /domain/zone/example.net/record/5": ok(strings.Replace(www, "www", "mail", 1)),
				"GET /domain/zone/example.net/record/3": ok(strings.Replace(www, `"A"`, `"AAAA"`, 1)),
			},
			asked: []string{
				postRecord + body, listIDs + body, "GET /domain/zone/example.net/record/9", getRecord,
				"GET /domain/zone/example.net/record/5", "GET /domain/zone/example.net/record/3", refresh, getRecord,
			}, id: "7",
		},
		"no id told, none found": {
			answers: map[string][]answer{postRecord: ok("null"), listIDs: ok("[]")},
			asked:   []string{postRecord + body, listIDs + body}, message: "zone example.net may have an orphan",
		},
	} {
		t.Run(name, func(t *testing.T) {
			api, account := configured(t, wanted.answers)
			var warned string
			call := provider.Call{Inputs: inputs(), Warn: func(line string) { warned += line }}
			id, state, err := (zoneRecord{account}).Create(t.Context(), call)
			var incomplete provider.Incomplete
			if (err == nil) != (wanted.message == "") || err != nil && !strings.Contains(err.Error(), wanted.message) {
				t.Errorf("got %v, expected %q", err, wanted.message)
			}
			if errors.As(err, &incomplete) != wanted.incomplete {
				t.Errorf("got %T, expected incomplete %v", err, wanted.incomplete)
			}
			if id != wanted.id || !strings.Contains(warned, wanted.warned) || (warned == "") != (wanted.warned == "") {
				t.Errorf("got id %q and warning %q, expected %q and %q", id, warned, wanted.id, wanted.warned)
			}
			if id != "" && !reflect.DeepEqual(state, inputs()) {
				t.Errorf("got state %v", state)
			}
			if !slices.Equal(api.asked, wanted.asked) {
				t.Errorf("got requests\n%s\nexpected\n%s", strings.Join(api.asked, "\n"), strings.Join(wanted.asked, "\n"))
			}
		})
	}
}

func TestARecordThatIsNeverKnownIsNotKept(t *testing.T) {
	hasten(t)
	_, account := configured(t, map[string][]answer{postRecord: ok(www), refresh: ok(""), getRecord: {{404, gone}}})
	id, _, err := (zoneRecord{account}).Create(t.Context(), provider.Call{Inputs: inputs()})
	if id != "" || !errors.Is(err, errUnknown) {
		t.Errorf("got %q and %v", id, err)
	}
}

func TestPreviewAsksNothing(t *testing.T) {
	api, account := configured(t, map[string][]answer{})
	wanted := inputs()
	delete(wanted, "ttl")
	call := provider.Call{Inputs: wanted, Preview: true}
	id, state, err := (zoneRecord{account}).Create(t.Context(), call)
	if _, failure := (zoneRecord{account}).Update(t.Context(), call); id != "" || err != nil || failure != nil || len(api.asked) > 0 {
		t.Errorf("got %q, %v, %v and requests %v", id, err, failure, api.asked)
	}
	if ttl := state["ttl"]; !ttl.IsNumber() || ttl.NumberValue() != 0 {
		t.Errorf("ttl %v, expected 0", ttl)
	}
}

func TestUpdate(t *testing.T) {
	changed := strings.Replace(www, "300", "600", 1)
	for name, wanted := range map[string]struct {
		inputs  properties
		answers map[string][]answer
		asked   []string
		message string
	}{
		"in order": {
			inputs:  with(properties{"ttl": resource.NewNumberProperty(600)}),
			answers: map[string][]answer{putRecord: ok("null"), refresh: {{500, ""}}, getRecord: ok(changed)},
			asked:   []string{putRecord + ` {"target":"203.0.113.10","ttl":600,"subDomain":"www"}`, refresh, getRecord},
		},
		"an empty subdomain and ttl": {
			inputs:  properties{"zone": provider.Text("example.net"), "fieldtype": provider.Text("A"), "target": provider.Text("x")},
			answers: map[string][]answer{putRecord: ok("null"), refresh: ok("null"), getRecord: ok(changed)},
			asked:   []string{putRecord + ` {"target":"x","ttl":0}`, refresh, getRecord},
		},
		"missing": {
			inputs: inputs(), answers: map[string][]answer{putRecord: {{404, gone}}},
			asked:   []string{putRecord + ` {"target":"203.0.113.10","ttl":300,"subDomain":"www"}`},
			message: "failed to update OVH Record: OVHcloud API error (status code 404)",
		},
		"deleted meanwhile": {
			inputs: inputs(), answers: map[string][]answer{putRecord: ok("null"), refresh: ok("null"), getRecord: {{404, gone}}},
			asked:   []string{putRecord + ` {"target":"203.0.113.10","ttl":300,"subDomain":"www"}`, refresh, getRecord},
			message: "deleted by somebody else",
		},
	} {
		t.Run(name, func(t *testing.T) {
			api, account := configured(t, wanted.answers)
			call := provider.Call{ID: "7", Inputs: wanted.inputs, State: inputs(), Warn: func(string) {}}
			state, err := (zoneRecord{account}).Update(t.Context(), call)
			if (err == nil) != (wanted.message == "") || err != nil && !strings.Contains(err.Error(), wanted.message) {
				t.Errorf("got %v, expected %q", err, wanted.message)
			}
			if err == nil && provider.Number(state, "ttl", 0) != 600 {
				t.Errorf("the state is not what the API answered: %v", state)
			}
			if !slices.Equal(api.asked, wanted.asked) {
				t.Errorf("got requests %v, expected %v", api.asked, wanted.asked)
			}
		})
	}
}

func TestDelete(t *testing.T) {
	for name, wanted := range map[string]struct {
		answers map[string][]answer
		asked   []string
		message string
	}{
		"in order":          {map[string][]answer{delRecord: ok("null"), refresh: ok("null")}, []string{delRecord, refresh}, ""},
		"the refresh fails": {map[string][]answer{delRecord: ok("null"), refresh: {{500, ""}}}, []string{delRecord, refresh}, ""},
		"missing":           {map[string][]answer{delRecord: {{404, gone}}}, []string{delRecord}, ""},
		"refused":           {map[string][]answer{delRecord: {{429, busy}}}, []string{delRecord}, "X-OVH-Query-Id: EU.ext-1.2.3.4"},
	} {
		t.Run(name, func(t *testing.T) {
			api, account := configured(t, wanted.answers)
			err := (zoneRecord{account}).Delete(t.Context(), provider.Call{ID: "7", State: inputs(), Warn: func(string) {}})
			if (err == nil) != (wanted.message == "") || err != nil && !strings.Contains(err.Error(), wanted.message) {
				t.Errorf("got %v, expected %q", err, wanted.message)
			}
			if !slices.Equal(api.asked, wanted.asked) {
				t.Errorf("got requests %v, expected %v", api.asked, wanted.asked)
			}
		})
	}
}

func TestRead(t *testing.T) {
	moved := strings.Replace(www, "203.0.113.10", "203.0.113.99", 1)
	for name, wanted := range map[string]struct {
		id            string
		inputs, state properties
		answers       []answer
		// found inputs; nil: gone.
		found   properties
		message string
	}{
		"as it was":     {id: "7", inputs: inputs(), state: inputs(), answers: ok(www), found: inputs()},
		"moved by hand": {id: "7", inputs: inputs(), state: inputs(), answers: ok(moved), found: with(properties{"target": provider.Text("203.0.113.99")})},
		"gone":          {id: "7", inputs: inputs(), state: inputs(), answers: []answer{{404, gone}}},
		"refused":       {id: "7", inputs: inputs(), state: inputs(), answers: []answer{{429, busy}}, message: "X-OVH-Query-Id: EU.ext-1.2.3.4"},
		"imported":      {id: "7.example.net", answers: ok(www), found: inputs()},
		"secret": {
			id: "7", inputs: with(properties{"target": provider.Secret("203.0.113.10")}), state: inputs(), answers: ok(www),
			found: with(properties{"target": provider.Secret("203.0.113.10")}),
		},
		"imported from nowhere": {id: "7.example.net", answers: []answer{{404, gone}}},
		"imported wrongly":      {id: "7", message: `expected the id to import as {record's id}.{zone}, got "7"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, account := configured(t, map[string][]answer{getRecord: wanted.answers})
			found, err := (zoneRecord{account}).Read(t.Context(), provider.Call{ID: wanted.id, Inputs: wanted.inputs, State: wanted.state})
			if (err == nil) != (wanted.message == "") || err != nil && !strings.Contains(err.Error(), wanted.message) {
				t.Errorf("got %v, expected %q", err, wanted.message)
			}
			if (found == nil) != (wanted.found == nil) {
				t.Fatalf("got %v, expected %v", found, wanted.found)
			}
			if found != nil && (found.ID != "7" || !reflect.DeepEqual(found.Inputs, wanted.found) || !reflect.DeepEqual(found.State, wanted.found)) {
				t.Errorf("got %v, expected %v", found, wanted.found)
			}
		})
	}
}

func TestQuotesOfTXT(t *testing.T) {
	text := func(kind, target string) properties {
		return with(properties{"fieldtype": provider.Text(kind), "target": provider.Text(target)})
	}
	for name, wanted := range map[string]struct {
		wanted, state properties
		same          bool
	}{
		"added by the API":  {text("TXT", "a b"), text("TXT", `"a b"`), true},
		"written":           {text("TXT", `"a b"`), text("TXT", `"a b"`), true},
		"another":           {text("TXT", "a c"), text("TXT", `"a b"`), false},
		"no TXT":            {text("CNAME", "a"), text("CNAME", `"a"`), false},
		"removed by a hand": {text("TXT", `"a b"`), text("TXT", "a b"), false},
	} {
		kept := (zoneRecord{}).Kept(wanted.wanted, wanted.state)
		if same := reflect.DeepEqual(kept, wanted.state); same != wanted.same {
			t.Errorf("%s: got %v", name, kept)
		}
	}
}

func TestInputsAreChecked(t *testing.T) {
	for name, wanted := range map[string]struct {
		inputs properties
		wrong  string
	}{
		"good":        {inputs: inputs()},
		"unknown":     {inputs: with(properties{"target": provider.Unknown(), "ttl": provider.Unknown()})},
		"zone's ttl":  {inputs: with(properties{"ttl": resource.NewNumberProperty(0)})},
		"least ttl":   {inputs: with(properties{"ttl": resource.NewNumberProperty(60)})},
		"short ttl":   {inputs: with(properties{"ttl": resource.NewNumberProperty(59)}), wrong: "ttl"},
		"negative":    {inputs: with(properties{"ttl": resource.NewNumberProperty(-1)}), wrong: "ttl"},
		"broken ttl":  {inputs: with(properties{"ttl": resource.NewNumberProperty(60.5)}), wrong: "ttl"},
		"text ttl":    {inputs: with(properties{"ttl": provider.Text("60")}), wrong: "ttl"},
		"no target":   {inputs: with(properties{"target": provider.Text("")}), wrong: "target"},
		"null zone":   {inputs: with(properties{"zone": resource.NewNullProperty()}), wrong: "zone"},
		"secret type": {inputs: with(properties{"fieldtype": provider.Secret("A")})},
	} {
		wrong := (zoneRecord{}).Check(wanted.inputs)
		delete(wrong, resource.PropertyKey(wanted.wrong))
		if told := len((zoneRecord{}).Check(wanted.inputs)); len(wrong) > 0 || (told > 0) != (wanted.wrong != "") {
			t.Errorf("%s: got %d failures and %v, expected %q alone", name, told, wrong, wanted.wrong)
		}
	}
}
