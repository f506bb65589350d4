package api_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"forge/internal/gqlexec"
	"forge/test/dbtest"
)

// whole checks that all connections are back in the pool, and that the given number of teams is
// stored.
func (a *api) whole(teams int) {
	a.t.Helper()
	if n := a.db.Stats().InUse; n != 0 {
		a.t.Errorf("%d connections are in use, want none", n)
	}
	if n := a.Must(`{ teams { totalCount } }`, nil).Number("teams.totalCount"); n != teams {
		a.t.Errorf("%d teams are stored, want %d", n, teams)
	}
}

// around replaces the server by one with another field middleware, inside of all others.
func (a *api) around(middleware graphql.FieldMiddleware) {
	cfg := usual()
	cfg.adapt = func(app *gqlexec.API) { app.Fields = append(app.Fields, middleware) }
	a.configure(cfg)
}

const twoTeams = `mutation twoTeams($second: String!) {
	a: createTeam(input: {name: "A"}) { team { id } }
	b: createTeam(input: {name: $second}) { team { id } }
	c: createTeam(input: {name: "C"}) { team { id } }
}`

// TestMutationSecondFieldFails checks that either all root fields of a mutation are stored or none,
// and that the answer has the error that caused the failure.
func TestMutationSecondFieldFails(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		for second, code := range map[string]string{" ": "BAD_USER_INPUT", "A": "CONFLICT"} {
			got := a.Do(twoTeams, vars{"second": second})
			if got.Code() != code || len(got.Errors) != 1 || got.Data != nil || got.Errors[0].Path[0] != "b" {
				t.Errorf("%s\nwant data null and one error, %s at b", got, code)
			}
			a.whole(0)
		}
		a.Must(twoTeams, vars{"second": "B"})
		a.whole(3)
	})
}

// TestMutationNames checks that a client cannot evade the transaction by the names in its document.
func TestMutationNames(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		for _, query := range []string{
			`mutation { a: createTeam(input: {name: "A"}) { team { id } } b: createTeam(input: {name: " "}) { team { id } } }`,
			`mutation IntrospectionQuery { a: createTeam(input: {name: "A"}) { team { id } } b: createTeam(input: {name: " "}) { team { id } } }`,
			`mutation SkipTransaction { a: createTeam(input: {name: "A"}) { team { id } } b: createTeam(input: {name: " "}) { team { id } } }`,
			`mutation query { ...x } fragment x on Mutation { a: createTeam(input: {name: "A"}) { team { id } } ... { b: createTeam(input: {name: " "}) { team { id } } } }`,
		} {
			if got := a.Do(query, nil); got.Code() != "BAD_USER_INPUT" {
				t.Errorf("%s\nwant BAD_USER_INPUT", got)
			}
			a.whole(0)
		}
	})
}

// TestMutationErrorInPayload asks for too much below the row that a mutation has made. If null is
// allowed there, the answer has the error, and the row is stored. If not, the root field becomes
// null, and nothing is stored.
func TestMutationErrorInPayload(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		team := a.Must(`mutation { createTeam(input: {name: "A"}) { team { id } } }`, nil).Text("createTeam.team.id")
		got := a.Do(`mutation($team: ID!) { createHero(input: {name: "Bolt", teamId: $team}) { hero { name team { heroes(first: 101) { totalCount } } } } }`, vars{"team": team})
		if got.Code() != "BAD_USER_INPUT" || len(got.Errors) != 1 || got.Text("createHero.hero.name") != "Bolt" || got.At("createHero.hero.team") != nil {
			t.Errorf("%s\nwant the hero, with null for the team, and BAD_USER_INPUT", got)
		}
		if n := a.Must(`{ heroes { totalCount } }`, nil).Number("heroes.totalCount"); n != 1 {
			t.Errorf("%d heroes are stored, want 1", n)
		}
		got = a.Do(`mutation { createTeam(input: {name: "B"}) { team { heroes(first: 101) { totalCount } } } }`, nil)
		if got.Code() != "BAD_USER_INPUT" || got.Data != nil {
			t.Errorf("%s\nwant BAD_USER_INPUT and no data", got)
		}
		a.whole(1)
	})
}

// TestPanic panics in a resolver that has changed something, and in one of several that run at
// once. The changes are rolled back, except for a mutation that is a single statement, which is
// stored already.
func TestPanic(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		product := a.product("BOOTS", 1, 1)
		var field atomic.Value
		field.Store("")
		a.around(func(ctx context.Context, next graphql.Resolver) (any, error) {
			value, err := next(ctx)
			if fc := graphql.GetFieldContext(ctx); fc.Path().String() == field.Load() {
				panic("a secret")
			}
			return value, err
		})
		for at, query := range map[string]string{
			"createTeam": `mutation { createTeam(input: {name: "A"}) { team { id heroes { totalCount } } } }`,
			"b":          `mutation { a: createTeam(input: {name: "A"}) { team { id } } b: createTeam(input: {name: "B"}) { team { id } } }`,
			"b.product":  `mutation { a: createTeam(input: {name: "A"}) { team { id } } b: adjustStock(productId: "` + product + `", delta: 1) { product { id } } }`,
		} {
			field.Store(at)
			got := a.Do(query, nil)
			if got.Code() != "INTERNAL" || got.Data != nil || got.Extension("requestId") == nil || got.Errors[0].Message != "internal error" {
				t.Errorf("%s\nwant INTERNAL with a requestId, no data, and nothing of the panic", got)
			}
			field.Store("")
			a.whole(0)
		}
		var left atomic.Int32
		a.db.Watch = func(context.Context, string, time.Duration, error) {
			if left.Add(-1) == 0 {
				panic("a secret")
			}
		}
		for _, fields := range []string{"", "__schema { __typename }"} { // which the read engine answers alone, and which not
			left.Store(1)
			got := a.Do(`{ a: teams { totalCount } b: teams { totalCount } c: users { totalCount } `+fields+`}`, nil)
			if got.Code() != "INTERNAL" || got.Data != nil || got.Errors[0].Message != "internal error" {
				t.Errorf("%s\nwant INTERNAL, no data, and nothing of the panic", got)
			}
			left.Store(0)
			a.whole(0)
		}
	})
}
