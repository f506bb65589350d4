package replicas

import (
	"database/sql"
	"fmt"
	"maps"
	"testing"

	"forge/internal/pgtemp"
	"forge/test/gqltest"
)

// scans returns how often each host has read the table of heroes, as its PostgreSQL counts, which
// knows nothing of routing. PostgreSQL counts what a session did at the latest when it ends. scans
// returns an error if one of Forge's sessions has not ended yet.
func scans(nodes []*pgtemp.Node) (map[string]int, error) {
	counts := map[string]int{}
	for i, n := range nodes {
		name := n.Address()
		if i == 0 {
			name = "primary"
		}
		db, err := sql.Open("postgres", n.URL("postgres"))
		if err != nil {
			return nil, err
		}
		defer db.Close()
		var count, sessions int
		if err := db.QueryRow(`SELECT (SELECT seq_scan + COALESCE(idx_scan, 0) FROM pg_stat_user_tables WHERE relname = 'heroes'),
			(SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'forge%')`).Scan(&count, &sessions); err != nil {
			return nil, err
		}
		if sessions > 0 {
			return nil, fmt.Errorf("%d sessions of a server that has ended are open on %s", sessions, n.Name)
		}
		counts[name] = count
	}
	return counts, nil
}

// TestShare adds replicas. Each takes its share of the reads off the primary: with one, the primary
// reads nothing any more, and with two, each of them reads the half.
func TestShare(t *testing.T) {
	t.Parallel()
	const queries = 60
	c := cluster(t, 2)
	primary := c.Nodes[0].URL("postgres")
	read := func() (counts map[string]int) {
		t.Helper()
		gqltest.Eventually(t, "all sessions have ended", func() (err error) {
			counts, err = scans(c.Nodes)
			return err
		})
		return counts
	}
	var id, at string
	t.Run("a hero is made", func(t *testing.T) {
		f := serve(t, primary, c.Nodes[1:])
		f.usable(t, c.Nodes[1:]...)
		id, at = f.hero(t, "Shared")
	})
	for n := range 3 {
		replicas, want, settings := c.Nodes[1:1+n], map[string]int{}, []string{}
		if n == 0 {
			settings = []string{"READS=primary"}
		}
		for _, r := range replicas {
			must(t, r.CaughtUp(t.Context(), c.Nodes[0]))
			want[r.Address()] = queries / n
		}
		before, answered := read(), map[string]int{"primary": queries}
		t.Run(fmt.Sprint(n, " replicas"), func(t *testing.T) {
			f := serve(t, primary, replicas, settings...)
			f.usable(t, replicas...)
			gqltest.Eventually(t, "each host has its share", func() error {
				start := f.reads()
				for range queries {
					f.after(at).Must(readHero, gqltest.Vars{"id": id})
				}
				if now := f.since(start); !maps.Equal(now, want) {
					return fmt.Errorf("the hosts answered %v, want %v", now, want)
				}
				if n > 0 { // all since the start of the server
					answered = f.reads()
				}
				return nil
			})
		})
		after := read()
		for host, now := range after {
			if got := now - before[host]; got != answered[host] {
				t.Errorf("%d replicas: %s has read %d times, and has answered %d queries", n, host, got, answered[host])
			}
		}
		t.Logf("%d replicas: the hosts answered %v", n, answered)
	}
}
