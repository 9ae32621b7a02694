// Command pulumi-resource-substitute stands in for official Pulumi plugins on networks that cannot download them.
// One binary, called by the name of the plugin that it serves: pulumi-resource-command, -ovh, -random, -tls.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"geoclic.fr/fleet/toolchain/internal/command"
	"geoclic.fr/fleet/toolchain/internal/ovh"
	"geoclic.fr/fleet/toolchain/internal/provider"
	"geoclic.fr/fleet/toolchain/internal/random"
	"geoclic.fr/fleet/toolchain/internal/tls"
)

var plugins = map[string]provider.Plugin{
	"command": {Version: "1.2.1", Resources: command.Resources},
	"ovh":     ovh.Plugin(),
	"random":  {Version: "4.21.2", Resources: random.Resources},
	"tls":     {Version: "5.6.1", Resources: tls.Resources},
}

func main() {
	name := strings.TrimPrefix(filepath.Base(os.Args[0]), "pulumi-resource-")
	plugin, ok := plugins[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "called as %q, expected pulumi-resource-command, -ovh, -random or -tls\n", os.Args[0])
		os.Exit(2)
	}
	plugin.Name = name
	if err := provider.Serve(plugin, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
