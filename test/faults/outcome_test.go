package faults

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"forge/test/dbtest"
)

const createTwo = `mutation createTwo($a: String!, $b: String!) { a: createTeam(input: {name: $a}) { team { id } } b: createTeam(input: {name: $b}) { team { id } } }`

// TestStandbyIsMissing has PostgreSQL wait for a standby that there is none of. What the wait was given up for is stored on this server and nowhere
// else: that is never told as a success, nor as a failure.
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
		// PostgreSQL's checkpointer has commits wait, once it has heard of it.
		eventually(t, "the setting holds", func() error {
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
	wantUnknown(t, f.send(background, makeTeam, vars{"name": "alone"}))
	wantUnknown(t, f.send(background, createTwo, vars{"a": "one", "b": "two"}))
	wantUnknown(t, f.send(background, createTwo, keyed, "Idempotency-Key", "k"))
	wantUnknown(t, f.send(background, createTwo, keyed, "Idempotency-Key", "k")) // the repeat as well: it is not replicated yet
	f.mustSend(readTeams, nil)
	standbys("")
	f.mustSend(createTwo, keyed, "Idempotency-Key", "k")
	if n := f.mustSend(readTeams, nil).number("teams.totalCount"); n != 5 {
		t.Errorf("%d teams are stored, want 5", n)
	}
	f.idle()
}

// TestStoredThoughLate has PostgreSQL's word that a mutation is stored come after the time of its request. It is a success.
func TestStoredThoughLate(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	answers := &late{by: 2 * time.Second}
	f := start(t, through(t, address, answers.filters), "REQUEST_TIMEOUT=1s", "POOL_SIZE=1")
	f.mustSend(makeTeam, vars{"name": "0"}) // the statement is prepared
	answers.next.Store(true)
	f.mustSend(makeTeam, vars{"name": "1"})
	if n := f.metric(`forge_refused_total{limit="deadline"}`); n != 0 {
		t.Errorf("%v are counted as refused, want none", n)
	}
	if n := f.mustSend(readTeams, nil).number("teams.totalCount"); n != 2 {
		t.Errorf("%d teams are stored, want 2", n)
	}
	f.idle()
}

// TestHostIsSilent has PostgreSQL's host say nothing any more, to connections that are open and to new ones. All is answered long before the
// time of a request is over, nothing is told that is not so, and when the host is back all goes on.
func TestHostIsSilent(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	host := new(silence)
	const pool = 4
	f := start(t, through(t, address, host.filters), fmt.Sprint("POOL_SIZE=", pool))
	f.mustSend(makeTeam, vars{"name": "0"})
	atOnce(pool, 4*pool, func(int) { f.mustSend(readTeams, nil) })
	before := f.goroutines()
	host.on.Store(true)
	begin := time.Now()
	atOnce(pool, pool, func(i int) {
		switch i {
		case 0:
			wantUnavailable(t, f.send(background, readTeams, nil))
		case 1:
			got := f.send(background, makeTeam, vars{"name": "1"})
			wantUnavailable(t, got) // of a connection on which the statement is prepared, the outcome is unknown
		case 2:
			wantUnavailable(t, f.send(background, createTwo, vars{"a": "2", "b": "3"}))
		case 3:
			wantUnavailable(t, f.send(background, createTwo, vars{"a": "4", "b": "5"}, "Idempotency-Key", "k"))
		}
		t.Logf("request %d is answered after %s", i, time.Since(begin).Round(100*time.Millisecond))
	})
	if took := time.Since(begin); took > 45*time.Second {
		t.Errorf("the answers took %s, want far less than the minute of REQUEST_TIMEOUT", took)
	}
	host.on.Store(false)
	back := eventually(t, "the server serves again", func() error {
		for _, got := range []reply{f.send(background, readTeams, nil), f.send(background, createTwo, vars{"a": "4", "b": "5"}, "Idempotency-Key", "k")} {
			if !got.ok() {
				return fmt.Errorf("%s", got)
			}
		}
		return nil
	})
	t.Logf("%s after the host was back all was well", back.Round(time.Millisecond))
	eventually(t, "the goroutines end", func() error {
		if after := f.goroutines(); after > before+2 {
			return fmt.Errorf("%d goroutines, there were %d at first", after, before)
		}
		return nil
	})
	f.idle()
}
