package faults

import (
	"strings"
	"sync/atomic"
	"testing"

	"forge/internal/database"
	"forge/test/dbtest"
)

// TestDeadlocks runs mutations that change the same two rows in opposite order. The database breaks
// each deadlock, Forge runs the aborted mutation again, and no client sees an error.
func TestDeadlocks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		breakDeadlocksSoon(t, url)
		f := start(t, url)
		s := f.opened(2, 0)
		const clients = 6
		documents := sized(150, 2000)
		var again, most atomic.Int64
		atOnce(clients, documents, func(i int) {
			first, second := s.products[i%2], s.products[1-i%2]
			got := f.Send(background, `mutation both($first: ID!, $second: ID!) {
				a: updateProduct(id: $first, input: {priceCents: 1}) { product { version } }
				b: updateProduct(id: $second, input: {priceCents: 1}) { product { version } }
			}`, vars{"first": first, "second": second})
			if !got.OK() {
				t.Error(got)
			}
			if n := int64(got.Attempts()); n > 1 {
				again.Add(1)
				most.Store(max(most.Load(), n))
			}
		})
		for _, p := range s.products {
			if n := f.Must(`query($id: ID!) { product(id: $id) { version } }`, vars{"id": p}).Number("product.version"); n != documents+1 {
				t.Errorf("a product has version %d, want %d: an update was lost, or made twice", n, documents+1)
			}
		}
		if strings.HasPrefix(url, "postgres") && again.Load() == 0 {
			t.Error("there was no deadlock")
		}
		t.Logf("%d documents, %d of them took more than one attempt, %d at most", documents, again.Load(), max(most.Load(), 1))
	})
}

// breakDeadlocksSoon makes PostgreSQL look for deadlocks after 20 ms, if the role may set this
// time.
func breakDeadlocksSoon(t *testing.T, url string) {
	t.Helper()
	if !strings.HasPrefix(url, "postgres") {
		return
	}
	admin := connect(t, url)
	var name string
	if err := admin.QueryRow("SELECT current_database()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Exec("ALTER DATABASE " + name + " SET deadlock_timeout = '20ms'"); err != nil {
		t.Logf("deadlocks take a second each: %v", err)
	}
}

// connect opens the database directly, without Forge.
func connect(t *testing.T, url string) *database.DB {
	t.Helper()
	db, err := database.Open(url, database.Options{PoolSize: 2, ApplicationName: "faults"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}
