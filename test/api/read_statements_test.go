package api_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"forge/ent"
	"forge/ent/order"
	"forge/ent/user"
	"forge/graph/generated"
	"forge/internal/entity"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// sized returns a world of n users, teams and products in which every row has related rows, so that
// no level of an answer is empty.
func sized(n int) *world {
	each := min(n, 3)
	now := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	w := &world{}
	for i := range n {
		email := fmt.Sprintf("user%d@example.com", i)
		w.users = append(w.users, &ent.User{ID: entity.NewID(), CreatedAt: now, Version: 1,
			Username: fmt.Sprintf("user%d", i), Email: &email, EmailKey: &email, Role: user.RoleUSER})
		w.teams = append(w.teams, &ent.Team{ID: entity.NewID(), CreatedAt: now, Version: 1, Name: fmt.Sprintf("team %d", i)})
		p := &ent.Product{ID: entity.NewID(), CreatedAt: now, Version: 1, Sku: fmt.Sprint(i), Name: "thing", PriceCents: 5}
		w.products = append(w.products, p)
		w.stock = append(w.stock, &ent.Inventory{ID: entity.NewID(), ProductID: p.ID, Quantity: 1000})
	}
	for i := range n * each {
		u, other := w.users[i/each], (i+1)%n
		h := &ent.Hero{ID: entity.NewID(), CreatedAt: now, Version: 1, Name: fmt.Sprint(i), Age: new(int32(i % 90)),
			OwnerID: &u.ID, TeamID: &w.teams[other].ID}
		o := &ent.Order{ID: entity.NewID(), CreatedAt: now, Version: 1, Status: order.StatusPENDING, TotalCents: int32(i), UserID: &u.ID}
		w.heroes, w.orders = append(w.heroes, h), append(w.orders, o)
		for range each {
			w.items = append(w.items, &ent.OrderItem{ID: entity.NewID(), Quantity: 1, UnitPriceCents: 5, OrderID: o.ID, ProductID: w.products[other].ID})
		}
	}
	return w
}

// operations are operations whose statements are counted. statements is how many the read engine
// may run: one for each level and each root field, and one for each totalCount. For a mutation, it
// is how many the payload's selection adds to the statements of the mutation itself. The row that
// was changed needs none.
var operations = []struct {
	statements int
	query      string
}{
	// Each root field by itself.
	{0, `{ __typename }`},
	{0, `{ viewer { username } }`},
	{1, `query($user: ID!) { user(id: $user) { username } }`},
	{1, `query($team: ID!) { team(id: $team) { name headquarters } }`},
	{1, `query($hero: ID!) { hero(id: $hero) { name age } }`},
	{1, `query($product: ID!) { product(id: $product) { sku stock } }`},
	{1, `query($order: ID!) { order(id: $order) { status } }`},
	{1, `{ users(first: 100) { nodes { username } } }`},
	{1, `{ teams(first: 100) { nodes { name } } }`},
	{1, `{ heroes(first: 100) { nodes { name } } }`},
	{1, `{ products(first: 100) { nodes { sku stock } } }`},
	{1, `{ orders(first: 100) { nodes { status totalCents } } }`},
	{1, `query($hero: ID!) { node(id: $hero) { id } }`},
	{1, `query($heroes: [ID!]!) { nodes(ids: $heroes) { __typename id } }`},
	{0, `{ users { __typename } }`},

	// What a connection offers.
	{1, `{ users { totalCount } }`},
	{2, `{ users { totalCount nodes { id } } }`},
	{1, `{ users { pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`},
	{1, `{ users { edges { cursor } } }`},
	{2, `{ a: users(first: 3) { nodes { id } edges { cursor node { username } } pageInfo { endCursor } } b: users(last: 3) { edges { node { email } } } }`},
	{2, `{ heroes(first: 5, offset: 0, where: {ageGTE: 0, hasOwner: true}, orderBy: [{field: AGE, direction: DESC}, {field: NAME}]) { totalCount edges { cursor } } }`},

	// Levels below.
	{2, `{ users(first: 100) { nodes { heroes { nodes { name } } } } }`},
	{3, `{ users(first: 100) { nodes { heroes { totalCount nodes { name } } } } }`},
	{2, `{ users(first: 100) { nodes { heroes { totalCount } } } }`},
	{3, `{ users(first: 100) { nodes { heroes(first: 10) { nodes { team { name } } } } } }`},
	{4, `{ users(first: 20) { nodes { orders(first: 5) { nodes { items { product { sku priceCents stock } } } } } } }`},
	{3, `{ users(first: 20) { nodes { heroes(first: 1) { nodes { id } } orders(first: 1) { nodes { id } } } } }`},
	{3, `{ heroes(first: 100) { nodes { team { name } owner { username } } } }`},
	{5, `{ teams(first: 9) { nodes { heroes(first: 9) { nodes { owner { orders(last: 2) { nodes { items { quantity } } } } } } } } }`},
	{4, `{ orders(first: 100) { nodes { user { heroes(first: 2) { nodes { team { headquarters } } } } } } }`},
	{8, `{ heroes(first: 9) { totalCount nodes { owner { heroes(first: 2) { totalCount nodes { team { heroes(first: 2) { totalCount nodes { id } } } } } } } } }`},
	{2, `{ users(first: 9) { nodes { heroes(first: 2, offset: 0, where: {nameGTE: "", ageIsNil: false, hasTeamWith: {nameHasPrefix: "team"}}, orderBy: {field: AGE}) { edges { cursor node { name } } pageInfo { hasNextPage endCursor } } } } }`},
	{2, `{ users(first: 9) { nodes { heroes(last: 2, orderBy: [{field: NAME, direction: DESC}, {field: CREATED_AT}]) { nodes { name } pageInfo { hasPreviousPage } } } } }`},

	// The same edge twice: once with the same arguments, twice with others.
	{2, `{ users(first: 9) { nodes { a: heroes(first: 2) { nodes { name } } b: heroes(first: 2) { nodes { age } pageInfo { endCursor } } } } }`},
	{3, `{ users(first: 9) { nodes { a: heroes(first: 2) { nodes { name } } b: heroes(first: 1) { nodes { age } } } } }`},
	{2, `{ heroes(first: 9) { nodes { a: owner { username } b: owner { isActive } } } }`},
	{3, `{ heroes(first: 9) { nodes { owner { username heroes(first: 1) { nodes { id } } } ... on Hero { owner { email heroes(first: 1) { nodes { name } } } } } } }`},

	// Fragments, directives, variables.
	{3, `query($n: Int = 3, $with: Boolean = true) { users(first: $n) { ...page } }
		fragment page on UserConnection { edges { node { ...person ... on Node { id } } } }
		fragment person on User { username heroes(first: $n) @include(if: $with) { nodes { ... { team { id } } } } }`},
	{1, `query($with: Boolean = false) { users(first: 3) { nodes { username heroes @include(if: $with) { nodes { team { id } } } orders @skip(if: true) { totalCount } } } }`},
	{3, `query($user: ID!, $order: ID!) { a: node(id: $user) { ... on User { heroes(first: 2) { nodes { name } } } ... on Order { items { id } } } b: node(id: $order) { ... on User { username } } }`},
	{4, `query($order: ID!) { node(id: $order) { ... on Order { items { product { stock } } user { username } } } }`},
	{3, `query($heroes: [ID!]!) { nodes(ids: $heroes) { ... on Hero { team { name } owner { username } } } }`},
	{5, `query($mixed: [ID!]!) { nodes(ids: $mixed) { ... on User { heroes(first: 2) { nodes { id } } } ... on Team { heroes(first: 2) { nodes { id } } } ... on Product { stock } } }`},
	{2, `query($item: ID!) { node(id: $item) { ... on OrderItem { quantity product { name } } } }`},
	{2, `query($user: ID!, $team: ID!) { user(id: $user) { username email role isActive version createdAt updatedAt } team(id: $team) { version updatedAt } }`},
	{1, `{ __schema { queryType { name } } users(first: 1) { nodes { username } } __type(name: "User") { name } }`},
	{1, `{ users(first: 3, where: {or: [{hasHeroesWith: [{hasTeamWith: [{name: "team 0"}]}]}, {hasOrdersWith: {status: PAID}}], not: {emailIsNil: true}}) { nodes { username } } }`},

	// Payloads of mutations.
	{0, `mutation($user: ID!) { updateUser(id: $user, input: {isActive: true}) { user { username } } }`},
	{2, `mutation($user: ID!) { updateUser(id: $user, input: {isActive: true}) { user { heroes(first: 9) { nodes { team { name } } } } } }`},
	{2, `mutation($team: ID!) { updateTeam(id: $team, input: {headquarters: "here"}) { team { name heroes { totalCount nodes { name } } } } }`},
	{4, `mutation($hero: ID!) { updateHero(id: $hero, input: {age: 5}) { hero { name owner { orders(first: 1) { nodes { items { id } } } } team { name } } } }`},
	{1, `mutation($product: ID!) { adjustStock(productId: $product, delta: 1) { product { stock } } }`},
	{2, `mutation($user: ID!, $product: ID!) { createOrder(input: {userId: $user, items: [{productId: $product, quantity: 1}]}) { order { totalCents items { product { stock } } } } }`},
	{3, `mutation($many: [CreateHeroInput!]!) { createHeroes(input: $many) { heroes { name team { name } owner { username } } errors { code } } }`},
}

// atMost returns how many of the statements of an operation the engine needs on the database of a.
// On PostgreSQL a query is one statement. So is a field that gqlgen executes.
func (a *api) atMost(statements int, query string) int {
	if a.db.Dialect == dialect.SQLite {
		return statements
	}
	return min(statements, 1)
}

func TestReadStatements(t *testing.T) {
	t.Parallel()
	sizes := []int{1, 10, 100}
	dbtest.Each(t, func(t *testing.T, url string) {
		var servers []*watched
		for i, n := range sizes {
			if i > 0 {
				url = another(t, url)
			}
			w := sized(n)
			servers = append(servers, watch(newAPI(t, url)))
			servers[i].api.fill(w)
			servers[i].vars = someOf(w)
		}
		for _, op := range operations {
			var texts [][]string
			for i, s := range servers {
				got, ran := s.run(op.query)
				if len(got.Errors) > 0 {
					t.Fatalf("%s over %d rows: %s", op.query, sizes[i], got)
				}
				if want := s.api.atMost(op.statements, op.query) + s.bare(op.query); len(ran) != want {
					t.Errorf("%s over %d rows a level: %d statements, want %d:\n%s", op.query, sizes[i], len(ran), want, strings.Join(ran, "\n"))
				}
				if got.Statements() != len(ran) {
					t.Errorf("%s: extensions.sql says %d statements, there were %d", op.query, got.Statements(), len(ran))
				}
				if strings.Contains(got.RawData(), "[]") && !strings.Contains(got.RawData(), `"errors":[]`) {
					t.Errorf("%s over %d rows: a level is empty, which makes the count worthless: %s", op.query, sizes[i], got)
				}
				slices.Sort(ran)
				texts = append(texts, ran)
			}
			if strings.HasPrefix(op.query, "mutation") {
				continue
			}
			// A single row above has a text of its own.
			if !slices.Equal(texts[1], texts[2]) {
				t.Errorf("%s: over %d rows the statements read\n%s\nand over %d\n%s", op.query,
					sizes[1], strings.Join(texts[1], "\n"), sizes[2], strings.Join(texts[2], "\n"))
			}
		}
	})
}

// TestReadWithoutTransaction asks PostgreSQL what the connection of a server has run last. After a
// query that the engine answers it is the one statement of the query, and no COMMIT.
func TestReadWithoutTransaction(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	w := sized(3)
	other := newAPI(t, address)
	other.fill(w)
	s := watch(newAPI(t, address+"&application_name=watched"))
	s.vars = someOf(w)
	last := func() string {
		t.Helper()
		var query string
		err := other.db.QueryRowContext(t.Context(), "SELECT coalesce(max(query), '') FROM pg_stat_activity WHERE application_name = 'watched' AND datname = current_database()").Scan(&query)
		if err != nil {
			t.Fatal(err)
		}
		return query
	}
	if _, ran := s.run(`{ nodes(ids: []) { id } users { nodes { id } } }`); last() != "COMMIT" || len(ran) != 1 {
		t.Fatalf("a query with a resolver of its own ended with %q: the test shows nothing", last())
	}
	for _, op := range operations {
		if strings.HasPrefix(op.query, "mutation") || strings.Contains(op.query, "nodes(ids:") || strings.Contains(op.query, "viewer") {
			continue
		}
		answer, ran := s.run(op.query)
		if len(ran) > 1 || len(answer.Errors) > 0 {
			t.Errorf("%s: %d statements, %s", op.query, len(ran), answer)
		}
		if got := last(); len(ran) == 1 && !strings.HasPrefix(ran[0], got) { // the server cuts long ones
			t.Errorf("%s: the last statement is %q, want %q", op.query, got, ran[0])
		}
	}
}

// TestReadColumns checks that the statements of a query mention only columns that the query asked
// for, and keys.
func TestReadColumns(t *testing.T) {
	t.Parallel()
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	dbtest.Each(t, func(t *testing.T, url string) {
		w := sized(2)
		s := watch(newAPI(t, url))
		s.api.fill(w)
		s.vars = someOf(w)
		queries := []string{`{ users { nodes { username } } }`, `{ users(where: {email: "USER0@example.com"}) { nodes { id } } }`}
		for _, op := range operations {
			if !strings.HasPrefix(op.query, "mutation") {
				queries = append(queries, op.query)
			}
		}
		for _, e := range ent.Entities {
			if def := schema.Types[e.Name]; def != nil && slices.Contains(def.Interfaces, "Node") {
				for _, f := range def.Fields {
					if _, computed := e.Computed[f.Name]; computed {
						continue // what it needs is read as well
					}
					if schema.Types[f.Type.Name()].IsLeafType() && f.Name != "__typename" {
						queries = append(queries, fmt.Sprintf(`query($%[1]s: ID!) { node(id: $%[1]s) { ... on %[2]s { %[3]s } } }`, e.Prefix, e.Name, f.Name))
					}
				}
			}
		}
		for _, query := range queries {
			asked := askedFor(t, schema, query)
			_, ran := s.run(query)
			for _, statement := range ran {
				for _, column := range columnsIn(statement) {
					if !asked[column] && !askedByAlias(asked, statement, column) {
						t.Errorf("%s reads %s, which it did not ask for: %s", query, column, statement)
					}
				}
			}
		}
	})
}

// TestReadSnapshot changes the database after each statement of a query. The query must not see the
// change, also if gqlgen executes one of its fields.
func TestReadSnapshot(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		for query, statements := range map[string]struct{ postgres, sqlite int }{
			`{ users { totalCount nodes { heroes { totalCount nodes { id owner { username } } } } } heroes(last: 100) { totalCount nodes { id } } }`:                  {1, 5},
			`query($heroes: [ID!]!) { users { totalCount nodes { heroes { totalCount } } } nodes(ids: $heroes) { ... on Hero { owner { heroes { totalCount } } } } }`: {1, 6},
			`{ search(text: "0") { hero { name owner { username heroes { totalCount } } } } }`:                                                                        {4, 6},
		} {
			url := another(t, url)
			w := sized(3)
			a, writer := newAPI(t, url), newAPI(t, url)
			a.fill(w)
			v := vars{}
			if strings.HasPrefix(query, "query") {
				v = vars{"heroes": someOf(w)["heroes"]}
			}
			least := statements.sqlite
			if a.db.Dialect == dialect.Postgres {
				least = statements.postgres
			}
			a.snapshot(writer, w, query, v, least)
		}
	})
}

// snapshot sends a query, and changes the database after each of its statements.
func (a *api) snapshot(writer *api, w *world, query string, v vars, statements int) {
	t := a.t
	t.Helper()
	want := a.Must(query, v).RawData()
	changes, changed := 0, map[string]bool{}
	var mu sync.Mutex
	a.db.Watch = func(_ context.Context, statement string, _ time.Duration, err error) {
		mu.Lock()
		defer mu.Unlock()
		if err != nil || changed[statement] {
			return
		}
		changed[statement] = true // once after each statement
		writer.stored(func(ctx context.Context, c *ent.Client) {
			h := *w.heroes[0]
			h.ID = entity.NewID()
			if err := setHero(c.Hero.Create(), &h).Exec(ctx); err != nil {
				t.Error(err)
			}
			if err := c.Hero.UpdateOneID(w.heroes[changes].ID).ClearOwner().Exec(ctx); err != nil {
				t.Error(err)
			}
			changes++
		})
	}
	if got := a.Must(query, v).RawData(); got != want {
		t.Errorf("with changes in between:\n%s\nwithout:\n%s", got, want)
	}
	if changes < statements {
		t.Errorf("changes after %d statements, want %d at least", changes, statements)
	}
	if got := a.Must(query, v).RawData(); got == want {
		t.Error("the changes are not there afterwards: the test shows nothing")
	}
}

// TestReadColumnsIsNotBlind checks that TestReadColumns would find a column that was not asked for.
func TestReadColumnsIsNotBlind(t *testing.T) {
	got := columnsIn(`SELECT "users"."id", c.*, ` + "`users`.`email`" + ` FROM "users" WHERE "users"."deleted_at" IS NULL`)
	if want := []string{"users.id", "users.email", "users.deleted_at"}; !slices.Equal(got, want) {
		t.Errorf("columns %v, want %v", got, want)
	}
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	asked := askedFor(t, schema, `{ users(where: {email: "x"}) { nodes { username } } }`)
	for column, want := range map[string]bool{"users.username": true, "users.email_key": true, "users.id": true, "users.email": true,
		"users.hashed_password": false, "users.is_active": false, "heroes.owner_id": false} {
		if asked[column] != want {
			t.Errorf("asked for %s: %t, want %t", column, asked[column], want)
		}
	}
}

var qualified = regexp.MustCompile("[\"`](\\w+)[\"`]\\.[\"`](\\w+)[\"`]")

// alias matches a table to which a condition over related rows gives another name.
var alias = regexp.MustCompile("[\"`](\\w+)[\"`] AS [\"`](related\\d+)[\"`]")

// askedByAlias reports whether a column belongs to a table that the statement gives another name,
// and was asked for.
func askedByAlias(asked map[string]bool, statement, column string) bool {
	name, of, _ := strings.Cut(column, ".")
	return slices.ContainsFunc(alias.FindAllStringSubmatch(statement, -1), func(m []string) bool {
		return m[2] == name && asked[m[1]+"."+of]
	})
}

// columnsIn returns the columns that a statement written by ent mentions, as table.column.
func columnsIn(statement string) (columns []string) {
	for _, m := range qualified.FindAllStringSubmatch(statement, -1) {
		columns = append(columns, m[1]+"."+m[2])
	}
	return columns
}

// askedFor returns the columns that a query may read.
func askedFor(t *testing.T, schema *ast.Schema, query string) map[string]bool {
	t.Helper()
	doc, err := gqlparser.LoadQueryWithRules(schema, query, rules.NewDefaultRules())
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	byName := map[string]*entity.Entity{}
	asked := map[string]bool{"users.deleted_at": true} // the rule that hides deleted users
	for _, e := range ent.Entities {
		byName[e.Name] = e
		asked[e.Table+".id"] = true
	}
	field := func(e *entity.Entity, f *entity.Field) {
		asked[e.Table+"."+f.Column] = true
		if f.MatchBy != "" {
			asked[e.Table+"."+f.MatchBy] = true
		}
	}
	edge := func(e *entity.Entity, name string) *entity.Entity {
		by := e.Edge(name)
		if by == nil {
			return nil
		}
		to := byName[by.To]
		if by.OwnKey {
			asked[e.Table+"."+by.Column] = true
		} else {
			asked[to.Table+"."+by.Column] = true
		}
		return to
	}
	var where func(e *entity.Entity, v *ast.Value)
	where = func(e *entity.Entity, v *ast.Value) {
		for _, c := range v.Children {
			related, has := strings.CutPrefix(strings.TrimSuffix(c.Name, "With"), "has")
			switch {
			case c.Name == "" || c.Name == "and" || c.Name == "or" || c.Name == "not":
				where(e, c.Value)
			case has:
				where(edge(e, strings.ToLower(related[:1])+related[1:]), c.Value)
			default:
				for i := range e.Fields {
					if strings.HasPrefix(c.Name, e.Fields[i].Name) {
						field(e, &e.Fields[i])
					}
				}
			}
		}
	}
	var walk func(ast.SelectionSet, *entity.Entity)
	walk = func(set ast.SelectionSet, in *entity.Entity) {
		for _, s := range set {
			switch s := s.(type) {
			case *ast.InlineFragment:
				to := in
				if s.TypeCondition != "" && byName[s.TypeCondition] != nil {
					to = byName[s.TypeCondition]
				}
				walk(s.SelectionSet, to)
			case *ast.FragmentSpread:
				to := in
				if byName[s.Definition.TypeCondition] != nil {
					to = byName[s.Definition.TypeCondition]
				}
				walk(s.Definition.SelectionSet, to)
			case *ast.Field:
				to := byName[strings.TrimSuffix(s.Definition.Type.Name(), "Connection")]
				if in != nil {
					if f := in.Field(s.Name); f != nil {
						field(in, f)
					}
					if by, column := in.Shown(s.Name); by != nil {
						asked["shown."+column], asked["shown."+by.Column] = true, true
					}
					edge(in, s.Name)
				}
				if to == nil {
					to = in // edges, nodes, pageInfo: still the same
				}
				for _, arg := range s.Arguments {
					switch arg.Name {
					case "where":
						where(to, arg.Value)
					case "orderBy":
						for i := range to.Fields {
							if strings.Contains(arg.Value.String(), "field:"+strings.ToUpper(to.Fields[i].Column)) {
								field(to, &to.Fields[i])
							}
						}
					}
				}
				walk(s.SelectionSet, to)
			}
		}
	}
	for _, op := range doc.Operations {
		walk(op.SelectionSet, nil)
	}
	return asked
}

// another returns a second database of the same kind.
func another(t *testing.T, url string) string {
	t.Helper()
	if strings.HasPrefix(url, "sqlite:") {
		return dbtest.SQLite(t)
	}
	return dbtest.Postgres(t)
}

// watched is a server that records its statements.
type watched struct {
	api  *api
	vars vars
	mu   sync.Mutex
	ran  []string
}

func watch(a *api) *watched {
	s := &watched{api: a}
	a.db.Watch = func(_ context.Context, statement string, _ time.Duration, _ error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ran = append(s.ran, statement)
	}
	return s
}

// run sends an operation, with the variables of the server that it declares. It returns the answer
// and the statements that it took.
func (s *watched) run(query string) (gqltest.Answer, []string) {
	s.api.t.Helper()
	s.mu.Lock()
	s.ran = nil
	s.mu.Unlock()
	got := s.api.Do(query, s.declared(query))
	s.mu.Lock()
	defer s.mu.Unlock()
	return got, slices.Clone(s.ran)
}

func (s *watched) declared(query string) vars {
	v := vars{}
	for name, value := range s.vars {
		if strings.Contains(query, "$"+name+":") {
			v[name] = value
		}
	}
	return v
}

// bare returns how many statements a mutation takes without reads for its payload. For a query it
// returns 0.
func (s *watched) bare(query string) int {
	s.api.t.Helper()
	head, _, ok := strings.Cut(query, ") { ")
	if !strings.HasPrefix(query, "mutation") {
		return 0
	}
	_, call, _ := strings.Cut(query, ") { ")
	call, _, payload := strings.Cut(call, ") { ")
	if !ok || !payload {
		s.api.t.Fatalf("%s is not of the form that bare expects", query)
	}
	got, ran := s.run(head + ") { " + call + ") { __typename } }")
	if len(got.Errors) > 0 {
		s.api.t.Fatalf("%s: %s", query, got)
	}
	return len(ran)
}

// someOf returns values for the variables of operations.
func someOf(w *world) vars {
	heroes, mixed, many := []string{}, []string{}, []vars{}
	for i := range w.users {
		heroes = append(heroes, idOf("hero", w.heroes[i].ID))
		if i < 33 {
			mixed = append(mixed, idOf("team", w.teams[i].ID), idOf("user", w.users[i].ID), idOf("product", w.products[i].ID))
		}
		many = append(many, vars{"name": "one of many", "teamId": idOf("team", w.teams[i].ID), "ownerId": idOf("user", w.users[i].ID)})
	}
	return vars{
		"user": idOf("user", w.users[0].ID), "team": idOf("team", w.teams[0].ID), "hero": heroes[0], "product": idOf("product", w.products[0].ID),
		"order": idOf("order", w.orders[0].ID), "item": idOf("item", w.items[0].ID), "heroes": heroes, "mixed": mixed, "many": many,
	}
}
