package doctor

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"forge/internal/database"
	"forge/test/dbtest"
)

// newRole makes a role of the server, for one test.
func newRole(t *testing.T, db *database.DB) string {
	t.Helper()
	name := "doctor_" + strings.ToLower(rand.Text())
	mustExec(t, db, "CREATE ROLE "+name+" LOGIN")
	t.Cleanup(func() { mustExec(t, db, "DROP OWNED BY "+name, "DROP ROLE "+name) })
	return name
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	db := mustOpen(t, address)
	mustFind(t, newDoctor(t, "DATABASE_URL="+address).Examine(t.Context()), "permissions", Warn, "superuser", "roles.sh")

	name := newRole(t, db)
	as := change(t, address, func(u *url.URL) { u.User = url.User(name) })
	examine := func() Report { return newDoctor(t, "DATABASE_URL="+as).Examine(t.Context()) }
	mustExec(t, db, "GRANT USAGE ON SCHEMA public TO "+name, "GRANT SELECT ON goose_db_version TO "+name)
	mustFind(t, examine(), "permissions", Fail, name+" may not SELECT from, INSERT into, UPDATE, DELETE from users", "GRANT SELECT, INSERT, UPDATE, DELETE ON users TO "+name)
	mustExec(t, db, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO "+name)
	report := examine()
	mustFind(t, report, "permissions", OK, name)
	if state := report.State(); state != OK {
		t.Errorf("a role as it should be: %s\n%s", state, inWords(t, report))
	}
	mustExec(t, db, "REVOKE DELETE ON heroes FROM "+name)
	mustFind(t, examine(), "permissions", Fail, name+" may not DELETE from heroes")
	mustExec(t, db, "GRANT DELETE ON heroes TO "+name, "ALTER TABLE teams OWNER TO "+name)
	mustFind(t, examine(), "permissions", Warn, "owns the tables")
	mustExec(t, db, "ALTER TABLE teams OWNER TO CURRENT_USER", "REVOKE SELECT ON goose_db_version FROM "+name)
	mustFind(t, examine(), "schema", Fail, "permission denied")
}

func TestPool(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	db := mustOpen(t, address)
	d := newDoctor(t, "DATABASE_URL="+address, "POOL_SIZE=10")
	mustFind(t, d.Examine(t.Context()), "pool", OK, "1 process of POOL_SIZE=10, and 3 beside requests, may take 13 connections")
	d.processes = 1000
	mustFind(t, d.Examine(t.Context()), "pool", Fail, "1000 processes", "13000 connections", "max_connections")
	d.processes = 2
	name := strings.TrimPrefix(mustParse(t, address).Path, "/")
	mustExec(t, db, "ALTER DATABASE "+name+" CONNECTION LIMIT 15")
	mustFind(t, d.Examine(t.Context()), "pool", Fail, "26 connections", "has 15")
	// Those of other programs leave less.
	others := mustOpen(t, address+"&application_name=others")
	for range 8 {
		conn, err := others.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	d.processes = 1
	mustFind(t, d.Examine(t.Context()), "pool", Warn, "has 15", "others hold")
}

func mustParse(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	mustExec(t, mustOpen(t, address), "ALTER DATABASE "+strings.TrimPrefix(mustParse(t, address).Path, "/")+" SET default_transaction_read_only = on")
	mustFind(t, newDoctor(t, "DATABASE_URL="+address).Examine(t.Context()), "database", Fail, "can only be read", "primary")
}

func TestLimits(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	mustFind(t, newDoctor(t, "DATABASE_URL="+address, "LOCK_TIMEOUT=3s").Examine(t.Context()), "limits", OK, "statements 30s, locks 3s, idle transactions 1m0s")
	mustFind(t, newDoctor(t, "DATABASE_URL="+address+"&statement_timeout=7000").Examine(t.Context()), "limits", OK, "statements 7s")
	mustFind(t, newDoctor(t, "DATABASE_URL="+address, "STATEMENT_TIMEOUT=0s").Examine(t.Context()), "limits", Warn, "statement_timeout is off", "STATEMENT_TIMEOUT")
	// What is between may take a limit away.
	thief := between(t, address, func(sent []byte) []byte {
		return bytes.Replace(sent, []byte("statement_timeout\x0030000\x00"), []byte("statement_timeout\x0000000\x00"), 1)
	})
	mustFind(t, newDoctor(t, "DATABASE_URL="+thief).Examine(t.Context()), "limits", Fail, "statement_timeout is 0s", "asks for 30s", "between")
}

func TestPgBouncer(t *testing.T) {
	t.Parallel()
	address := dbtest.PgBouncer(t, dbtest.Postgres(t))
	report := newDoctor(t, "DATABASE_URL="+address).Examine(t.Context())
	if report.State() == Fail {
		t.Errorf("through PgBouncer:\n%s", inWords(t, report))
	}
	mustFind(t, report, "pool", OK, "PgBouncer")
	mustFind(t, report, "limits", OK, "statements 30s")
	mustFind(t, report, "changes", Warn, "no connection listens", "CHANGES_URL")
	few := newDoctor(t, "DATABASE_URL="+dbtest.Postgres(t), "STREAMS=1000000")
	mustFind(t, few.Examine(t.Context()), "changes", Warn, "files, and each stream is one", "lower STREAMS")
	silent := change(t, address, func(u *url.URL) { u.RawQuery = "sslmode=disable" })
	mustFind(t, newDoctor(t, "DATABASE_URL="+silent).Examine(t.Context()), "database", Fail, "PGBOUNCER=on")
	// One that lets the limits through is found by what it does with sessions.
	for where, want := range map[string]bool{address: true, dbtest.Postgres(t): false} {
		if got, err := somethingBetween(t.Context(), mustOpen(t, where)); err != nil || got != want {
			t.Errorf("%s: something is between: %t (%v), want %t", where, got, err, want)
		}
	}
}

// TestHangs examines a database that stops answering at a statement.
func TestHangs(t *testing.T) {
	t.Parallel()
	address := between(t, dbtest.Postgres(t), func(sent []byte) []byte {
		if bytes.Contains(sent, []byte("clock_timestamp")) {
			return nil
		}
		return sent
	})
	d := newDoctor(t, "DATABASE_URL="+address)
	d.timeout = 2 * time.Second
	report := d.Examine(t.Context())
	mustFind(t, report, "schema", OK)
	mustFind(t, report, "clock", Fail, "no answer within 2s", "forge db activity")
}

// between returns an address of the database through a proxy. pass may change the bytes that the
// client sends, and ends the connection by returning nil.
func between(t *testing.T, address string, pass func([]byte) []byte) string {
	t.Helper()
	u := mustParse(t, address)
	network, place := "tcp", u.Host
	if dir := u.Query().Get("host"); strings.HasPrefix(dir, "/") {
		network, place = "unix", filepath.Join(dir, fmt.Sprintf(".s.PGSQL.%s", u.Query().Get("port")))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial(network, place)
			if err != nil {
				client.Close()
				return
			}
			go func() {
				defer client.Close()
				_, _ = io.Copy(client, server)
			}()
			go forward(client, server, pass)
		}
	}()
	query := u.Query()
	query.Del("host")
	query.Del("port")
	query.Set("sslmode", "disable")
	u.Host, u.RawQuery = l.Addr().String(), query.Encode()
	return u.String()
}

// forward ends when the client is gone.
func forward(client, server net.Conn, pass func([]byte) []byte) {
	defer server.Close()
	buffer, stuck := make([]byte, 64<<10), false
	for {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		if out := pass(buffer[:n]); !stuck && out != nil {
			_, _ = server.Write(out)
		} else {
			stuck = true
		}
	}
}
