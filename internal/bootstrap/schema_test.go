package bootstrap

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"forge/internal/application"
	"forge/internal/schema"
	"forge/internal/settings"
	"forge/migrate"
	"forge/test/dbtest"
)

// TestUnmigrated starts with a table that no migration makes, and with none.
func TestUnmigrated(t *testing.T) {
	t.Parallel()
	for _, migrates := range []bool{false, true} {
		for _, tables := range [][]*schema.Table{nil, {{Name: "guilds"}}} {
			s := &settings.Settings{DatabaseURL: dbtest.SQLite(t), Migrate: migrates}
			db, err := Open(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			var log bytes.Buffer
			app := application.Application{Migrations: migrate.Files, Tables: tables}
			if err := Schema(t.Context(), s, app, db, slog.New(slog.NewTextHandler(&log, nil))); err != nil {
				t.Fatal(err)
			}
			if warned := strings.Contains(log.String(), "migrate diff") && strings.Contains(log.String(), "table guilds"); warned != (tables != nil) {
				t.Errorf("MIGRATE: %t, tables: %d: the log says %q", migrates, len(tables), log.String())
			}
		}
	}
}
