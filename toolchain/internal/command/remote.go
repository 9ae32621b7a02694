package command

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"geoclic.fr/fleet/toolchain/internal/provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"golang.org/x/crypto/ssh"
)

func checkRemote(inputs resource.PropertyMap) map[resource.PropertyKey]string {
	wrong := map[resource.PropertyKey]string{}
	connection := provider.Plain(inputs["connection"])
	if connection.IsComputed() {
		return wrong
	}
	if host := provider.Plain(provider.Object(inputs, "connection")["host"]); !host.IsComputed() && !host.IsString() {
		wrong["connection"] = "host is required"
	}
	return wrong
}

func runRemote(ctx context.Context, wanted execution) error {
	client, err := dial(ctx, provider.Object(wanted.inputs, "connection"), wanted.log)
	if err != nil {
		return notStarted{err}
	}
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		return notStarted{err}
	}
	defer session.Close()
	for name, value := range wanted.variables {
		if err := session.Setenv(name, value); err != nil {
			return notStarted{fmt.Errorf("could not set environment variable %q (sshd's AcceptEnv must let it in): %w", name, err)}
		}
	}
	for name, value := range wanted.former {
		// As the official plugin: a host without AcceptEnv for them is no reason not to run.
		if err := session.Setenv(name, value); err != nil {
			wanted.warn(fmt.Sprintf("variable %s was not set (sshd's AcceptEnv, or addPreviousOutputInEnv: false): %v", name, err))
		}
	}
	if stdin, _ := provider.String(wanted.inputs, "stdin"); stdin != "" {
		session.Stdin = strings.NewReader(stdin)
	}
	session.Stdout, session.Stderr = wanted.output.stdoutWriter(), wanted.output.stderrWriter()
	stop := context.AfterFunc(ctx, func() {
		_ = session.Signal(ssh.SIGTERM)
		_ = client.Close()
	})
	defer stop()
	err = session.Run(wanted.line)
	if ctx.Err() != nil {
		return fmt.Errorf("%w (%v)", errCancelled, ctx.Err())
	}
	return err
}

// dial tries again after 100 ms, then half as long again each time, until it has failed more often than allowed.
func dial(ctx context.Context, connection resource.PropertyMap, log func(string)) (*ssh.Client, error) {
	limit := int(provider.Number(connection, "dialErrorLimit", 10))
	allowed := "inf"
	if limit >= 0 {
		allowed = strconv.Itoa(limit)
	}
	delay := 100 * time.Millisecond
	for failures := 1; ; failures++ {
		client, err := dialOnce(ctx, connection)
		if err == nil {
			return client, nil
		}
		var refused permanent
		if errors.As(err, &refused) {
			return nil, err
		}
		// The last attempt is not counted, as the official plugin tells it.
		if limit >= 0 && failures > limit {
			return nil, fmt.Errorf("after %d failed attempts: %w", failures-1, err)
		}
		log(fmt.Sprintf("Dial %d/%s failed: retrying", failures, allowed))
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w (%v): %w", errCancelled, ctx.Err(), err)
		case <-time.After(delay):
		}
		delay = min(delay*3/2, 5*time.Second)
	}
}
