// Package migratortest opens databases and makes migration files for the tests of migrations.
package migratortest

import (
	"database/sql"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"entgo.io/ent/dialect"

	"forge/internal/migrator"
	"forge/test/dbtest"
)

// A Database is a database that a test migrates.
type Database struct {
	*sql.DB
	URL, Dialect string
}

// EachEmpty runs test on an empty SQLite database and on an empty PostgreSQL database, in two
// parallel subtests.
func EachEmpty(t *testing.T, test func(t *testing.T, db Database)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, MustOpen(t, dbtest.EmptySQLite(t)))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, MustOpen(t, dbtest.EmptyPostgres(t)))
	})
}

// MustOpen opens a database and closes it at the end of the test. If it cannot open the database,
// the test fails.
func MustOpen(t *testing.T, url string) Database {
	t.Helper()
	db, err := Open(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// Open opens a database with those settings of a server that matter for migrations: SQLite checks
// foreign keys and waits for other writers. If the URL has options, they replace these settings
// except for the foreign keys.
func Open(url string) (Database, error) {
	driver, source, name := "postgres", url, dialect.Postgres
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		driver, name = "sqlite", dialect.SQLite
		source = "file:" + path
		if strings.Contains(path, "?") {
			source += "&"
		} else {
			source += "?_pragma=journal_mode(WAL)&_pragma=busy_timeout(5000)&"
		}
		source += "_pragma=foreign_keys(1)"
	}
	db, err := sql.Open(driver, source)
	return Database{db, url, name}, err
}

// MustExec runs a statement. If the database returns an error, the test fails.
func (db Database) MustExec(t *testing.T, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// Count returns the number that query selects.
func (db Database) Count(t *testing.T, query string) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// Tables returns the sorted names of the tables, without the table of versions.
func (db Database) Tables(t *testing.T) []string {
	t.Helper()
	query := "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
	if db.Dialect == dialect.SQLite {
		query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
	}
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names := []string{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if name != "goose_db_version" {
			names = append(names, name)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

// Source returns a source of migrations that has the same files for both kinds of database.
func (db Database) Source(files fs.FS) migrator.Source {
	return migrator.New(bothDialects{files}, db.Dialect)
}

// bothDialects has the same files in its directories postgres and sqlite.
type bothDialects struct{ files fs.FS }

// Open opens a file by its name in one of the directories.
func (b bothDialects) Open(name string) (fs.File, error) {
	_, file, ok := strings.Cut(name, "/")
	if !ok {
		file = "."
	}
	return b.files.Open(file)
}

// Steps returns a migration file for each text. Their numbers end in 1, 2 and so on.
func Steps(texts ...string) fstest.MapFS {
	files := fstest.MapFS{}
	for i, text := range texts {
		files["2026010100000"+string(rune('1'+i))+"_step.sql"] = &fstest.MapFile{Data: []byte(text)}
	}
	return files
}
