package cluster

import (
	"database/sql"
	"os/exec"
	"strings"
	"testing"
	"time"

	"forge/internal/pgtemp"
	"forge/test/gqltest"
	"forge/test/process"
)

// endWaits calls a function of PostgreSQL, such as pg_cancel_backend, for each session that waits
// for a standby.
func (s *system) endWaits(db *sql.DB, function string) {
	s.t.Helper()
	_, err := db.Exec("SELECT " + function + "(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
	s.must(err)
}

// TestCancelledWait cancels commits that wait for a standby, and ends their sessions. PostgreSQL
// calls that a success. Nobody is told so before a standby has the order.
func TestCancelledWait(t *testing.T) {
	s := serve(t, "REQUEST_TIMEOUT=3s")
	shop := s.opened()
	primary := s.Nodes[0]
	for _, n := range s.others(primary) {
		s.must(n.Kill())
	}
	db, err := sql.Open("postgres", primary.URL("postgres"))
	s.must(err)
	defer db.Close()
	functions := []string{"pg_cancel_backend", "pg_terminate_backend"}
	for _, function := range functions {
		answer := make(chan gqltest.Answer, 1)
		go func() { answer <- shop.order(background, "waits-"+function) }()
		for waits := true; waits; {
			s.endWaits(db, function)
			select {
			case got := <-answer:
				waits = false
				if got.Code() != "UNAVAILABLE" || got.Extension("outcome") != "unknown" {
					t.Errorf("%s: %s, want UNAVAILABLE with outcome unknown", function, got)
				}
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	for _, n := range s.others(primary) {
		s.must(n.Start())
	}
	for _, function := range functions {
		shop.insist("waits-"+function, func(gqltest.Answer) {})
	}
	shop.audit(primary, 0)
}

// TestPartition cuts the primary off from its standbys, while Forge reaches it. It acknowledges
// nothing: not while it waits for a standby, and not when somebody tells it to wait for none. The
// other side promotes a standby, and Forge goes on there, although the former primary lives.
func TestPartition(t *testing.T) {
	s := serve(t, "COMMIT_TIMEOUT=2s", "REQUEST_TIMEOUT=4s")
	shop := s.opened()
	stop := shop.load(clients, func(gqltest.Answer) {})
	defer stop()
	shop.awaitOrder()
	former := s.Nodes[0]
	for _, n := range s.others(former) {
		s.must(n.Isolate())
	}
	s.must(former.AwaitNoStandby(t.Context()))
	shop.mu.Lock()
	before := len(shop.placed)
	shop.mu.Unlock()
	nothing := func(when string) {
		t.Helper()
		shop.mu.Lock()
		defer shop.mu.Unlock()
		if n := len(shop.placed) - before; n > clients { // those that a standby had before it was cut off
			t.Errorf("%s: %d orders were acknowledged on the side that is cut off", when, n)
		}
		before = len(shop.placed)
	}
	time.Sleep(time.Duration(sized(3, 20)) * time.Second)
	nothing("while it waits")
	s.must(s.SetSynchronous(t.Context(), "", former))
	time.Sleep(time.Duration(sized(3, 20)) * time.Second)
	if got := s.Send(background, `mutation { createTeam(input: {name: "alone"}) { team { id } } }`, nil); got.OK() {
		t.Errorf("%s, although one machine alone has it", got)
	} else {
		wantUnavailable(t, got)
	}
	nothing("while it waits for nobody")
	next, err := s.Failover(t.Context(), s.others(former)...)
	s.must(err)
	t.Logf("%s after another primary was there, beside the former one, an order was stored", shop.awaitOrder())
	s.must(former.Kill())
	s.must(former.Start()) // as the primary that it was
	time.Sleep(time.Second)
	shop.awaitOrder()
	stop()
	fresh := s.start("DURABILITY=synced") // it has seen no timeline
	if log := fresh.Log.String(); !strings.Contains(log, "two servers can be written") {
		t.Errorf("a server that starts says nothing of two primaries: %s", log)
	}
	s.Client = gqltest.New(t, fresh.URL)
	shop.insist(shop.nextKey(), func(gqltest.Answer) {})
	shop.audit(next, 0)
}

// TestNotSynced starts Forge with DURABILITY=synced on a server that waits for no standby.
func TestNotSynced(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: SQLite only")
	}
	r, err := pgtemp.StartReplicated(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Stop() })
	for address, want := range map[string]string{
		r.Nodes[0].URL("postgres"):                             "synchronous_standby_names of the server is empty",
		r.Nodes[0].URL("postgres") + "&synchronous_commit=off": "synchronous_commit",
		"sqlite::memory:":                                      "SQLite keeps everything on one machine",
	} {
		cmd := exec.Command(process.Build(t))
		cmd.Dir = t.TempDir()
		cmd.Env = []string{"ADDR=127.0.0.1:0", "DATABASE_URL=" + address, "DURABILITY=synced"}
		output, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(output), want) {
			t.Errorf("%s: %v, %s; want %q", address, err, output, want)
		}
	}
	db, err := sql.Open("postgres", r.Nodes[0].URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var tables int
	if err := db.QueryRow("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").Scan(&tables); err != nil || tables > 0 {
		t.Errorf("%d tables were created, %v; want none", tables, err)
	}
}
