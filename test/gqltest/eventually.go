package gqltest

import (
	"testing"
	"time"
)

// patience is how long Eventually waits. It is far longer than necessary, for machines that are
// busy.
const patience = time.Minute

// Eventually calls check until it returns nil, and returns how long that took. If check still
// returns an error after a minute, the test stops with that error.
func Eventually(t testing.TB, what string, check func() error) time.Duration {
	t.Helper()
	start := time.Now()
	for {
		err := check()
		took := time.Since(start)
		if err == nil {
			return took
		}
		if took > patience {
			t.Fatalf("%s: not within %s: %v", what, patience, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
