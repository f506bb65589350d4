package shared

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"forge/internal/database"
	"forge/test/dbtest"
)

var policy = Policy{Free: 5, Window: 15 * time.Minute, First: 15 * time.Second, Longest: 15 * time.Minute}

// servers returns pools of several servers of one database.
func servers(t *testing.T, address string, n int) (all []*database.DB) {
	t.Helper()
	for range n {
		db, err := database.Open(address, database.Options{PoolSize: 4})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		all = append(all, db)
	}
	return all
}

// TestKey has several servers begin at once. All get one key, also after a restart, and after the
// database has lost it.
func TestKey(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, address string) {
		dbs := servers(t, address, 3)
		if has, err := HasKey(t.Context(), dbs[0], "cursors"); has || err != nil {
			t.Fatal(has, err)
		}
		keys := make([][]byte, 12)
		var all sync.WaitGroup
		for i := range keys {
			all.Go(func() {
				var err error
				if keys[i], err = Key(t.Context(), dbs[i%len(dbs)], "cursors", nil); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, key := range keys {
			if len(key) != keySize || !bytes.Equal(key, keys[0]) {
				t.Fatalf("the keys are %x", keys)
			}
		}
		if other, err := Key(t.Context(), dbs[1], "others", nil); err != nil || bytes.Equal(other, keys[0]) {
			t.Errorf("another purpose has the key %x, %v", other, err)
		}
		mustExec(t, dbs[0], "DELETE FROM "+keysTable(dbs[0]))
		for i, db := range dbs {
			if key, err := Key(t.Context(), db, "cursors", keys[0]); err != nil || !bytes.Equal(key, keys[0]) {
				t.Errorf("server %d has the key %x after it was lost, %v", i, key, err)
			}
		}
		mustExec(t, dbs[0], "UPDATE "+keysTable(dbs[0])+" SET key = $1", []byte("short"))
		if _, err := Key(t.Context(), dbs[0], "cursors", nil); err == nil || !strings.Contains(err.Error(), "5 bytes") {
			t.Errorf("a key that is too short: %v", err)
		}
		mustExec(t, dbs[0], "DROP TABLE "+keysTable(dbs[0]))
		if _, err := Key(t.Context(), dbs[0], "cursors", nil); err == nil {
			t.Error("no error without the table")
		}
	})
}

func keysTable(db *database.DB) string { return keys(db.Dialect).Name }

func mustExec(t *testing.T, db *database.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
}

// counted are the failures as several servers count them.
type counting []*Failures

func count(t *testing.T, log *slog.Logger) counting {
	t.Helper()
	var all counting
	for _, db := range servers(t, dbtest.Postgres(t), 3) {
		all = append(all, NewFailures(db, policy, log))
	}
	return all
}

// TestOneBudget fails on one server after the other. All together have as many attempts as one, and
// waits double.
func TestOneBudget(t *testing.T) {
	t.Parallel()
	f, key, turn := count(t, slog.New(slog.DiscardHandler)), []byte("ada"), 0
	next := func() *Failures { turn++; return f[turn%len(f)] }
	fail := func() State {
		t.Helper()
		if begun, s, err := next().Begin(t.Context(), key); !begun || err != nil {
			t.Fatalf("not begun: %+v, %v", s, err)
		}
		s, err := next().Fail(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	pass := func(d time.Duration) {
		t.Helper()
		mustExec(t, f[0].db, "UPDATE "+f[0].table+" SET since = since - $1::interval, until = until - $1::interval, at = at - $1::interval", d.String())
	}
	for range policy.Free - 1 {
		if s := fail(); s.Wait != 0 {
			t.Fatalf("%+v, want no wait yet", s)
		}
	}
	for _, wait := range []time.Duration{15, 30, 60, 120, 240, 480, 900, 900} {
		wait *= time.Second
		if s := fail(); s.Wait != wait {
			t.Fatalf("%+v, want to wait for %v", s, wait)
		}
		for range f {
			if begun, s, err := next().Begin(t.Context(), key); begun || err != nil || s.Wait <= wait-10*time.Second || s.Wait > wait {
				t.Fatalf("begun %t: %+v, %v; want to wait for %v", begun, s, err, wait)
			}
		}
		pass(wait)
	}
	if begun, s, err := next().Begin(t.Context(), []byte("eve")); !begun || err != nil {
		t.Errorf("another key: %+v, %v", s, err)
	}
	pass(policy.Window)
	for range policy.Free {
		fail()
	}
	pass(policy.Longest)
	if begun, _, err := next().Begin(t.Context(), key); !begun || err != nil {
		t.Fatal(err)
	}
	if err := next().Succeed(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	for range policy.Free - 1 {
		if s := fail(); s.Wait != 0 {
			t.Fatalf("%+v after a success, want no wait", s)
		}
	}
}

// TestAtOnce begins more attempts at once, on all servers, than may fail. Those of a server that
// has died count for a minute.
func TestAtOnce(t *testing.T) {
	t.Parallel()
	f, key := count(t, slog.New(slog.DiscardHandler)), []byte("ada")
	begin := func() (begun int) {
		var mu sync.Mutex
		var all sync.WaitGroup
		for i := range 30 {
			all.Go(func() {
				ok, s, err := f[i%len(f)].Begin(t.Context(), key)
				if err != nil || !ok && s.Wait != 0 {
					t.Errorf("%+v, %v", s, err)
				}
				mu.Lock()
				defer mu.Unlock()
				if ok {
					begun++
				}
			})
		}
		all.Wait()
		return begun
	}
	if n := begin(); n != policy.Free {
		t.Errorf("%d began, want %d", n, policy.Free)
	}
	for range 2 {
		if err := f[0].Undo(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	if n := begin(); n != 2 {
		t.Errorf("%d began after 2 had ended", n)
	}
	mustExec(t, f[0].db, "UPDATE "+f[0].table+" SET at = at - interval '61 seconds'")
	if n := begin(); n != policy.Free {
		t.Errorf("%d began after a server had died, want %d", n, policy.Free)
	}
}

// TestSweepFailures sweeps on all servers at once, while one row is locked by somebody else.
func TestSweepFailures(t *testing.T) {
	t.Parallel()
	f := count(t, slog.New(slog.DiscardHandler))
	mustExec(t, f[0].db, "INSERT INTO "+f[0].table+` SELECT convert_to(i::text, 'UTF8'), 1, 0, now() - interval '16 minutes', now() - interval '16 minutes', now() - interval '16 minutes' FROM generate_series(1, 2500) i
UNION ALL SELECT 'counts', 1, 0, now(), now(), now() UNION ALL SELECT 'runs', 0, 1, now(), now(), now() UNION ALL SELECT 'ended', 0, 0, now(), now(), now() - interval '2 minutes'`)
	tx, err := f[0].db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(t.Context(), "SELECT FROM "+f[0].table+" WHERE key = '7' FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var all sync.WaitGroup
	for _, f := range f {
		all.Go(func() {
			if err := f.Sweep(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	var left string
	if err := f[0].db.QueryRowContext(t.Context(), "SELECT string_agg(convert_from(key, 'UTF8'), ' ' ORDER BY key) FROM "+f[0].table).Scan(&left); err != nil || left != "7 counts runs" {
		t.Errorf("%.80s are left, %v", left, err)
	}
}

// TestOutage has the tables gone, and back. Each table is logged once when it goes, and once when
// it is back.
func TestOutage(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	f := count(t, slog.New(slog.NewTextHandler(&log, nil)))[0]
	d := NewDocuments(f.db, 10, 1000, slog.New(slog.NewTextHandler(&log, nil)))
	hash := strings.Repeat("ab", 32)
	for _, table := range []string{f.table, d.table} {
		mustExec(t, f.db, "ALTER TABLE "+table+" RENAME TO away_"+table)
	}
	for range 3 {
		if _, _, err := f.Begin(t.Context(), []byte("ada")); err == nil {
			t.Error("counted in a table that is away")
		}
		d.Put(t.Context(), hash, "{ a }")
		if _, ok := d.Get(t.Context(), hash); ok {
			t.Error("found in a table that is away")
		}
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 2 {
		t.Errorf("%d lines, want 2:\n%s", n, log.String())
	}
	for _, table := range []string{f.table, d.table} {
		mustExec(t, f.db, "ALTER TABLE away_"+table+" RENAME TO "+table)
	}
	if begun, _, err := f.Begin(t.Context(), []byte("ada")); !begun || err != nil {
		t.Error(err)
	}
	d.Put(t.Context(), hash, "{ a }")
	if _, ok := d.Get(t.Context(), hash); !ok {
		t.Error("not found once the table is back")
	}
	if n := strings.Count(log.String(), "level=INFO"); n != 2 {
		t.Errorf("%d lines once they are back, want 2:\n%s", n, log.String())
	}
}

// TestDocuments has servers keep documents for each other, within the limits.
func TestDocuments(t *testing.T) {
	t.Parallel()
	dbs := servers(t, dbtest.Postgres(t), 2)
	a := NewDocuments(dbs[0], 20, 10_000, slog.New(slog.DiscardHandler))
	b := NewDocuments(dbs[1], 20, 10_000, slog.New(slog.DiscardHandler))
	hash := func(i int) string { return fmt.Sprintf("%064x", i) }
	for i := range 100 {
		a.Put(t.Context(), hash(i), fmt.Sprintf("{ a%d }", i))
		if document, ok := b.Get(t.Context(), hash(i)); !ok || document != fmt.Sprintf("{ a%d }", i) {
			t.Fatalf("document %d is %q, %t", i, document, ok)
		}
	}
	rows := func() (n, size int) {
		t.Helper()
		if err := dbs[0].QueryRowContext(t.Context(), "SELECT count(*), coalesce(sum(bytes), 0) FROM "+a.table).Scan(&n, &size); err != nil {
			t.Fatal(err)
		}
		return n, size
	}
	if n, _ := rows(); n > 25 {
		t.Errorf("%d documents between sweeps, and 20 are allowed", n)
	}
	for i := range 30 {
		b.Put(t.Context(), hash(1000+i), strings.Repeat("x", 1000))
	}
	if _, size := rows(); size > 13_000 {
		t.Errorf("%d bytes between sweeps, and 10000 are allowed", size)
	}
	mustExec(t, dbs[0], "UPDATE "+a.table+" SET used_at = used_at - interval '2 hours'")
	a.Put(t.Context(), hash(5000), "{ recent }")
	if err := a.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, size := rows(); n > 20 || size > 10_000 {
		t.Errorf("%d documents of %d bytes are left", n, size)
	}
	if _, ok := b.Get(t.Context(), hash(5000)); !ok {
		t.Error("the one that was used last is gone")
	}
	a.Put(t.Context(), hash(1), strings.Repeat("x", largestDocument+1))
	a.Put(t.Context(), "no hash", "{ a }")
	for _, hash := range []string{hash(1), "no hash", ""} {
		if _, ok := b.Get(t.Context(), hash); ok {
			t.Errorf("%q is there", hash)
		}
	}
}
