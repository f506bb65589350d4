package faults

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"forge/internal/database"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

const (
	makeTeam  = `mutation makeTeam($name: String!) { createTeam(input: {name: $name}) { team { id } } }`
	readTeams = `query readTeams { teams { totalCount nodes { id } } }`
)

// locked locks the table of teams until unlock is called. Reads wait as well.
func locked(t *testing.T, db *database.DB) (unlock func()) {
	t.Helper()
	tx, err := db.BeginTx(background, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback() }) // the transaction may have ended
	if _, err := tx.Exec("LOCK TABLE teams"); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
	}
}

// waiting returns when a number of Forge's sessions wait for a lock.
func waiting(t *testing.T, db *database.DB, sessions int) {
	t.Helper()
	gqltest.Eventually(t, "Forge waits for the lock", func() error {
		var n int
		err := db.QueryRow(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name <> 'faults' AND wait_event_type = 'Lock'`).Scan(&n)
		if err == nil && n < sessions {
			err = context.DeadlineExceeded
		}
		return err
	})
}

func TestPoolTimeout(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	f := start(t, address, "POOL_SIZE=1", "POOL_TIMEOUT=200ms")
	db := connect(t, address)
	unlock := locked(t, db)
	first := make(chan gqltest.Answer, 1)
	go func() { first <- f.Send(background, makeTeam, vars{"name": "A"}) }()
	waiting(t, db, 1)
	for range 3 {
		wantUnavailable(t, f.Send(background, readTeams, nil))
		wantUnavailable(t, f.Send(background, `query nullable { team(id: "team_01h455vb4pex5vsknk084sn02q") { name } a: team(id: "team_01h455vb4pex5vsknk084sn02q") { name } }`, nil))
		wantUnavailable(t, f.Send(background, makeTeam, vars{"name": "B"}))
	}
	unlock()
	if got := <-first; !got.OK() {
		t.Errorf("the request that had the connection: %s", got)
	}
	if n := f.Must(readTeams, nil).Number("teams.totalCount"); n != 1 {
		t.Errorf("%d teams, want 1", n)
	}
	f.idle()
}

// TestTimeLimits makes statements wait for a lock longer than each limit on PostgreSQL, with and
// without PgBouncer.
func TestTimeLimits(t *testing.T) {
	t.Parallel()
	for _, through := range []string{"direct", "pgbouncer"} {
		t.Run(through, func(t *testing.T) {
			address := dbtest.Postgres(t)
			db := connect(t, address)
			if through == "pgbouncer" {
				address = dbtest.PgBouncer(t, address)
			}
			for limit, state := range map[string]string{"STATEMENT_TIMEOUT": "57014", "LOCK_TIMEOUT": "55P03"} {
				others := map[string]string{"STATEMENT_TIMEOUT": "LOCK_TIMEOUT=0s", "LOCK_TIMEOUT": "STATEMENT_TIMEOUT=0s"}
				f := start(t, address, limit+"=150ms", others[limit])
				unlock := locked(t, db)
				for _, query := range []string{readTeams, makeTeam, `query single { teams { nodes { id } } }`} {
					if got := f.Send(background, query, vars{"name": "A"}); got.Code() != "TIMEOUT" || got.Data != nil {
						t.Errorf("%s: %s\nwant TIMEOUT and no data", limit, got)
					}
				}
				unlock()
				gqltest.Eventually(t, limit+" is logged once for each", func() error {
					if n := strings.Count(f.Log.String(), state); n != 3 {
						return fmt.Errorf("the log has %d failures with %s, want 3:\n%s", n, state, f.Log)
					}
					return nil
				})
				if n := f.Must(readTeams, nil).Number("teams.totalCount"); n != 0 {
					t.Errorf("%s: %d teams, want none", limit, n)
				}
				f.idle()
				f.Kill()
			}
		})
	}
}

// TestRequestTimeout has operations wait for a lock, or for a connection, longer than
// REQUEST_TIMEOUT. Their statements are cancelled and their changes rolled back.
func TestRequestTimeout(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	db := connect(t, address)
	f := start(t, address, "REQUEST_TIMEOUT=300ms", "STATEMENT_TIMEOUT=0s", "LOCK_TIMEOUT=0s", "POOL_SIZE=2")
	unlock := locked(t, db)
	queries := []string{
		readTeams, makeTeam, `query single { teams { nodes { id } } }`,
		`query nullable { team(id: "team_01h455vb4pex5vsknk084sn02q") { name } viewer { id } }`,
		`mutation second($name: String!) { createUser(input: {username: "ada"}) { user { id } } createTeam(input: {name: $name}) { team { id } } }`,
	}
	atOnce(len(queries), len(queries), func(i int) {
		got := f.Send(background, queries[i], vars{"name": "A"})
		if got.Code() != "TIMEOUT" || got.Data != nil || got.Status != 503 {
			t.Errorf("%s: %s\nwant 503, TIMEOUT and no data", queries[i], got)
		}
	})
	if n := f.metric(`forge_refused_total{limit="deadline"}`); n != float64(len(queries)) {
		t.Errorf("%v are counted, want %d", n, len(queries))
	}
	gqltest.Eventually(t, "nothing waits any more", func() error {
		var n int
		err := db.QueryRow(`SELECT count(*) FROM pg_locks WHERE NOT granted`).Scan(&n)
		if err == nil && n > 0 {
			err = fmt.Errorf("%d sessions wait", n)
		}
		return err
	})
	unlock()
	if n := f.Must(`query after { teams { totalCount } users { totalCount } }`, nil); n.Number("teams.totalCount") != 0 || n.Number("users.totalCount") != 0 {
		t.Errorf("something was stored: %s", n)
	}
	f.idle()
}

// TestLongOperationIsSeen holds a connection for long. Meanwhile the log names the operation, and
// "forge db activity" shows its session.
func TestLongOperationIsSeen(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	f := start(t, address, "HELD_TOO_LONG=100ms", "APPLICATION_NAME=forge of this test")
	db := connect(t, address)
	unlock := locked(t, db)
	done := make(chan gqltest.Answer, 2)
	go func() { done <- f.Send(background, makeTeam, vars{"name": "A"}) }()
	go func() { done <- f.Send(background, readTeams, nil) }()
	waiting(t, db, 2)
	for _, operation := range []string{"makeTeam", "readTeams"} {
		gqltest.Eventually(t, "the log names "+operation, func() error {
			if log := f.Log.String(); !strings.Contains(log, "holds its database connection for long") || !strings.Contains(log, operation) {
				return context.DeadlineExceeded
			}
			return nil
		})
	}
	output, err := command(t, address, []string{"APPLICATION_NAME=forge of this test"}, "db", "activity").CombinedOutput()
	if err != nil || !strings.Contains(string(output), "STATE") || !strings.Contains(string(output), "active") || !strings.Contains(string(output), "true") {
		t.Errorf("forge db activity: %v\n%s\nwant two active sessions that wait for a lock", err, output)
	}
	t.Logf("forge db activity:\n%s", output)
	unlock()
	for range 2 {
		if got := <-done; !got.OK() {
			t.Error(got)
		}
	}
	for _, name := range []string{
		"go_sql_max_open_connections", "go_sql_open_connections", "go_sql_idle_connections",
		"forge_db_acquire_wait_seconds_count", "forge_db_statement_duration_seconds_count",
	} {
		if n := f.metric(name); n <= 0 {
			t.Errorf("the metric %s is %v, want more than 0", name, n)
		}
	}
	f.idle()
}

// TestConnectionsAreRenewed checks that the pool closes connections that are old, idle or dead.
func TestConnectionsAreRenewed(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	db := connect(t, address)
	for setting, metric := range map[string]string{
		"POOL_RECYCLE=100ms": "go_sql_max_lifetime_closed_total",
		"POOL_IDLE=100ms":    "go_sql_max_idle_time_closed_total",
	} {
		f := start(t, address, setting)
		gqltest.Eventually(t, setting+" closes connections", func() error {
			f.Must(readTeams, nil)
			time.Sleep(1200 * time.Millisecond) // the pool examines its connections once a second
			if f.metric(metric) == 0 {
				return context.DeadlineExceeded
			}
			return nil
		})
		f.Kill()
	}

	// No operation is in flight when the connections are killed, so none may fail, not even a
	// mutation.
	f := start(t, address)
	for round := range 5 {
		atOnce(4, 8, func(int) { f.Must(readTeams, nil) })
		gqltest.Eventually(t, "the connections are dead", func() error {
			var n int
			err := db.QueryRow(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'forge'`).Scan(&n)
			if err == nil && n > 0 {
				err = context.DeadlineExceeded
			}
			return err
		})
		if got := f.Send(background, makeTeam, vars{"name": string(rune('A' + round))}); !got.OK() {
			t.Errorf("a mutation on a connection that had died before: %s", got)
		}
	}
}

// TestConnectTimeout connects to a server that accepts connections and never answers.
func TestConnectTimeout(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	start := time.Now()
	output, err := command(t, "postgres://ada:secret@"+l.Addr().String()+"/forge?sslmode=disable", []string{"CONNECT_TIMEOUT=1s"}, "migrate", "status").CombinedOutput()
	if err == nil || strings.Contains(string(output), "secret") {
		t.Errorf("the server says nothing: %v\n%s\nwant an error that names no password", err, output)
	}
	t.Logf("after %s: %s", time.Since(start).Round(time.Millisecond), output)
}
