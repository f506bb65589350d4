package api_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"entgo.io/ent/dialect"

	"forge/ent/hero"
	"forge/graph"
	"forge/graph/generated"
	gql "forge/graph/model"
	"forge/internal/apperr"
	"forge/internal/gqlexec"
	"forge/internal/ids"
	"forge/internal/read"
	"forge/test/dbtest"
	"forge/test/fixture"

	"github.com/99designs/gqlgen/graphql"

	"github.com/vektah/gqlparser/v2/ast"
)

// TestReadValuesThatAreNone stores values that their fields cannot have. Each is an error of its
// own field and of no other.
func TestReadValuesThatAreNone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		if _, err := fixture.Fill(t.Context(), a.db, 1); err != nil {
			t.Fatal(err)
		}
		tests := []struct{ set, field, data string }{
			{"version = 3000000000", "version", "null"},
			{"version = -9000000000000000000", "version", "null"},
			{"updated_at = 'infinity'", "updatedAt", `null`}, // it may not be null, and neither may what it is in
		}
		if a.db.Dialect == dialect.SQLite {
			tests[2].set = "updated_at = 'noon'"
			tests = append(tests, []struct{ set, field, data string }{
				{`age = '1,"admin":true'`, "age", `{"heroes":{"nodes":[{"name":"name-0","x":null}]}}`},
				{`age = 1.5`, "age", `{"heroes":{"nodes":[{"name":"name-0","x":null}]}}`},
				{`age = x'312c'`, "age", `{"heroes":{"nodes":[{"name":"name-0","x":null}]}}`},
			}...)
		}
		for _, tt := range tests {
			if _, err := a.db.ExecContext(t.Context(), "UPDATE heroes SET "+tt.set); err != nil {
				t.Fatal(err)
			}
			for _, root := range []string{"", "viewer { id } "} { // once as the engine answers alone, and once through gqlgen
				got := a.Do("{ "+root+"heroes { nodes { name x: "+tt.field+" } } }", nil)
				data, _ := json.Marshal(got.Data)
				want := tt.data
				if root != "" && want != "null" {
					want = strings.Replace(want, "]}}", `]},"viewer":null}`, 1)
				}
				if len(got.Errors) != 1 || got.Errors[0].Extensions["code"] != "INTERNAL" || len(got.Errors[0].Path) != 4 || string(data) != want {
					t.Errorf("%s, where a hero has %s: %s; want data %s and one INTERNAL", tt.field, tt.set, got, want)
				}
			}
		}
	})
}

// own are resolvers that have code of their own for some root fields.
type own struct {
	*graph.Resolver
	heroes func(context.Context) (*gql.HeroConnection, error)
	hero   func(ids.ID) (*gql.Hero, error)
}

// config returns a configuration with these resolvers.
func (o own) config() config {
	cfg := usual()
	cfg.adapt = func(app *gqlexec.API) {
		app.Sources = nil // they are not those of these resolvers
		app.Executable = func(schema *ast.Schema) graphql.ExecutableSchema {
			return generated.NewExecutableSchema(generated.Config{Schema: schema, Resolvers: o})
		}
	}
	return cfg
}

func (o own) Query() generated.QueryResolver { return ownQuery{o.Resolver.Query(), o} }

type ownQuery struct {
	generated.QueryResolver
	own
}

func (q ownQuery) Heroes(ctx context.Context, _ *int32, _ *string, _ *int32, _ *string, _ *int32, _ *gql.HeroWhereInput, _ *string, _ []*gql.HeroOrder) (*gql.HeroConnection, error) {
	return q.heroes(ctx)
}

func (q ownQuery) Hero(_ context.Context, id ids.ID) (*gql.Hero, error) { return q.hero(id) }

// TestResolverWithCode has resolvers that decide who may see what. They are called, although the
// engine reads the rows.
func TestResolverWithCode(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		rows, err := fixture.Fill(t.Context(), a.db, 3)
		if err != nil {
			t.Fatal(err)
		}
		owner, first := rows["User"][1].UUID, rows["Hero"][0]
		serve := func(o own) {
			o.Resolver = &graph.Resolver{}
			a.configure(o.config())
		}
		const all = `query($id: ID!) { heroes { totalCount nodes { id name } } hero(id: $id) { name } }`
		id := vars{"id": first.String()}

		serve(own{
			heroes: func(context.Context) (*gql.HeroConnection, error) { return nil, apperr.Forbidden("", "not for you") },
			hero:   func(ids.ID) (*gql.Hero, error) { return nil, nil },
		})
		if got := a.Do(`{ heroes { totalCount } }`, nil); len(got.Errors) != 1 || got.Errors[0].Message != "not for you" || got.Data != nil {
			t.Errorf("heroes that the resolver refuses: %s", got)
		}
		if got := a.Must(`query($id: ID!) { hero(id: $id) { name } }`, id); got.At("hero") != nil {
			t.Errorf("a hero that the resolver does not find: %s", got)
		}

		serve(own{
			heroes: func(ctx context.Context) (*gql.HeroConnection, error) {
				return &gql.HeroConnection{}, read.Restrict(ctx, hero.OwnerID(owner), hero.NameNEQ("nobody"))
			},
			hero: func(ids.ID) (*gql.Hero, error) {
				return &gql.Hero{ID: rows["Hero"][2]}, nil
			},
		})
		for range 2 { // what is kept of a statement must not be of another viewer's
			got := a.Must(all, id)
			if got.Number("heroes.totalCount") != 1 || got.Text("heroes.nodes.0.name") != "name-1" || got.Text("hero.name") != "name-2" {
				t.Errorf("the heroes of one owner, and another hero than was asked for: %s", got)
			}
		}
		if got := a.Must(`{ heroes(where: { name: "name-0" }) { totalCount pageInfo { hasNextPage } } }`, nil); got.Number("heroes.totalCount") != 0 {
			t.Errorf("the heroes of one owner, by another's name: %s", got)
		}
		owner = rows["User"][2].UUID
		if got := a.Must(all, id); got.Text("heroes.nodes.0.name") != "name-2" {
			t.Errorf("the heroes of the next owner: %s", got)
		}

		// What would not be answered is an error, rather than that something else is.
		serve(own{
			heroes: func(ctx context.Context) (*gql.HeroConnection, error) {
				return &gql.HeroConnection{Nodes: []*gql.Hero{{ID: first}}, TotalCount: 1}, read.Restrict(ctx, hero.OwnerID(owner))
			},
			hero: func(id ids.ID) (*gql.Hero, error) { return &gql.Hero{ID: id, Name: "masked"}, nil },
		})
		for _, query := range []string{`{ heroes { totalCount } }`, `query($id: ID!) { hero(id: $id) { name } }`} {
			if got := a.Do(query, id); len(got.Errors) != 1 || got.Errors[0].Extensions["code"] != "INTERNAL" {
				t.Errorf("%s, of which the resolver returns more than a reference: %s", query, got)
			}
		}
		if err := read.Restrict(t.Context(), hero.OwnerID(owner)); err == nil {
			t.Error("Only says nothing where there is no connection")
		}
	})
}
