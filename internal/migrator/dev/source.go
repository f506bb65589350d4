// Package dev plans migrations from the schema of ent, and lints and verifies migration files. It
// works on the files in a source tree, with Atlas, and tries statements on a temporary PostgreSQL
// server and on SQLite in memory. Commands use it; a running server does not import it.
package dev

import (
	"os"

	"entgo.io/ent/dialect"

	"forge/internal/migrator"
)

// dialects are the kinds of database that each migration is written for, with the directory of
// their files.
var dialects = []struct{ name, dir string }{
	{dialect.Postgres, dirOf(dialect.Postgres)},
	{dialect.SQLite, dirOf(dialect.SQLite)},
}

// dirOf returns the name of the directory of one of the dialects.
func dirOf(name string) string {
	dir, _ := migrator.Dir(name) // it knows both
	return dir
}

// source returns the files of a dialect below dir.
func source(dir, name string) migrator.Source {
	return migrator.New(os.DirFS(dir), name)
}
