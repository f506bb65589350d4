package database_test

import (
	"context"
	"database/sql"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"forge/internal/database"
	"forge/internal/database/pgwire"
	"forge/test/dbtest"
)

// behindProxy opens a database whose connections pass a proxy.
func behindProxy(t *testing.T, opt database.Options) (*database.DB, *proxy) {
	t.Helper()
	target, err := url.Parse(dbtest.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	p := startProxy(t, target)
	target.Host, target.RawQuery = p.Addr().String(), "sslmode=disable"
	db, err := database.Open(target.String(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db, p
}

// sessionsOf runs a statement in two sessions of the pool, and returns their process IDs.
func sessionsOf(t *testing.T, db *database.DB) (pids [2]int) {
	t.Helper()
	var conns [2]*sql.Conn
	for i := range conns {
		var err error
		if conns[i], err = db.Conn(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer conns[i].Close()
		if err := conns[i].QueryRowContext(t.Context(), "SELECT pg_backend_pid() WHERE $1::int > 0", 1).Scan(&pids[i]); err != nil {
			t.Fatal(err)
		}
	}
	return pids
}

// TestSilentHost makes a host send nothing, to old and new connections. Statements fail although
// their contexts have no deadline. When the host is back, no old connection is used again.
func TestSilentHost(t *testing.T) {
	timeouts := pgwire.Timeouts{Silence: 100 * time.Millisecond, Answer: time.Second, PastLimit: time.Second}
	for name, statement := range map[string]func(context.Context, *sql.Conn) error{
		"a statement": func(ctx context.Context, c *sql.Conn) error {
			_, err := c.ExecContext(ctx, "SELECT pg_sleep($1)", 0.0)
			return err
		},
		"a commit": func(ctx context.Context, c *sql.Conn) error { return database.Conn{Conn: c}.Commit(ctx) },
		"a large statement": func(ctx context.Context, c *sql.Conn) error {
			_, err := c.ExecContext(ctx, "SELECT $1::bytea", make([]byte, 64<<20)) // more than buffers hold
			return err
		},
		"a ping": func(ctx context.Context, c *sql.Conn) error { return c.PingContext(ctx) },
	} {
		t.Run(name, func(t *testing.T) {
			db, p := behindProxy(t, database.WithTimeouts(database.Options{PoolSize: 2, ConnectTimeout: 20 * time.Second}, timeouts))
			before := sessionsOf(t, db)
			conn, err := db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if name == "a commit" {
				if _, err := conn.ExecContext(t.Context(), "BEGIN"); err != nil {
					t.Fatal(err)
				}
			}
			p.silent.Store(true)
			if err := statement(t.Context(), conn); err == nil || !database.ConnectionLost(err) {
				t.Errorf("%v, want an error of a lost connection", err)
			}
			conn.Close()
			p.silent.Store(false)
			for _, pid := range sessionsOf(t, db) {
				if pid == before[0] || pid == before[1] {
					t.Errorf("session %d is used again", pid)
				}
			}
			if n := db.Stats().OpenConnections; n > 2 {
				t.Errorf("%d connections are open, want 2", n)
			}
		})
	}
}

// TestSlowStatementOfALivingHost runs a statement for much longer than a host may be silent. The
// statement succeeds, because the host answers when it is asked.
func TestSlowStatementOfALivingHost(t *testing.T) {
	timeouts := pgwire.Timeouts{Silence: 20 * time.Millisecond, Answer: 5 * time.Second, PastLimit: time.Second}
	db, _ := behindProxy(t, database.WithTimeouts(database.Options{PoolSize: 1, StatementTimeout: time.Minute}, timeouts))
	if _, err := db.ExecContext(t.Context(), "SELECT pg_sleep($1)", 0.5); err != nil {
		t.Error(err)
	}
}

// TestHungSession makes one session send nothing, while its host lives. Statements fail some time
// after the server should have ended them, unless the session is WithoutDeadline.
func TestHungSession(t *testing.T) {
	options := database.WithTimeouts(database.Options{
		PoolSize: 1, ConnectTimeout: 20 * time.Second,
		StatementTimeout: 100 * time.Millisecond, CommitTimeout: 100 * time.Millisecond,
	}, pgwire.Timeouts{
		Silence: 50 * time.Millisecond, Answer: 5 * time.Second,
		PastLimit: 100 * time.Millisecond, Cancelled: 100 * time.Millisecond,
	})
	db, p := behindProxy(t, options)
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const statement = "SELECT pg_sleep($1)"
	if _, err := conn.ExecContext(t.Context(), statement, 0.0); err != nil {
		t.Fatal(err)
	}
	p.hang()
	if _, err := conn.ExecContext(t.Context(), statement+" AS new", 0.0); err == nil || database.OutcomeUnknown(err) {
		t.Errorf("%v, want an error of the statement being prepared, which was never carried out", err)
	}
	conn.Close()
	if conn, err = db.Conn(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), statement, 0.0); err != nil {
		t.Fatal(err)
	}
	p.hang()
	if _, err := conn.ExecContext(t.Context(), statement, 0.0); !database.OutcomeUnknown(err) {
		t.Errorf("%v, want an error that leaves open what became of the statement", err)
	}

	db, p = behindProxy(t, options)
	if conn, err = db.Conn(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Raw(func(raw any) error { database.WithoutDeadline(raw); return nil }); err != nil {
		t.Fatal(err)
	}
	release := p.hang()
	var released atomic.Bool
	time.AfterFunc(time.Second, func() { released.Store(true); release() })
	if _, err := conn.ExecContext(t.Context(), "SELECT 1"); err != nil || !released.Load() {
		t.Errorf("without a deadline: %v, and the session spoke again: %t", err, released.Load())
	}
}
