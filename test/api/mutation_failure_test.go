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

// whole checks that no connection is missing and no team is stored but those that are wanted.
func (a *api) whole(teams int) {
	a.t.Helper()
	if n := a.db.Stats().InUse; n != 0 {
		a.t.Errorf("%d connections are in use, want none", n)
	}
	if n := a.Must(`{ teams { totalCount } }`, nil).Number("teams.totalCount"); n != teams {
		a.t.Errorf("%d teams are stored, want %d", n, teams)
	}
}

// around serves the API anew, with one more field middleware, inside of all others.
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

// TestMutationSecondFieldFails wants all of a document or nothing, and of its errors the one that
// mattered.
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

// TestMutationNames tries whether a client could talk the server out of the transaction.
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

// TestMutationErrorInPayload asks for too much below what was made. Where null may stand in for it,
// the answer has the error and what was made stays. Where it may not, the null takes the root field
// with it, and nothing is stored.
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
// once. A mutation that is a single statement has nothing to roll back: it is stored with its
// statement.
func TestPanic(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
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
			"a.team":     `mutation { a: createTeam(input: {name: "A"}) { team { id } } b: createTeam(input: {name: "B"}) { team { id } } }`,
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
			left.Store(2)
			got := a.Do(`{ a: teams { totalCount } b: teams { totalCount } c: users { totalCount } `+fields+`}`, nil)
			if got.Code() != "INTERNAL" || got.Data != nil || got.Errors[0].Message != "internal error" {
				t.Errorf("%s\nwant INTERNAL, no data, and nothing of the panic", got)
			}
			left.Store(0)
			a.whole(0)
		}
	})
}
