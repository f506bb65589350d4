package api_test

import (
	"strings"
	"testing"

	"entgo.io/ent/dialect"

	"forge/test/dbtest"
)

// lateRule holds statements that add a rule, for each kind of database. The database checks the
// rule at the commit: there must be no team named "late".
var lateRule = map[string][]string{
	dialect.Postgres: {
		`CREATE FUNCTION too_late() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''a secret''; END'`,
		`CREATE CONSTRAINT TRIGGER late AFTER INSERT ON teams DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.name = 'late') EXECUTE FUNCTION too_late()`,
	},
	dialect.SQLite: {
		`CREATE TABLE late (team blob REFERENCES teams (id) DEFERRABLE INITIALLY DEFERRED)`,
		`CREATE TRIGGER late AFTER INSERT ON teams WHEN NEW.name = 'late' BEGIN INSERT INTO late VALUES (x'00'); END`,
	},
}

// lateCode is the error code of a violated lateRule. SQLite's rule is a foreign key. PostgreSQL's
// is a function, which may fail for any reason.
var lateCode = map[string]string{dialect.Postgres: "INTERNAL", dialect.SQLite: "CONFLICT"}

// TestCommitFails runs mutations of which everything but the commit succeeds. The answer has one
// error and nothing else.
func TestCommitFails(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		for _, statement := range lateRule[a.db.Dialect] {
			if _, err := a.db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		const query = `mutation($name: String!) { a: createTeam(input: {name: "A"}) { team { id } } b: createTeam(input: {name: $name}) { team { id } } }`
		code := lateCode[a.db.Dialect]
		for range 20 { // more than the pool has connections
			got := a.Do(query, vars{"name": "late"})
			if got.Code() != code || len(got.Errors) != 1 || got.Data != nil || strings.Contains(got.Body, "secret") {
				t.Fatalf("%s\nwant %s and no data", got, code)
			}
			if kept := a.under("k", query, vars{"name": "late"}); !strings.Contains(kept, `"`+code+`"`) || !strings.Contains(kept, `"data":null`) {
				t.Fatalf("%s\nwant %s and no data", kept, code)
			}
		}
		a.whole(0)
		a.Must(query, vars{"name": "B"})
		a.whole(2)
	})
}
