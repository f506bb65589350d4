package replicas

import (
	"context"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"forge/internal/pgtemp"
	"forge/internal/replica"
	"forge/test/gqltest"
)

// checks returns how many answers a test looks at.
func checks(short, soak int) int {
	if os.Getenv("FORGE_SOAK") != "" {
		return soak
	}
	return short
}

// client sends each request to a server by chance, and positions back if it keeps them.
type client struct {
	servers []*forge
	keeps   bool
	at      string
}

func (c *client) send(query string, variables gqltest.Vars) gqltest.Answer {
	to := c.servers[rand.IntN(len(c.servers))].Client
	if c.at != "" {
		to = to.With(replica.Header, c.at)
	}
	a := to.Send(context.Background(), query, variables)
	if at := a.Header.Get(replica.Header); c.keeps && at != "" {
		c.at = at
	}
	return a
}

// TestHistories has clients write and read while replicas stop replaying, and are killed and
// started again. A client that keeps positions reads what it has written, and never less than it
// has read. Without positions both is seen to fail.
func TestHistories(t *testing.T) {
	t.Parallel()
	c := cluster(t, 2)
	servers := []*forge{serve(t, c.Nodes[0].URL("postgres"), c.Nodes[1:]), serve(t, c.Nodes[0].URL("postgres"), c.Nodes[1:])}
	var ids []string
	for _, name := range []string{"A", "B", "C", "D"} {
		id, _ := servers[0].hero(t, name)
		ids = append(ids, id)
	}
	for _, s := range servers {
		s.usable(t, c.Nodes[1:]...)
	}
	stop := disturb(t, c.Nodes[1:])
	defer stop()
	before := servers[0].reads()
	if missed, older := run(t, servers, ids, true, checks(3000, 100_000)); missed+older > 0 {
		t.Errorf("with positions, %d reads missed the client's own write, and %d were older than the read before", missed, older)
	}
	answered := servers[0].since(before)
	t.Log("with positions, the hosts answered", answered)
	if answered[c.Nodes[1].Address()] == 0 || answered[c.Nodes[2].Address()] == 0 || answered["primary"] == 0 {
		t.Errorf("not every host answered: %v", answered)
	}
	var missed, older int64
	for range 5 { // seldom, nothing goes wrong in so few
		m, o := run(t, servers, ids, false, checks(1500, 10_000))
		if missed, older = missed+m, older+o; missed > 0 && older > 0 {
			break
		}
	}
	t.Logf("without positions, %d reads missed the client's own write, and %d were older than the read before", missed, older)
	if missed == 0 || older == 0 {
		t.Errorf("without positions, %d reads missed the client's own write, and %d were older than the read before: what do positions prove?", missed, older)
	}
}

// run has a client for each hero write and read it, and two clients that only read it, until so
// many answers were looked at. It returns how many reads missed the client's own write, and how
// many were older than the client's read before.
func run(t *testing.T, servers []*forge, ids []string, keep bool, checks int) (missed, older int64) {
	var done, missing, aging atomic.Int64
	var all sync.WaitGroup
	age := func(a gqltest.Answer) int {
		if !a.OK() {
			t.Errorf("a read failed: %s", a)
		}
		return a.Number("hero.age")
	}
	for _, id := range ids {
		all.Go(func() {
			c := client{servers: servers, keeps: keep}
			for n := 1; done.Load() < int64(checks); n++ {
				if a := c.send(updateHero, gqltest.Vars{"id": id, "age": n % 1000}); !a.OK() {
					t.Errorf("a write failed: %s", a)
				}
				if age(c.send(readHero, gqltest.Vars{"id": id})) != n%1000 {
					missing.Add(1)
				}
				done.Add(1)
			}
		})
		for range 2 {
			all.Go(func() {
				c := client{servers: servers, keeps: keep}
				for last := 0; done.Load() < int64(checks); done.Add(1) {
					a := c.send(`query($id: ID!) { hero(id: $id) { version } }`, gqltest.Vars{"id": id})
					if !a.OK() {
						t.Errorf("a read failed: %s", a)
					}
					version := a.Number("hero.version")
					if version < last {
						aging.Add(1)
					}
					last = version
				}
			})
		}
	}
	all.Wait()
	return missing.Load(), aging.Load()
}

// disturb has standbys stop replaying for random times, and kills them now and then, until the
// function that it returns is called. Then they replay again.
func disturb(t *testing.T, standbys []*pgtemp.Node) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for _, n := range standbys {
		all.Go(func() {
			for i := 1; ctx.Err() == nil; i++ {
				time.Sleep(time.Duration(rand.IntN(100)) * time.Millisecond)
				if i%8 == 0 {
					must(t, n.Kill())
					must(t, n.Start())
					continue
				}
				must(t, n.PauseReplay(t.Context()))
				time.Sleep(time.Duration(rand.IntN(200)) * time.Millisecond)
				must(t, n.ResumeReplay(t.Context()))
			}
		})
	}
	return func() {
		cancel()
		all.Wait()
	}
}
