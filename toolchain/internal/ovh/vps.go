package ovh

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"geoclic.fr/fleet/toolchain/internal/provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

type vps struct {
	Name          string `json:"name"`
	Cluster       string `json:"cluster"`
	Memory        int    `json:"memoryLimit"`
	NetbootMode   string `json:"netbootMode"`
	Keymap        string `json:"keymap"`
	Zone          string `json:"zone"`
	State         string `json:"state"`
	VCore         int    `json:"vcore"`
	OfferType     string `json:"offerType"`
	SLAMonitoring bool   `json:"slaMonitoring"`
	DisplayName   string `json:"displayName"`
	Model         struct {
		Name    string `json:"name"`
		Offer   string `json:"offer"`
		Version string `json:"version"`
	} `json:"model"`
	IAM struct {
		URN string `json:"urn"`
	} `json:"iam"`
}

type datacenter struct {
	Name     string `json:"name"`
	LongName string `json:"longName"`
}

// offers by type, as they are written in the output `type`.
var offers = map[string]string{"classic": "classic", "cloud": "ceph-nvme", "cloudram": "ceph-nvme-ram", "ssd": "ssd"}

// getVps tells what OVH knows of a VPS. As the official plugin's, it answers with nothing at all when OVH refuses to tell
// of the VPS, whatever the reason; but it warns.
func (a *account) getVps(ctx context.Context, inputs resource.PropertyMap, warn func(string)) (resource.PropertyMap, error) {
	serviceName, _ := provider.String(inputs, "serviceName")
	if serviceName == "" {
		return nil, errors.New("getVps: expected serviceName")
	}
	var found vps
	path := "/vps/" + url.PathEscape(serviceName)
	if err := a.client.GetWithContext(ctx, path, &found); err != nil {
		warn(fmt.Sprintf("nothing is known of %s, calling %s: %v", serviceName, path, err))
		return resource.PropertyMap{}, nil
	}
	path = "/vps/" + url.PathEscape(found.Name)
	var ips []string
	if err := a.client.GetWithContext(ctx, path+"/ips", &ips); err != nil {
		return nil, fmt.Errorf("calling %s/ips: %w", path, err)
	}
	var place datacenter
	if err := a.client.GetWithContext(ctx, path+"/datacenter", &place); err != nil {
		return nil, fmt.Errorf("calling %s/datacenter: %w", path, err)
	}
	return resource.NewPropertyMapFromMap(found.outputs(serviceName, ips, place)), nil
}

func (v vps) outputs(serviceName string, ips []string, place datacenter) map[string]any {
	return map[string]any{
		"VpsURN": v.IAM.URN, "cluster": v.Cluster, "displayname": v.DisplayName, "id": v.Name, "ips": ips, "keymap": v.Keymap,
		"datacenter": map[string]any{"name": place.Name, "longname": place.LongName},
		"memory":     v.Memory,
		"model":      map[string]any{"name": v.Model.Name, "offer": v.Model.Offer, "version": v.Model.Version},
		"name":       v.Name, "netbootmode": v.NetbootMode, "offertype": v.OfferType, "serviceName": serviceName,
		"slamonitoring": v.SLAMonitoring, "state": v.State, "vcore": v.VCore, "zone": v.Zone,
		"type": fmt.Sprintf("vps_%s_%s_%s", offers[v.OfferType], v.Model.Name, v.Model.Version),
	}
}
