package doctor

import (
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"forge/test/dbtest"
)

func TestEngine(t *testing.T) {
	t.Parallel()
	address := dbtest.EmptyPostgres(t)
	db := mustOpen(t, address)
	const objects = "SELECT (SELECT count(*) FROM pg_class WHERE relpersistence <> 't') || ' ' || (SELECT count(*) FROM pg_proc) || ' ' || (SELECT count(*) FROM pg_namespace WHERE nspname !~ '^pg_')"
	count := func() (n string) {
		t.Helper()
		if err := db.QueryRow(objects).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := count()
	report := newDoctor(t, "DATABASE_URL="+address).Engine(t.Context())
	if state, want := report.State(), len(features())+len(betweenSessions()); state != OK || len(report) != want {
		t.Errorf("PostgreSQL: %s, with %d findings, want OK and %d\n%s", state, len(report), want, inWords(t, report))
	}
	if after := count(); after != before {
		t.Errorf("there were %s tables, functions and schemas, and now %s", before, after)
	}

	// An engine whose locks do nothing, and that has neither gin nor ICU.
	lacks := change(t, address, func(u *url.URL) {
		q := u.Query()
		q.Set("search_path", "public,pg_catalog")
		u.RawQuery = q.Encode()
	})
	mustExec(t, db, "CREATE FUNCTION public.pg_try_advisory_xact_lock(bigint) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
		"CREATE FUNCTION public.array_to_tsvector(text[]) RETURNS tsvector LANGUAGE plpgsql AS $$ BEGIN RAISE 'not here'; END $$",
		"CREATE FUNCTION public.upper(text) RETURNS text LANGUAGE sql AS 'SELECT $1'")
	report = newDoctor(t, "DATABASE_URL="+lacks).Engine(t.Context())
	mustFind(t, report, "engine", Fail, "advisory locks", "migrations", "two sessions hold the same lock")
	mustFind(t, report, "engine", Warn, "gin indexes", "search", "not here", "this part of Forge")
	mustFind(t, report, "engine", Warn, "collations of ICU", `"ß true"`)
	mustFind(t, report, "engine", OK, "savepoints")

	mustFind(t, newDoctor(t, "DATABASE_URL=sqlite:"+t.TempDir()+"/x.db").Engine(t.Context()), "engine", Skipped, "SQLite comes with Forge")
	mustFind(t, newDoctor(t, "DATABASE_URL=postgres://127.0.0.1:1/x").Engine(t.Context()), "database", Fail, "127.0.0.1:1")
}

// TestEnginePage compares the table in docs/scale.md with features. With UPDATE_PAGES=1 it writes
// the table.
func TestEnginePage(t *testing.T) {
	t.Parallel()
	const page, begin, end = "../../docs/scale.md", "-run TestEnginePage -->\n", "<!-- The end of what is generated. -->"
	all := features()
	for _, f := range betweenSessions() {
		all = append(all, f.feature)
	}
	table := "| Feature | What needs it | Without it |\n| --- | --- | --- |\n"
	for _, f := range all {
		without := "Forge does not work"
		if f.part {
			without = "this part does not work"
		}
		table += fmt.Sprintf("| %s | %s | %s |\n", f.name, f.need, without)
	}
	is, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(is), begin)
	old, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatal("docs/scale.md does not say where the table of engines is")
	}
	if os.Getenv("UPDATE_PAGES") != "" {
		if err := os.WriteFile(page, []byte(before+begin+table+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if old != table {
		t.Error("docs/scale.md does not name the features of the code: UPDATE_PAGES=1 go test ./internal/doctor -run TestEnginePage writes them")
	}
}
