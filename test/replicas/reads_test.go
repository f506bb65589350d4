package replicas

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"forge/internal/pgtemp"
	"forge/internal/replica"
	"forge/test/gqltest"
)

// usable returns when the server reads from these replicas and no others.
func (f *forge) usable(t *testing.T, want ...*pgtemp.Node) {
	t.Helper()
	gqltest.Eventually(t, "these replicas are read from, and no others", func() error { return f.uses(want...) })
}

// uses returns an error unless the server reads from these replicas and no others.
func (f *forge) uses(want ...*pgtemp.Node) error {
	page := f.Get("/metrics").Body
	n := 0
	for _, node := range want {
		if !strings.Contains(page, fmt.Sprintf("forge_replica_usable{host=%q} 1\n", node.Address())) {
			return fmt.Errorf("%s is not", node.Name)
		}
	}
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "forge_replica_usable{") && strings.HasSuffix(line, " 1\n") {
			n++
		}
	}
	if n != len(want) {
		return fmt.Errorf("%d are, want %d", n, len(want))
	}
	return nil
}

// TestReads asks a server with two replicas.
func TestReads(t *testing.T) {
	t.Parallel()
	c := cluster(t, 2)
	primary, second, third := c.Nodes[0], c.Nodes[1], c.Nodes[2]
	f := serve(t, primary.URL("postgres"), c.Nodes[1:])
	ctx := t.Context()
	caughtUp := func(t *testing.T) {
		t.Helper()
		must(t, second.CaughtUp(ctx, primary))
		must(t, third.CaughtUp(ctx, primary))
		f.usable(t, second, third)
	}

	t.Run("replicas take turns, and the primary answers no query", func(t *testing.T) {
		id, at := f.hero(t, "Turns")
		caughtUp(t)
		gqltest.Eventually(t, "each replica answers the half of all queries", func() error {
			before := f.reads()
			for range 20 {
				f.after(at).Must(readHero, gqltest.Vars{"id": id})
			}
			if got := f.since(before); got[second.Address()] != 10 || got[third.Address()] != 10 {
				return fmt.Errorf("the hosts answered %v", got)
			}
			return nil
		})
	})

	t.Run("a query of several statements is one snapshot of one host", func(t *testing.T) {
		caughtUp(t)
		before := f.reads()
		a := f.Must(`{ viewer { role } a: heroes(first: 1) { totalCount } search(text: "turns") { score } }`, nil)
		if host(a) == "" || a.Statements() < 2 {
			t.Errorf("answered by %q: %s", host(a), a)
		}
		if got := f.since(before); len(got) != 1 {
			t.Errorf("the hosts answered %v", got)
		}
	})

	t.Run("a client that sends its position reads what it wrote, others what a replica has", func(t *testing.T) {
		id, _ := f.hero(t, "Behind")
		caughtUp(t)
		must(t, second.PauseReplay(ctx))
		must(t, third.PauseReplay(ctx))
		a := f.Must(updateHero, gqltest.Vars{"id": id, "age": 7})
		at := position(t, a)
		read := f.after(at).Must(readHero, gqltest.Vars{"id": id})
		if read.Number("hero.age") != 7 || host(read) != "" {
			t.Errorf("read after the write, at %q: %s", host(read), read)
		}
		if without := f.Must(readHero, gqltest.Vars{"id": id}); without.At("hero.age") != nil || host(without) == "" {
			t.Errorf("read without the position, at %q: %s", host(without), without)
		}
		if next := f.after(position(t, read)).Must(readHero, gqltest.Vars{"id": id}); next.Number("hero.age") != 7 {
			t.Errorf("read after the read: %s", next)
		}
		must(t, third.ResumeReplay(ctx))
		must(t, third.CaughtUp(ctx, primary))
		for range 4 {
			if read := f.after("", at, at).Must(readHero, gqltest.Vars{"id": id}); read.Number("hero.age") != 7 || host(read) != third.Address() {
				t.Errorf("read when one replica has it, at %q: %s", host(read), read)
			}
		}
		must(t, second.ResumeReplay(ctx))
	})

	t.Run("a query waits a little for a replica", func(t *testing.T) {
		id, _ := f.hero(t, "Waits")
		replicas := 0
		for age := range 50 {
			a := f.Must(updateHero, gqltest.Vars{"id": id, "age": age})
			read := f.after(position(t, a)).Must(readHero, gqltest.Vars{"id": id})
			if read.Number("hero.age") != age {
				t.Fatalf("age %d is written, and at %q %s is read", age, host(read), read)
			}
			if host(read) != "" {
				replicas++
			}
		}
		if replicas == 0 {
			t.Error("the primary answered all queries")
		}
	})

	t.Run("a transaction has a position", func(t *testing.T) {
		product := f.Must(`mutation { createProduct(input: {sku: "CAPE", name: "Cape", priceCents: 100, stock: 90}) { product { id } } }`, nil).Text("createProduct.product.id")
		user := f.Must(`mutation { createUser(input: {username: "buyer", email: "buyer@example.com", password: "a long password"}) { user { id } } }`, nil).Text("createUser.user.id")
		const order = `mutation($u: ID!, $p: ID!) { createOrder(input: {userId: $u, items: [{productId: $p, quantity: 1}]}) { order { id } } }`
		for sold := 1; sold < 30; sold++ {
			keyed := f.With("Idempotency-Key", fmt.Sprint("order-", sold))
			a := keyed.Must(order, gqltest.Vars{"u": user, "p": product})
			again := keyed.Must(order, gqltest.Vars{"u": user, "p": product})
			if again.RawData() != a.RawData() {
				t.Errorf("the answer to the same key is %s, and was %s", again, a)
			}
			for _, at := range []string{position(t, a), position(t, again)} {
				read := f.after(at).Must(`query($p: ID!) { product(id: $p) { stock } }`, gqltest.Vars{"p": product})
				if got := read.Number("product.stock"); got != 90-sold {
					t.Fatalf("after %d orders, the stock is %d at %q", sold, got, host(read))
				}
			}
		}
	})

	t.Run("what failed changes nothing and has no position", func(t *testing.T) {
		a := f.WantCode("BAD_USER_INPUT", createHero, gqltest.Vars{"n": ""})
		if got := a.Header.Get(replica.Header); got != "" {
			t.Errorf("the position is %q", got)
		}
	})

	t.Run("pages of other origins may send and read positions", func(t *testing.T) {
		a := f.With("Origin", "http://localhost:5173").Must(`{ heroes(first: 1) { totalCount } }`, nil)
		if got := a.Header.Get("Access-Control-Expose-Headers"); !strings.Contains(got, replica.Header) {
			t.Errorf("exposed are %q", got)
		}
	})

	t.Run("metrics are those that the pages name", func(t *testing.T) {
		pages, err := os.ReadFile("../../docs/metrics.md")
		must(t, err)
		got := map[string]bool{}
		for _, series := range regexp.MustCompile(`(?m)^(forge_(?:replica|host)_\w+)(?:\{(\w+)=.*\})? `).FindAllStringSubmatch(f.Get("/metrics").Body, -1) {
			got[series[1]+" by "+series[2]] = true
		}
		want := map[string]bool{}
		for _, row := range regexp.MustCompile("(?m)^\\| `(forge_(?:replica|host)_\\w+)` \\| `?(\\w*)").FindAllStringSubmatch(string(pages), -1) {
			want[row[1]+" by "+row[2]] = true
		}
		if !maps.Equal(got, want) {
			t.Errorf("the metrics of replicas are %v, and docs/metrics.md says %v", got, want)
		}
	})

	t.Run("doctor names what can be read from", func(t *testing.T) { testDoctor(t, c) })

	t.Run("a conflict with recovery is not seen", func(t *testing.T) { conflict(t, f, c) })
}

var repeatedLine = regexp.MustCompile(`(?m)^forge_replica_repeated_total (\d+)$`)

// conflict has standbys cancel queries while these run, as rows that they see are removed.
func conflict(t *testing.T, f *forge, c *pgtemp.Replicated) {
	ctx, cancel := context.WithCancel(t.Context())
	for _, n := range c.Nodes[1:] {
		must(t, n.Set(ctx, "max_standby_streaming_delay", "0"))
	}
	for i := range 200 {
		f.hero(t, fmt.Sprint("Removed ", i))
	}
	db, err := sql.Open("postgres", c.Nodes[0].URL("postgres"))
	must(t, err)
	defer db.Close()
	var readers sync.WaitGroup
	defer readers.Wait()
	defer cancel()
	for range 4 {
		readers.Go(func() {
			for ctx.Err() == nil {
				a := f.Send(ctx, `{ heroes(first: 100) { totalCount nodes { name team { name heroes(first: 5) { totalCount } } } } }`, nil)
				if !a.OK() && ctx.Err() == nil {
					t.Errorf("a client sees the conflict: %s", a)
				}
			}
		})
	}
	gqltest.Eventually(t, "a query was repeated", func() error {
		for _, statement := range []string{"UPDATE heroes SET age = 1", "VACUUM heroes"} {
			if _, err := db.Exec(statement); err != nil {
				return err
			}
		}
		if found := repeatedLine.FindStringSubmatch(f.Get("/metrics").Body); found == nil || found[1] == "0" {
			return errors.New("none was")
		}
		return nil
	})
}
