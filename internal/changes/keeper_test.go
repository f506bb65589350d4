package changes_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"entgo.io/ent/dialect"

	"forge/internal/changes"
)

// messages is a log that tests can read while others write it.
type messages struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (m *messages) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.text.Write(p)
}

func (m *messages) has(text string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.Contains(m.text.String(), text)
}

// keep runs a keeper until the function that it returns is called.
func keep(t *testing.T, k *changes.Keeper) (*messages, func()) {
	ctx, stop := context.WithCancel(t.Context())
	out := new(messages)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		k.Run(ctx, slog.New(slog.NewTextHandler(out, nil)))
	}()
	end := func() { stop(); <-ended }
	t.Cleanup(end)
	return out, end
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still not: %s", what)
		}
	}
}

// read returns how many changes there are to read.
func (d *database) read() int {
	list, next, err := d.log.Read(d.t.Context(), d.at, 1000)
	if err != nil {
		d.t.Fatal(err)
	}
	d.at = next
	return len(list)
}

// TestKeeper has a keeper make changes readable that others have written, and go on after an
// outage.
func TestKeeper(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, db *database) {
		k := changes.NewKeeper(db.log, time.Hour, 1000)
		out, end := keep(t, k)
		db.exec("INSERT INTO ports (id) VALUES (" + db.key(1) + ")")
		eventually(t, "the change can be read", func() bool { return db.read() == 1 })
		db.exec("INSERT INTO ports (id) VALUES (" + db.key(2) + ")")
		k.Wrote()
		eventually(t, "the second change can be read", func() bool { return db.read() == 1 })
		if db.dialect == dialect.SQLite {
			return
		}
		name := changes.Objects(entities)(db.dialect)[0].Name + "_ticks"
		db.exec("ALTER TABLE " + name + " RENAME TO away")
		eventually(t, "the outage is logged", func() bool { return out.has("level=WARN") && out.has("not ticked, retrying") })
		db.exec("ALTER TABLE away RENAME TO " + name)
		eventually(t, "its end is logged", func() bool { return out.has("ticked again") })
		db.exec("INSERT INTO ports (id) VALUES (" + db.key(3) + ")")
		eventually(t, "the change after the outage can be read", func() bool { return db.read() == 1 })
		end()
		db.exec("INSERT INTO ports (id) VALUES (" + db.key(4) + ")")
		k.Wrote()
		if n := db.read(); n != 0 {
			t.Errorf("a keeper that has ended has made %d changes readable", n)
		}
	})
}

// TestKeeperReadOnly has a server of PostgreSQL that is read-only: no tick is stored, and nothing is
// logged, as that is no fault.
func TestKeeperReadOnly(t *testing.T) {
	t.Parallel()
	db := newDatabase(t, dialect.Postgres)
	db.exec("INSERT INTO ports (id) VALUES (" + db.key(1) + ")")
	separator := "?"
	if strings.Contains(db.url, "?") {
		separator = "&"
	}
	readOnly := open(t, "postgres", db.url+separator+"default_transaction_read_only=on")
	log := changes.New(readOnly, dialect.Postgres, entities)
	if err := log.Tick(t.Context()); err == nil {
		t.Fatal("a tick was taken on a server that is read-only")
	}
	out, end := keep(t, changes.NewKeeper(log, time.Hour, 1000))
	time.Sleep(400 * time.Millisecond) // for a tick or two; with none, the test says nothing
	end()
	if out.has("level=") || db.read() != 0 {
		t.Errorf("the log has %q", out.text.String())
	}
}

// TestNoKeeper has no entity whose changes are logged.
func TestNoKeeper(t *testing.T) {
	t.Parallel()
	k := changes.NewKeeper(changes.New(nil, dialect.Postgres, nil), time.Hour, 1000)
	k.Wrote()
	k.Run(t.Context(), slog.New(slog.DiscardHandler))
}
