package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"entgo.io/ent/dialect"
	_ "modernc.org/sqlite"

	"forge/internal/migrator"
	"forge/migrate"
)

// SQLite returns the URL of a migrated SQLite database.
func SQLite(t testing.TB) string {
	t.Helper()
	content, err := migratedFile()
	if err != nil {
		t.Fatalf("migrate a SQLite database: %v", err)
	}
	path := filepath.Join(t.TempDir(), "test.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + path
}

// EmptySQLite returns the URL of a SQLite database whose file does not exist yet.
func EmptySQLite(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "test.db")
}

// migratedFile returns the content of a migrated database. To copy it is many times faster than to
// migrate each database.
var migratedFile = sync.OnceValues(func() (content []byte, err error) {
	dir, err := os.MkdirTemp("", "forge-dbtest-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "template.db")
	if err := migrateAt("sqlite", "file:"+path, dialect.SQLite); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// migrateAt migrates a database, and closes its connections.
func migrateAt(driver, source, name string) error {
	db, err := sql.Open(driver, source)
	if err != nil {
		return err
	}
	return errors.Join(
		migrator.New(migrate.Files, name).Up(context.Background(), db, slog.New(slog.DiscardHandler)),
		db.Close())
}
