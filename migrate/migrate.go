// Package migrate takes a database from one version of the schema to the next.
//
// The schema is described once, in ent/schema. Diff plans what a change of it
// means for PostgreSQL and for SQLite and writes that down as a pair of SQL
// files under one version, to be reviewed like any code. The files are part of
// the binary; Up applies those that a database lacks and Down undoes them.
// Planning is the work of ent's and Atlas's libraries, running that of goose.
package migrate

import (
	"embed"
	"fmt"
	"io/fs"

	"entgo.io/ent/dialect"
)

//go:embed postgres sqlite
var embedded embed.FS

// dialects are the databases that each migration is written for, under the
// names that ent gives them, with the directory that holds their files.
var dialects = []struct{ name, dir string }{
	{dialect.Postgres, "postgres"},
	{dialect.SQLite, "sqlite"},
}

// dirOf returns the directory of a dialect below migrate/.
func dirOf(name string) (string, error) {
	for _, d := range dialects {
		if d.name == name {
			return d.dir, nil
		}
	}
	return "", fmt.Errorf("migrate: no migrations for the dialect %q; there are some for %q and %q",
		name, dialect.Postgres, dialect.SQLite)
}

// filesOf returns the migration files of a dialect that this binary was built with.
func filesOf(name string) (fs.FS, error) {
	dir, err := dirOf(name)
	if err != nil {
		return nil, err
	}
	return fs.Sub(embedded, dir)
}
