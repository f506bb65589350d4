//go:build unix

package pgtemp

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"
)

// TestReplicated leads a primary and two standbys through all that a test can do with them.
func TestReplicated(t *testing.T) {
	t.Parallel()
	r, err := StartReplicated(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Stop(); err != nil {
			t.Error(err)
		}
	})
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	first, second, third := r.Nodes[0], r.Nodes[1], r.Nodes[2]
	must(r.SetSynchronous(ctx, "ANY 1 (node1, node2, node3)"))
	must(first.exec(ctx, "CREATE TABLE kept (id integer)"))

	must(second.CaughtUp(ctx, first))
	must(second.PauseReplay(ctx))
	must(first.exec(ctx, "INSERT INTO kept VALUES (1)"))
	must(third.CaughtUp(ctx, first))
	wantRows(t, second, 0)
	wantRows(t, third, 1)
	must(second.ResumeReplay(ctx))
	must(second.CaughtUp(ctx, first))
	wantRows(t, second, 1)

	must(third.Pause())
	short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	if err := third.exec(short, "SELECT 1"); err == nil {
		t.Error("a paused node answers")
	}
	must(first.exec(ctx, "INSERT INTO kept VALUES (2)"))
	must(third.Continue())
	must(third.CaughtUp(ctx, first))

	must(first.Kill())
	if err := first.exec(ctx, "SELECT 1"); err == nil {
		t.Error("a killed node answers")
	}
	next, err := r.Failover(ctx, second, third)
	must(err)
	must(next.exec(ctx, "INSERT INTO kept VALUES (3)")) // it has the other as its synchronous standby
	must(first.Rejoin(next))
	must(first.CaughtUp(ctx, next))
	wantRows(t, first, 3)

	other := third
	if next == third {
		other = second
	}
	must(r.Switchover(next, first, other))
	must(first.exec(ctx, "INSERT INTO kept VALUES (4)"))
	for _, n := range []*Node{next, other} {
		must(n.CaughtUp(ctx, first))
		wantRows(t, n, 4)
	}
	must(first.Pause()) // it ends all the same
}

func wantRows(t *testing.T, n *Node, want int) {
	t.Helper()
	var got int
	if err := n.query(t.Context(), "SELECT count(*) FROM kept", &got); err != nil || got != want {
		t.Errorf("%s has %d rows, %v; want %d", n.Name, got, err, want)
	}
}

// TestReplicatedGoesAway kills a process that has started nodes.
func TestReplicatedGoesAway(t *testing.T) {
	t.Parallel()
	child, temp := mustStartChild(t, asReplicated)
	line := child.line(t)
	db := mustOpen(t, line)
	eventually(t, "it answers", func() bool { return db.Ping() == nil })
	child.kill(t)
	eventually(t, "the nodes end", func() bool { return db.Ping() != nil && db.Ping() != sql.ErrConnDone })
	eventually(t, "the directory goes", func() bool {
		found, err := filepath.Glob(filepath.Join(temp, "forge-pg-*"))
		return err == nil && len(found) == 0
	})
}
