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
	"forge/test/dbtest"
)

// TestGiveUpStatement gives up a statement that runs for long: the server ends it, and the session with it.
func TestGiveUpStatement(t *testing.T) {
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
		t.Error("the statement succeeded, want it to be given up")
	}
	eventually(t, "the statement has ended", func() bool { return sleeping() == 0 })
	eventually(t, "its connection is gone", func() bool { return db.Stats().OpenConnections == 0 })
	if err := db.Ping(); err != nil {
		t.Errorf("a new connection: %v", err)
	}
}

// TestGiveUpSilentServer gives up a statement of a server that does not answer any more, and takes no connections.
func TestGiveUpSilentServer(t *testing.T) {
	defer database.SetGiveUpTime(200 * time.Millisecond)()
	target, err := url.Parse(dbtest.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	proxy := startProxy(t, target)
	target.Host = proxy.Addr().String()
	target.RawQuery = "sslmode=disable"
	db := open(t, target.String())
	if err := db.Ping(); err != nil {
		t.Fatal(err)
	}
	proxy.silent.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := sleep(ctx, db); err == nil {
		t.Error("the statement succeeded, want it to be given up")
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

// sleep runs a prepared statement that takes a minute, as units of work do: around database/sql's own watch.
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

// proxy passes on what is said to PostgreSQL and what it says, until it is silent.
type proxy struct {
	net.Listener
	silent atomic.Bool
	hung   atomic.Pointer[sync.WaitGroup] // what connections that are open hear is held up for
	opened atomic.Int64
	after  atomic.Int64 // that many were open when it began
}

// hang holds up what the connections hear that are open now, and returns how to let it go.
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

// TestKeyIn reads the key out of what a server says first.
func TestKeyIn(t *testing.T) {
	const ok = "R\x00\x00\x00\x08\x00\x00\x00\x00" + "S\x00\x00\x00\x08a\x00b\x00"
	const key = "K\x00\x00\x00\x0c\x00\x00\x00\x01\x02\x03\x04\x05"
	for start, want := range map[string]string{
		ok + key + "Z\x00\x00\x00\x05I":     "\x00\x00\x00\x01\x02\x03\x04\x05",
		ok:                                  "",
		"":                                  "",
		ok + key[:7]:                        "",
		"S\x16\x03\x03\x00\x7a\x02\x00\x00": "", // TLS begins
		"K\x00\x00\x00\x03":                 "", // shorter than a message can be
	} {
		if got := string(database.KeyIn([]byte(start))); got != want {
			t.Errorf("keyIn(%q) is %q, want %q", start, got, want)
		}
	}
}
