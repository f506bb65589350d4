package migrator_test

import (
	"database/sql"
	"strings"
	"testing"

	"entgo.io/ent/dialect"

	"forge/internal/migrator"
	"forge/migrate"
	"forge/test/dbtest"
)

// TestRestored drops every check and adds it again from PostgreSQL's own text of it, as restoring
// a dump does. That must not be reported as drift, but another condition must.
func TestRestored(t *testing.T) {
	t.Parallel()
	db, err := sql.Open("postgres", dbtest.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const again = `DO $$ DECLARE c record; BEGIN
		FOR c IN SELECT conrelid::regclass AS on_table, quote_ident(conname) AS name, pg_get_constraintdef(oid) AS says
			FROM pg_constraint WHERE contype = 'c' AND connamespace = current_schema()::regnamespace
		LOOP
			EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %s, ADD CONSTRAINT %s %s', c.on_table, c.name, c.name, REWRITE);
		END LOOP; END $$`
	texts := func() (all string) {
		if err := db.QueryRow("SELECT string_agg(pg_get_constraintdef(oid), ' ' ORDER BY oid::regclass::text, conname) FROM pg_constraint WHERE contype = 'c'").Scan(&all); err != nil {
			t.Fatal(err)
		}
		return all
	}
	before := texts()
	if _, err := db.Exec(strings.Replace(again, "REWRITE", "c.says", 1)); err != nil {
		t.Fatal(err)
	}
	if texts() == before {
		t.Log("this PostgreSQL writes checks alike after they were read back")
	}
	if err := migrator.New(migrate.Files, dialect.Postgres).Check(t.Context(), db); err != nil {
		t.Errorf("after a restore: %v", err)
	}
	if _, err := db.Exec(strings.Replace(again, "REWRITE", "replace(c.says, 'CANCELLED', 'CANCELED')", 1)); err != nil {
		t.Fatal(err)
	}
	if err := migrator.New(migrate.Files, dialect.Postgres).Check(t.Context(), db); err == nil {
		t.Error("another condition is not seen")
	}
}
