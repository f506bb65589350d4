// Package migratortest opens databases for the tests of migrations, and makes migration files.
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

// A Database is one that a test migrates.
type Database struct {
	*sql.DB
	URL, Dialect string
}

// EachEmpty runs test on databases of both kinds that were never migrated.
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

// MustOpen opens a database and closes it when the test ends. It fails the test if it cannot.
func MustOpen(t *testing.T, url string) Database {
	t.Helper()
	db, err := Open(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// Open opens a database with the settings of a server that matter to migrations: SQLite has foreign
// keys on and waits for other writers. A URL with options of its own has only these.
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

// MustExec runs a statement. It fails the test if the database refuses it.
func (db Database) MustExec(t *testing.T, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// Count returns the one number that query selects.
func (db Database) Count(t *testing.T, query string) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// Tables lists the tables that the database has, in order, without the table of versions.
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

// Source returns the source of files, which are the same for either kind of database.
func (db Database) Source(files fs.FS) migrator.Source {
	return migrator.New(bothDialects{files}, db.Dialect)
}

// bothDialects has the same files in the directories postgres and sqlite.
type bothDialects struct{ files fs.FS }

// Open opens a file by its name in one of the directories.
func (b bothDialects) Open(name string) (fs.File, error) {
	_, file, ok := strings.Cut(name, "/")
	if !ok {
		file = "."
	}
	return b.files.Open(file)
}

// Steps returns migration files, one for each text, with numbers that end in 1, 2 and so on.
func Steps(texts ...string) fstest.MapFS {
	files := fstest.MapFS{}
	for i, text := range texts {
		files["2026010100000"+string(rune('1'+i))+"_step.sql"] = &fstest.MapFile{Data: []byte(text)}
	}
	return files
}
