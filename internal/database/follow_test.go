package database_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"forge/internal/database"
	"forge/internal/pgtemp"
	"forge/test/dbtest"
)

// TestFollowPrimary leads a pool with two hosts through a failover, a former primary that comes
// back as one, and a switchover.
func TestFollowPrimary(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short: SQLite only")
	}
	r, err := pgtemp.StartReplicated(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Stop() })
	first, second := r.Nodes[0], r.Nodes[1]
	db, err := database.Open(r.URL("postgres"), database.Options{PoolSize: 4, ConnectTimeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	beside, err := db.MonitorPool()
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(exec(t, db, "CREATE TABLE kept (id integer)"))
	must(beside.PingContext(t.Context()))
	wantPort(t, db, first)

	must(second.CaughtUp(t.Context(), first))
	must(first.Kill())
	if err := exec(t, db, "INSERT INTO kept VALUES (1)"); !database.ConnectionLost(err) {
		t.Errorf("without a primary: %v, want an error of a lost connection", err)
	}
	must(second.Promote())
	eventually(t, "the new primary is found", func() bool { return exec(t, db, "INSERT INTO kept VALUES (2)") == nil })
	wantPort(t, db, second)

	// The former primary comes back as it was. It could be written, but its timeline is older.
	must(first.Start())
	fresh, err := database.Open(r.URL("postgres"), database.Options{PoolSize: 1})
	must(err)
	defer fresh.Close()
	wantPort(t, fresh, second) // it knows no timeline, and finds two servers that can be written
	must(second.Stop())
	for _, pool := range []*database.DB{db, beside} {
		err = exec(t, pool, "INSERT INTO kept VALUES (3)")
		if pool == beside && err == nil {
			t.Error("the other pool wrote to a former primary")
		}
		if pool == db && (err == nil || !strings.Contains(err.Error(), "it is a former primary: its timeline is 1, and that of the primary is 2")) {
			t.Errorf("a former primary: %v", err)
		}
	}
	must(second.Start())
	eventually(t, "the primary is back", func() bool { return exec(t, db, "INSERT INTO kept VALUES (4)") == nil })

	// Sessions that stay, on a server that becomes read-only, are not used again.
	before := db.Stats().MaxIdleClosed
	must(second.Set(t.Context(), "default_transaction_read_only", "on"))
	if err := exec(t, db, "INSERT INTO kept VALUES (5)"); !database.ReadOnly(err) && !database.ConnectionLost(err) {
		t.Errorf("on a server that is read-only: %v", err)
	}
	eventually(t, "idle connections are closed", func() bool { return db.Stats().MaxIdleClosed > before || db.Stats().Idle == 0 })
}

func exec(t *testing.T, db *database.DB, statement string) error {
	t.Helper()
	_, err := db.ExecContext(t.Context(), statement)
	return err
}

func wantPort(t *testing.T, db *database.DB, n *pgtemp.Node) {
	t.Helper()
	var port int
	if err := db.QueryRow("SELECT inet_server_port()").Scan(&port); err != nil || !strings.HasSuffix(n.Address(), fmt.Sprint(":", port)) {
		t.Errorf("connected to port %d, %v; want %s", port, err, n.Address())
	}
}

// TestNoRoomForConnections runs more statements at once than the server lets the pool have
// connections. They wait for each other.
func TestNoRoomForConnections(t *testing.T) {
	address := dbtest.EmptyPostgres(t)
	admin := open(t, address)
	const role = "forge_two_connections"
	for _, statement := range []string{"DROP ROLE IF EXISTS " + role, "CREATE ROLE " + role + " LOGIN PASSWORD 'x' CONNECTION LIMIT 2"} {
		if err := exec(t, admin, statement); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if _, err := admin.Exec("DROP ROLE " + role); err != nil {
			t.Error(err)
		}
	})
	u, err := database.ParseAddress(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("user", role)
	q.Set("password", "x")
	u.User, u.RawQuery = nil, q.Encode()
	db, err := database.Open(u.String(), database.Options{PoolSize: 8})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var all sync.WaitGroup
	for range 24 {
		all.Go(func() {
			conn, err := db.Acquire(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			if _, err := conn.ExecContext(t.Context(), "SELECT pg_sleep(0.02)"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	eventually(t, "two connections at most are open", func() bool { return db.Stats().OpenConnections <= 2 })
}
