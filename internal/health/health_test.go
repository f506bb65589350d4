package health

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"forge/internal/database"
	"forge/internal/migrator"
	"forge/migrate"
	"forge/test/dbtest"
)

func noReplicas() bool { return false }

// TestShared sends many probes at once, then again, then a second later. Each time there is at most
// one check.
func TestShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var looks atomic.Int64
		s := newShared(func(context.Context) finding {
			looks.Add(1)
			time.Sleep(time.Second / 2)
			return finding{}
		}, noReplicas, slog.New(slog.DiscardHandler))
		ask := func(want int64) {
			t.Helper()
			var all sync.WaitGroup
			for range 400 {
				all.Go(func() {
					if found := s.get(t.Context()); found.err != nil {
						t.Error(found.err)
					}
				})
			}
			all.Wait()
			if n := looks.Load(); n != want {
				t.Errorf("%d looks, want %d", n, want)
			}
		}
		ask(1)
		ask(1)
		time.Sleep(fresh - 1)
		ask(1)
		time.Sleep(time.Nanosecond)
		ask(2)
	})
}

// TestSharedDeadline has checks that overrun their deadline. A probe waits no longer than the
// deadline, or than its client does. The next probe starts a new check.
func TestSharedDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var silent atomic.Bool
		silent.Store(true)
		s := newShared(func(context.Context) finding {
			if silent.Load() {
				time.Sleep(10 * probeTimeout)
			}
			return finding{}
		}, noReplicas, slog.New(slog.DiscardHandler))
		start := time.Now()
		if found := s.get(t.Context()); !errors.Is(found.err, context.DeadlineExceeded) || time.Since(start) != probeTimeout {
			t.Errorf("%v after %v", found.err, time.Since(start))
		}
		time.Sleep(fresh)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if found := s.get(ctx); found.err == nil || time.Since(start) > probeTimeout+fresh+time.Second {
			t.Errorf("%v after %v", found.err, time.Since(start))
		}
		time.Sleep(probeTimeout + fresh)
		silent.Store(false)
		if found := s.get(t.Context()); found.err != nil {
			t.Error(found.err)
		}
		time.Sleep(10 * probeTimeout)
	})
}

// TestReadsGoOn has the database be away and fall silent. While replicas answer, the server is
// ready for reads, and says so within a second. It is not ready if it has never seen that the
// schema fits, or has seen that it does not.
func TestReadsGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		replicas, silent := true, false
		found := finding{err: errors.New("away")}
		s := newShared(func(ctx context.Context) finding {
			is := found
			if silent {
				<-ctx.Done()
			}
			return is
		}, func() bool { return replicas }, slog.New(slog.DiscardHandler))
		wants := func(what string, ready, readOnly bool, after time.Duration) {
			t.Helper()
			start := time.Now()
			if got := s.get(t.Context()); (got.err == nil) != ready || got.readOnly != readOnly || time.Since(start) != after {
				t.Errorf("%s: %+v after %v", what, got, time.Since(start))
			}
			time.Sleep(fresh)
			synctest.Wait() // a check that was given up has read what it found
		}
		wants("away from the beginning", false, false, 0)
		found.err = nil
		wants("there", true, false, 0)
		found.err = errors.New("away")
		wants("away", true, true, 0)
		silent = true
		wants("silent", true, true, readsTime)
		replicas = false
		wants("silent, and no replica answers", false, false, probeTimeout)
		replicas, silent = true, false
		wants("away again", true, true, 0)
		found.err = &migrator.PendingError{}
		wants("with another schema", false, false, 0)
		found.err = errors.New("away")
		wants("away after that", false, false, 0)
	})
}

// TestSharedLog checks that the log has one line for each change of the state.
func TestSharedLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		var found finding
		s := newShared(func(context.Context) finding { return found }, noReplicas, slog.New(slog.NewTextHandler(&log, nil)))
		for _, tt := range []struct {
			finding
			lines int
			has   string
		}{
			{finding{}, 0, ""},
			{finding{err: errors.New("port 1")}, 1, "not ready"},
			{finding{err: errors.New("port 2")}, 1, ""},
			{finding{readOnly: true}, 1, "reads alone"},
			{finding{readOnly: true}, 1, ""},
			{finding{}, 1, "ready again"},
		} {
			found = tt.finding
			s.get(t.Context())
			if text := log.String(); tt.has != "" && (strings.Count(text, "\n") != tt.lines || !strings.Contains(text, tt.has)) || tt.has == "" && text != "" {
				t.Errorf("%+v: %q", tt.finding, text)
			}
			log.Reset()
			time.Sleep(fresh)
		}
	})
}

// counted is a checker whose results tests set.
type counted struct {
	print           string
	err, printErr   error
	prints, compare atomic.Int64
}

func (c *counted) Print(context.Context) (string, error) {
	c.prints.Add(1)
	return c.print, c.printErr
}

func (c *counted) Check(context.Context) error {
	c.compare.Add(1)
	return c.err
}

// TestSchemaIsComparedBeside checks when the schema is compared: at first, after each change of the
// versions, every 10 seconds, and at each check while it does not fit.
func TestSchemaIsComparedBeside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &counted{print: "1"}
		s := &schema{checker: c, now: time.Now}
		check := func(what string, compared int64, fits bool) {
			t.Helper()
			before := c.compare.Load()
			if err := s.check(t.Context()); (err == nil) != fits {
				t.Errorf("%s: %v", what, err)
			}
			synctest.Wait()
			if n := c.compare.Load() - before; n != compared {
				t.Errorf("%s: compared %d times, want %d", what, n, compared)
			}
		}
		check("at first", 1, true)
		check("again", 0, true)
		c.print = "2"
		check("after a migration", 1, true)
		check("again", 0, true)
		time.Sleep(compareEvery)
		c.err = errors.New("drift")
		check("after 10 s, beside", 1, true)
		check("with what was found", 1, false)
		check("while it does not fit", 1, false)
		c.err = nil
		check("once it fits", 1, true)
		check("again", 0, true)
		c.printErr, c.err = errors.New("away"), errors.New("away")
		check("while the database is away", 1, false)
		c.printErr, c.err = nil, nil
		check("once it is back", 1, true)
	})
}

// ready returns the handler of a database's readiness.
func ready(t *testing.T, db *database.DB) http.Handler {
	t.Helper()
	return Ready(t.Context(), db, migrationsOf(db), noReplicas, slog.New(slog.DiscardHandler))
}

func migrationsOf(db *database.DB) migrator.Source { return migrator.New(migrate.Files, db.Dialect) }

// probe asks /readyz.
func probe(h http.Handler, query string) (status int, body answer) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/readyz"+query, nil))
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		body.Reason = w.Body.String()
	}
	if again := w.Header().Get("Retry-After"); (again != "") != (w.Code == http.StatusServiceUnavailable) {
		body.Reason = "Retry-After " + again
	}
	return w.Code, body
}

func open(t *testing.T, address string, opt database.Options) *database.DB {
	t.Helper()
	db, err := database.Open(address, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// TestReadOnly asks servers whose databases can only be read.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, address string) {
		h := ready(t, open(t, address, database.Options{}))
		for _, query := range []string{"", "?writes=1"} {
			if status, body := probe(h, query); status != 200 || body.Writable != nil {
				t.Errorf("%s of a database that can be written: %d %+v", query, status, body)
			}
		}
		only := address + "?mode=ro"
		if strings.HasPrefix(address, "postgres") {
			separator := "?"
			if strings.Contains(address, "?") {
				separator = "&"
			}
			only = address + separator + "default_transaction_read_only=on"
		}
		h = ready(t, open(t, only, database.Options{}))
		if status, body := probe(h, ""); status != 200 || body.Writable == nil || *body.Writable {
			t.Errorf("%d %+v, want 200 and that it cannot be written", status, body)
		}
		if status, body := probe(h, "?writes=1"); status != 503 || body.Reason != errReadOnly.Error() {
			t.Errorf("?writes=1: %d %+v", status, body)
		}
	})
}

// TestReadyBesideAFullPool holds all connections for requests and sends many probes. The server is
// ready, and opens no more connections than it is allowed.
func TestReadyBesideAFullPool(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	db := open(t, address, database.Options{PoolSize: 2, ApplicationName: "full"})
	for range 2 {
		conn, err := db.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	beside, err := db.MonitorPool()
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	h := ready(t, beside)
	var clients sync.WaitGroup
	for range 400 {
		clients.Go(func() {
			if status, body := probe(h, ""); status != 200 {
				t.Errorf("%d %+v", status, body)
			}
		})
	}
	clients.Wait()
	plain, err := sql.Open("postgres", address)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	var n int
	if err := plain.QueryRow("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'full%'").Scan(&n); err != nil || n > 2+database.MonitorPoolSize {
		t.Errorf("%d connections (%v)", n, err)
	}
}

// TestReadyOfSilence has the connections of a server fall silent without being closed. The server
// reports in time that it is not ready, and is ready again as soon as the database answers.
func TestReadyOfSilence(t *testing.T) {
	t.Parallel()
	address, proxy := dbtest.Muteable(t, dbtest.Postgres(t))
	beside, err := open(t, address, database.Options{}).MonitorPool()
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	h := ready(t, beside)
	wants := func(want int) {
		t.Helper()
		var status int
		var body answer
		for start := time.Now(); time.Since(start) < time.Minute; time.Sleep(fresh / 4) {
			if status, body = probe(h, ""); status == want {
				return
			}
		}
		t.Errorf("%d %+v, want %d", status, body, want)
	}
	wants(200)
	proxy.Mute()
	wants(503)
	proxy.MuteOpen()
	wants(200)
}

// TestMovedFile moves the file of a SQLite database away and back.
func TestMovedFile(t *testing.T) {
	t.Parallel()
	address := dbtest.SQLite(t)
	path, _, _ := database.SQLiteFile(address)
	db := open(t, address, database.Options{})
	look := newLook(db, migrationsOf(db))
	if found := look(t.Context()); found.err != nil {
		t.Fatal(found.err)
	}
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(10 * time.Millisecond) // what was seen of the file is not looked at again at once
	found := look(t.Context())
	if found.err == nil || !strings.Contains(Reason(found.err), "moved") || strings.Contains(Reason(found.err), path) {
		t.Errorf("%v, for everybody %q", found.err, Reason(found.err))
	}
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	if found := look(t.Context()); found.err != nil {
		t.Error(found.err)
	}
}
