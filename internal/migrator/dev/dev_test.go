package dev_test

import (
	"io/fs"
	"log/slog"
	"testing"

	"forge/internal/migrator/migratortest"
)

// A database is one that a test migrates.
type database struct{ migratortest.Database }

// eachEmpty runs test on databases of both kinds that were never migrated.
func eachEmpty(t *testing.T, test func(t *testing.T, db database)) {
	migratortest.EachEmpty(t, func(t *testing.T, db migratortest.Database) { test(t, database{db}) })
}

func mustOpen(t *testing.T, url string) database { return database{migratortest.MustOpen(t, url)} }

var discard = slog.New(slog.DiscardHandler)

func mustUp(t *testing.T, db database, files fs.FS) {
	t.Helper()
	if err := db.Source(files).Up(t.Context(), db.DB, discard); err != nil {
		t.Fatal(err)
	}
}
