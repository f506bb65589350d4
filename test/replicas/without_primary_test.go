package replicas

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"forge/internal/pgtemp"
	"forge/test/gqltest"
)

// TestReadsWithoutPrimary takes the primary away, and nobody promotes another one. First it is
// silent, then it is killed, under more mutations than may run at once. Queries go on without an
// error, and balancers are told to send them. Mutations are refused in a way that clients can
// retry.
func TestReadsWithoutPrimary(t *testing.T) {
	t.Parallel()
	c := cluster(t, 2)
	primary := c.Nodes[0]
	f := serve(t, c.URL("postgres"), c.Nodes, asReader(t, c), "MAX_IN_FLIGHT=4", "QUEUE_TIMEOUT=5s")
	id, at := f.hero(t, "Kept")
	for _, n := range c.Nodes[1:] {
		must(t, n.CaughtUp(t.Context(), primary))
	}
	f.usable(t, c.Nodes[1:]...)
	f.wantReady(t, "")
	reads := func(n int) {
		t.Helper()
		for i := range n {
			to := f.Client
			if i%2 == 1 {
				to = f.after(at)
			}
			query, variables := readHero, gqltest.Vars{"id": id}
			if i%3 == 0 {
				query, variables = `{ viewer { role } heroes(first: 1) { totalCount } search(text: "kept") { score } }`, nil
			}
			if a := to.Must(query, variables); host(a) == "" {
				t.Errorf("%s was answered by the primary, which is away: %s", query, a)
			}
			if i%10 == 0 {
				f.wantReady(t, "writable")
			}
		}
	}
	must(t, primary.Pause())
	gqltest.Eventually(t, "the primary is found to be away", func() error {
		if body := f.Get("/readyz").Body; !strings.Contains(body, "writable") {
			return fmt.Errorf("%s", body)
		}
		return nil
	})
	reads(60)
	must(t, primary.Kill())
	stop := f.write(t, 6)
	reads(20)
	stop()
	if status := f.Get("/readyz?writes=1").Status; status != 503 {
		t.Errorf("/readyz?writes=1 is %d without a primary", status)
	}

	// A standby that has lost the next primary as well tells its timeline no longer.
	next, err := c.Failover(t.Context(), c.Nodes[1], c.Nodes[2])
	must(t, err)
	other := c.Nodes[1]
	if next == other {
		other = c.Nodes[2]
	}
	_, at = f.hero(t, "Later") // what it leads to is of the new timeline
	gqltest.Eventually(t, "the other standby answers again", func() error {
		a := f.after(at).Must(readHero, gqltest.Vars{"id": id})
		if at = position(t, a); host(a) != other.Address() {
			return fmt.Errorf("%s", a)
		}
		return nil
	})
	must(t, next.Kill())
	reads(20)
}

// asReader returns the setting of all nodes as replicas for a role that has no more rights than it
// needs.
func asReader(t *testing.T, c *pgtemp.Replicated) string {
	t.Helper()
	db, err := sql.Open("postgres", c.Nodes[0].URL("postgres"))
	must(t, err)
	defer db.Close()
	_, err = db.Exec("CREATE ROLE reader LOGIN IN ROLE pg_read_all_data, pg_read_all_stats")
	must(t, err)
	var addresses []string
	for _, n := range c.Nodes {
		u, err := url.Parse(n.URL("postgres"))
		must(t, err)
		u.User = url.User("reader")
		addresses = append(addresses, u.String())
	}
	return "DATABASE_REPLICAS=" + strings.Join(addresses, " ")
}

// wantReady checks that the server is ready, and that the answer has a text.
func (f *forge) wantReady(t *testing.T, text string) {
	t.Helper()
	if a := f.Get("/readyz"); a.Status != 200 || !strings.Contains(a.Body, text) {
		t.Errorf("/readyz is %d: %s", a.Status, a.Body)
	}
}

// write has clients send mutations, while the primary is away, until the function that it returns
// is called. That returns when some of them were refused.
func (f *forge) write(t *testing.T, clients int) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	refused := make(chan bool, 1)
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for ctx.Err() == nil {
				a := f.Send(ctx, createHero, gqltest.Vars{"n": "Lost"})
				if ctx.Err() != nil {
					return
				}
				if a.Code() != "UNAVAILABLE" || a.Header.Get("Retry-After") == "" {
					t.Errorf("a mutation without a primary: %s, Retry-After %q", a, a.Header.Get("Retry-After"))
				}
				select {
				case refused <- true:
				default:
				}
			}
		})
	}
	return func() {
		<-refused
		cancel()
		all.Wait()
	}
}
