package ovh

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"

	"geoclic.fr/fleet/toolchain/internal/provider"
	"github.com/ovh/go-ovh/ovh"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

func checkConfig(config resource.PropertyMap) map[resource.PropertyKey]string {
	wrong := map[resource.PropertyKey]string{}
	if _, err := rateLimit(config); err != nil {
		wrong["apiRateLimit"] = err.Error()
	}
	if _, err := ignoresInitError(config); err != nil {
		wrong["ignoreInitError"] = err.Error()
	}
	return wrong
}

// configure makes the client and proves its credentials. What the configuration lacks comes from the environment, then
// from the files ovh.conf, as in every official client.
func (a *account) configure(ctx context.Context, config resource.PropertyMap) error {
	client, err := newClient(config)
	if err != nil {
		return err
	}
	if err := refuseOthers(client.Endpoint()); err != nil {
		return err
	}
	limit, err := rateLimit(config)
	if err != nil {
		return err
	}
	ignored, err := ignoresInitError(config)
	if err != nil {
		return err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true
	client.Client.Transport = pace(transport, limit)
	client.UserAgent = "geoclic-fleet substitute/" + version
	if extra, ok := provider.String(config, "userAgentExtra"); ok && extra != "" {
		client.UserAgent += " - " + extra
	}
	if err := client.GetWithContext(ctx, "/auth/details", nil); err != nil && !ignored {
		return fmt.Errorf("OVH client seems to be misconfigured: %w", err)
	}
	a.client = client
	return nil
}

// newClient takes one way of authentication out of the configuration; the official client refuses a second one that it
// finds elsewhere.
func newClient(config resource.PropertyMap) (*ovh.Client, error) {
	given := func(key resource.PropertyKey) string {
		text, _ := provider.String(config, key)
		return text
	}
	endpoint, token := given("endpoint"), given("accessToken")
	id, secret := given("clientId"), given("clientSecret")
	key, keySecret, consumer := given("applicationKey"), given("applicationSecret"), given("consumerKey")
	ways := 0
	for _, way := range []string{token, id + secret, key + keySecret + consumer} {
		if way != "" {
			ways++
		}
	}
	switch {
	case ways > 1:
		return nil, errors.New("can't use multiple authentication methods: one of applicationKey/applicationSecret, clientId/clientSecret and accessToken")
	case token != "":
		return ovh.NewAccessTokenClient(endpoint, token)
	case id+secret != "":
		return ovh.NewOAuth2Client(endpoint, id, secret)
	default:
		return ovh.NewClient(endpoint, key, keySecret, consumer)
	}
}

// refuseOthers: real domains and real money are no matter for a stand-in.
func refuseOthers(endpoint string) error {
	address, err := url.Parse(endpoint)
	if err == nil && (address.Scheme == "http" || address.Scheme == "https") {
		host := address.Hostname()
		if host == "localhost" || net.ParseIP(host).IsLoopback() {
			return nil
		}
	}
	return fmt.Errorf(
		"the endpoint %s is not on this machine: this plugin ovh is a substitute for closed networks and works only with the lab; "+
			"install the official plugin: pulumi plugin install resource ovh %s --server github://api.github.com/ovh/pulumi-ovh",
		endpoint, version)
}

// rateLimit in requests a second; 0 is none. The SDK sends it as JSON text.
func rateLimit(config resource.PropertyMap) (float64, error) {
	switch value := provider.Plain(config["apiRateLimit"]); {
	case value.IsNumber() && value.NumberValue() >= 0:
		return value.NumberValue(), nil
	case value.IsString():
		limit, err := strconv.ParseFloat(value.StringValue(), 64)
		if err == nil && limit >= 0 {
			return limit, nil
		}
		return 0, fmt.Errorf("expected a number of requests a second, got %q", value.StringValue())
	case value.IsNull() || value.IsComputed():
		return 0, nil
	default:
		return 0, fmt.Errorf("expected a number of requests a second, got %v", value)
	}
}

func ignoresInitError(config resource.PropertyMap) (bool, error) {
	switch value := provider.Plain(config["ignoreInitError"]); {
	case value.IsBool():
		return value.BoolValue(), nil
	case value.IsString():
		ignored, err := strconv.ParseBool(value.StringValue())
		if err == nil {
			return ignored, nil
		}
		return false, fmt.Errorf("expected true or false, got %q", value.StringValue())
	case value.IsNull() || value.IsComputed():
		return false, nil
	default:
		return false, fmt.Errorf("expected true or false, got %v", value)
	}
}
