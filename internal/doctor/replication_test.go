package doctor

import (
	"strings"
	"testing"

	"forge/internal/pgtemp"
)

// TestReplication examines a primary with standbys: alone, then with a standby it waits for, beside
// a host of another cluster, and with a second primary beside it.
func TestReplication(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short: SQLite only")
	}
	r, err := pgtemp.StartReplicated(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Stop() })
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	address := strings.Replace(r.URL("postgres"), "postgres@", "nobody@", 1)
	report := func(environ ...string) string {
		var lines []string
		for _, f := range newDoctor(t, append([]string{"DATABASE_URL=" + address}, environ...)...).Examine(t.Context()) {
			if f.Check == "replication" {
				lines = append(lines, string(f.State)+" "+f.Message)
			}
		}
		return strings.Join(lines, "\n")
	}
	want := func(got string, parts ...string) {
		t.Helper()
		for _, part := range parts {
			if !strings.Contains(got, part) {
				t.Errorf("the report lacks %q:\n%s", part, got)
			}
		}
	}
	// A role that may do nothing sees this as well.
	admin := mustOpen(t, r.Nodes[0].URL("postgres"))
	mustExec(t, admin, "CREATE ROLE nobody LOGIN")
	must(r.Nodes[1].CaughtUp(t.Context(), r.Nodes[0]))
	first, second := r.Nodes[0].Address(), r.Nodes[1].Address()
	want(report("DURABILITY=synced", "FORGE_ENV=production"), "ok "+first+" is a primary on timeline 1", "ok "+second+" is a replica on timeline 1, 0 bytes to apply",
		"fail a change is acknowledged when one machine alone has it, and DURABILITY=synced", "standbys that stream: node", "warn fsync is off")
	must(r.SetSynchronous(t.Context(), "ANY 1 (db2, db3)"))
	want(report(), "fail every change waits for 1 of the standbys that synchronous_standby_names names, and of these 0 stream")
	must(r.SetSynchronous(t.Context(), "ANY 1 (node2, node3)"))
	want(report(), "ok a change is acknowledged when a second machine has it: fsync off, synchronous_commit on, synchronous_standby_names 'ANY 1 (node2, node3)'")
	other, err := pgtemp.StartReplicated(t.Context(), 0)
	must(err)
	t.Cleanup(func() { other.Stop() })
	wrong := other.Nodes[0].Address()
	mustExec(t, mustOpen(t, other.Nodes[0].URL("postgres")), "CREATE ROLE nobody LOGIN")
	want(report("DATABASE_URL="+strings.Replace(address, first, first+","+wrong, 1)),
		"fail DATABASE_URL names "+wrong+", which is not of the cluster of "+first, "fail two servers can be written")
	must(r.Nodes[1].Promote())
	must(r.Nodes[2].Kill())
	want(report(), "fail two servers can be written: "+first+" on timeline 1, a former primary; "+second+" on timeline 2",
		"warn "+r.Nodes[2].Address()+" is away: ")
}
