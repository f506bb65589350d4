package bootstrap

import (
	"context"
	"log/slog"
	"testing"
	"testing/fstest"

	"forge/internal/application"
	"forge/internal/database"
	"forge/internal/demo"
	"forge/internal/migrator"
	"forge/internal/schema"
	"forge/internal/settings"
	"forge/test/dbtest"
)

// TestDemoOnlyWhereNothingWasBefore checks that a database which somebody had before Forge gets no
// demo data, and with them no account whose password everybody knows.
func TestDemoOnlyWhereNothingWasBefore(t *testing.T) {
	t.Parallel()
	const tables = "-- +goose Up\nCREATE TABLE films (id bigint);\n"
	for _, tt := range []struct{ name, before, file, rows, want string }{
		{"a new database", "", tables, "", "filled"},
		{"rows that a migration stores", "", tables + "INSERT INTO films VALUES (1);\n", "", "filled"},
		{"a baseline that made the tables", "", migrator.BaselineMark + "\n" + tables, "", "filled"},
		{"rows of a database that was adopted", "CREATE TABLE films (id bigint)", migrator.BaselineMark + "\n" + tables, "films", ""},
		{"a table of somebody else", "CREATE TABLE notes (id bigint)", tables, "", "filled"},
		{"rows of somebody else", `CREATE TABLE "My notes" (id bigint)`, tables, `"My notes"`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, url := range []string{dbtest.EmptySQLite(t), dbtest.EmptyPostgres(t)} {
				db, err := database.Open(url, database.Options{PoolSize: 2})
				if err != nil {
					t.Fatal(err)
				}
				defer db.Close()
				exec := func(statement string) {
					if _, err := db.ExecContext(t.Context(), statement); err != nil {
						t.Fatal(err)
					}
				}
				if tt.before != "" {
					exec(tt.before)
				}
				if tt.rows != "" {
					exec("INSERT INTO " + tt.rows + " VALUES (7)")
				}
				stored := ""
				file := &fstest.MapFile{Data: []byte(tt.file)}
				app := application.Application{Migrations: fstest.MapFS{"postgres/20260101000000_init.sql": file, "sqlite/20260101000000_init.sql": file}, Tables: []*schema.Table{{Name: "films"}},
					Demo: demo.Data{Scale: 1, Fill: func(context.Context, *database.DB, int, bool) error {
						stored = "filled"
						return nil
					}}}
				if err := app.Migrator(db.Dialect).Up(t.Context(), db.DB, slog.New(slog.DiscardHandler)); err != nil {
					t.Fatal(err)
				}
				filled, err := Demo(t.Context(), &settings.Settings{Demo: true, DatabaseURL: url}, app, db)
				if err != nil || filled != (tt.want != "") || stored != tt.want {
					t.Errorf("%s: %t, %q, %v; want %q", db.Dialect, filled, stored, err, tt.want)
				}
			}
		})
	}
}
