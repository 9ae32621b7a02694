// Command pulumi-language-nodejs lets the engine run Node.js programs where the official host cannot be had.
package main

import (
	"flag"
	"fmt"
	"os"

	"geoclic.fr/fleet/toolchain/internal/nodejs"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

// version is set when it is built.
var version = "0.0.0"

func main() {
	// The engine passes more than is needed here.
	flags := flag.NewFlagSet("pulumi-language-nodejs", flag.ContinueOnError)
	flags.String("tracing", "", "ignored")
	flags.String("root", "", "ignored")
	if err := flags.Parse(os.Args[1:]); err != nil {
		os.Exit(2)
	}
	host := nodejs.New(version, flags.Arg(0))
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(server, host)
			return nil
		},
	})
	if err == nil {
		fmt.Printf("%d\n", handle.Port)
		err = <-handle.Done
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
