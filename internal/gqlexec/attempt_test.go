package gqlexec

import (
	"context"
	"testing"

	"forge/graph"
)

// TestPause pauses after any number of attempts, of which there may be many while a database is away.
func TestPause(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for n := range 1000 {
		graph.Pause(ctx, n) // which panics if a number is too large
	}
}
