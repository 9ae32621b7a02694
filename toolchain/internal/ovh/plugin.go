// Package ovh stands in for what the program uses of plugin ovh 2.19.1: DNS records and what is known of a VPS. It talks
// only to an API on this machine, the lab's.
package ovh

import (
	"geoclic.fr/fleet/toolchain/internal/provider"
	"github.com/ovh/go-ovh/ovh"
)

const version = "2.19.1"

// account is how the API is reached; its client is there once the plugin is configured.
type account struct{ client *ovh.Client }

// Plugin with its own account.
func Plugin() provider.Plugin {
	account := &account{}
	return provider.Plugin{
		Version:     version,
		Resources:   map[string]provider.Resource{"ovh:Domain/zoneRecord:ZoneRecord": zoneRecord{account}},
		Functions:   map[string]provider.Function{"ovh:Vps/getVps:getVps": account.getVps},
		CheckConfig: checkConfig,
		Configure:   account.configure,
	}
}
