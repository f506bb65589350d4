// Package dev plans migrations from the schema of ent, and lints and verifies migration files. It
// works on the files of a source tree. It uses Atlas, and tries statements on a temporary
// PostgreSQL server and on SQLite in memory. Only commands use it: it is not part of a running
// server.
package dev

import (
	"os"

	"entgo.io/ent/dialect"

	"forge/internal/migrator"
)

// dialects are the kinds of database for which each migration has a file, and the names of the
// directories of these files.
var dialects = []struct{ name, dir string }{
	{dialect.Postgres, dirOf(dialect.Postgres)},
	{dialect.SQLite, dirOf(dialect.SQLite)},
}

// dirOf returns the name of the directory with the files of a dialect.
func dirOf(name string) string {
	dir, _ := migrator.Dir(name) // there is no error for these two
	return dir
}

// source returns the migration files of a dialect, which are below dir.
func source(dir, name string) migrator.Source {
	return migrator.New(os.DirFS(dir), name)
}
