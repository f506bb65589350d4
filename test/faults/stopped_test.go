package faults

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"forge/internal/database"
	"forge/internal/pgtemp"
	"forge/test/gqltest"
)

// ownPostgres starts a PostgreSQL server for one test, with durable commits.
func ownPostgres(t *testing.T) (*pgtemp.Cluster, string) {
	t.Helper()
	c, err := pgtemp.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	address := c.URL("postgres")
	for _, statement := range []string{"ALTER SYSTEM SET synchronous_commit = on", "SELECT pg_reload_conf()"} {
		if _, err := connect(t, address).Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	return c, address
}

// TestPostgresStops stops PostgreSQL under load and starts it again. Meanwhile, requests wait and
// are UNAVAILABLE in the end. Afterwards everything works again by itself, and nothing leaks.
func TestPostgresStops(t *testing.T) {
	cluster, address := ownPostgres(t)
	const pool = 6
	f := start(t, address, "MIGRATE=on", fmt.Sprint("POOL_SIZE=", pool))
	s := f.opened(10, 1_000_000)
	before := f.goroutines()
	var down atomic.Bool // from the time when PostgreSQL has stopped until just before it starts
	var served, refused, broken, inFlight atomic.Int64
	acknowledged := new(placed)
	check := func(got gqltest.Answer, stopped bool) {
		switch {
		case got.OK():
			served.Add(1)
			return
		case stopped:
			refused.Add(1)
		default:
			broken.Add(1)
		}
		wantUnavailable(t, got)
		time.Sleep(10 * time.Millisecond)
	}
	stop := keep(8, func(_ context.Context, i int) {
		inFlight.Add(1)
		defer inFlight.Add(-1)
		stopped := down.Load()
		if i%2 == 0 {
			got := f.order(background, s)
			if got.OK() {
				acknowledged.add(got)
			}
			check(got, stopped)
			return
		}
		check(f.Send(background, `query stock { products { totalCount nodes { stock } } }`, nil), stopped)
	})
	defer stop()

	time.Sleep(500 * time.Millisecond)
	if err := cluster.Halt(); err != nil {
		t.Fatal(err)
	}
	down.Store(true)
	servedBefore := served.Load()
	for range sized(2, 10) {
		time.Sleep(500 * time.Millisecond)
		if status := f.Get("/readyz").Status; status != http.StatusServiceUnavailable {
			t.Errorf("/readyz has status %d without a database, want 503", status)
		}
		if status := f.Get("/healthz").Status; status != http.StatusOK {
			t.Errorf("/healthz has status %d without a database, want 200", status)
		}
	}
	waiting := inFlight.Load()
	down.Store(false)
	if n := served.Load() - servedBefore; n > 8 {
		t.Errorf("%d requests were answered without a database", n)
	}
	if err := cluster.Resume(); err != nil {
		t.Fatal(err)
	}
	recovered := gqltest.Eventually(t, "orders are taken again", func() error {
		got := f.order(background, s)
		if !got.OK() {
			return fmt.Errorf("%s", got)
		}
		acknowledged.add(got)
		return nil
	})
	time.Sleep(300 * time.Millisecond)
	stop()
	t.Logf("%d requests were served, %d of them waited for PostgreSQL to come back; %d were refused while it was stopped, %d failed as it went and came; %s after it was back all was well",
		served.Load(), waiting, refused.Load(), broken.Load(), recovered.Round(time.Millisecond))
	if refused.Load()+waiting == 0 {
		t.Error("no request came while PostgreSQL was stopped")
	}
	f.allStored(acknowledged)
	s.audit(t, address)
	gqltest.Eventually(t, "the server is ready", func() error {
		if status := f.Get("/readyz").Status; status != http.StatusOK {
			return fmt.Errorf("/readyz has status %d, want 200", status)
		}
		return nil
	})
	f.idle()
	gqltest.Eventually(t, "the goroutines end", func() error {
		if after := f.goroutines(); after > before+2 {
			return fmt.Errorf("%d goroutines, there were %d at first", after, before)
		}
		return nil
	})
	var sessions, inTransaction int
	if err := connect(t, address).QueryRow(`SELECT count(*), count(xact_start) FROM pg_stat_activity WHERE application_name LIKE 'forge%'`).Scan(&sessions, &inTransaction); err != nil {
		t.Fatal(err)
	}
	const most = pool + database.MonitorPoolSize + 1 // one listens
	if sessions > most || inTransaction > 0 {
		t.Errorf("%d sessions, %d of them in a transaction; want %d at most and none", sessions, inTransaction, most)
	}
}

// goroutines returns the number of goroutines. It does not count the goroutines of idle clients,
// and the one for each connection of the pool.
func (f *forge) goroutines() int {
	f.t.Helper()
	f.HTTP().CloseIdleConnections()
	time.Sleep(50 * time.Millisecond) // the server sees them end
	return int(f.metric("go_goroutines")) - int(f.metric("go_sql_open_connections"))
}
