// Package tls stands in for the resources of plugin tls 5.6.1 that the program uses.
package tls

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"

	"geoclic.fr/fleet/toolchain/internal/provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"golang.org/x/crypto/ssh"
)

// Resources by token.
var Resources = map[string]provider.Resource{"tls:index/privateKey:PrivateKey": privateKey{}}

type privateKey struct{}

var (
	algorithms = []string{"RSA", "ECDSA", "ED25519"}
	curves     = map[string]elliptic.Curve{"P224": elliptic.P224(), "P256": elliptic.P256(), "P384": elliptic.P384(), "P521": elliptic.P521()}
	outputs    = []resource.PropertyKey{
		"privateKeyOpenssh", "privateKeyPem", "privateKeyPemPkcs8",
		"publicKeyFingerprintMd5", "publicKeyFingerprintSha256", "publicKeyOpenssh", "publicKeyPem",
	}
)

func (privateKey) Check(inputs resource.PropertyMap) map[resource.PropertyKey]string {
	wrong := map[resource.PropertyKey]string{}
	if value := provider.Plain(inputs["algorithm"]); !value.IsComputed() {
		if algorithm, _ := provider.String(inputs, "algorithm"); !slices.Contains(algorithms, algorithm) {
			wrong["algorithm"] = fmt.Sprintf("expected one of %v, got %q", algorithms, algorithm)
		}
	}
	if curve, ok := provider.String(inputs, "ecdsaCurve"); ok && curves[curve] == nil {
		wrong["ecdsaCurve"] = fmt.Sprintf("expected P224, P256, P384 or P521, got %q", curve)
	}
	return wrong
}

func (privateKey) ReplaceOn() []resource.PropertyKey {
	return []resource.PropertyKey{"algorithm", "ecdsaCurve", "rsaBits"}
}

func (privateKey) Defaults() resource.PropertyMap {
	return resource.PropertyMap{"ecdsaCurve": provider.Text("P224"), "rsaBits": resource.NewNumberProperty(2048)}
}

func (key privateKey) Create(_ context.Context, call provider.Call) (string, resource.PropertyMap, error) {
	state := provider.WithDefaults(call.Inputs, key.Defaults())
	if call.Preview {
		for _, key := range outputs {
			state[key] = provider.Unknown()
		}
		return "", state, nil
	}
	made, err := generate(state)
	if err != nil {
		return "", nil, err
	}
	id, err := describe(state, made)
	return id, state, err
}

func (privateKey) Update(_ context.Context, call provider.Call) (resource.PropertyMap, error) {
	return call.State, nil
}

func (privateKey) Delete(context.Context, provider.Call) error { return nil }

func generate(state resource.PropertyMap) (crypto.Signer, error) {
	switch algorithm, _ := provider.String(state, "algorithm"); algorithm {
	case "RSA":
		return rsa.GenerateKey(rand.Reader, int(provider.Number(state, "rsaBits", 2048)))
	case "ECDSA":
		curve, _ := provider.String(state, "ecdsaCurve")
		return ecdsa.GenerateKey(curves[curve], rand.Reader)
	default:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
}

// describe fills in every form of the key; the id is the SHA-1 of the public key's PEM without the last newline, as the
// official plugin's.
func describe(state resource.PropertyMap, key crypto.Signer) (string, error) {
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return "", err
	}
	publicPem := encode("PUBLIC KEY", public)
	state["privateKeyPemPkcs8"] = provider.Secret(encode("PRIVATE KEY", pkcs8))
	traditional, err := traditionalPem(key)
	if err != nil {
		return "", err
	}
	state["privateKeyPem"] = provider.Secret(traditional)
	state["publicKeyPem"] = provider.Text(publicPem)
	if err := describeSSH(state, key); err != nil {
		return "", err
	}
	digest := sha1.Sum([]byte(strings.TrimSpace(publicPem)))
	return hex.EncodeToString(digest[:]), nil
}

// describeSSH leaves OpenSSH's forms empty where OpenSSH has none (P224).
func describeSSH(state resource.PropertyMap, key crypto.Signer) error {
	for _, name := range []resource.PropertyKey{"publicKeyOpenssh", "publicKeyFingerprintMd5", "publicKeyFingerprintSha256"} {
		state[name] = provider.Text("")
	}
	state["privateKeyOpenssh"] = provider.Secret("")
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		return nil
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		return err
	}
	state["privateKeyOpenssh"] = provider.Secret(string(pem.EncodeToMemory(block)))
	state["publicKeyOpenssh"] = provider.Text(string(ssh.MarshalAuthorizedKey(public)))
	state["publicKeyFingerprintMd5"] = provider.Text(ssh.FingerprintLegacyMD5(public))
	state["publicKeyFingerprintSha256"] = provider.Text(ssh.FingerprintSHA256(public))
	return nil
}

func traditionalPem(key crypto.Signer) (string, error) {
	switch typed := key.(type) {
	case *rsa.PrivateKey:
		return encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(typed)), nil
	case *ecdsa.PrivateKey:
		content, err := x509.MarshalECPrivateKey(typed)
		return encode("EC PRIVATE KEY", content), err
	default:
		content, err := x509.MarshalPKCS8PrivateKey(key)
		return encode("PRIVATE KEY", content), err
	}
}

func encode(kind string, content []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}))
}
