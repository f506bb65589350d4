package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/uuid"

	"forge/internal/gqlexec"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// explainedIn returns what an answer shows of its statements.
func explainedIn(t *testing.T, got gqltest.Answer) (all []struct{ SQL, Plan, Error string }) {
	t.Helper()
	text, err := json.Marshal(got.Extensions["explain"])
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestExplain asks for the statements of queries and for their plans. No value is in them.
func TestExplain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		a.Must(`mutation { createUser(input: {username: "reader"}) { user { id } } }`, nil)
		const query = `query($name: String!) { users(where: {username: $name}) { totalCount nodes { username heroes { nodes { name } } } } }`
		secret := vars{"name": "not-to-be-shown"}
		plain := a.Must(query, secret)
		if plain.Extensions["explain"] != nil {
			t.Errorf("statements that nobody asked for: %s", plain)
		}
		text := explainedIn(t, a.With(gqlexec.ExplainHeader, "sql").Must(query, secret))
		plans := explainedIn(t, a.With(gqlexec.ExplainHeader, "plan").Must(query, secret))
		if len(text) != plain.Statements() || len(plans) != len(text) || len(text) == 0 {
			t.Fatalf("%d and %d of %d statements", len(text), len(plans), plain.Statements())
		}
		for i, p := range plans {
			if p.SQL != text[i].SQL || !strings.HasPrefix(p.SQL, "SELECT") && !strings.HasPrefix(p.SQL, "WITH") || text[i].Plan != "" {
				t.Errorf("the statements are %q and %q, with the plan %q", text[i].SQL, p.SQL, text[i].Plan)
			}
			if p.Error != "" || !strings.Contains(strings.ToLower(p.Plan), "users") {
				t.Errorf("the plan is %q, %s", p.Plan, p.Error)
			}
			if strings.Contains(p.Plan+p.SQL, "not-to-be-shown") {
				t.Errorf("a value is shown: %s\n%s", p.SQL, p.Plan)
			}
		}
		if got := explainedIn(t, a.With(gqlexec.ExplainHeader, "plan").Must(`{ __typename }`, nil)); len(got) != 0 {
			t.Errorf("statements of a query without any: %v", got)
		}
	})
}

// TestExplainIsRefused asks for plans of operations that have none, as others, and in production.
func TestExplainIsRefused(t *testing.T) {
	a := newAPI(t, dbtest.SQLite(t))
	wants := func(c *gqltest.Client) *gqltest.Client { return c.With(gqlexec.ExplainHeader, "plan") }
	user := viewer.Viewer{ID: uuid.Must(uuid.NewV7()), Role: viewer.User}
	const create = `mutation { createTeam(input: {name: "Explained"}) { team { id } } }`
	wants(a.Client).WantCode("BAD_USER_INPUT", create, nil)
	wants(a.as(user)).WantCode("FORBIDDEN", `{ users { totalCount } }`, nil)
	wants(a.as(viewer.Viewer{})).WantCode("FORBIDDEN", `{ users { totalCount } }`, nil)
	a.With(gqlexec.ExplainHeader, "analyze").WantCode("BAD_USER_INPUT", `{ users { totalCount } }`, nil)
	if got := a.Must(`{ teams(where: {name: "Explained"}) { totalCount } }`, nil); got.Number("teams.totalCount") != 0 {
		t.Errorf("the mutation was run: %s", got)
	}
	production := usual()
	production.Development = false
	a.configure(production)
	for _, c := range []*gqltest.Client{wants(a.Client), wants(a.as(user))} {
		if got := c.Must(`{ users { totalCount } }`, nil); got.Extensions["explain"] != nil || got.Extensions["sql"] != nil {
			t.Errorf("in production: %s", got)
		}
	}
}
