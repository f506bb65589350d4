package replicas

import (
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"forge/internal/cursorcipher"
	"forge/internal/pgtemp"
	"forge/test/gqltest"
)

// TestReplicasThatCannotBeUsed gives a server replicas that are none, are of something else, or are
// ten minutes behind, and one that is good at times.
func TestReplicasThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	c, other := cluster(t, 3), cluster(t, 1)
	primary, good, away, late := c.Nodes[0], c.Nodes[1], c.Nodes[2], c.Nodes[3]
	must(t, away.Kill())
	must(t, late.Set(t.Context(), "recovery_min_apply_delay", "600000"))
	db, err := sql.Open("postgres", primary.URL("postgres"))
	must(t, err)
	defer db.Close()
	_, err = db.Exec("CREATE TABLE not_there_yet (id int)") // on the replica that is late
	must(t, err)
	f := serve(t, primary.URL("postgres"), []*pgtemp.Node{primary, other.Nodes[1], late, good, away}, "MAX_REPLICA_LAG=500ms")
	id, at := f.hero(t, "Kept")
	f.usable(t, good)
	f.logged(t, "left out", primary.Address(), "it is a primary and no replica")
	f.logged(t, "left out", other.Nodes[1].Address(), "another cluster")
	f.logged(t, "left out", away.Address(), "connection refused")
	f.logged(t, "left out", late.Address(), "more than 500ms behind")
	report := examine(t, primary.URL("postgres"), other.Nodes[1].URL("postgres"), late.URL("postgres"), good.URL("postgres"))
	for _, want := range []string{
		"WARN    replicas     " + other.Nodes[1].Address() + " is left out of reads: it belongs to another cluster",
		"WARN    replicas     " + late.Address() + " is left out of reads: it is more than 5s behind",
		"OK      replicas     " + good.Address() + " can be read from",
	} {
		if !strings.Contains(report, want) {
			t.Errorf("the report has no %q:\n%s", want, report)
		}
	}
	// reads returns when queries, which are all answered rightly, were answered by these hosts in
	// turn.
	reads := func(when string, want ...string) {
		t.Helper()
		gqltest.Eventually(t, when, func() error {
			before := f.reads()
			for range 12 {
				if a := f.after(at).Must(readHero, gqltest.Vars{"id": id}); a.At("hero") == nil {
					t.Errorf("read: %s", a)
				}
			}
			got := f.since(before)
			for _, name := range want {
				if got[name] != 12/len(want) {
					return fmt.Errorf("the hosts answered %v, want %v in turn", got, want)
				}
			}
			return nil
		})
	}
	must(t, good.CaughtUp(t.Context(), primary))
	reads("beside replicas that cannot be used", good.Address())

	must(t, good.PauseReplay(t.Context()))
	gqltest.Eventually(t, "a replica that is behind is left out", func() error {
		f.hero(t, "More")
		return f.uses()
	})
	f.logged(t, "left out", good.Address(), "more than 500ms behind")
	reads("while the replica is behind", "primary")
	must(t, good.ResumeReplay(t.Context()))
	f.usable(t, good)

	must(t, good.Kill())
	reads("while the replica is away", "primary")
	f.usable(t)
	must(t, good.Start())
	must(t, away.Start())
	f.usable(t, good, away)
	must(t, good.CaughtUp(t.Context(), primary))
	must(t, away.CaughtUp(t.Context(), primary))
	reads("after replicas came back", good.Address(), away.Address())
	for _, address := range []string{primary.Address(), other.Nodes[1].Address(), late.Address()} {
		if n := strings.Count(f.log.String(), address+" reason="); n != 1 {
			t.Errorf("the log has %d lines about %s, want 1: %s", n, address, f.log)
		}
	}

	both := strings.Replace(primary.URL("postgres"), primary.Address(), primary.Address()+","+other.Nodes[0].Address(), 1)
	serve(t, both+"&target_session_attrs=read-write", nil, "READS=primary").
		logged(t, "level=ERROR", "DATABASE_URL names "+other.Nodes[0].Address()+", which is not of the cluster of "+primary.Address())
}

// altered returns a position that differs from another one. A server without AUTH seals positions
// with a key that everybody has.
func altered(t *testing.T, at string, change func(system, database, timeline, lsn []byte)) string {
	t.Helper()
	const purpose = 0x72656164
	key := cursorcipher.New(nil)
	b, err := key.Open(at, purpose)
	must(t, err)
	change(b[:8], b[8:12], b[12:16], b[16:])
	return string(key.Append(nil, purpose, b))
}

// TestBadPositions sends positions that are none of this database, or not of its present. A
// failover makes good ones such.
func TestBadPositions(t *testing.T) {
	t.Parallel()
	c := cluster(t, 2)
	first, second, third := c.Nodes[0], c.Nodes[1], c.Nodes[2]
	address, direct := proxy(t, first)
	f := serve(t, address, c.Nodes[1:])
	id, at := f.hero(t, "Kept")
	f.usable(t, second, third)
	must(t, second.CaughtUp(t.Context(), first))
	must(t, third.CaughtUp(t.Context(), first))
	read := func(at string) gqltest.Answer {
		t.Helper()
		a := f.after(at).Must(readHero, gqltest.Vars{"id": id})
		if a.At("hero") == nil {
			t.Errorf("after %s: %s", at, a)
		}
		return a
	}
	if a := read(at); host(a) == "" {
		t.Errorf("the primary answered: %s", a)
	}

	cursor := f.Must(`{ heroes(first: 1) { pageInfo { endCursor } } }`, nil).Text("heroes.pageInfo.endCursor")
	for _, forged := range []string{"x", cursor, at[:len(at)-1], at + "A", at + "," + cursor, strings.Repeat(at+",", 101)} {
		f.after(forged).WantCode("BAD_USER_INPUT", readHero, gqltest.Vars{"id": id})
	}
	for _, wrong := range []string{`["` + at + `"]`, `5`, `{"at": "` + at + `"}`} {
		body := `{"query": "{ heroes { totalCount } }", "extensions": {"readAfter": ` + wrong + `}}`
		if a := f.SendBody(t.Context(), []byte(body)); a.Code() != "BAD_USER_INPUT" {
			t.Errorf("readAfter is %s: %s", wrong, a)
		}
	}
	future := altered(t, at, func(_, _, _, lsn []byte) { lsn[3]++ })
	elsewhere := altered(t, at, func(system, _, _, _ []byte) { system[7]++ })
	database := altered(t, at, func(_, database, _, _ []byte) { database[3]++ })
	for _, bad := range []string{future, elsewhere, database, at + "," + elsewhere} {
		a := read(bad)
		if host(a) != "" {
			t.Errorf("%s answered: %s", host(a), a)
		}
		if a := read(position(t, a)); host(a) == "" {
			t.Errorf("the position of the answer is as bad: %s", a)
		}
	}
	f.logged(t, "position of another database")
	newer := altered(t, at, func(_, _, timeline, _ []byte) { binary.BigEndian.PutUint32(timeline, 2) })
	f.after(newer).WantCode("UNAVAILABLE", readHero, gqltest.Vars{"id": id})

	if ready := f.Get("/readyz"); ready.Body != `{"status":"ok"}`+"\n" {
		t.Errorf("/readyz: %s", ready)
	}
	must(t, first.Kill())
	gqltest.Eventually(t, "the server is ready for reads alone", func() error {
		reads, writes := f.Get("/readyz"), f.Get("/readyz?writes=1")
		if reads.Status != 200 || !strings.Contains(reads.Body, `"writable":false`) || writes.Status != 503 {
			return fmt.Errorf("%d %s, for writes %d", reads.Status, reads.Body, writes.Status)
		}
		return nil
	})
	for range 20 { // replicas answer without a primary, those who have seen its last state as well
		if a := read(at); host(a) == "" {
			t.Errorf("the primary answered, which is away: %s", a)
		}
	}
	next, err := c.Failover(t.Context(), second, third)
	must(t, err)
	direct(func() *pgtemp.Node { return next })
	other := second
	if next == second {
		other = third
	}
	f.usable(t, other)
	f.logged(t, "left out", next.Address())
	var later gqltest.Answer
	gqltest.Eventually(t, "positions of the timeline before lead to the primary", func() error {
		if later = read(at); host(later) != "" {
			return errors.New(host(later) + " answered")
		}
		return nil
	})
	must(t, other.CaughtUp(t.Context(), next))
	gqltest.Eventually(t, "positions of the new timeline lead to a replica", func() error {
		if later = read(position(t, later)); host(later) != other.Address() {
			return errors.New(later.String())
		}
		return nil
	})
	read(newer)
}

// proxy returns an address that leads to a node, and a function that says where each further
// connection leads.
func proxy(t *testing.T, first *pgtemp.Node) (address string, direct func(func() *pgtemp.Node)) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { l.Close() })
	var to atomic.Pointer[func() *pgtemp.Node]
	direct = func(next func() *pgtemp.Node) { to.Store(&next) }
	direct(func() *pgtemp.Node { return first })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer client.Close()
				server, err := net.Dial("tcp", (*to.Load())().Address())
				if err != nil {
					return
				}
				defer server.Close()
				var both sync.WaitGroup
				both.Go(func() { _, _ = io.Copy(server, client); server.Close() })
				both.Go(func() { _, _ = io.Copy(client, server); client.Close() })
				both.Wait()
			}()
		}
	}()
	return strings.Replace(first.URL("postgres"), first.Address(), l.Addr().String(), 1), direct
}

// TestBalancerOfReplicas names a balancer as a replica. One of the two behind it applies nothing
// any more, and no answer comes from it.
func TestBalancerOfReplicas(t *testing.T) {
	t.Parallel()
	c := cluster(t, 2)
	address, direct := proxy(t, c.Nodes[1])
	var connections atomic.Int64
	direct(func() *pgtemp.Node { return c.Nodes[2-connections.Add(1)%2] }) // the first is what the server watches
	f := serve(t, c.URL("postgres"), nil, "DATABASE_REPLICAS="+address)
	id, at := f.hero(t, "Kept")
	for _, n := range c.Nodes[1:] {
		must(t, n.CaughtUp(t.Context(), c.Nodes[0]))
	}
	must(t, c.Nodes[2].PauseReplay(t.Context()))
	for age := range 40 {
		at = position(t, f.after(at).Must(updateHero, gqltest.Vars{"id": id, "age": age}))
		if a := f.after(at).Must(readHero, gqltest.Vars{"id": id}); a.At("hero.age") != float64(age) {
			t.Fatalf("read %s after %d was written", a, age)
		}
	}
	f.logged(t, "left out", "leads to several servers")
}
