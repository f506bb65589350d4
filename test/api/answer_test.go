package api_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"forge/ent"
	"forge/internal/gqlexec"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// newLimitedAPI returns an API on the database at url, with limits.
func newLimitedAPI(t testing.TB, url string, limits gqlexec.Limits) *api {
	t.Helper()
	cfg := usual()
	cfg.Limits = limits
	return newConfiguredAPI(t, url, cfg)
}

// teams stores n teams whose headquarters have 200 letters each.
func (a *api) teams(n int) {
	a.t.Helper()
	a.stored(func(ctx context.Context, c *ent.Client) {
		var all []*ent.TeamCreate
		for i := range n {
			all = append(all, c.Team.Create().SetName(fmt.Sprint("team ", i)).SetHeadquarters(strings.Repeat("x", 200)))
		}
		if err := c.Team.CreateBulk(all...).Exec(ctx); err != nil {
			a.t.Fatal(err)
		}
	})
}

// repeated returns a selection of one field under n aliases.
func repeated(field string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a%d: %s ", i, field)
	}
	return b.String()
}

// TestAnswerBytes asks for answers that are larger than allowed: some made by the read engine, some
// by gqlgen, and some with large rows. Each operation is stopped and undone, and the next one is
// answered.
func TestAnswerBytes(t *testing.T) {
	t.Parallel()
	const limit = 64 << 10
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newLimitedAPI(t, url, gqlexec.Limits{AnswerBytes: limit})
		a.teams(100)
		heroes := make([]vars, 1000)
		for i := range heroes {
			heroes[i] = vars{"name": fmt.Sprint("hero ", i)}
		}
		for name, tt := range map[string]struct {
			query string
			vars  vars
		}{
			"aliases of a column":     {query: `{ teams(first: 100) { nodes { ` + repeated("headquarters", 10) + ` } } }`},
			"edges":                   {query: `{ teams(first: 100) { edges { node { ` + repeated("headquarters", 10) + ` } } } }`},
			"cursors":                 {query: `{ teams(first: 100) { edges { ` + repeated("cursor", 30) + ` } } }`},
			"names of types":          {query: `{ teams(first: 100) { nodes { ` + repeated("__typename", 100) + ` } } }`},
			"many connections":        {query: `{ ` + repeated("teams(first: 100) { nodes { headquarters } }", 4) + ` }`},
			"rows that are not shown": {query: `{ ` + repeated("teams(first: 100) { pageInfo { endCursor } nodes { id } }", 40) + ` }`},
			"beside another resolver": {query: `{ viewer { id } teams(first: 100) { nodes { ` + repeated("headquarters", 10) + ` } } }`},
			"introspection":           {query: `{ __schema { types { fields { name ` + repeated("description", 10) + ` } } } }`},
			"introspection of nulls":  {query: `{ __schema { types { fields { ` + repeated("deprecationReason", 10) + ` } } } }`},
			"a mutation":              {`mutation($i: [CreateHeroInput!]!) { createHeroes(input: $i) { heroes { id name createdAt updatedAt } } }`, vars{"i": heroes}},
			"a mutation of one row":   {query: `mutation { createTeam(input: {name: "new", headquarters: "` + strings.Repeat("y", 200) + `"}) { team { ` + repeated("headquarters", 400) + ` } } }`},
			"two mutations": {query: `mutation { a: createTeam(input: {name: "new"}) { team { id } } b: createTeam(input: {name: "newer", headquarters: "` +
				strings.Repeat("y", 200) + `"}) { team { ` + repeated("headquarters", 400) + ` } } }`},
		} {
			got := a.Do(tt.query, tt.vars)
			if got.Code() != "QUERY_TOO_COMPLEX" || got.Extension("limit") != float64(limit) || len(got.Errors) != 1 || got.Data != nil || got.Status != 200 {
				t.Errorf("%s: %d bytes: %.300s", name, len(got.Body), got)
			}
			if actual, _ := got.Extension("actual").(float64); actual <= limit {
				t.Errorf("%s: actual %v, want more than %d", name, got.Extension("actual"), limit)
			}
		}
		got := a.Must(`{ teams(first: 100) { totalCount nodes { headquarters } } heroes { totalCount } }`, nil)
		if got.Number("teams.totalCount") != 100 || got.Number("heroes.totalCount") != 0 {
			t.Errorf("something was stored: %.200s", got)
		}
	})
}

// TestAnswerOfOneStatement has a mutation commit by itself. Its answer is sent even if it is larger
// than the limit, because the change is stored already.
func TestAnswerOfOneStatement(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newLimitedAPI(t, url, gqlexec.Limits{AnswerBytes: 100})
		got := a.Do(`mutation { createTeam(input: {name: "new"}) { team { id name headquarters version createdAt } } }`, nil)
		stored := 0
		a.stored(func(ctx context.Context, c *ent.Client) { stored = c.Team.Query().CountX(ctx) })
		if len(got.Errors) > 0 || len(got.RawData()) < 100 || stored != 1 {
			t.Errorf("%d teams are stored, and the answer is %s", stored, got)
		}
	})
}

// TestLargestAnswer measures the memory that is allocated for an answer of the largest size that
// the default allows, and for answers that are stopped, garbage included. Of introspection, gqlgen
// begins as many lists at once as there are processors and chance, before fields are counted.
func TestLargestAnswer(t *testing.T) {
	const limit = 4 << 20
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newLimitedAPI(t, url, gqlexec.Limits{AnswerBytes: limit})
		a.teams(100)
		for name, tt := range map[string]struct {
			query string
			code  string
			bytes int
			most  uint64 // MiB
		}{
			"just allowed":           {`{ teams(first: 100) { nodes { ` + repeated("headquarters", 190) + ` } } }`, "", limit * 9 / 10, 64},
			"too large":              {`{ teams(first: 100) { nodes { ` + repeated("headquarters", 2000) + ` } } }`, "QUERY_TOO_COMPLEX", 0, 64},
			"long names":             {`{ teams(first: 100) { nodes { ` + longNames("headquarters", 98) + ` } } }`, "QUERY_TOO_COMPLEX", 0, 64},
			"nested":                 {`{ teams(first: 100) { nodes { heroes(first: 1) { nodes { id } ` + repeated("__typename", 2000) + ` } } } }`, "QUERY_TOO_COMPLEX", 0, 64},
			"introspection":          {`{ __schema { types { ` + repeated("fields { "+repeated("name", 49)+"}", 49) + ` } } }`, "QUERY_TOO_COMPLEX", 0, 192},
			"introspection of types": {`{ __schema { types { fields { args { ` + repeated("name", 100) + ` } } } } }`, "", 100_000, 64},
		} {
			got, allocated := a.measure(gqltest.Request{Query: tt.query})
			if got.Code() != tt.code || len(got.Body) < tt.bytes {
				t.Errorf("%s: code %q, %d bytes: %.300s", name, got.Code(), len(got.Body), got)
			}
			t.Logf("%s: %d bytes of answer, %d KiB allocated", name, len(got.Body), allocated>>10)
			if allocated>>20 > slowed*tt.most {
				t.Errorf("%s: %d MiB were allocated, want %d at most", name, allocated>>20, slowed*tt.most)
			}
		}
	})
}

// TestErrorsAreFew asks thousands of times for fields that the viewer may not see. The answer has
// only a few errors.
func TestErrorsAreFew(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newLimitedAPI(t, url, gqlexec.Limits{})
		a.stored(func(ctx context.Context, c *ent.Client) {
			for i := range 100 {
				c.User.Create().SetUsername(fmt.Sprint("user", i)).ExecX(ctx)
			}
		})
		for name, tt := range map[string]struct {
			query string
			more  string
		}{
			"short names": {`{ users(first: 100) { nodes { ` + repeated("email", 90) + ` } } }`, "… and 8950 more errors"},
			"long names": {`{ users(first: 100) { nodes { ` + longNames("email", 90) + ` } } }`,
				"more errors"},
		} {
			got := a.as(viewer.Viewer{}).Do(tt.query, nil)
			if n := len(got.Errors); n < 2 || n > 51 || !strings.Contains(got.Errors[n-1].Message, tt.more) ||
				got.Errors[n-1].Extensions["code"] != "FORBIDDEN" || got.Errors[n-1].Path != nil {
				t.Errorf("%s: %d errors, the last is %v", name, n, got.Errors[n-1])
			}
			if got.At("users.nodes.99") == nil {
				t.Errorf("%s: no data: %.200s", name, got)
			}
			if start, _, _ := strings.Cut(got.Body, `"data":`); len(start) > 128<<10 {
				t.Errorf("%s: the errors have %d bytes", name, len(start))
			}
		}
	})
}

// longNames returns a selection of one field under n aliases of 900 letters each.
func longNames(field string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s%d: %s ", strings.Repeat("b", 900), i, field)
	}
	return b.String()
}

// TestFailureAfterManyErrors has the second root field of a mutation fail, after the first one had
// more errors than are shown. Nothing is stored.
func TestFailureAfterManyErrors(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newLimitedAPI(t, url, gqlexec.Limits{})
		var me viewer.Viewer
		var mine string
		a.stored(func(ctx context.Context, c *ent.Client) {
			u, other := c.User.Create().SetUsername("me").SaveX(ctx), c.User.Create().SetUsername("other").SaveX(ctx)
			team := c.Team.Create().SetName("team").SaveX(ctx)
			c.Hero.Create().SetName("theirs").SetOwner(other).SetTeam(team).ExecX(ctx)
			c.Hero.Create().SetName("mine").SetOwner(u).SetTeam(team).ExecX(ctx)
			me = viewer.Viewer{ID: u.ID, Role: viewer.User}
		})
		mine = a.Must(`{ heroes(where: {name: "mine"}) { nodes { id } } }`, nil).Text("heroes.nodes.0.id")
		change := `updateHero(id: "` + mine + `", input: {name: "changed"}) { hero { team { heroes { nodes { owner { ` + repeated("email", 60) + ` } } } } } }`
		got := a.as(me).Do(`mutation { `+change+` deleteHero(id: "`+noHero+`") { deletedId } }`, nil)
		if got.Data != nil || len(got.Errors) != 51 {
			t.Errorf("%d errors: %.300s", len(got.Errors), got)
		}
		if n := a.Must(`{ heroes(where: {name: "mine"}) { totalCount } }`, nil).Number("heroes.totalCount"); n != 1 {
			t.Error("the first change was stored although the second failed")
		}
		got = a.as(me).Do(`mutation { `+change+` }`, nil)
		if got.At("updateHero.hero.team") == nil || len(got.Errors) != 51 {
			t.Errorf("the change alone: %.300s", got)
		}
	})
}
