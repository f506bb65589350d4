package api_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/ent"
	"forge/ent/migrate"
	"forge/graph"
	"forge/graph/generated"
	"forge/internal/application"
	"forge/internal/entity"
	"forge/internal/gqlexec"
	"forge/internal/webhook"
	"forge/test/dbtest"
	"forge/test/process"
)

// hiddenColumns must never be shown, whatever a type offers.
var hiddenColumns = map[string][]string{
	"users":  {"hashed_password", "deleted_at", "email_key"},
	"heroes": {"secret_name"},
}

// writable lists the only places of the schema where the name of a hidden column may stand. They
// take a value and never return one.
var writable = []string{"CreateHeroInput.secretName", "UpdateHeroInput.secretName"}

// TestReadHiddenColumns compares the storage with the schema. No field, filter or order may reach a
// column that the type does not offer, and the name of a hidden column must stand nowhere.
func TestReadHiddenColumns(t *testing.T) {
	t.Parallel()
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	for _, leak := range leaks(schema, ent.Entities) {
		t.Error(leak)
	}
	for _, table := range migrate.Tables {
		var described []string
		for _, e := range ent.Entities {
			if e.Table == table.Name {
				for _, f := range e.Fields {
					described = append(described, f.Column)
				}
				for _, edge := range e.Edges {
					if edge.OwnKey {
						described = append(described, edge.Column)
					}
				}
			}
		}
		for _, column := range table.Columns {
			if !slices.Contains(described, column.Name) {
				t.Errorf("%s.%s is stored, but no entity describes it: nobody checks whether it can be reached", table.Name, column.Name)
			}
		}
		for _, hidden := range hiddenColumns[table.Name] {
			if !slices.Contains(described, hidden) {
				t.Errorf("%s.%s is to be hidden, but there is no such column", table.Name, hidden)
			}
		}
	}
}

// TestReadHiddenColumnsIsNotBlind opens each way to a hidden column in turn, and expects leaks to
// report it.
func TestReadHiddenColumnsIsNotBlind(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../../schema.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	if found := leaks(load(t, string(source)), ent.Entities); len(found) > 0 {
		t.Fatalf("schema.graphqls itself: %v", found)
	}
	for _, tt := range []struct{ name, in, add string }{
		{"output field", "type Hero implements Node", "secretName: String"},
		{"output field in an edge", "type UserEdge", "hashedPassword: String"},
		{"output field of a payload", "type CreateHeroPayload", "secretName: String"},
		{"argument", "type CreateUserPayload", "show(deletedAt: Time): String"},
		{"filter", "input UserWhereInput", "hashedPasswordHasPrefix: String"},
		{"filter of what a type does not offer", "input UserWhereInput", "tokensValidAfterGT: Time"},
		{"filter over what a type does not offer", "input ProductWhereInput", "hasOrderItemsWith: [OrderItemWhereInput!]"},
		{"filter that only tells whether", "input HeroWhereInput", "secretNameIsNil: Boolean"},
		{"order", "enum UserOrderField", "DELETED_AT"},
		{"order by what a type does not offer", "enum HeroOrderField", "OWNER_ID_X"},
		{"another spelling", "type User implements Node", "HASHED_passWord: String"},
	} {
		poisoned := strings.Replace(string(source), tt.in+" {", tt.in+" {\n"+tt.add, 1)
		if poisoned == string(source) {
			t.Fatalf("%s: there is no %q in the schema", tt.name, tt.in)
		}
		if len(leaks(load(t, poisoned), ent.Entities)) == 0 {
			t.Errorf("%s: %s in %s is not noticed", tt.name, tt.add, tt.in)
		}
	}
}

func load(t *testing.T, sdl string) *ast.Schema {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphqls", Input: sdl})
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// leaks lists all ways in which the schema reveals hidden columns.
func leaks(schema *ast.Schema, entities []*entity.Entity) (found []string) {
	names := map[string]bool{}
	for _, columns := range hiddenColumns {
		for _, c := range columns {
			names[plain(c)] = true
		}
	}
	check := func(place string) {
		last := plain(place[strings.LastIndexByte(place, '.')+1:])
		for name := range names {
			if strings.Contains(last, name) && !slices.Contains(writable, place) {
				found = append(found, place+" names a hidden column")
			}
		}
	}
	for _, def := range schema.Types {
		check(def.Name)
		for _, f := range def.Fields {
			check(def.Name + "." + f.Name)
			for _, arg := range f.Arguments {
				check(def.Name + "." + f.Name + "." + arg.Name)
			}
			if slices.Contains(writable, def.Name+"."+f.Name) && def.Kind != ast.InputObject {
				found = append(found, def.Name+" is no input")
			}
		}
		for _, v := range def.EnumValues {
			check(def.Name + "." + v.Name)
		}
	}
	for _, e := range entities {
		def := schema.Types[e.Name]
		if def == nil {
			for _, other := range []string{"Connection", "Edge", "WhereInput", "OrderField"} {
				if schema.Types[e.Name+other] != nil {
					found = append(found, e.Name+" is not shown, but there is a "+e.Name+other)
				}
			}
			continue
		}
		for _, f := range def.Fields {
			own, edge := e.Field(f.Name), e.Edge(f.Name)
			shown, _ := e.Shown(f.Name)
			_, computed := e.Computed[f.Name]
			if own == nil && edge == nil && shown == nil && !computed && !strings.HasPrefix(f.Name, "__") {
				found = append(found, e.Name+"."+f.Name+" is nothing that the entity has: nobody knows what it shows")
			}
		}
		found = append(found, unoffered(schema, e, def)...)
	}
	slices.Sort(found)
	return found
}

// unoffered lists conditions and orders that reveal something that the entity's type does not
// offer.
func unoffered(schema *ast.Schema, e *entity.Entity, def *ast.Definition) (found []string) {
	offers := map[string]bool{} // fields, edges, and keys of edges
	for _, f := range def.Fields {
		offers[f.Name] = true
		if edge := e.Edge(f.Name); edge != nil && edge.OwnKey {
			offers[edge.Name+"Id"] = true
		}
	}
	if where := schema.Types[e.Name+"WhereInput"]; where != nil {
		for _, f := range where.Fields {
			if f.Name == "not" || f.Name == "and" || f.Name == "or" {
				continue
			}
			name := f.Name
			if rest, ok := strings.CutPrefix(strings.TrimSuffix(name, "With"), "has"); ok {
				name = strings.ToLower(rest[:1]) + rest[1:]
			}
			for _, op := range []string{"IsNil", "NotNil", "HasPrefix", "HasSuffix", "ContainsFold", "Contains", "EqualFold", "NotIn", "In", "NEQ", "GTE", "LTE", "GT", "LT", "Count"} {
				if !offers[name] {
					name = strings.TrimSuffix(name, op)
				}
			}
			if !offers[name] {
				found = append(found, fmt.Sprintf("%s.%s tells what %s does not offer", where.Name, f.Name, e.Name))
			}
		}
	}
	if order := schema.Types[e.Name+"OrderField"]; order != nil {
		for _, v := range order.EnumValues {
			if !orders(schema, e, offers, plain(v.Name)) {
				found = append(found, fmt.Sprintf("%s.%s orders by what %s does not offer", order.Name, v.Name, e.Name))
			}
		}
	}
	return found
}

// orders reports whether an order is by something that a type offers: a field, the number of
// related rows, a field of the row that an edge leads to, or how well fields fit a search.
func orders(schema *ast.Schema, e *entity.Entity, offers map[string]bool, order string) bool {
	if order == "relevance" && len(e.Search) > 0 {
		return !slices.ContainsFunc(e.Search, func(name string) bool { return !offers[name] })
	}
	for name := range offers {
		edge := e.Edge(name)
		if plain(name) == order || edge != nil && plain(name)+"count" == order {
			return true
		}
		if edge != nil && edge.Unique {
			for _, f := range schema.Types[edge.To].Fields {
				if plain(name+f.Name) == order {
					return true
				}
			}
		}
	}
	return false
}

// plain returns a name without the differences between its spellings.
func plain(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

// marks are parts of all secrets in secretWorld and of what the test sends, in each form in which a
// database might report them.
var marks = []string{"5ecret", "5ECRET", "1999-07-07", "931331227077777", "argon2"}

// secretWorld returns a world with marks in every column that must not be seen.
func secretWorld() *world {
	w := smallWorld()
	for i, u := range w.users {
		u.HashedPassword = new(fmt.Sprintf("$argon2id$5ecret%d", i))
		if u.Email == nil {
			u.Email = new(fmt.Sprintf("mail%d@x.org", i))
		}
		u.EmailKey = new(fmt.Sprintf("5ecret-key-%d@x.org", i))
		if u.DeletedAt != nil {
			u.DeletedAt = new(time.Date(1999, 7, 7, 7, 7, 7, 77777000, time.UTC))
			u.Username, u.Email = "5ecret-gone", new("5ecret-gone@x.org")
		}
	}
	for i, h := range w.heroes {
		h.SecretName = new(fmt.Sprintf("5ecret name %d", i))
	}
	return w
}

// TestReadHiddenValues searches everything that leaves the server for secrets: answers to every
// field, errors, and the log.
func TestReadHiddenValues(t *testing.T) {
	t.Parallel()
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		before := a.Must(`{ changeCursor }`, nil).Text("changeCursor")
		a.fill(secretWorld())
		a.tick()
		var log process.Output
		a.log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		hooks := webhook.New(webhook.Options{DB: a.db, Accounts: graph.Accounts{}, Log: a.log})
		a.configure(config{Options: gqlexec.Options{Development: true}, Resolver: graph.Resolver{Services: application.Services{Webhooks: hooks, Operator: a.operator()}}})
		poison(t, a)
		mustNotShow := func(what, text string) {
			t.Helper()
			for _, mark := range marks {
				if i := strings.Index(text, mark); i >= 0 {
					t.Errorf("%s tells %q: …%s…", what, mark, text[max(0, i-200):min(len(text), i+100)])
				}
			}
		}
		for _, query := range everything(schema, before) {
			got := a.Do(withIDs(query, nil), nil)
			if len(got.Errors) > 0 {
				t.Errorf("%s: %s", query, got)
			}
			mustNotShow(query, got.Body)
		}
		for _, m := range []struct {
			query, vars, want string
		}{
			{`mutation($i: CreateHeroInput!) { createHero(input: $i) { hero { ...all } } }`, `{"name":"x","secretName":"5ecret"}`, ""},
			{`mutation($i: CreateHeroInput!) { createHero(input: $i) { hero { ...all } } }`, `{"name":" ","secretName":"5ecret"}`, badInput},
			{`mutation($i: CreateHeroInput!) { createHero(input: $i) { hero { ...all } } }`, `{"name":"x","secretName":"` + strings.Repeat("5ecret", 20) + `"}`, badInput},
			{`mutation($i: CreateHeroInput!) { createHero(input: $i) { hero { ...all } } }`, `{"name":"x","secretName":"5ecret\u0000"}`, badInput},
			{`mutation($i: CreateHeroInput!) { createHero(input: $i) { hero { ...all } } }`, `{"name":"x","secretName":"5ecret","teamId":"` + noTeam + `"}`, "NOT_FOUND"},
			{`mutation($i: CreateHeroInput!) { createHero(input: $i) { hero { ...all } } }`, `{"name":"x","secretName":["5ecret"]}`, badInput},
			{`mutation($i: CreateHeroInput!) { createHero(input: $i) { hero { ...all } } }`, `{"name":"x","secretName":{"a":"5ecret"}}`, badInput},
			{`mutation($i: CreateHeroInput!) { createHero(input: $i) { hero { ...all } } }`, `{"name":"poison","secretName":"5ecret"}`, "*"},
			{`mutation($i: UpdateHeroInput!) { updateHero(id: "@hero1", input: $i) { hero { ...all } } }`, `{"secretName":"5ecret again"}`, ""},
			{`mutation($i: UpdateHeroInput!) { updateHero(id: "@hero2", input: $i, expectedVersion: 99) { hero { ...all } } }`, `{"secretName":"5ecret again"}`, "CONFLICT"},
			{`mutation($i: UpdateHeroInput!) { updateHero(id: "@hero2", input: $i) { hero { ...all } } }`, `{"name":"poison"}`, "*"},
			{`mutation($i: [CreateHeroInput!]!) { createHeroes(input: $i, onError: SKIP) { heroes { ...all } errors { code message field index } } }`,
				`[{"name":"ok","secretName":"5ecret"},{"name":"poison","secretName":"5ecret"},{"name":"","secretName":"5ecret"}]`, ""},
			{`mutation($i: CreateUserInput!) { createUser(input: $i) { user { id } } }`, `{"username":"new","password":"5ecret-and-long"}`, ""},
			{`mutation($i: CreateUserInput!) { createUser(input: $i) { user { id } } }`, `{"username":"ada","password":"5ecret-and-long"}`, "CONFLICT"},
			{`mutation($i: CreateUserInput!) { createUser(input: $i) { user { id } } }`, `{"username":"short","password":"5ecret"}`, badInput},
			{`mutation($i: CreateUserInput!) { createUser(input: $i) { user { id } } }`, `{"username":"long","password":"` + strings.Repeat("5ecret", 30) + `"}`, badInput},
			{`mutation($i: CreateUserInput!) { createUser(input: $i) { user { id } } }`, `{"username":"poison","password":"5ecret-and-long","email":"5ecret-mail@x.org"}`, "*"},
			{`mutation($i: UpdateUserInput!) { updateUser(id: "@user1", input: $i) { user { id } } }`, `{"username":"poison","password":"5ecret-and-long"}`, "*"},
			{`mutation($i: UpdateUserInput!) { updateUser(id: "@user3", input: $i) { user { id } } }`, `{"username":"x"}`, "NOT_FOUND"},
			{`mutation($i: ID!) { deleteUser(id: $i) { deletedId } }`, `"@user3"`, "NOT_FOUND"},
			{`query($i: UserWhereInput) { users(where: $i) { nodes { id } } }`, `{"email":"5ecret-key-0@x.org\u0000"}`, badInput},
			{`query($i: UserWhereInput) { users(where: $i) { nodes { id } } }`, `{"hashedPassword":"5ecret"}`, badInput},
			{`query($i: [UserOrder!]) { users(orderBy: $i) { nodes { id } } }`, `{"field":"DELETED_AT"}`, badInput},
		} {
			query := withIDs(m.query, nil)
			if strings.Contains(query, "...all") {
				query += " fragment all on Hero { " + selection(schema, schema.Types["Hero"], 2) + " }"
			}
			got := a.Do(query, vars{"i": json.RawMessage(withIDs(m.vars, nil))})
			if code := got.Code(); code != m.want && (m.want != "*" || code == "") {
				t.Errorf("%s with %s: code %q, want %q: %s", m.query, m.vars, code, m.want, got)
			}
			mustNotShow(m.query+" with "+m.vars, got.Body)
		}
		// The database fails in the middle of things.
		if _, err := a.db.Exec(`ALTER TABLE heroes RENAME COLUMN secret_name TO no_longer_there`); err != nil {
			t.Fatal(err)
		}
		for _, query := range []string{
			`mutation { createHero(input: {name: "x", secretName: "5ecret"}) { hero { id } } }`,
			`mutation { updateHero(id: "@hero1", input: {secretName: "5ecret"}) { hero { id } } }`,
		} {
			got := a.Do(withIDs(query, nil), nil)
			// PostgreSQL has a code for what is not there, SQLite only a text.
			if code := got.Code(); code != "INTERNAL" && code != "UNAVAILABLE" {
				t.Errorf("%s on a broken database: %s", query, got)
			}
			mustNotShow(query, got.Body)
			if text := got.Body; strings.Contains(text, "secret_name") || strings.Contains(text, "heroes") {
				t.Errorf("%s tells how things are stored: %s", query, text)
			}
		}
		if log.String() == "" {
			t.Error("nothing was logged: the search there shows nothing")
		}
		mustNotShow("the log", log.String())
	})
}

// poison makes the database refuse rows that are named "poison". PostgreSQL's error then contains
// the whole row.
func poison(t *testing.T, a *api) {
	t.Helper()
	statements := []string{
		`ALTER TABLE heroes ADD CONSTRAINT not_poison CHECK (name <> 'poison')`,
		`ALTER TABLE users ADD CONSTRAINT not_poison CHECK (username <> 'poison')`,
	}
	if a.db.Dialect != "postgres" {
		statements = nil
		for table, column := range map[string]string{"heroes": "name", "users": "username"} {
			for _, event := range []string{"INSERT", "UPDATE"} {
				statements = append(statements, fmt.Sprintf(`CREATE TRIGGER poison_%[1]s_%[3]s BEFORE %[3]s ON %[1]s WHEN NEW.%[2]s = 'poison' BEGIN SELECT RAISE(ABORT, 'poison'); END`, table, column, event))
			}
		}
	}
	for _, statement := range statements {
		if _, err := a.db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
}

// everything returns queries that together ask for every field, from every root field, and for the
// changes after a cursor.
func everything(schema *ast.Schema, cursor string) (queries []string) {
	for _, f := range schema.Query.Fields {
		if strings.HasPrefix(f.Name, "__") {
			continue
		}
		sub := ""
		if def := schema.Types[f.Type.Name()]; !def.IsLeafType() {
			sub = " { " + selection(schema, def, 4) + " }"
		}
		name := strings.ToLower(f.Type.Name())
		switch {
		case f.Name == "node":
			for _, possible := range []string{"user", "team", "hero", "product", "order", "item"} {
				queries = append(queries, `{ node(id: "@`+possible+`1")`+sub+` }`)
			}
		case f.Name == "nodes":
			queries = append(queries, `{ nodes(ids: ["@user1", "@user2", "@user3", "@hero3", "@order2", "@team1", "@item1", "@product1"])`+sub+` }`)
		case f.Name == "changes":
			queries = append(queries, `{ changes(after: "`+cursor+`", first: 1000)`+sub+` }`)
		case f.Name == "search":
			queries = append(queries, `{ search(text: "a")`+sub+` }`)
		case f.Arguments.ForName("id") != nil:
			queries = append(queries, `{ `+f.Name+`(id: "@`+name+`1")`+sub+` }`, `{ `+f.Name+`(id: "@`+name+`3")`+sub+` }`)
		case f.Arguments.ForName("orderBy") != nil:
			queries = append(queries, `{ `+f.Name+sub+` }`)
			order := schema.Types[f.Arguments.ForName("orderBy").Type.Name()]
			for _, v := range schema.Types[order.Fields.ForName("field").Type.Name()].EnumValues {
				search := ""
				if v.Name == "RELEVANCE" {
					search = `search: "a", `
					queries = append(queries, `{ `+f.Name+`(search: "5ecret") { totalCount edges { cursor node { __typename } } } }`)
				}
				queries = append(queries, `{ `+f.Name+`(`+search+`orderBy: [{field: `+v.Name+`}]) { edges { cursor } pageInfo { startCursor endCursor } } }`)
			}
		default:
			queries = append(queries, `{ `+f.Name+sub+` }`)
		}
	}
	return append(queries, `{ __schema { types { name description fields { name description args { name description } } inputFields { name description } enumValues { name description } } } }`)
}

// selection returns a selection of every field of a type, down to a depth.
func selection(schema *ast.Schema, def *ast.Definition, depth int) string {
	var b strings.Builder
	b.WriteString("__typename ")
	if def.IsAbstractType() {
		for _, possible := range schema.GetPossibleTypes(def) {
			b.WriteString("... on " + possible.Name + " { " + selection(schema, possible, depth-1) + "} ")
		}
		return b.String()
	}
	for _, f := range def.Fields {
		to := schema.Types[f.Type.Name()]
		switch {
		case strings.HasPrefix(f.Name, "__"):
		case f.Name == "version": // whose type is not the same everywhere
			b.WriteString("versionOf" + def.Name + ": version ")
		case to.IsLeafType():
			b.WriteString(f.Name + required(schema, f) + " ")
		case depth > 0:
			below := depth
			if !strings.HasSuffix(to.Name, "Edge") && to.Name != "PageInfo" {
				below--
			}
			b.WriteString(f.Name + required(schema, f) + " { " + selection(schema, to, below) + "} ")
		}
	}
	return b.String()
}

// required returns values for the arguments that a field must have: those of aggregates and groups,
// which are formed by all that they can be formed by.
func required(schema *ast.Schema, f *ast.FieldDefinition) string {
	switch {
	case f.Name == "groups":
		by := schema.Types[f.Arguments.ForName("by").Type.Name()]
		values := schema.Types[by.Fields.ForName("field").Type.Name()].EnumValues
		var list []string
		for _, v := range values {
			if values.ForName(v.Name+"_ID") == nil { // else it is the edge, and the other its key
				list = append(list, "{field: "+v.Name+"}")
			}
		}
		return "(by: [" + strings.Join(list, ", ") + "])"
	case f.Arguments.ForName("field") != nil:
		return "(field: " + schema.Types[f.Arguments.ForName("field").Type.Name()].EnumValues[0].Name + ")"
	}
	return ""
}
