package ovh

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"geoclic.fr/fleet/toolchain/internal/provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

func TestOnlyLoopback(t *testing.T) {
	for endpoint, accepted := range map[string]bool{
		"http://127.0.0.1:8080/1.0": true, "http://127.0.10.4/1.0": true, "https://localhost/1.0": true, "http://[::1]:80/1.0": true,
		"https://eu.api.ovh.com/1.0": false, "http://10.0.0.1/1.0": false, "http://localhost.example.net/1.0": false,
		"http://127.0.0.1@example.net/1.0": false, "http://127.0.0.1.example.net/1.0": false, "127.0.0.1:8080/1.0": false,
		"http://0.0.0.0/1.0": false, "ftp://127.0.0.1/": false, "http:///1.0": false,
	} {
		err := refuseOthers(endpoint)
		if (err == nil) != accepted {
			t.Errorf("%s: got %v, expected accepted %v", endpoint, err, accepted)
		}
		if err != nil && !strings.Contains(err.Error(), "install the official plugin") {
			t.Errorf("%s: no way out in %q", endpoint, err)
		}
	}
}

func TestARealEndpointIsNeverAsked(t *testing.T) {
	newAPI(t, nil)
	for _, endpoint := range []string{"ovh-eu", "ovh-ca", "ovh-us", "https://eu.api.ovh.com/1.0"} {
		config := properties{"endpoint": provider.Text(endpoint), "accessToken": provider.Text("t")}
		account := &account{}
		err := account.configure(t.Context(), config)
		if err == nil || !strings.Contains(err.Error(), "substitute") || account.client != nil {
			t.Errorf("%s: got %v", endpoint, err)
		}
	}
}

func TestConfigure(t *testing.T) {
	good, bad := ok(`{"method":"account"}`), []answer{{403, `{"errorCode":"INVALID_CREDENTIAL","httpCode":"403 Forbidden","message":"This credential is not valid"}`}}
	without := func(keys ...resource.PropertyKey) func(properties) {
		return func(config properties) {
			for _, key := range keys {
				delete(config, key)
			}
		}
	}
	for name, wanted := range map[string]struct {
		change      func(properties)
		environment map[string]string
		details     []answer
		message     string
	}{
		"good credentials": {details: good},
		"bad credentials": {details: bad, message: "OVH client seems to be misconfigured: " +
			`OVHcloud API error (status code 403): "This credential is not valid" (X-OVH-Query-Id: EU.ext-1.2.3.4)`},
		"bad credentials, ignored": {details: bad, change: func(config properties) { config["ignoreInitError"] = provider.Text("true") }},
		"keys of the environment": {
			details: good, change: without("applicationKey", "applicationSecret", "consumerKey"),
			environment: map[string]string{"APPLICATION_KEY": "ak", "APPLICATION_SECRET": "secret-as", "CONSUMER_KEY": "secret-ck"},
		},
		"none":             {change: without("applicationKey", "applicationSecret", "consumerKey"), message: "missing authentication information"},
		"half":             {change: without("applicationSecret"), message: "both application_key and application_secret must be given"},
		"two in the stack": {change: func(config properties) { config["accessToken"] = provider.Text("t") }, message: "can't use multiple authentication methods"},
		"two, one of the environment": {
			environment: map[string]string{"ACCESS_TOKEN": "t"}, message: "can't use multiple authentication methods",
		},
		"OAuth2 elsewhere": {change: func(config properties) {
			without("applicationKey", "applicationSecret", "consumerKey")(config)
			config["clientId"], config["clientSecret"] = provider.Text("i"), provider.Text("s")
		}, message: "oauth2 authentication is not compatible"},
		"trailing slash": {change: func(config properties) { config["endpoint"] = provider.Text("http://127.0.0.1/") }, message: "trailing slash"},
		"unknown name":   {change: func(config properties) { config["endpoint"] = provider.Text("ovh-xx") }, message: "unknown endpoint 'ovh-xx'"},
	} {
		t.Run(name, func(t *testing.T) {
			api := newAPI(t, map[string][]answer{"GET /auth/details": wanted.details})
			for name, value := range wanted.environment {
				t.Setenv("OVH_"+name, value)
			}
			config := api.config()
			if wanted.change != nil {
				wanted.change(config)
			}
			err := (&account{}).configure(t.Context(), config)
			if wanted.message == "" && err != nil {
				t.Error(err)
			}
			if wanted.message != "" && (err == nil || !strings.Contains(err.Error(), wanted.message)) {
				t.Errorf("got %v, expected %q", err, wanted.message)
			}
			if err != nil && strings.Contains(err.Error(), "secret-") {
				t.Errorf("a secret in %q", err)
			}
		})
	}
}

func TestKeysOfAFile(t *testing.T) {
	api := newAPI(t, map[string][]answer{"GET /auth/details": ok(`{}`)})
	t.Chdir(t.TempDir())
	endpoint := api.URL + "/1.0"
	text := "[default]\nendpoint=" + endpoint + "\n[" + endpoint + "]\napplication_key=ak\napplication_secret=secret-as\nconsumer_key=secret-ck\n"
	if err := os.WriteFile(filepath.Join(".", "ovh.conf"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := (&account{}).configure(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

func TestWhatConfigurationAsks(t *testing.T) {
	api := newAPI(t, map[string][]answer{"GET /auth/details": ok(`{}`)})
	config := api.config()
	config["userAgentExtra"] = provider.Text("fleet")
	if err := (&account{}).configure(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	expected := "github.com/ovh/go-ovh (geoclic-fleet substitute/2.19.1 - fleet)"
	if len(api.agents) != 2 || api.times != 1 || api.agents[1] != expected {
		t.Errorf("got %d requests, %d for the time, the last by %q", len(api.agents), api.times, api.agents[1])
	}
	config = properties{"endpoint": config["endpoint"], "accessToken": provider.Secret("token")}
	if err := (&account{}).configure(t.Context(), config); err != nil || api.times != 1 {
		t.Errorf("access token: got %v, asked for the time %d times", err, api.times)
	}
}

func TestConfigurationIsChecked(t *testing.T) {
	for name, wanted := range map[string]struct {
		config properties
		wrong  string
	}{
		"empty":           {config: properties{}},
		"JSON texts":      {config: properties{"apiRateLimit": provider.Text("2.5"), "ignoreInitError": provider.Text("false")}},
		"values":          {config: properties{"apiRateLimit": resource.NewNumberProperty(5), "ignoreInitError": resource.NewBoolProperty(true)}},
		"unknown":         {config: properties{"apiRateLimit": provider.Unknown(), "ignoreInitError": provider.Unknown()}},
		"no number":       {config: properties{"apiRateLimit": provider.Text("many")}, wrong: "apiRateLimit"},
		"negative number": {config: properties{"apiRateLimit": resource.NewNumberProperty(-1)}, wrong: "apiRateLimit"},
		"no flag":         {config: properties{"ignoreInitError": provider.Text("perhaps")}, wrong: "ignoreInitError"},
	} {
		var wrong []string
		for key := range maps.Keys(checkConfig(wanted.config)) {
			wrong = append(wrong, string(key))
		}
		if strings.Join(wrong, " ") != wanted.wrong {
			t.Errorf("%s: got %v, expected %q", name, wrong, wanted.wrong)
		}
	}
}

func TestPace(t *testing.T) {
	api := newAPI(t, map[string][]answer{"GET /auth/details": ok(`{}`), "GET /domain/zone/z/record/1": ok(`{"id":1}`)})
	config := api.config()
	config["apiRateLimit"] = provider.Text("20")
	account := &account{}
	began := time.Now()
	if err := account.configure(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := account.get(t.Context(), "z", "1"); err != nil {
			t.Fatal(err)
		}
	}
	if spent := time.Since(began); spent < 190*time.Millisecond {
		t.Errorf("5 requests at 20 a second took %v, expected 200 ms", spent)
	}
}
