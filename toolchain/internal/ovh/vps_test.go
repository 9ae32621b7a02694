package ovh

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"geoclic.fr/fleet/toolchain/internal/provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

const (
	server = `{"name":"vps-1.vps.ovh.net","displayName":"web-1","cluster":"","zone":"Region OpenStack: os-gra7","state":"running",
"netbootMode":"local","keymap":null,"offerType":"ssd","slaMonitoring":false,"vcore":4,"memoryLimit":8192,
"model":{"name":"vps-2025-model1","offer":"VPS-1","version":"2025v1"},"iam":{"urn":"urn:v1:eu:resource:vps:vps-1.vps.ovh.net"}}`
	getServer = "GET /vps/vps-1.vps.ovh.net"
	getPlace  = getServer + "/datacenter"
	getIPs    = getServer + "/ips"
)

func TestGetVps(t *testing.T) {
	api, account := configured(t, map[string][]answer{
		getServer: ok(server), getIPs: ok(`["2001:db8::1","203.0.113.10"]`),
		getPlace: ok(`{"name":"os-gra7","longName":"Gravelines","country":"fr"}`),
	})
	got, err := account.getVps(t.Context(), properties{"serviceName": provider.Text("vps-1.vps.ovh.net")}, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	expected := resource.NewPropertyMapFromMap(map[string]any{
		"VpsURN": "urn:v1:eu:resource:vps:vps-1.vps.ovh.net", "cluster": "", "displayname": "web-1", "id": "vps-1.vps.ovh.net",
		"ips": []string{"2001:db8::1", "203.0.113.10"}, "keymap": "", "memory": 8192, "name": "vps-1.vps.ovh.net",
		"datacenter":  map[string]any{"name": "os-gra7", "longname": "Gravelines"},
		"model":       map[string]any{"name": "vps-2025-model1", "offer": "VPS-1", "version": "2025v1"},
		"netbootmode": "local", "offertype": "ssd", "serviceName": "vps-1.vps.ovh.net", "slamonitoring": false, "state": "running",
		"type": "vps_ssd_vps-2025-model1_2025v1", "vcore": 4, "zone": "Region OpenStack: os-gra7",
	})
	if !reflect.DeepEqual(got, expected) {
		t.Errorf("got %v, expected %v", got, expected)
	}
	if asked := []string{getServer, getIPs, getPlace}; !slices.Equal(api.asked, asked) {
		t.Errorf("got requests %v, expected %v", api.asked, asked)
	}
}

func TestGetVpsFails(t *testing.T) {
	for name, wanted := range map[string]struct {
		answers         map[string][]answer
		warned, message string
	}{
		"unknown": {map[string][]answer{getServer: {{404, gone}}}, "calling /vps/vps-1.vps.ovh.net: OVHcloud API error (status code 404)", ""},
		"refused": {map[string][]answer{getServer: {{429, busy}}}, "Too many requests", ""},
		"its addresses are refused": {
			map[string][]answer{getServer: ok(server), getIPs: {{429, busy}}}, "", "calling /vps/vps-1.vps.ovh.net/ips: OVHcloud API error (status code 429)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, account := configured(t, wanted.answers)
			warned := ""
			got, err := account.getVps(t.Context(), properties{"serviceName": provider.Text("vps-1.vps.ovh.net")}, func(line string) { warned += line })
			if len(got) > 0 || !strings.Contains(warned, wanted.warned) || (warned == "") != (wanted.warned == "") {
				t.Errorf("got %v and warning %q", got, warned)
			}
			if (err == nil) != (wanted.message == "") || err != nil && !strings.Contains(err.Error(), wanted.message) {
				t.Errorf("got %v, expected %q", err, wanted.message)
			}
		})
	}
}
