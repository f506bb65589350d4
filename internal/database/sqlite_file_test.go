package database_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"forge/internal/apperr"
	"forge/internal/database"
)

// stored is a SQLite database in use, with a table t.
type stored struct {
	*database.DB
	t       *testing.T
	path    string
	mu      sync.Mutex
	changes []string // the calls of changed; guarded by mu
}

func store(t *testing.T) *stored {
	t.Helper()
	s := &stored{t: t, path: filepath.Join(t.TempDir(), "data", "in use.db")}
	if err := os.Mkdir(filepath.Dir(s.path), 0o755); err != nil {
		t.Fatal(err)
	}
	s.DB = s.opened(s.path)
	s.must("CREATE TABLE t (x)")
	s.must("INSERT INTO t VALUES (1)")
	return s
}

func (s *stored) opened(path string) *database.DB {
	s.t.Helper()
	db, err := database.Open("sqlite:"+path, database.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { db.Close() })
	return db
}

func (s *stored) must(statement string) {
	s.t.Helper()
	if _, err := s.ExecContext(s.t.Context(), statement); err != nil {
		s.t.Fatalf("%s: %v", statement, err)
	}
}

// watch makes s accept files that have the table t.
func (s *stored) watch() {
	s.WatchFile(func(ctx context.Context, other *sql.DB) error {
		_, err := other.ExecContext(ctx, "SELECT x FROM t")
		return err
	}, func(err error) {
		if err == nil {
			err = errors.New("well")
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.changes = append(s.changes, err.Error())
	})
}

// later waits until the files are compared again.
func later() { time.Sleep(10 * time.Millisecond) }

// refuses checks that statements fail as UNAVAILABLE, for a reason, and create no file at the path.
func (s *stored) refuses(reason string) {
	s.t.Helper()
	later()
	_, before := os.Stat(s.path)
	for range 3 {
		_, err := s.ExecContext(s.t.Context(), "INSERT INTO t VALUES (2)")
		f := database.ClientError(err)
		if err == nil || f == nil || f.Code != apperr.CodeUnavailable || !strings.Contains(f.Message, reason) || strings.Contains(f.Message, s.path) {
			s.t.Errorf("%v (%v), want that it is unavailable: %s", err, f, reason)
		}
		if conn, err := s.Acquire(s.t.Context()); err == nil {
			s.t.Error("a connection was acquired")
			conn.Close()
		} else if f, ok := errors.AsType[*apperr.Error](err); !ok || f.Code != apperr.CodeUnavailable || !strings.Contains(f.Message, reason) {
			s.t.Errorf("acquire: %v", err)
		}
	}
	if _, after := os.Stat(s.path); (before == nil) != (after == nil) {
		s.t.Errorf("at the path: %v, before: %v", after, before)
	}
}

// has waits until the database answers, and checks the number of rows.
func (s *stored) has(rows int) {
	s.t.Helper()
	var n int
	var err error
	for start := time.Now(); time.Since(start) < 30*time.Second; time.Sleep(5 * time.Millisecond) {
		if err = s.QueryRowContext(s.t.Context(), "SELECT count(*) FROM t").Scan(&n); err == nil {
			break
		}
	}
	if err != nil || n != rows {
		s.t.Errorf("%d rows (%v), want %d", n, err, rows)
	}
}

func (s *stored) rename(from, to string) {
	s.t.Helper()
	if err := os.Rename(from, to); err != nil {
		s.t.Fatal(err)
	}
}

// TestFileIsPrivate looks at the modes of a new database, of its log, and of one that was there.
func TestFileIsPrivate(t *testing.T) {
	t.Parallel()
	s := store(t)
	for _, name := range []string{s.path, s.path + "-wal", s.path + "-shm"} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	shared := filepath.Join(t.TempDir(), "shared.db")
	if err := errors.Join(os.WriteFile(shared, nil, 0o600), os.Chmod(shared, 0o640)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.opened(shared).ExecContext(t.Context(), "CREATE TABLE t (x)"); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(shared); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the mode of a file that was there: %v, %v", info.Mode(), err)
	}
}

// TestMovedFile moves the file away and back: alone, with its log, and with its folder.
func TestMovedFile(t *testing.T) {
	t.Parallel()
	moves := map[string]func(s *stored) (from, to []string){
		"alone": func(s *stored) (from, to []string) { return []string{s.path}, []string{s.path + ".away"} },
		"with its log": func(s *stored) (from, to []string) {
			from = []string{s.path, s.path + "-wal", s.path + "-shm"}
			for _, path := range from {
				to = append(to, filepath.Join(filepath.Dir(s.path), "away "+filepath.Base(path)))
			}
			return from, to
		},
		"with its folder": func(s *stored) (from, to []string) {
			return []string{filepath.Dir(s.path)}, []string{filepath.Dir(s.path) + ".away"}
		},
	}
	for name, move := range moves {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := store(t)
			s.watch()
			from, to := move(s)
			for i := range from {
				s.rename(from[i], to[i])
			}
			s.refuses("moved or removed")
			for i := range from {
				s.rename(to[i], from[i])
			}
			s.has(1)
			s.must("INSERT INTO t VALUES (3)")
			s.has(2)
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.changes) != 2 || !strings.Contains(s.changes[0], s.path) || s.changes[1] != "well" {
				t.Errorf("changes: %q, want once that it is not there, and once that it is", s.changes)
			}
		})
	}
}

// TestMovedWhileWriting moves the file away during a transaction, whose COMMIT then fails.
func TestMovedWhileWriting(t *testing.T) {
	t.Parallel()
	s := store(t)
	conn, err := s.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{"BEGIN IMMEDIATE", "INSERT INTO t VALUES (2)"} {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	s.rename(s.path, s.path+".away")
	if _, err := conn.ExecContext(t.Context(), "COMMIT"); database.ClientError(err) == nil {
		t.Errorf("COMMIT: %v", err)
	}
	if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Error(err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	s.rename(s.path+".away", s.path)
	s.has(1)
}

// TestReplacedFile puts another file at the path. It is used once the log of the old file is gone
// and the new file is accepted. Until then nothing is read or written.
func TestReplacedFile(t *testing.T) {
	t.Parallel()
	s := store(t)
	s.watch()
	copied := s.path + ".copy"
	s.must("VACUUM INTO '" + copied + "'")
	s.must("INSERT INTO t VALUES (2)")
	empty, err := os.Create(s.path + ".empty")
	if err != nil {
		t.Fatal(err)
	}
	empty.Close()

	s.rename(copied, s.path)
	s.refuses("replaced")
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Remove(s.path + suffix); err != nil {
			t.Fatal(err)
		}
	}
	s.has(1)
	s.must("INSERT INTO t VALUES (3)")
	s.has(2)

	// A file that is not accepted is not changed.
	s.rename(empty.Name(), s.path)
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Remove(s.path + suffix); err != nil {
			t.Fatal(err)
		}
	}
	s.refuses("replaced")
	if info, err := os.Stat(s.path); err != nil || info.Size() != 0 {
		t.Errorf("the file that was not accepted: %v, %v", info, err)
	}
}

// TestNotAccepted checks that no other file is used without WatchFile.
func TestNotAccepted(t *testing.T) {
	t.Parallel()
	s := store(t)
	s.must("VACUUM INTO '" + s.path + ".copy'")
	s.rename(s.path+".copy", s.path)
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Remove(s.path + suffix); err != nil {
			t.Fatal(err)
		}
	}
	s.refuses("replaced")
}

// TestRemovedLog removes the files of the log while they are in use. No connection mixes old and
// new files, and no data are lost.
func TestRemovedLog(t *testing.T) {
	t.Parallel()
	for _, suffixes := range [][]string{{"-wal"}, {"-shm"}, {"-wal", "-shm"}} {
		s := store(t)
		held, err := s.Acquire(t.Context()) // as a running request does
		if err != nil {
			t.Fatal(err)
		}
		for _, suffix := range suffixes {
			if err := os.Remove(s.path + suffix); err != nil {
				t.Fatal(err)
			}
		}
		s.refuses("log")
		if err := held.Close(); err != nil {
			t.Error(err)
		}
		s.has(1)
		s.must("INSERT INTO t VALUES (3)")
		s.has(2)
		var sound string
		if err := s.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&sound); err != nil || sound != "ok" {
			t.Errorf("%q, %v", sound, err)
		}
		if err := s.DB.Close(); err != nil {
			t.Error(err)
		}
		s.DB = s.opened(s.path)
		s.has(2)
	}
}

// TestMonitorPoolSharesTheFile checks that both pools of a process stop using a file that is gone.
func TestMonitorPoolSharesTheFile(t *testing.T) {
	t.Parallel()
	s := store(t)
	s.watch()
	monitor, err := s.MonitorPool()
	if err != nil {
		t.Fatal(err)
	}
	defer monitor.Close()
	var n int
	if err := monitor.QueryRowContext(t.Context(), "SELECT count(*) FROM t").Scan(&n); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	s.must("VACUUM INTO '" + s.path + ".copy'")
	s.rename(s.path+".copy", s.path)
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Remove(s.path + suffix); err != nil {
			t.Fatal(err)
		}
	}
	later()
	s.has(1) // although the other pool still has a connection to the old file
	if err := monitor.QueryRowContext(t.Context(), "SELECT count(*) FROM t").Scan(&n); err != nil || n != 1 {
		t.Error(n, err)
	}
}

// TestWritable checks Writable for a file, a read-only file, and a database in memory.
func TestWritable(t *testing.T) {
	t.Parallel()
	s := store(t)
	if ok, err := s.Writable(t.Context()); !ok || err != nil {
		t.Errorf("a file: %t, %v", ok, err)
	}
	if ok, err := s.opened(s.path + "?mode=ro").Writable(t.Context()); ok || err != nil {
		t.Errorf("one that is only read: %t, %v", ok, err)
	}
	memory, err := database.Open("sqlite::memory:", database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	if ok, err := memory.Writable(t.Context()); !ok || err != nil {
		t.Errorf("in memory: %t, %v", ok, err)
	}
}
