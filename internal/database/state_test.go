package database

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"entgo.io/ent/dialect"
)

// TestTell checks what the log says of one state after another. A database that was away in between
// is the case that matters most.
func TestTell(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	w := &Watcher{db: &DB{Dialect: dialect.Postgres}, log: slog.New(slog.NewTextHandler(&log, nil))}
	first := State{Timeline: 1, SynchronousCommit: "on", StandbyNames: "ANY 1 (*)"}
	next := State{Timeline: 2, SynchronousCommit: "on"}
	for i, tt := range []struct {
		state State
		err   error
		lines []string
	}{
		{state: first},
		{state: first},
		{err: errors.New("away")},
		{state: State{Standby: true, SynchronousCommit: "on", StandbyNames: "ANY 1 (*)"}},
		{state: next, lines: []string{"another server is the primary now", "does not wait for a standby any more"}},
		{err: errors.New("away")},
		{state: next},
		{state: State{Timeline: 2, SynchronousCommit: "on", StandbyNames: "ANY 1 (*)"}, lines: []string{"waits for a standby again"}},
	} {
		log.Reset()
		w.tell(tt.state, tt.err)
		if n := strings.Count(log.String(), "\n"); n != len(tt.lines) {
			t.Errorf("%d: %d lines: %s", i, n, log.String())
		}
		for _, line := range tt.lines {
			if !strings.Contains(log.String(), line) {
				t.Errorf("%d: %q is missing: %s", i, line, log.String())
			}
		}
	}
}
