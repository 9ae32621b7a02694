package command

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"geoclic.fr/fleet/toolchain/internal/provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// permanent is a failure that no second attempt can mend: a key that cannot be read.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// dialOnce connects, through the proxy where one is given.
func dialOnce(ctx context.Context, connection resource.PropertyMap) (*ssh.Client, error) {
	config, release, err := clientConfig(connection)
	if err != nil {
		return nil, permanent{err}
	}
	defer release()
	address := endpoint(connection)
	ctx, cancel := limited(ctx, connection)
	defer cancel()
	proxy := provider.Object(connection, "proxy")
	if len(proxy) == 0 {
		raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err != nil {
			return nil, err
		}
		return handshake(ctx, raw, address, config)
	}
	through, err := dialOnce(ctx, proxy)
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	raw, err := through.DialContext(ctx, "tcp", address)
	if err != nil {
		through.Close()
		return nil, err
	}
	return handshake(ctx, raw, address, config)
}

// limited ends after perDialTimeout seconds (15); 0 is no limit.
func limited(ctx context.Context, connection resource.PropertyMap) (context.Context, context.CancelFunc) {
	seconds := provider.Number(connection, "perDialTimeout", 15)
	if seconds <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Duration(seconds*float64(time.Second)))
}

// handshake gives up with its context: a server that accepts and says nothing must not hold the run.
func handshake(ctx context.Context, raw net.Conn, address string, config *ssh.ClientConfig) (*ssh.Client, error) {
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	secured, channels, requests, err := ssh.NewClientConn(raw, address, config)
	if !stop() && err == nil {
		secured.Close()
		err = ctx.Err()
	}
	if err != nil {
		raw.Close()
		return nil, err
	}
	return ssh.NewClient(secured, channels, requests), nil
}

func endpoint(connection resource.PropertyMap) string {
	host, _ := provider.String(connection, "host")
	return net.JoinHostPort(host, strconv.Itoa(int(provider.Number(connection, "port", 22))))
}

// clientConfig reads user, keys and host key; what it returns as second must be called when the handshake is over.
func clientConfig(connection resource.PropertyMap) (*ssh.ClientConfig, func(), error) {
	user, ok := provider.String(connection, "user")
	if !ok {
		user = "root"
	}
	config := &ssh.ClientConfig{User: user, HostKeyCallback: ssh.InsecureIgnoreHostKey()} // As the official plugin without hostKey.
	if text, ok := provider.String(connection, "hostKey"); ok {
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(text))
		if err != nil {
			return nil, nil, fmt.Errorf("hostKey: %w", err)
		}
		config.HostKeyCallback = ssh.FixedHostKey(key)
		config.HostKeyAlgorithms = algorithms(key.Type())
	}
	if signer, err := privateKey(connection); err != nil {
		return nil, nil, fmt.Errorf("privateKey: %w", err)
	} else if signer != nil {
		config.Auth = append(config.Auth, ssh.PublicKeys(signer))
	}
	if password, ok := provider.String(connection, "password"); ok {
		config.Auth = append(config.Auth, ssh.Password(password), ssh.KeyboardInteractive(
			func(_, _ string, questions []string, _ []bool) ([]string, error) {
				answers := make([]string, len(questions))
				for index := range answers {
					answers[index] = password
				}
				return answers, nil
			}))
	}
	release, err := addAgent(config, connection)
	return config, release, err
}

func privateKey(connection resource.PropertyMap) (ssh.Signer, error) {
	text, ok := provider.String(connection, "privateKey")
	if !ok {
		return nil, nil
	}
	if password, ok := provider.String(connection, "privateKeyPassword"); ok {
		return ssh.ParsePrivateKeyWithPassphrase([]byte(text), []byte(password))
	}
	return ssh.ParsePrivateKey([]byte(text))
}

// addAgent offers the keys of the agent named, or of SSH_AUTH_SOCK.
func addAgent(config *ssh.ClientConfig, connection resource.PropertyMap) (func(), error) {
	path, ok := provider.String(connection, "agentSocketPath")
	if !ok {
		path = os.Getenv("SSH_AUTH_SOCK")
	}
	if path == "" {
		return func() {}, nil
	}
	socket, err := net.Dial("unix", path)
	if err != nil {
		return nil, fmt.Errorf("ssh-agent: %w", err)
	}
	config.Auth = append(config.Auth, ssh.PublicKeysCallback(agent.NewClient(socket).Signers))
	return func() { socket.Close() }, nil
}

// algorithms: an RSA key signs in newer ways than its type's name says.
func algorithms(keyType string) []string {
	if keyType == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{keyType}
}
