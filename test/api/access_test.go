package api_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/ent"
	"forge/graph"
	"forge/graph/generated"
	"forge/internal/entity"
	"forge/internal/gqlexec"
	"forge/internal/ids"
	"forge/internal/read/binding"
	"forge/internal/viewer"
	"forge/internal/webhook"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// TestAccessDeclared lists the parts of the schema for which nothing says who may see or call them.
// Such a part is closed to everybody.
func TestAccessDeclared(t *testing.T) {
	t.Parallel()
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	known := map[string]*entity.Entity{}
	for _, e := range ent.Entities {
		known[e.Name] = e
		if !e.Ruled {
			t.Errorf("%s has no policy: nothing says who may see and change its rows", e.Name)
		}
	}
	declared := slices.Collect(maps.Keys(new(graph.Resolver).API().Access))
	for _, root := range []*ast.Definition{schema.Query, schema.Mutation, schema.Subscription} {
		for _, f := range root.Fields {
			at := root.Name + "." + f.Name
			if !strings.HasPrefix(f.Name, "__") && !slices.Contains(declared, at) {
				t.Errorf("%s is not in graph/access.go: nothing says who may call it", at)
			}
			declared = slices.DeleteFunc(declared, func(name string) bool { return name == at })
		}
	}
	if len(declared) > 0 {
		t.Errorf("graph/access.go has root fields that the schema does not: %v", declared)
	}
	for name, def := range schema.Types {
		switch e := known[name]; {
		case def.Kind != ast.Object || def.BuiltIn || strings.HasPrefix(name, "__") || def == schema.Query || def == schema.Mutation || def == schema.Subscription:
		case e == nil:
			if !made(name) {
				t.Errorf("type %s is neither an entity nor a part of a page, an aggregate or a payload: nothing says who may see it", name)
			}
		default:
			for _, f := range def.Fields {
				if e.Visible[f.Name] == entity.ToNobody {
					t.Errorf("%s.%s is shown to nobody: ent/schema has to say who may see it", name, f.Name)
				}
			}
		}
	}
}

// made reports whether a type is a part of pages or of changes, or the result of a mutation or a
// search. It then needs no rules of its own, because what it holds has some.
func made(name string) bool {
	parts := []string{"PageInfo", "CreateHeroesError", "SearchHit", "WebhookEndpoint", "SecondFactor", "Passkey", "AuthProvider", "Identity",
		"FileUpload", "FileUploadHeader", "Sessions", "UserSession", "SignInLog", "SignInLogEntry",
		"Server", "ServerHealth", "ConnectionPool", "ReplicaHealth", "ServerMigrations", "AppliedMigration", "DatabaseActivity", "DatabaseSession",
		"OperationTimes", "Refusals", "ServerMails", "GivenUpMail"}
	return slices.Contains(parts, name) ||
		slices.ContainsFunc([]string{"Connection", "Edge", "Payload", "Aggregate", "Sum", "Average", "Extremes", "Group", "GroupKey", "Changes", "Change"}, func(end string) bool { return strings.HasSuffix(name, end) })
}

// TestAccessClosed asks for fields for which no access is declared.
func TestAccessClosed(t *testing.T) {
	a := newAPI(t, dbtest.SQLite(t))
	s := a.scene("")
	cfg := usual()
	cfg.adapt = func(app *gqlexec.API) {
		for _, field := range []string{"Mutation.createTeam", "Query.viewer", "Query.teams", "Query.hero", "Query.nodes"} {
			delete(app.Access, field)
		}
	}
	a.configure(cfg)
	for query, mayBeNull := range map[string]bool{
		`mutation { createTeam(input: {name: "closed"}) { team { id } } }`: false,
		`{ viewer { id } }`:                             true,
		`{ teams { totalCount } }`:                      false,
		`{ hero(id: "` + s.id("hero") + `") { name } }`: true,
		`{ users { totalCount } ...f } fragment f on Query { all: teams { nodes { name } } }`: false,
		`{ nodes(ids: ["` + s.id("hero") + `"]) { id } }`:                                     false,
	} {
		if got := a.Do(query, nil); got.Code() != "FORBIDDEN" || strings.Contains(got.Body, `"name":`) || (got.Data != nil) != mayBeNull {
			t.Errorf("%s: %s; data is null: %t", query, got, !mayBeNull)
		}
	}
	cfg.adapt = func(app *gqlexec.API) { app.Access["Query.products"] = gqlexec.Access{Role: viewer.Admin} }
	a.configure(cfg)
	for who, want := range map[viewer.Viewer]string{{}: "UNAUTHENTICATED", {ID: s.key("owner"), Role: viewer.User}: "FORBIDDEN", viewer.System: ""} {
		if got := a.as(who).Do(`{ products { totalCount } }`, nil); got.Code() != want {
			t.Errorf("what is for administrators, as %v: %s, want %q", who, got, want)
		}
	}
	cfg.adapt = func(app *gqlexec.API) {
		app.Entities = slices.Clone(app.Entities)
		i := slices.IndexFunc(app.Entities, func(e *entity.Entity) bool { return e.Name == "User" })
		user := *app.Entities[i]
		user.Visible = maps.Clone(user.Visible)
		delete(user.Visible, "createdAt")
		app.Entities[i] = &user
	}
	a.configure(cfg)
	got := a.Do(`query($id: ID!) { user(id: $id) { id createdAt } }`, vars{"id": s.id("owner")})
	if got.Code() != "FORBIDDEN" || strings.Contains(got.Body, `"createdAt":"`) {
		t.Errorf("a field of which nobody says who may see it: %s", got)
	}
}

// scene is what each row of the matrix is tried on: a user, what belongs to the user, and others.
type scene struct {
	api  *api
	ids  map[string]string
	name string
}

// scene stores a scene. The names in it end in name.
func (a *api) scene(name string) *scene {
	a.t.Helper()
	s := &scene{a, map[string]string{"start": a.Must(`{ changeCursor }`, nil).Text("changeCursor")}, name}
	for _, who := range []string{"owner", "other", "admin"} {
		s.ids[who] = a.mustCall("createUser", vars{"input": vars{"username": who + name, "email": who + name + "@forge.example"}}).Text("createUser.user.id")
	}
	s.ids["team"] = a.mustCall("createTeam", vars{"input": vars{"name": "team" + name}}).Text("createTeam.team.id")
	s.ids["hero"] = a.mustCall("createHero", vars{"input": vars{"name": "hero" + name, "ownerId": s.ids["owner"]}}).Text("createHero.hero.id")
	s.ids["product"] = a.product("product"+name, 100, 10)
	s.ids["unsold"] = a.product("unsold"+name, 100, 10)
	s.ids["order"] = a.mustCall("createOrder", orderOf(s.ids["owner"], orderLine{s.ids["product"], 1})).Text("createOrder.order.id")
	s.ids["item"] = a.Must(`query($id: ID!) { order(id: $id) { items { id } } }`, vars{"id": s.ids["order"]}).Text("order.items.0.id")
	if a.hooks != nil {
		s.ids["webhook"] = a.Must(createWebhook, vars{"url": "https://forge.example/", "document": hookDocument}).Text("createWebhook.webhook.id")
	}
	a.tick()
	return s
}

func (s *scene) id(name string) string { return s.ids[name] }

// viewers are the columns of the matrix.
var viewers = []string{"anonymous", "owner", "other", "admin"}

// viewer returns the viewer of a column.
func (s *scene) viewer(name string) viewer.Viewer {
	switch name {
	case "anonymous":
		return viewer.Viewer{}
	case "admin":
		return viewer.Viewer{ID: s.key(name), Role: viewer.Admin}
	}
	return viewer.Viewer{ID: s.key(name), Role: viewer.User}
}

func (s *scene) key(name string) uuid.UUID {
	id, err := ids.Parse(s.ids[name])
	if err != nil {
		s.api.t.Fatal(err)
	}
	return id.UUID
}

// filled returns text with the scene's IDs in place of $owner, $hero and so on, and the scene's
// name in place of $name. The ID of an entity that the scene has no row of is that of no row.
func (s *scene) filled(text string) string {
	for _, e := range ent.Entities {
		if s.ids[e.Prefix] == "" {
			text = strings.ReplaceAll(text, "$"+strings.ToLower(e.Name), idOfNone(e))
		}
	}
	for name, id := range s.ids {
		text = strings.ReplaceAll(text, "$"+name, `"`+id+`"`)
	}
	return strings.ReplaceAll(text, "$NAME", s.name)
}

// attempts are the rows of the matrix for mutations. Each has a root field, its arguments, and what
// is special about them.
var attempts = []struct{ field, arguments, about string }{
	{"createUser", `input: {username: "new$NAME"}`, ""},
	{"updateUser", `id: $owner, input: {email: "new$NAME@forge.example"}`, ""},
	{"updateUser", `id: $owner, input: {isActive: false}`, "isActive"},
	{"updateUser", `id: $owner, input: {password: "a long password$NAME"}`, "password"},
	{"updateUser", `id: $owner, input: {username: "admin$NAME"}`, "username: the admin's"},
	{"updateUser", `id: $owner, input: {username: "new$NAME"}, expectedVersion: 7`, "another version"},
	{"deleteUser", `id: $owner`, ""},
	{"restoreUser", `id: $owner`, "who is not deleted"},
	{"createUpload", `input: {name: "a.png", contentType: "image/png", size: 1}`, ""},
	{"removeFactors", `userId: $owner`, ""},
	{"createWebhook", `input: {url: "https://forge.example/", document: "subscription { changes { cursor } }"}`, ""},
	{"updateWebhook", `id: $webhook, input: {rotateSecret: true}`, ""},
	{"deleteWebhook", `id: $webhook`, ""},
	{"replayWebhook", `id: $webhook`, ""},
	{"createTeam", `input: {name: "new$NAME"}`, ""},
	{"createTeam", `input: {name: "new$NAME", heroes: {create: [{name: "new"}], connect: [$hero]}}`, "with heroes"},
	{"createTeam", `input: {name: "new$NAME"}, onConflict: {on: NAME, do: UPDATE}`, "onConflict"},
	{"updateTeam", `id: $team, input: {name: "new$NAME"}`, ""},
	{"updateTeam", `id: $team, input: {heroes: {set: [$hero]}}`, "with the hero"},
	{"deleteTeam", `id: $team`, ""},
	{"createHero", `input: {name: "new"}`, ""},
	{"createHero", `input: {name: "new", ownerId: $owner}`, "ownerId: the owner"},
	{"createHero", `input: {name: "new", team: {connect: $team}}`, "with the team"},
	{"createHero", `input: {name: "new", team: {create: {name: "new$NAME"}}}`, "with a new team"},
	{"createHeroes", `input: [{name: "new", ownerId: $owner}, {name: "new"}], onError: ABORT`, "ownerId: the owner"},
	{"createHeroes", `input: [{name: "new", ownerId: $owner}, {name: "new"}], onError: SKIP`, "the same, SKIP"},
	{"updateHero", `id: $hero, input: {name: "new"}`, ""},
	{"updateHero", `id: $hero, input: {ownerId: $other}`, "ownerId: the other"},
	{"updateHero", `id: $hero, input: {ownerId: null}`, "ownerId: null"},
	{"updateHero", `id: $hero, input: {name: "new"}, expectedVersion: 7`, "another version"},
	{"updateHero", `id: $hero, input: {}`, "nothing"},
	{"updateHeroes", `where: {id: $hero}, input: {age: 7}`, ""},
	{"deleteHero", `id: $hero`, ""},
	{"deleteHeroes", `where: {id: $hero}`, ""},
	{"createProduct", `input: {sku: "new$NAME", name: "new", priceCents: 1}`, ""},
	{"updateProduct", `id: $product, input: {priceCents: 1}`, ""},
	{"deleteProduct", `id: $unsold`, ""},
	{"deleteProduct", `id: $product`, "that was ordered"},
	{"adjustStock", `productId: $product, delta: 1`, ""},
	{"createOrder", `input: {userId: $owner, items: [{productId: $product, quantity: 1}]}`, "userId: the owner"},
	{"createOrder", `input: {userId: $owner, items: [{productId: $product, quantity: 1000000}]}`, "the same, too many"},
	{"createOrder", `input: {items: [{productId: $product, quantity: 1}]}`, "without userId"},
	{"payOrder", `id: $order`, ""},
	{"cancelOrder", `id: $order`, ""},
	{"cancelOrder", `id: $order, expectedVersion: 7`, "another version"},
}

const accessPage = "../../docs/access.md"

// TestAccess tries every root field as every viewer on both databases, and compares the results
// with docs/access.md. With UPDATE_PAGES=1 it writes the page.
func TestAccess(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		m := matrix{api: newUndelivered(t, url, webhook.Options{}), schema: generated.NewExecutableSchema(generated.Config{}).Schema()}
		page := m.page()
		if os.Getenv("UPDATE_PAGES") != "" {
			if err := os.WriteFile(accessPage, []byte(page), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		known, err := os.ReadFile(accessPage)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Split(string(known), "\n")
		for i, line := range strings.Split(page, "\n") {
			if i >= len(want) || line != want[i] {
				t.Fatalf("line %d of docs/access.md is not what happens:\n%s\nUPDATE_PAGES=1 go test ./test/api -run TestAccess writes the page", i+1, line)
			}
		}
	})
}

// matrix makes the page.
type matrix struct {
	api    *api
	schema *ast.Schema
}

func (m matrix) page() string {
	b := new(strings.Builder)
	b.WriteString("<!-- Generated: UPDATE_PAGES=1 go test ./test/api -run TestAccess -->\n" +
		"# Who may do what\n\nEvery root field, tried by everybody. The *owner* is a user, and the objects asked for are theirs: " +
		"their account, hero, order and its item. The *other* is another user. " +
		"[test/rules/ACCESS.md](../test/rules/ACCESS.md) is such a page of an application with teams and roles.\n\n## Queries\n\n" +
		"Of what is there to be seen, what each sees: `null` is no object, `FORBIDDEN` are the fields that come as null with an error.\n\n")
	m.queries(b)
	b.WriteString("\n## Mutations\n\n`done`, or the code of the error; then which fields of the answer are `FORBIDDEN`.\n\n")
	m.mutations(b)
	b.WriteString("\n## Subscriptions\n\nHow many changes each is told of what the rows above are tried on, or the code of the error; of `live`, how many orders it shows.\n\n")
	m.subscriptions(b)
	return b.String()
}

// subscriptions begins each subscription where the scene began, whose changes come at once.
func (m matrix) subscriptions(b *strings.Builder) {
	header(b, "Subscription")
	s := m.api.scene("-s")
	m.api.caughtUp()
	for _, f := range m.schema.Subscription.Fields {
		if strings.HasPrefix(f.Name, "__") {
			continue
		}
		query, number := "(after: $start) { changes { id } }", func(got gqltest.Answer) int { return got.Len("x.changes") }
		if f.Name == binding.Live {
			query, number = " { orders(where: {id: $order}) { totalCount } }", func(got gqltest.Answer) int { return got.Number("x.orders.totalCount") }
		}
		row := []string{"`" + f.Name + "`"}
		for _, who := range viewers {
			got, err := m.api.subscribe(s.viewer(who), s.filled("subscription { x: "+f.Name+query+" }"), nil, "").next()
			if err != nil {
				m.api.t.Fatal(err)
			}
			row = append(row, cmp.Or(got.Code(), strconv.Itoa(number(got))))
		}
		fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
	}
}

func header(b *strings.Builder, first string) {
	fmt.Fprintf(b, "| %s | %s |\n|---|%s\n", first, strings.Join(viewers, " | "), strings.Repeat("---|", len(viewers)))
}

func (m matrix) queries(b *strings.Builder) {
	header(b, "Query")
	s := m.api.scene("")
	gone := m.api.mustCall("createUser", vars{"input": vars{"username": "gone"}}).Text("createUser.user.id")
	m.api.mustCall("deleteUser", vars{"id": gone})
	for _, f := range m.schema.Query.Fields {
		if strings.HasPrefix(f.Name, "__") {
			continue
		}
		for _, variant := range m.variants(f) {
			row := []string{strings.TrimSpace("`" + f.Name + "` " + variant.about)}
			for _, who := range viewers {
				answer := s.sent(who, s.filled("{ x: "+f.Name+variant.arguments+" }"))
				row = append(row, seen(answer))
			}
			fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
		}
	}
}

// variant is one set of arguments for a root field.
type variant struct{ arguments, about string }

func (m matrix) variants(f *ast.FieldDefinition) (all []variant) {
	name := f.Type.Name()
	switch {
	case f.Name == "node":
		for _, of := range []string{"user", "team", "hero", "product", "order", "item"} {
			id := strings.Replace(of, "user", "owner", 1)
			all = append(all, variant{fmt.Sprintf("(id: $%s) { ... on %s { %s } }", id, m.typeOf(of), m.leaves(m.typeOf(of))), "of " + article(of)})
		}
	case f.Name == "nodes":
		all = append(all, variant{"(ids: [$owner, $hero, $order, $item]) { id }", "of a user, a hero, an order, an item"})
	case strings.HasSuffix(name, "Connection"):
		of := strings.TrimSuffix(name, "Connection")
		all = append(all, variant{" { totalCount nodes { " + m.leaves(of) + " } }", ""})
		for _, condition := range []string{"email", "hasOrders"} {
			if m.schema.Types[of+"WhereInput"].Fields.ForName(condition) != nil {
				value := map[string]string{"email": `"owner@forge.example"`, "hasOrders": "true"}[condition]
				all = append(all, variant{fmt.Sprintf(" (where: {%s: %s}) { totalCount nodes { id } }", condition, value), "where " + condition})
			}
		}
		if f.Arguments.ForName("deleted") != nil {
			all = append(all, variant{"(deleted: true) { totalCount nodes { id } }", "that are deleted"})
		}
		for _, edge := range m.schema.Types[of].Fields {
			if m.schema.Types[edge.Type.Name()+"Edge"] == nil && strings.HasSuffix(edge.Type.Name(), "Connection") {
				all = append(all, variant{fmt.Sprintf("(where: {id: $%s}) { nodes { x: %s { totalCount nodes { id } } } }", whose(of), edge.Name),
					"with `" + edge.Name + "` below"})
			}
		}
	case f.Name == "changes":
		for _, of := range []string{"hero", "order"} {
			all = append(all, variant{fmt.Sprintf(`(after: $start, types: %s) { changes { id node { id } } }`, strings.ToUpper(of)), "of " + article(of)})
		}
	case f.Name == "search":
		all = append(all, variant{`(text: "h") { score hero { id } product { id } team { id } }`, ""})
	case f.Arguments.ForName("id") != nil:
		all = append(all, variant{fmt.Sprintf("(id: $%s) { %s }", whose(name), m.leaves(name)), ""})
	case m.schema.Types[name].IsLeafType():
		all = append(all, variant{"", ""})
	default:
		all = append(all, variant{" { " + m.leaves(name) + " }", ""})
	}
	return all
}

func article(of string) string {
	if strings.ContainsAny(of[:1], "aeio") {
		return "an " + of
	}
	return "a " + of
}

// whose returns the name that the scene's object of a type has in a scene.
func whose(name string) string { return strings.Replace(strings.ToLower(name), "user", "owner", 1) }

func (m matrix) typeOf(prefix string) string {
	for _, e := range ent.Entities {
		if e.Prefix == prefix {
			return e.Name
		}
	}
	m.api.t.Fatalf("no entity has the prefix %s", prefix)
	return ""
}

// leaves returns all fields of a type that have no selection of their own, and those whose objects
// code makes.
func (m matrix) leaves(name string) string {
	var names []string
	for _, f := range m.schema.Types[name].Fields {
		switch d := m.schema.Types[f.Type.Name()]; {
		case d.Kind == ast.Scalar || d.Kind == ast.Enum:
			names = append(names, f.Name)
		case d.Name == "Sessions" || d.Name == "SignInLog":
			names = append(names, f.Name+" { __typename }")
		}
	}
	return strings.Join(names, " ")
}

func (m matrix) mutations(b *strings.Builder) {
	header(b, "Mutation")
	// Mutations with credentials have tests of their own, because their results depend on passwords
	// and tokens, and not on the viewer's role.
	access := new(graph.Resolver).API().Access
	for _, f := range m.schema.Mutation.Fields {
		tried := false
		for n, try := range attempts {
			if try.field != f.Name {
				continue
			}
			tried = true
			row := []string{strings.TrimSpace("`" + f.Name + "` " + try.about)}
			for i, who := range viewers {
				s := m.api.scene(fmt.Sprintf("%dx%d", n, i))
				answer := s.sent(who, s.filled(fmt.Sprintf("mutation { x: %s(%s) { %s } }", f.Name, try.arguments, m.payload(f.Type.Name()))))
				row = append(row, done(answer))
			}
			fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
		}
		if !tried && !access["Mutation."+f.Name].Credentials && !slices.Contains(ofOneself, f.Name) {
			m.api.t.Errorf("the matrix does not try %s", f.Name)
		}
	}
}

// ofOneself are mutations that change something of the viewer alone. They have tests of their own.
var ofOneself = []string{"endSession", "endOtherSessions", "requestEmailVerification", "requestEmailChange", "unlinkProvider", "keepAccount"}

// payload returns a selection of all fields of a payload, one level deep.
func (m matrix) payload(name string) string {
	parts := []string{m.leaves(name)}
	for _, f := range m.schema.Types[name].Fields {
		if d := m.schema.Types[f.Type.Name()]; d.Kind == ast.Object {
			parts = append(parts, f.Name+" { "+m.leaves(d.Name)+" }")
		}
	}
	return strings.Join(parts, " ")
}

// sent sends an operation as the viewer, and returns the answer.
func (s *scene) sent(who, operation string) gqltest.Answer {
	return s.api.as(s.viewer(who)).Do(operation, nil)
}

// seen describes what the field x of a query showed.
func seen(a gqltest.Answer) string {
	if a.At("x") == nil {
		if code := a.Code(); strings.HasPrefix(code, "GRAPHQL_") {
			panic("the test asks with an operation that is not valid: " + a.Body) // no row for the page
		} else if code != "" {
			return code
		}
		return "null"
	}
	switch n := a.Number("x.totalCount"); {
	case a.Len("x.changes") >= 0:
		return fmt.Sprint(a.Len("x.changes"))
	case a.Len("x") >= 0:
		var there []string
		for i := range a.Len("x") {
			there = append(there, strings.Replace(fmt.Sprint(a.At(fmt.Sprintf("x.%d", i)) != nil), "false", "null", 1))
		}
		return strings.ReplaceAll(strings.Join(there, ", "), "true", "there")
	case a.Len("x.nodes") >= 0 && n < 0:
		if a.Len("x.nodes") == 0 {
			return "null"
		}
		return fmt.Sprintf("%d", a.Number("x.nodes.0.x.totalCount")) + hidden(a)
	case n >= 0:
		if n != a.Len("x.nodes") {
			return fmt.Sprintf("%d counted, %d shown", n, a.Len("x.nodes")) + hidden(a)
		}
		return fmt.Sprintf("%d", n) + hidden(a)
	}
	return "all" + hidden(a)
}

// done describes what the field x of a mutation did.
func done(a gqltest.Answer) string {
	if a.At("x") == nil {
		return a.Code()
	}
	var left []string
	for i := range max(0, a.Len("x.errors")) {
		left = append(left, fmt.Sprintf("; %d: %s", a.Number(fmt.Sprintf("x.errors.%d.index", i)), a.Text(fmt.Sprintf("x.errors.%d.code", i))))
	}
	return "done" + strings.Join(left, "") + hidden(a)
}

// hidden lists the fields that are null and have an error.
func hidden(a gqltest.Answer) string {
	count := map[string]int{}
	var names []string
	for _, err := range a.Errors {
		if err.Extensions["code"] != "FORBIDDEN" {
			return fmt.Sprint("; ", err.Extensions["code"])
		}
		name := fmt.Sprint(err.Path[len(err.Path)-1])
		if count[name]++; count[name] == 1 {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	for i, name := range names {
		if count[name] > 1 {
			names[i] = fmt.Sprintf("%s of %d", name, count[name])
		}
	}
	return "; FORBIDDEN: " + strings.Join(names, ", ")
}

// TestAccessFindings checks that a root field without an entry, and an entry without a root field,
// are told before the start.
func TestAccessFindings(t *testing.T) {
	t.Parallel()
	app := new(graph.Resolver).API()
	if err := app.Check(); err != nil {
		t.Fatal(err)
	}
	app.Access = maps.Clone(app.Access)
	delete(app.Access, "Query.node")
	app.Access["Query.nodez"] = gqlexec.Access{}
	err := app.Check()
	if err == nil || !strings.Contains(err.Error(), "Query.node: nothing says who may call it") || !strings.Contains(err.Error(), "Query.nodez: graph/access.go says who") {
		t.Errorf("got %v", err)
	}
}
