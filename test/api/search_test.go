package api_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"

	"forge/internal/unit"
	"forge/test/dbtest"
)

// named creates heroes with these names, and returns their IDs.
func (a *api) named(names ...string) (ids []string) {
	a.t.Helper()
	inputs := make([]vars, len(names))
	for i, name := range names {
		inputs[i] = vars{"name": name}
	}
	got := a.Must(`mutation($input: [CreateHeroInput!]!) { createHeroes(input: $input) { heroes { id } } }`, vars{"input": inputs})
	for i := range names {
		ids = append(ids, got.Text(fmt.Sprintf("createHeroes.heroes.%d.id", i)))
	}
	return ids
}

// found returns the names of the heroes that a search finds, in the order of an argument orderBy.
func (a *api) found(text string, order ...vars) string {
	a.t.Helper()
	got := a.Must(`query($search: String, $order: [HeroOrder!]) { heroes(first: 100, search: $search, orderBy: $order) { totalCount nodes { name } } }`,
		vars{"search": text, "order": order})
	var names []string
	for i := range got.Len("heroes.nodes") {
		names = append(names, got.Text(fmt.Sprintf("heroes.nodes.%d.name", i)))
	}
	if got.Number("heroes.totalCount") != len(names) {
		a.t.Errorf("%q: a totalCount of %d, and %q", text, got.Number("heroes.totalCount"), names)
	}
	return strings.Join(names, "|")
}

func TestSearch(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		a.named("Doctor Hammer", "Dr. Hammerhead-Doc", "hamdoc", "Jean-Luc O'Neil", "agent 007", "a.b@c.example", "Crème Brûlée", "cre\u0300me",
			"Straße", "Σίσυφος", "ΣΊΣΥΦΟΣ", "Ёж", "еж", "Iğdır", "東京タワー", "タワー", "हिन्दी", "a & b ! c", `"quoted" * NEAR(x)`)
		for text, want := range map[string]string{
			"ham doc": "Doctor Hammer|Dr. Hammerhead-Doc", "DOC   hAM": "Doctor Hammer|Dr. Hammerhead-Doc", "doc, ham!": "Doctor Hammer|Dr. Hammerhead-Doc",
			"hammer": "Doctor Hammer|Dr. Hammerhead-Doc", "ham": "Doctor Hammer|Dr. Hammerhead-Doc|hamdoc", "ammer": "", "ham ham": "Doctor Hammer|Dr. Hammerhead-Doc|hamdoc",
			"doc ham doctor": "Doctor Hammer", "doc zz": "",
			"jean-l": "Jean-Luc O'Neil", "luc jean": "Jean-Luc O'Neil", "oneil": "", "o'neil": "Jean-Luc O'Neil",
			"00": "agent 007", "7": "", "a.b@c": "a.b@c.example|a & b ! c", "example": "a.b@c.example",
			"creme": "Crème Brûlée|cre\u0300me", "CRÈM": "Crème Brûlée|cre\u0300me", "cre\u0300 BRU": "Crème Brûlée",
			"straße": "Straße", "STRASSE": "", "σίσυφος": "Σίσυφος|ΣΊΣΥΦΟΣ", "Σι\u0301συφοσ": "Σίσυφος|ΣΊΣΥΦΟΣ", "σισυφος": "",
			"ё": "Ёж", "Ежи": "", "ЕЖ": "еж", "iğd": "Iğdır", "igdir": "", "IGDıR": "Iğdır",
			"東京": "東京タワー", "タワー": "タワー", "हिन्": "हिन्दी",
			"a & b": "a.b@c.example|a & b ! c", "!c": "a.b@c.example|Crème Brûlée|cre\u0300me|a & b ! c", `"quoted"`: `"quoted" * NEAR(x)`, "near(x quo": `"quoted" * NEAR(x)`,
			`ham" OR "a`: "", "ham':* | 'a": "", "ham\\": "Doctor Hammer|Dr. Hammerhead-Doc|hamdoc", "name:ham": "", "-ham": "Doctor Hammer|Dr. Hammerhead-Doc|hamdoc", "ham$1?": "",
			"ham OR a": "", "^ham": "Doctor Hammer|Dr. Hammerhead-Doc|hamdoc",
		} {
			if got := a.found(text); got != want {
				t.Errorf("%q finds %q; want %q", text, got, want)
			}
		}
		if got := a.Must(`{ heroes(search: null) { totalCount } }`, nil).Number("heroes.totalCount"); got != 19 {
			t.Errorf("without a text, a search finds %d", got)
		}
	})
}

func TestSearchRefusesTexts(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		a.named("Sam")
		for _, text := range []string{"", " \t\n", "&|!", "*", `"`, "':*", "\u0301", "\x00", "'':*", "\u200b", "\ufffd", "\xff",
			strings.Repeat("a", 257), "a b c d e f g h i j k", strings.Repeat("word ", 10_000), strings.Repeat("'", 10_000)} {
			got := a.WantCode(badInput, `query($search: String) { heroes(search: $search) { totalCount } }`, vars{"search": text})
			if got.Errors[0].Extensions["field"] != "search" || !strings.Contains(got.Errors[0].Message, "search") {
				t.Errorf("%q: %s", text, got)
			}
		}
		got := a.WantCode(badInput, `{ heroes(orderBy: [{field: NAME}, {field: RELEVANCE}]) { totalCount } }`, nil)
		if got.Errors[0].Extensions["field"] != "orderBy.1.field" {
			t.Errorf("an order by relevance without a search: %s", got)
		}
		a.WantCode(badInput, `{ heroes(search: null, orderBy: [{field: RELEVANCE}]) { totalCount } }`, nil)
		a.WantCode(badInput, `query($none: String) { heroes(search: $none, orderBy: [{field: RELEVANCE}]) { totalCount } }`, nil)
	})
}

// TestSearchFollowsChanges changes rows in each way in which they can be changed, also past Forge.
func TestSearchFollowsChanges(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		want := func(text, want string) {
			t.Helper()
			if got := a.found(text); got != want {
				t.Errorf("%q finds %q; want %q", text, got, want)
			}
		}
		exec := func(statement string) {
			t.Helper()
			if _, err := a.db.ExecContext(t.Context(), statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
		id := a.named("Doctor Hammer", "Captain Nail")[0]
		a.Must(`mutation($id: ID!) { updateHero(id: $id, input: {name: "Doctor Anvil"}) { hero { id } } }`, vars{"id": id})
		want("hammer", "")
		want("anvil doc", "Doctor Anvil")
		exec("UPDATE heroes SET name = 'Doctor Screw' WHERE name = 'Doctor Anvil'")
		want("anvil", "")
		want("scr", "Doctor Screw")

		u := unit.New(a.db, unit.Write)
		for _, statement := range []string{"UPDATE heroes SET name = 'Nobody' WHERE name = 'Doctor Screw'", "DELETE FROM heroes WHERE name = 'Captain Nail'"} {
			if _, err := u.Exec(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		u.Rollback()
		want("nobody", "")
		want("doc", "Doctor Screw")
		want("nail", "Captain Nail")

		exec("VACUUM")
		want("doc", "Doctor Screw")
		want("nail", "Captain Nail")
		if a.db.Dialect == dialect.SQLite {
			exec("REPLACE INTO heroes (id, name, version, created_at, updated_at) SELECT id, 'Captain Rivet', 1, created_at, updated_at FROM heroes WHERE name = 'Captain Nail'")
			want("nail", "")
			want("captain", "Captain Rivet")
		}
		a.Must(`mutation($id: ID!) { deleteHero(id: $id) { deletedId } }`, vars{"id": id})
		want("doc", "")
		exec("DELETE FROM heroes")
		want("captain", "")
	})
}

func TestSearchBesideOtherArguments(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		m := a.make() // with Sam of The Watch
		other := a.mustCall("createTeam", vars{"input": vars{"name": "Yard of Sams"}}).Text("createTeam.team.id")
		for _, team := range []string{m.team, m.team, other} {
			a.mustCall("createHero", vars{"input": vars{"name": "Samuel Yard", "teamId": team, "age": 20, "ownerId": m.user}})
		}
		got := a.WantStatements(map[string]int{dialect.Postgres: 1, dialect.SQLite: 6}[a.db.Dialect], `{
			teams(search: "yar") { totalCount nodes { name heroes(search: "sam", where: {ageGTE: 20}, first: 1) { totalCount nodes { name } pageInfo { hasNextPage } } } }
			users(search: "AD") { nodes { username heroes(search: "yard sam") { totalCount } } }
		}`, nil)
		if got.RawData() != `{"teams":{"totalCount":2,"nodes":[`+
			`{"name":"The Watch","heroes":{"totalCount":3,"nodes":[{"name":"Sam"}],"pageInfo":{"hasNextPage":true}}},`+
			`{"name":"Yard of Sams","heroes":{"totalCount":1,"nodes":[{"name":"Samuel Yard"}],"pageInfo":{"hasNextPage":false}}}]},`+
			`"users":{"nodes":[{"username":"ada","heroes":{"totalCount":3}}]}}` {
			t.Error(got)
		}
		got = a.WantStatements(map[string]int{dialect.Postgres: 1, dialect.SQLite: 6}[a.db.Dialect], `{
			heroes(search: "sam yard", first: 1, where: {ageLT: 45}) {
				aggregate { count sum { age } } groups(by: [{field: TEAM}]) { key { team { name } } aggregate { count } } }
			teams { nodes { heroes(search: "sam", first: 1) { aggregate { count max { age } } groups(by: [{field: AGE}]) { key { age } aggregate { count } } } } }
		}`, nil)
		if got.RawData() != `{"heroes":{"aggregate":{"count":3,"sum":{"age":"60"}},"groups":[`+
			`{"key":{"team":{"name":"The Watch"}},"aggregate":{"count":2}},{"key":{"team":{"name":"Yard of Sams"}},"aggregate":{"count":1}}]},`+
			`"teams":{"nodes":[`+
			`{"heroes":{"aggregate":{"count":3,"max":{"age":45}},"groups":[{"key":{"age":20},"aggregate":{"count":2}},{"key":{"age":45},"aggregate":{"count":1}}]}},`+
			`{"heroes":{"aggregate":{"count":1,"max":{"age":20}},"groups":[{"key":{"age":20},"aggregate":{"count":1}}]}}]}}` {
			t.Error(got)
		}
		a.Must(`mutation($id: ID!) { deleteUser(id: $id) { deletedId } }`, vars{"id": m.user})
		if got := a.Must(`{ users(search: "ada") { totalCount nodes { id } } products(search: "boot 8") { totalCount } }`, nil); got.RawData() !=
			`{"users":{"totalCount":0,"nodes":[]},"products":{"totalCount":1}}` {
			t.Errorf("a search finds who was deleted: %s", got)
		}
	})
}

func TestSearchByRelevance(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		a.named("redhat", "red hats", "hat red red", "Reds and hat", "the Red, the Hat", "hatred")
		order := vars{"field": "RELEVANCE"}
		for _, tt := range []struct {
			search, want string
			order        []vars
		}{
			{"red hat", "hat red red|the Red, the Hat|red hats|Reds and hat", []vars{order}},
			{"red hat", "the Red, the Hat|hat red red|Reds and hat|red hats", []vars{{"field": "RELEVANCE", "direction": "DESC"}}},
			{"red hat", "hat red red|the Red, the Hat|Reds and hat|red hats", []vars{order, {"field": "NAME"}}},
			{"re", "redhat|red hats|hat red red|Reds and hat|the Red, the Hat", []vars{order}},
		} {
			if got := a.found(tt.search, tt.order...); got != tt.want {
				t.Errorf("%q by %v: %q; want %q", tt.search, tt.order, got, tt.want)
			}
			var names []string
			after := vars{"search": tt.search, "order": tt.order}
			for more := true; more; {
				page := a.Must(`query($search: String, $order: [HeroOrder!], $after: Cursor) {
					heroes(first: 1, after: $after, search: $search, orderBy: $order) { nodes { name } pageInfo { endCursor hasNextPage } } }`, after)
				names = append(names, page.Text("heroes.nodes.0.name"))
				after["after"], more = page.Text("heroes.pageInfo.endCursor"), page.At("heroes.pageInfo.hasNextPage") == true
			}
			if walked := strings.Join(names, "|"); walked != tt.want {
				t.Errorf("%q by %v, page by page: %q", tt.search, tt.order, walked)
			}
		}
		back := a.Must(`{ heroes(last: 2, search: "red hat", orderBy: {field: RELEVANCE}) { nodes { name } } }`, nil)
		if back.Text("heroes.nodes.0.name")+"|"+back.Text("heroes.nodes.1.name") != "red hats|Reds and hat" {
			t.Errorf("the last two: %s", back)
		}
	})
}

// TestSearchPlans has PostgreSQL plan searches of a million rows: by the index of words, not by
// reading the table in the order of the page.
func TestSearchPlans(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.Postgres(t))
	a.named("Doctor Hammer", "Captain Nail")
	p := &planner{api: a}
	p.pretend(t)
	statements := map[string]bool{}
	a.db.Watch = func(_ context.Context, statement string, _ time.Duration, _ error) { statements[statement] = true }
	for _, query := range []string{
		`{ heroes(search: "ham") { nodes { id } } }`,
		`{ heroes(search: "other words") { nodes { id } } }`,
		`{ heroes(search: "ham", first: 20, orderBy: {field: NAME}) { nodes { id } } }`,
		`{ heroes(search: "ham", orderBy: {field: RELEVANCE}) { totalCount nodes { id } } }`,
	} {
		a.Must(query, nil)
	}
	if len(statements) != 3 {
		t.Errorf("the texts of searches depend on their words: %v", statements)
	}
	for s := range statements {
		if plan := p.explain(t, s); !strings.Contains(plan, "forge_search_heroes_") || strings.Contains(plan, "Seq Scan") {
			t.Errorf("%s\n%s", s, plan)
		}
	}
}
