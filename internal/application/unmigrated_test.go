package application

import (
	"slices"
	"testing"

	"entgo.io/ent/dialect"

	"forge/internal/database"
	"forge/internal/schema"
	"forge/test/dbtest"
)

// TestUnmigrated compares tables with a database that has some of them.
func TestUnmigrated(t *testing.T) {
	t.Parallel()
	column := func(name string) *schema.Column { return &schema.Column{Name: name} }
	for _, address := range []string{dbtest.EmptyPostgres(t), dbtest.EmptySQLite(t)} {
		db, err := database.Open(address, database.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		app := Application{Tables: []*schema.Table{
			{Name: "shelves", Columns: []*schema.Column{column("id"), column("name")}},
			{Name: "Odd \"table\"", Columns: []*schema.Column{column("id"), column("Name")}},
			{Name: "tags", Columns: []*schema.Column{column("id")}},
		}}
		statements := []string{`CREATE TABLE shelves (id integer, other text)`, `CREATE TABLE "Odd ""table""" (id integer, "Name" text)`}
		want := []string{"column shelves.name", "table tags"}
		if db.Dialect == dialect.Postgres {
			statements = append(statements, `CREATE SCHEMA back`, `CREATE TABLE back.tags (id integer)`)
			app.Tables = append(app.Tables, &schema.Table{Name: "tags", Schema: "back", Columns: []*schema.Column{column("id"), column("word")}})
			want = append(want, "column tags.word")
		}
		for _, s := range statements {
			if _, err := db.Exec(s); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := app.Unmigrated(t.Context(), db); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v, want %q", db.Dialect, got, err, want)
		}
	}
}
