package provider

import (
	"context"
	"time"
)

// withDeadline joins a call's context with the plugin's and a limit in seconds; 0 is no limit.
func withDeadline(call, pluginDone context.Context, seconds float64) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(call)
	if seconds > 0 {
		ctx, cancel = context.WithTimeout(call, time.Duration(seconds*float64(time.Second)))
	}
	stop := context.AfterFunc(pluginDone, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}
