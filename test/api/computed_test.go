package api_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/graph"
	"forge/graph/generated"
	gql "forge/graph/model"
	"forge/internal/gqlexec"
	"forge/internal/ids"
	"forge/internal/viewer"
	"forge/test/dbtest"
)

// replaced are resolvers of which some are replaced.
type replaced struct {
	*graph.Resolver
	gravatarURL func(context.Context, *gql.User, int32) (*string, error)
	unitsSold   func(context.Context, *gql.Product) (int32, error)
	rivals      func(context.Context, []*gql.Team, int32) ([][]*gql.Team, error)
	search      func(context.Context) ([]*gql.SearchHit, error)
	heroes      func(context.Context) (*gql.HeroConnection, error)
}

type (
	replacedUser struct {
		generated.UserResolver
		with replaced
	}
	replacedProduct struct{ replaced }
	replacedTeam    struct{ replaced }
	replacedQuery   struct {
		generated.QueryResolver
		with replaced
	}
)

func (r replaced) User() generated.UserResolver       { return replacedUser{r.Resolver.User(), r} }
func (r replaced) Product() generated.ProductResolver { return replacedProduct{r} }
func (r replaced) Team() generated.TeamResolver       { return replacedTeam{r} }
func (r replaced) Query() generated.QueryResolver     { return replacedQuery{r.Resolver.Query(), r} }

func (r replacedUser) GravatarURL(ctx context.Context, u *gql.User, size int32) (*string, error) {
	if r.with.gravatarURL == nil {
		return r.UserResolver.GravatarURL(ctx, u, size)
	}
	return r.with.gravatarURL(ctx, u, size)
}

func (r replacedProduct) UnitsSold(ctx context.Context, p *gql.Product) (int32, error) {
	if r.unitsSold == nil {
		return r.Resolver.Product().UnitsSold(ctx, p)
	}
	return r.unitsSold(ctx, p)
}

func (r replacedTeam) Rivals(ctx context.Context, teams []*gql.Team, first int32) ([][]*gql.Team, error) {
	if r.rivals == nil {
		return r.Resolver.Team().Rivals(ctx, teams, first)
	}
	return r.rivals(ctx, teams, first)
}

func (r replacedQuery) Search(ctx context.Context, text string, first int32) ([]*gql.SearchHit, error) {
	if r.with.search == nil {
		return r.QueryResolver.Search(ctx, text, first)
	}
	return r.with.search(ctx)
}

func (r replacedQuery) Heroes(ctx context.Context, first *int32, after *string, last *int32, before *string, offset *int32, where *gql.HeroWhereInput, search *string, orderBy []*gql.HeroOrder) (*gql.HeroConnection, error) {
	return r.with.heroes(ctx)
}

// replace serves the API with other resolvers.
func (a *api) replace(r replaced, o gqlexec.Options) {
	o.Development = true
	a.configure(config{Options: o, adapt: func(app *gqlexec.API) {
		r.Resolver = new(graph.Resolver)
		if r.heroes != nil {
			app.Sources = nil // all resolvers are called
		}
		app.Executable = func(schema *ast.Schema) graphql.ExecutableSchema {
			return generated.NewExecutableSchema(generated.Config{Schema: schema, Resolvers: r})
		}
	}})
}

// newSized returns an API with the rows of sized(n), all teams of which have one headquarters.
func newSized(t *testing.T, url string, n int) *api {
	a := newAPI(t, url)
	w := sized(n)
	for _, team := range w.teams {
		team.Headquarters = new("here")
	}
	a.fill(w)
	return a
}

func TestComputedFields(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newSized(t, url, 3)
		got := a.Must(`query($size: Int!) { users(first: 2) { nodes { email gravatarUrl small: gravatarUrl(size: $size) } } }`, vars{"size": 9})
		if url := got.Text("users.nodes.0.gravatarUrl"); !strings.HasPrefix(url, "https://gravatar.com/avatar/") || !strings.HasSuffix(url, "s=80") {
			t.Errorf("gravatarUrl = %q", url)
		}
		if big, small := got.Text("users.nodes.0.gravatarUrl"), got.Text("users.nodes.0.small"); strings.TrimSuffix(big, "80")+"9" != small {
			t.Errorf("gravatarUrl is %q, and %q for a size of 9", big, small)
		}
		if first, second := got.Text("users.nodes.0.small"), got.Text("users.nodes.1.small"); first == second {
			t.Errorf("two users have the gravatarUrl %q", first)
		}
		if got := a.Must(`{ products { nodes { unitsSold } } }`, nil); got.RawData() != `{"products":{"nodes":[{"unitsSold":9},{"unitsSold":9},{"unitsSold":9}]}}` {
			t.Errorf("sold: %s", got)
		}
		got = a.Must(`{ teams { nodes { name rivals(first: 1) { name rivals { name heroes(first: 0) { totalCount } } } } } }`, nil)
		const team = `{"name":"team %d","rivals":[{"name":"team %d","rivals":[{"name":"team %d","heroes":{"totalCount":3}},{"name":"team %d","heroes":{"totalCount":3}}]}]}`
		want := `{"teams":{"nodes":[` + fmt.Sprintf(team, 0, 1, 0, 2) + "," + fmt.Sprintf(team, 1, 0, 1, 2) + "," + fmt.Sprintf(team, 2, 0, 1, 2) + `]}}`
		if got.RawData() != want {
			t.Errorf("rivals: %s, want %s", got.RawData(), want)
		}
		for _, tt := range []struct{ query, field string }{
			{`{ users(first: 1) { nodes { gravatarUrl(size: 0) } } }`, "size"},
			{`{ teams(first: 1) { nodes { rivals(first: 101) { id } } } }`, "first"},
			{`{ search(text: " ") { score } }`, "text"},
		} {
			if got := a.WantCode("BAD_USER_INPUT", tt.query, nil); got.Extension("field") != tt.field {
				t.Errorf("%s: %s", tt.query, got)
			}
		}
		if got := a.as(viewer.Viewer{}).Do(`{ users(first: 1) { nodes { username gravatarUrl } } }`, nil); got.Code() != "FORBIDDEN" ||
			fmt.Sprint(got.Errors[0].Path) != "[users nodes 0 gravatarUrl]" || got.At("users.nodes.0.gravatarUrl") != nil {
			t.Errorf("gravatarUrl for everybody: %s", got)
		}
	})
}

// TestComputedStatements counts statements, which do not depend on the number of rows. A loader
// that is kept from collecting its keys by other work of the machine takes more, so the least
// counts.
func TestComputedStatements(t *testing.T) {
	t.Parallel()
	queries := []struct {
		query            string
		postgres, sqlite int
	}{
		{`{ users(first: 100) { nodes { gravatarUrl heroes(first: 2) { nodes { name } } } } }`, 1, 2},
		{`{ products(first: 100) { nodes { unitsSold } } }`, 2, 2},
		{`{ orders(first: 100) { nodes { items { product { unitsSold } } } } }`, 2, 4},
		{`{ products(first: 100) { nodes { unitsSold } } teams(first: 100) { nodes { rivals { name } } } }`, 4, 5},
		{`{ teams(first: 100) { nodes { rivals { name heroes(first: 2) { nodes { owner { gravatarUrl } } } rivals { name } } } } }`, 5, 7},
		{`{ search(text: "t", first: 100) { score team { name rivals { name } } product { name unitsSold } hero { name } } }`, 7, 8},
	}
	dbtest.Each(t, func(t *testing.T, url string) {
		for i, n := range []int{2, 60} {
			if i > 0 {
				url = another(t, url)
			}
			a := newSized(t, url, n)
			for _, q := range queries {
				want := q.postgres
				if a.db.Dialect == dialect.SQLite {
					want = q.sqlite
				}
				least := a.Statements(q.query, nil)
				for range 30 {
					if least > want {
						least = min(least, a.Statements(q.query, nil))
					}
				}
				if least != want {
					t.Errorf("%d rows: %d statements, want %d, for %s", n, least, want, q.query)
				}
			}
		}
	})
}

// TestComputedFailures has the resolvers of one row of three fail.
func TestComputedFailures(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newSized(t, url, 3)
		for _, tt := range []struct {
			name, code string
			fail       func() error
		}{
			{"error", "INTERNAL", func() error { return errors.New("broken") }},
			{"panic", "INTERNAL", func() error { panic("broken") }},
		} {
			a.replace(replaced{
				gravatarURL: func(_ context.Context, u *gql.User, _ int32) (*string, error) {
					if u.Email != nil && strings.HasPrefix(*u.Email, "user1@") {
						return nil, tt.fail()
					}
					return u.Email, nil
				},
				unitsSold: func(_ context.Context, p *gql.Product) (int32, error) {
					if p.Sku != "" {
						t.Errorf("%s: a product has a SKU, which nothing needs", tt.name)
					}
					return 0, tt.fail()
				},
			}, gqlexec.Options{})
			const user = `{"gravatarUrl":"user%d@example.com"}`
			got := a.WantCode(tt.code, `{ users { nodes { gravatarUrl } } }`, nil)
			if want := `{"users":{"nodes":[` + fmt.Sprintf(user, 0) + `,{"gravatarUrl":null},` + fmt.Sprintf(user, 2) + `]}}`; got.RawData() != want ||
				len(got.Errors) != 1 || fmt.Sprint(got.Errors[0].Path) != "[users nodes 1 gravatarUrl]" {
				t.Errorf("%s, of a field that may be null: %s", tt.name, got)
			}
			if got := a.WantCode(tt.code, `{ products { nodes { unitsSold } } }`, nil); got.RawData() != "null" || fmt.Sprint(got.Errors[0].Path) != "[products nodes 0 unitsSold]" {
				t.Errorf("%s, of a field that may not be null: %s", tt.name, got)
			}
			got = a.WantCode(tt.code, `{ search(text: "t") { product { name unitsSold } team { name } } }`, nil)
			if got.Len("search") != 6 || len(got.Errors) != 3 || got.At("search.0.product") != nil && got.At("search.3.product") != nil {
				t.Errorf("%s, below an object that may be null: %s", tt.name, got)
			}
		}
	})
}

// TestComputedFieldsTooSlow has a resolver go on after the deadline, whatever its context says.
func TestComputedFieldsTooSlow(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newSized(t, url, 3)
		end := make(chan struct{})
		defer close(end)
		a.replace(replaced{
			gravatarURL: func(_ context.Context, u *gql.User, _ int32) (*string, error) {
				if strings.HasPrefix(*u.Email, "user1@") {
					<-end
				}
				return u.Email, nil
			},
			rivals: func(context.Context, []*gql.Team, int32) ([][]*gql.Team, error) {
				<-end
				return nil, nil
			},
		}, gqlexec.Options{RequestTimeout: 200 * time.Millisecond})
		for _, query := range []string{`{ users { nodes { gravatarUrl } } }`, `{ teams { nodes { rivals { id } } } }`} {
			if got := a.Do(query, nil); got.Code() != "TIMEOUT" || got.RawData() != "null" {
				t.Errorf("%s: %s", query, got)
			}
		}
		if in := a.db.Stats().InUse; in != 0 {
			t.Errorf("%d connections are in use after the deadline", in)
		}
	})
}

// TestComputedFieldsOutside looks for connections in use while a resolver runs that does not use
// the database.
func TestComputedFieldsOutside(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newSized(t, url, 3)
		a.replace(replaced{gravatarURL: func(_ context.Context, u *gql.User, _ int32) (*string, error) {
			if in := a.db.Stats().InUse; in > 0 {
				t.Errorf("%d connections are in use while a resolver runs", in)
			}
			return u.Email, nil
		}}, gqlexec.Options{})
		if got := a.Must(`{ users { nodes { gravatarUrl } } }`, nil); got.Statements() != 1 {
			t.Errorf("one statement is due: %s", got)
		}
	})
}

// TestComputedFieldsInPayloads shows computed fields of rows that a mutation has just changed.
func TestComputedFieldsInPayloads(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newSized(t, url, 2)
		ids := a.Must(`{ users { nodes { id } } products { nodes { id } } teams { nodes { id } } }`, nil)
		product, team, user := ids.Text("products.nodes.0.id"), ids.Text("teams.nodes.0.id"), ids.Text("users.nodes.0.id")
		got := a.Must(`mutation($user: ID!, $product: ID!) {
			a: createOrder(input: {userId: $user, items: [{productId: $product, quantity: 5}]}) { order { items { product { unitsSold } } } }
			b: createOrder(input: {userId: $user, items: [{productId: $product, quantity: 7}]}) { order { items { product { unitsSold } } } }
		}`, vars{"user": user, "product": product})
		before := 4
		if a, b := got.Number("a.order.items.0.product.unitsSold"), got.Number("b.order.items.0.product.unitsSold"); a != before+5 || b != before+12 {
			t.Errorf("after %d, 5 and 7 more: %d and %d", before, a, b)
		}
		got = a.Must(`mutation($id: ID!) { updateTeam(id: $id, input: {headquarters: "elsewhere"}) { team { headquarters rivals { name } } } }`, vars{"id": team})
		if got.RawData() != `{"updateTeam":{"team":{"headquarters":"elsewhere","rivals":[]}}}` {
			t.Errorf("rivals after the move: %s", got)
		}
		a.replace(replaced{unitsSold: func(context.Context, *gql.Product) (int32, error) { return 0, errors.New("broken") }}, gqlexec.Options{})
		got = a.WantCode("INTERNAL", `mutation($id: ID!) { updateProduct(id: $id, input: {name: "new"}) { product { name unitsSold } } }`, vars{"id": product})
		if name := a.Must(`query($id: ID!) { product(id: $id) { name } }`, vars{"id": product}).Text("product.name"); name == "new" || got.RawData() != "null" {
			t.Errorf("the product is stored as %q although it cannot be shown: %s", name, got)
		}
	})
}

// TestReferencesInOwnObjects returns entities from resolvers in ways that the demo's do not.
func TestReferencesInOwnObjects(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newSized(t, url, 3)
		all := a.Must(`{ heroes(first: 3) { nodes { id name } } }`, nil)
		hero := func(i int) *gql.Hero {
			id, err := ids.Parse(all.Text(fmt.Sprintf("heroes.nodes.%d.id", i)))
			if err != nil {
				t.Fatal(err)
			}
			return &gql.Hero{ID: id}
		}
		gone := &gql.Hero{ID: ids.ID{Prefix: "hero", UUID: [16]byte{1}}}
		a.replace(replaced{
			search: func(context.Context) ([]*gql.SearchHit, error) {
				return []*gql.SearchHit{{Score: 1, Hero: hero(2)}, {Score: 0.5, Hero: gone}, {Hero: hero(2)}}, nil
			},
			heroes: func(context.Context) (*gql.HeroConnection, error) {
				return &gql.HeroConnection{TotalCount: 9, Nodes: []*gql.Hero{hero(2), hero(0), hero(1)},
					Edges:    []*gql.HeroEdge{{Cursor: "a", Node: hero(2)}, {Cursor: "b", Node: hero(0)}},
					PageInfo: &gql.PageInfo{EndCursor: new("b"), HasNextPage: true}}, nil
			},
		}, gqlexec.Options{})
		names := func(i int) string { return all.Text(fmt.Sprintf("heroes.nodes.%d.name", i)) }
		got := a.WantStatements(1, `{ search(text: "x") { score hero { name } } }`, nil)
		if want := fmt.Sprintf(`{"search":[{"score":1,"hero":{"name":%[1]q}},{"score":0.5,"hero":null},{"score":0,"hero":{"name":%[1]q}}]}`, names(2)); got.RawData() != want {
			t.Errorf("hits: %s, want %s", got, want)
		}
		got = a.Must(`{ heroes { totalCount nodes { name } edges { cursor node { name owner { username } } } pageInfo { hasNextPage endCursor } } }`, nil)
		if a.db.Dialect == dialect.Postgres && got.Statements() != 1 {
			t.Errorf("one statement is due: %s", got)
		}
		if got.Number("heroes.totalCount") != 9 || got.Text("heroes.nodes.0.name") != names(2) || got.Text("heroes.nodes.2.name") != names(1) ||
			got.Text("heroes.edges.1.node.name") != names(0) || got.Text("heroes.edges.1.node.owner.username") == "" || got.At("heroes.pageInfo.hasNextPage") != true {
			t.Errorf("a connection in a given order: %s", got)
		}
		a.replace(replaced{heroes: func(context.Context) (*gql.HeroConnection, error) {
			return &gql.HeroConnection{Nodes: []*gql.Hero{hero(0), gone}}, nil
		}}, gqlexec.Options{})
		if got := a.WantCode("INTERNAL", `{ heroes { nodes { name } } }`, nil); got.RawData() != "null" || fmt.Sprint(got.Errors[0].Path) != "[heroes nodes]" {
			t.Errorf("a node that is gone: %s", got)
		}
	})
}
