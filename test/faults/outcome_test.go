package faults

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"forge/test/dbtest"
	"forge/test/gqltest"
)

const createTwo = `mutation createTwo($a: String!, $b: String!) { a: createTeam(input: {name: $a}) { team { id } } b: createTeam(input: {name: $b}) { team { id } } }`

// TestStandbyIsMissing makes PostgreSQL wait for a standby that does not exist. When PostgreSQL
// gives up waiting, the mutation is stored on this server only. Forge must report neither success
// nor failure.
func TestStandbyIsMissing(t *testing.T) {
	t.Parallel()
	cluster, address := ownPostgres(t)
	db := connect(t, address)
	for _, statement := range []string{"ALTER SYSTEM SET wal_level = replica", "ALTER SYSTEM SET max_wal_senders = 1"} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(cluster.Halt(), cluster.Resume()); err != nil {
		t.Fatal(err)
	}
	f := start(t, address, "MIGRATE=on", "REQUEST_TIMEOUT=1s", "COMMIT_TIMEOUT=500ms")
	standbys := func(names string) {
		t.Helper()
		for _, statement := range []string{"ALTER SYSTEM SET synchronous_standby_names = '" + names + "'", "SELECT pg_reload_conf()"} {
			if _, err := db.Exec(statement); err != nil {
				t.Fatal(err)
			}
		}
		// Commits begin to wait when PostgreSQL's checkpointer has read the new setting.
		gqltest.Eventually(t, "the setting holds", func() error {
			ctx, cancel := context.WithTimeout(background, 300*time.Millisecond)
			defer cancel()
			_, err := db.ExecContext(ctx, "CREATE TEMPORARY TABLE IF NOT EXISTS t (n int); INSERT INTO t DEFAULT VALUES; COMMENT ON SCHEMA public IS 'x'")
			if waits := err != nil; waits != (names != "") {
				return fmt.Errorf("commits wait: %t (%v)", waits, err)
			}
			return nil
		})
	}
	standbys("nobody")
	keyed := vars{"a": "under", "b": "a key"}
	wantUnknown(t, f.Send(background, makeTeam, vars{"name": "alone"}))
	wantUnknown(t, f.Send(background, createTwo, vars{"a": "one", "b": "two"}))
	wantUnknown(t, underKey(f.Client, "k").Send(background, createTwo, keyed))
	// The repeated request must be unknown as well, because the mutation is not replicated yet.
	wantUnknown(t, underKey(f.Client, "k").Send(background, createTwo, keyed))
	f.Must(readTeams, nil)
	standbys("")
	underKey(f.Client, "k").Must(createTwo, keyed)
	if n := f.Must(readTeams, nil).Number("teams.totalCount"); n != 5 {
		t.Errorf("%d teams are stored, want 5", n)
	}
	f.idle()
}

// TestStoredThoughLate delays PostgreSQL's answer to a commit until after the request's time limit.
// The mutation is a success.
func TestStoredThoughLate(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	answers := &late{by: 2 * time.Second}
	f := start(t, through(t, address, answers.filters), "REQUEST_TIMEOUT=1s", "POOL_SIZE=1")
	f.Must(makeTeam, vars{"name": "0"}) // the statement is prepared
	answers.next.Store(true)
	f.Must(makeTeam, vars{"name": "1"})
	if n := f.metric(`forge_refused_total{limit="deadline"}`); n != 0 {
		t.Errorf("%v are counted as refused, want none", n)
	}
	if n := f.Must(readTeams, nil).Number("teams.totalCount"); n != 2 {
		t.Errorf("%d teams are stored, want 2", n)
	}
	f.idle()
}

// TestHostIsSilent makes the host of PostgreSQL silent, for open connections and for new ones.
// Every request must be answered long before its time limit. No answer may say something that is
// not so. When the host is back, everything must work again.
func TestHostIsSilent(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	host := new(silence)
	const pool = 4
	f := start(t, through(t, address, host.filters), fmt.Sprint("POOL_SIZE=", pool))
	f.Must(makeTeam, vars{"name": "0"})
	atOnce(pool, 4*pool, func(int) { f.Must(readTeams, nil) })
	before := f.goroutines()
	host.on.Store(true)
	begin := time.Now()
	atOnce(pool, pool, func(i int) {
		switch i {
		case 0:
			wantUnavailable(t, f.Send(background, readTeams, nil))
		case 1:
			got := f.Send(background, makeTeam, vars{"name": "1"})
			// Of a connection on which the statement is prepared, the outcome is unknown.
			wantUnavailable(t, got)
		case 2:
			wantUnavailable(t, f.Send(background, createTwo, vars{"a": "2", "b": "3"}))
		case 3:
			wantUnavailable(t, underKey(f.Client, "k").Send(background, createTwo, vars{"a": "4", "b": "5"}))
		}
		t.Logf("request %d is answered after %s", i, time.Since(begin).Round(100*time.Millisecond))
	})
	if took := time.Since(begin); took > 45*time.Second {
		t.Errorf("the answers took %s, want far less than the minute of REQUEST_TIMEOUT", took)
	}
	host.on.Store(false)
	back := gqltest.Eventually(t, "the server serves again", func() error {
		for _, got := range []gqltest.Answer{f.Send(background, readTeams, nil), underKey(f.Client, "k").Send(background, createTwo, vars{"a": "4", "b": "5"})} {
			if !got.OK() {
				return fmt.Errorf("%s", got)
			}
		}
		return nil
	})
	t.Logf("%s after the host was back all was well", back.Round(time.Millisecond))
	gqltest.Eventually(t, "the goroutines end", func() error {
		if after := f.goroutines(); after > before+2 {
			return fmt.Errorf("%d goroutines, there were %d at first", after, before)
		}
		return nil
	})
	f.idle()
}
