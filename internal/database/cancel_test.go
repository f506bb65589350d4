package database_test

import (
	"context"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"forge/internal/database"
	"forge/internal/database/pgwire"
	"forge/test/dbtest"
)

// TestCancelStatement cancels a long statement. The server ends it, and its connection is closed.
func TestCancelStatement(t *testing.T) {
	address := dbtest.Postgres(t)
	db, watching := open(t, address), open(t, address)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- sleep(ctx, db) }()
	sleeping := func() (n int) {
		t.Helper()
		const query = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT pg_sleep%' AND state = 'active'`
		if err := watching.QueryRow(query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	eventually(t, "the statement runs", func() bool { return sleeping() == 1 })
	cancel()
	if err := <-ended; err == nil {
		t.Error("the statement succeeded, want it to be cancelled")
	}
	eventually(t, "the statement has ended", func() bool { return sleeping() == 0 })
	eventually(t, "its connection is gone", func() bool { return db.Stats().OpenConnections == 0 })
	if err := db.Ping(); err != nil {
		t.Errorf("a new connection: %v", err)
	}
}

// TestCancelOnSilentServer cancels a statement on a server that has stopped answering, also on new
// connections.
func TestCancelOnSilentServer(t *testing.T) {
	target, err := url.Parse(dbtest.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	proxy := startProxy(t, target)
	target.Host = proxy.Addr().String()
	target.RawQuery = "sslmode=disable"
	timeouts := pgwire.Timeouts{Cancelled: 200 * time.Millisecond}
	db, err := database.Open(target.String(), database.WithTimeouts(database.Options{PoolSize: 1}, timeouts))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Ping(); err != nil {
		t.Fatal(err)
	}
	proxy.silent.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := sleep(ctx, db); err == nil {
		t.Error("the statement succeeded, want it to be cancelled")
	}
}

func open(t *testing.T, address string) *database.DB {
	t.Helper()
	db, err := database.Open(address, database.Options{PoolSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// sleep runs a prepared statement that takes a minute. database/sql itself does not watch ctx, as
// in a unit of work.
func sleep(ctx context.Context, db *database.DB) error {
	conn, err := db.Conn(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.ExecContext(ctx, `SELECT pg_sleep($1)`, 60.0)
	return err
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within 20 s", what)
		}
	}
}

// proxy forwards bytes to and from PostgreSQL until it is silent.
type proxy struct {
	net.Listener
	silent atomic.Bool
	hung   atomic.Pointer[sync.WaitGroup] // older connections receive nothing while it is not done
	opened atomic.Int64
	after  atomic.Int64 // the value of opened when hang was called
}

// hang stops the connections that are open now from receiving, until release is called.
func (p *proxy) hang() (release func()) {
	held := new(sync.WaitGroup)
	held.Add(1)
	p.after.Store(p.opened.Load())
	p.hung.Store(held)
	return held.Done
}

func startProxy(t *testing.T, target *url.URL) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l}
	t.Cleanup(func() { l.Close() })
	network, address := "tcp", target.Host
	if host := target.Query().Get("host"); host != "" {
		network, address = "unix", host+"/.s.PGSQL."+target.Query().Get("port")
	}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial(network, address)
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(func() { client.Close(); server.Close() })
			number := p.opened.Add(1)
			go p.pass(server, client, nil)
			go p.pass(client, server, func() {
				if held := p.hung.Load(); held != nil && number <= p.after.Load() {
					held.Wait()
				}
			})
		}
	}()
	return p
}

func (p *proxy) pass(to io.WriteCloser, from io.Reader, hold func()) {
	defer to.Close()
	for b := make([]byte, 4096); ; {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		for p.silent.Load() && n == len(b) {
			time.Sleep(time.Millisecond) // so that buffers fill up
		}
		if hold != nil {
			hold()
		}
		if !p.silent.Load() {
			_, _ = to.Write(b[:n])
		}
	}
}
