package api_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"

	"forge/internal/entity"
	"forge/internal/gqlexec"
	"forge/internal/ids"
	"forge/internal/viewer"
	"forge/test/dbtest"
)

// grouped is a query for groups, with what it selects of heroes, and what is answered.
type grouped struct{ name, arguments, selection, want string }

func TestGroups(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		a.withAges([]any{3, 4, 4}, []any{nil}, []any{4})
		a.Must(`mutation { createHero(input: {name: "alone", age: 3}) { hero { id } } }`, nil)
		for _, g := range []grouped{
			{"ties by key, null last", `by: [{field: AGE}]`, `key { age } aggregate { count }`,
				`[{"key":{"age":3},"aggregate":{"count":2}},{"key":{"age":4},"aggregate":{"count":3}},{"key":{"age":null},"aggregate":{"count":1}}]`},
			{"by an edge", `by: [{field: TEAM}], orderBy: [{field: COUNT, direction: DESC}]`, `key { team { name } } aggregate { count avg { age } }`,
				`[{"key":{"team":{"name":"team 0"}},"aggregate":{"count":3,"avg":{"age":3.6666666666666665}}},{"key":{"team":{"name":"team 1"}},"aggregate":{"count":1,"avg":{"age":null}}},` +
					`{"key":{"team":{"name":"team 2"}},"aggregate":{"count":1,"avg":{"age":4}}},{"key":{"team":null},"aggregate":{"count":1,"avg":{"age":3}}}]`},
			{"an edge that is read on", `by: [{field: TEAM_ID}], first: 1`, `key { team { name heroes(first: 1) { totalCount nodes { name } aggregate { max { age } } } } }`,
				`[{"key":{"team":{"name":"team 0","heroes":{"totalCount":3,"nodes":[{"name":"hero 0.0"}],"aggregate":{"max":{"age":4}}}}}}]`},
			{"key order descending", `by: [{field: AGE}, {field: TEAM}], first: 3, orderBy: [{field: AGE, direction: DESC}]`, `key { age team { name } }`,
				`[{"key":{"age":4,"team":{"name":"team 0"}}},{"key":{"age":4,"team":{"name":"team 2"}}},{"key":{"age":3,"team":{"name":"team 0"}}}]`},
			{"having", `by: [{field: TEAM}], having: {countGTE: 1, sumAgeGT: "3", avgAgeLT: 4, minAgeLTE: 3}`, `key { team { name } } aggregate { sum { age } }`,
				`[{"key":{"team":{"name":"team 0"}},"aggregate":{"sum":{"age":"11"}}}]`},
			{"having a number of different values", `by: [{field: AGE}], having: {countDistinctTeamIdGT: 1}`, `key { age }`, `[{"key":{"age":4}}]`},
			{"none", `by: [{field: AGE}], first: 0`, `key { age }`, `[]`},
			{"no condition at all", `by: [{field: AGE}], having: {}, orderBy: [], first: 1`, `__typename key { __typename } aggregate { __typename sum { __typename } }`,
				`[{"__typename":"HeroGroup","key":{"__typename":"HeroGroupKey"},"aggregate":{"__typename":"HeroAggregate","sum":{"__typename":"HeroSum"}}}]`},
		} {
			if g.want == "" {
				continue
			}
			got := a.Must(`{ heroes { groups(`+g.arguments+`) { `+g.selection+` } } }`, nil)
			if want := `{"heroes":{"groups":` + g.want + `}}`; got.RawData() != want {
				t.Errorf("%s:\n%s\nwant\n%s", g.name, got.RawData(), want)
			}
			if a.db.Dialect == dialect.Postgres && got.Statements() != 1 {
				t.Errorf("%s: %d statements", g.name, got.Statements())
			}
		}
		got := a.Must(`query($by: [HeroGroupBy!]!, $n: Int) { teams { nodes { name heroes { totalCount groups(by: $by, first: $n) { key { age owner { username } } aggregate { count } } } } } }`,
			vars{"by": []vars{{"field": "AGE"}, {"field": "OWNER"}}, "n": 1})
		if want := `{"teams":{"nodes":[{"name":"team 0","heroes":{"totalCount":3,"groups":[{"key":{"age":3,"owner":null},"aggregate":{"count":1}}]}},` +
			`{"name":"team 1","heroes":{"totalCount":1,"groups":[{"key":{"age":null,"owner":null},"aggregate":{"count":1}}]}},` +
			`{"name":"team 2","heroes":{"totalCount":1,"groups":[{"key":{"age":4,"owner":null},"aggregate":{"count":1}}]}}]}}`; got.RawData() != want {
			t.Errorf("nested:\n%s\nwant\n%s", got.RawData(), want)
		}
		want := 1
		if a.db.Dialect == dialect.SQLite {
			want = 4 // teams, totals, groups, owners
		}
		if got.Statements() > want {
			t.Errorf("nested groups take %d statements, want %d", got.Statements(), want)
		}
	})
}

// TestGroupsByTime cuts times where clocks change: in Berlin on 29 March 2026 at 01:00 UTC.
func TestGroupsByTime(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		for i, at := range []string{"2026-03-28T22:59:59.999999Z", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z"} {
			a.Must(`mutation($in: CreateHeroInput!) { createHero(input: $in) { hero { id } } }`, vars{"in": vars{"name": fmt.Sprint(i)}})
			a.exec(t, `UPDATE heroes SET created_at = '`+at+`' WHERE name = '`+fmt.Sprint(i)+`'`, at, fmt.Sprint(i))
		}
		const query = `{ heroes { groups(by: [{field: CREATED_AT, bucket: %s, timeZone: "Europe/Berlin"}]) { key { createdAt } aggregate { count } } } }`
		for bucket, want := range map[string]string{
			"DAY":     `2026-03-27T23:00:00Z 1, 2026-03-28T23:00:00Z 2, 2026-03-29T22:00:00Z 1`,
			"HOUR":    `2026-03-28T22:00:00Z 1, 2026-03-28T23:00:00Z 1, 2026-03-29T21:00:00Z 1, 2026-03-29T22:00:00Z 1`,
			"WEEK":    `2026-03-22T23:00:00Z 3, 2026-03-29T22:00:00Z 1`,
			"MONTH":   `2026-02-28T23:00:00Z 4`,
			"QUARTER": `2025-12-31T23:00:00Z 4`,
			"YEAR":    `2025-12-31T23:00:00Z 4`,
		} {
			got := a.Must(fmt.Sprintf(query, bucket), nil)
			var groups []string
			for i := range got.Len("heroes.groups") {
				at := fmt.Sprintf("heroes.groups.%d.", i)
				groups = append(groups, fmt.Sprintf("%s %d", got.Text(at+"key.createdAt"), got.Number(at+"aggregate.count")))
			}
			if got := strings.Join(groups, ", "); got != want {
				t.Errorf("by %s: %s, want %s", bucket, got, want)
			}
		}
	})
}

// exec sets a time of a row, in the form of the database.
func (a *api) exec(t *testing.T, _ string, at, name string) {
	t.Helper()
	statement := `UPDATE heroes SET created_at = $1::timestamptz WHERE name = $2`
	if a.db.Dialect == dialect.SQLite {
		statement = `UPDATE heroes SET created_at = CAST(strftime('%s', $1) AS INTEGER) * 1000000 + CAST(substr($1 || '', 21, 6) AS INTEGER) WHERE name = $2`
	}
	if _, err := a.db.ExecContext(t.Context(), statement, at, name); err != nil {
		t.Fatal(err)
	}
}

func TestGroupsRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		a.withAges([]any{3})
		nine := strings.Repeat("{field: AGE} ", 9)
		for _, bad := range []struct{ arguments, field, says string }{
			{`by: []`, "by", "from 1 to 8"},
			{`by: [` + nine + `]`, "by", "from 1 to 8"},
			{`by: [{field: AGE}, {field: AGE}]`, "by.1.field", "already"},
			{`by: [{field: TEAM}, {field: TEAM_ID}]`, "by.1.field", "same column"},
			{`by: [{field: AGE, bucket: DAY}]`, "by.0.bucket", "a Time or a Date"},
			{`by: [{field: CREATED_AT, timeZone: "UTC"}]`, "by.0.timeZone", "no"},
			{`by: [{field: AGE}], first: -1`, "first", "from 0 to 1000"},
			{`by: [{field: AGE}], first: 1001`, "first", "from 0 to 1000"},
			{`by: [{field: AGE}], having: {sumAgeGT: "x"}`, "having.sumAgeGT", "whole number"},
			{`by: [{field: AGE}], having: {sumAgeGT: "9223372036854775808"}`, "having.sumAgeGT", "whole number"},
			{`by: [{field: AGE}], orderBy: [{field: COUNT}, {field: NAME}]`, "orderBy.1.field", "add {field: NAME} to by"},
			{`by: [{field: AGE}], orderBy: [{field: AGE}, {field: COUNT, collation: "de"}]`, "orderBy.1.collation", "only texts can be ordered by a language"},
			{`by: [{field: NAME}], orderBy: [{field: NAME, collation: "de\" DESC --"}]`, "orderBy.0.collation", "is no language that texts can be ordered by"},
		} {
			a.refuses(t, a.Do(`{ heroes { groups(`+bad.arguments+`) { aggregate { count } } } }`, nil), "heroes.groups", bad.field, bad.says)
			a.refuses(t, a.Do(`{ teams { nodes { heroes { groups(`+bad.arguments+`) { aggregate { count } } } } } }`, nil), "teams.nodes.0.heroes.groups", bad.field, bad.says)
		}
		for _, zone := range []string{"", "Local", "CET", "EST", "europe/berlin", "Europe/Berlin2", "../etc/passwd", "/Europe/Berlin", "Europe/../Europe/Berlin", "posix/Europe/Berlin",
			"right/Europe/Berlin", "Europe/Berlin'", "+01:00", "UTC+1", "Nowhere/Land", strings.Repeat("A", 1<<12), "Europe/Berlin\x00"} {
			got := a.Do(`query($z: String) { heroes { groups(by: [{field: CREATED_AT, bucket: DAY, timeZone: $z}]) { aggregate { count } } } }`, vars{"z": zone})
			a.refuses(t, got, "heroes.groups", "by.0.timeZone", "Europe/Berlin")
		}
		got := a.Do(`{ heroes { groups(by: [{field: AGE}]) { key { age teamId team { name } } aggregate { count } } } }`, nil)
		if want := `{"heroes":{"groups":[{"key":{"age":3,"teamId":null,"team":null},"aggregate":{"count":1}}]}}`; got.RawData() != want || len(got.Errors) != 2 {
			t.Errorf("a key that is not in by: %s", got)
		}
		for _, e := range got.Errors {
			if e.Extensions["code"] != "BAD_USER_INPUT" || !strings.Contains(e.Message, "add {field: TEAM} to by") || len(e.Path) != 5 {
				t.Errorf("a key that is not in by: %v", e)
			}
		}
	})
}

// refuses checks that an argument was refused, at the path of its field.
func (a *api) refuses(t *testing.T, got interface{ String() string }, path, field, says string) {
	t.Helper()
	text := got.String()
	steps := strings.Split(path, ".")
	for i, step := range steps {
		if step != "0" {
			steps[i] = `"` + step + `"`
		}
	}
	for _, part := range []string{`"code":"BAD_USER_INPUT"`, `"field":"` + field + `"`, `"path":[` + strings.Join(steps, ",") + `]`, says} {
		if !strings.Contains(text, part) {
			t.Errorf("the answer has no %s:\n%.600s", part, text)
		}
	}
}

// TestGroupsHidden lets somebody ask who may not see everything: rows that are another's do not
// count, and deleted owners are not shown.
func TestGroupsHidden(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		user := func(name string) string {
			return a.Must(`mutation($in: CreateUserInput!) { createUser(input: $in) { user { id } } }`, vars{"in": vars{"username": name}}).Text("createUser.user.id")
		}
		one, other := user("one"), user("other")
		parsed, err := ids.Parse(one)
		if err != nil {
			t.Fatal(err)
		}
		product := a.Must(`mutation { createProduct(input: {sku: "a", name: "a", priceCents: 5}) { product { id } } }`, nil).Text("createProduct.product.id")
		a.Must(`mutation($id: ID!) { adjustStock(productId: $id, delta: 100) { product { id } } }`, vars{"id": product})
		for id, quantity := range map[string]int{one: 2, other: 7} {
			a.Must(`mutation($in: CreateOrderInput!) { createOrder(input: $in) { order { id } } }`, vars{"in": vars{"userId": id, "items": []vars{{"productId": product, "quantity": quantity}}}})
		}
		const query = `{ orders { totalCount aggregate { count sum { totalCents } } groups(by: [{field: USER}]) { key { user { username } } aggregate { count } } }
			orderItems { aggregate { sum { quantity } } groups(by: [{field: PRODUCT}]) { key { product { sku } } aggregate { sum { quantity } } } } }`
		mine := a.as(viewer.Viewer{ID: parsed.UUID, Role: viewer.User}).Must(query, nil)
		if want := `{"orders":{"totalCount":1,"aggregate":{"count":1,"sum":{"totalCents":"10"}},"groups":[{"key":{"user":{"username":"one"}},"aggregate":{"count":1}}]},` +
			`"orderItems":{"aggregate":{"sum":{"quantity":"2"}},"groups":[{"key":{"product":{"sku":"a"}},"aggregate":{"sum":{"quantity":"2"}}}]}}`; mine.RawData() != want {
			t.Errorf("one's own: %s\nwant %s", mine.RawData(), want)
		}
		nobody := a.as(viewer.Viewer{}).Must(query, nil)
		if want := `{"orders":{"totalCount":0,"aggregate":{"count":0,"sum":{"totalCents":null}},"groups":[]},"orderItems":{"aggregate":{"sum":{"quantity":null}},"groups":[]}}`; nobody.RawData() != want {
			t.Errorf("nobody's: %s\nwant %s", nobody.RawData(), want)
		}
	})
}

// TestQuestionsForbidden asks for what is computed over a column and an edge that only
// administrators and owners may see. Whoever may not see all rows' values learns nothing of them.
func TestQuestionsForbidden(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newBareAPI(t, url)
		a.self = viewer.System
		a.configure(config{Options: gqlexec.Options{Development: true}, adapt: func(app *gqlexec.API) {
			app.Entities = slices.Clone(app.Entities)
			i := slices.IndexFunc(app.Entities, func(e *entity.Entity) bool { return e.Name == "Hero" })
			hero := *app.Entities[i]
			hero.Visible, hero.Owner = maps.Clone(hero.Visible), "owner_id"
			hero.Visible["age"], hero.Visible["team"] = entity.ToOwners, entity.ToOwners
			app.Entities[i] = &hero
		}})
		a.withAges([]any{3, 4})
		user := a.as(viewer.Viewer{ID: uuid.New(), Role: viewer.User})
		for _, f := range []struct{ ask, path, field string }{
			{`aggregate { count sum { age } }`, `"aggregate","sum","age"`, ""},
			{`aggregate { count avg { age } }`, `"aggregate","avg","age"`, ""},
			{`aggregate { min { age name } }`, `"aggregate","min","age"`, ""},
			{`aggregate { max { age } }`, `"aggregate","max","age"`, ""},
			{`aggregate { countDistinct(field: AGE) }`, `"aggregate","countDistinct"`, "field"},
			{`aggregate { countDistinct(field: TEAM) }`, `"aggregate","countDistinct"`, "field"},
			{`groups(by: [{field: AGE}]) { aggregate { count } }`, `"groups"`, "by.0.field"},
			{`groups(by: [{field: CREATED_AT}, {field: TEAM}]) { aggregate { count } }`, `"groups"`, "by.1.field"},
			{`groups(by: [{field: CREATED_AT}], having: {sumAgeGT: "1"}) { aggregate { count } }`, `"groups"`, "having.sumAgeGT"},
			{`groups(by: [{field: CREATED_AT}], having: {maxAgeLT: 9}) { aggregate { count } }`, `"groups"`, "having.maxAgeLT"},
			{`groups(by: [{field: CREATED_AT}], orderBy: [{field: COUNT}, {field: MIN_AGE}]) { aggregate { count } }`, `"groups"`, "orderBy.1.field"},
			{`groups(by: [{field: CREATED_AT, bucket: YEAR}]) { aggregate { sum { age } } }`, `"groups",0,"aggregate","sum","age"`, ""},
		} {
			query := `{ heroes { ` + f.ask + ` } }`
			got := user.Do(query, nil)
			if len(got.Errors) != 1 || got.Code() != "FORBIDDEN" || !strings.Contains(got.Body, `"path":["heroes",`+f.path+`]`) {
				t.Errorf("%s: %s", query, got)
			}
			if field, _ := got.Extension("field").(string); field != f.field {
				t.Errorf("%s: the error names %q, want %q", query, field, f.field)
			}
			if strings.ContainsAny(got.RawData(), "34") {
				t.Errorf("%s shows a value: %s", query, got.RawData())
			}
			a.Must(query, nil)
		}
		for _, arguments := range []string{`where: {ageGT: 3}`, `orderBy: [{field: AGE}]`, `where: {hasTeam: true}`, `orderBy: [{field: TEAM_NAME}]`} {
			user.WantCode("FORBIDDEN", `{ heroes(`+arguments+`) { aggregate { count } } }`, nil)
		}
	})
}
