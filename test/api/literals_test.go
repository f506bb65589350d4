package api_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"forge/graph"
	"forge/test/dbtest"
)

// TestLiteralsEscaped stores characters that are escaped in the document. Halves of characters are
// refused.
func TestLiteralsEscaped(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.SQLite(t))
	for _, tt := range []struct{ literal, want string }{
		{`"a \uD83D\uDE00"`, "a 😀"},
		{`"b \u{1F600}\u{41}\u00e9"`, "b 😀Aé"},
		{`"c \\uD83D"`, `c \uD83D`},
		{`"""d \uD83D"""`, `d \uD83D`},
		{`"😀"`, "😀"},
	} {
		for range 2 { // the second time the document is known
			got := a.Must(`mutation { createHero(input: {name: `+tt.literal+`}) { hero { name } } }`, nil)
			if name := got.Text("createHero.hero.name"); name != tt.want {
				t.Errorf("%s is stored as %q, want %q", tt.literal, name, tt.want)
			}
		}
	}
	for _, literal := range []string{`"\uD83D"`, `"\uDE00"`, `"\uDE00\uD83D"`, `"\uD83D\uD83D\uDE00"`, `"\u{D83D}"`, `"\u{110000}"`, `"\u{}"`, `"""a""""`} {
		got := a.Do(`mutation { createHero(input: {name: `+literal+`}) { hero { name } } }`, nil)
		if got.Code() != "GRAPHQL_PARSE_FAILED" || len(got.Errors) != 1 || !strings.Contains(got.Body, `"locations":[{"line":1,"column":`) {
			t.Errorf("%s: %s", literal, got)
		}
	}
	const byVariable = `mutation($n: String!) { createHero(input: {name: $n}) { hero { name } } }`
	if got := a.Must(byVariable, vars{"n": "e 😀"}).Text("createHero.hero.name"); got != "e 😀" {
		t.Errorf("the variable is stored as %q", got)
	}
}

// TestLiterals sends literals of a kind that their place does not accept.
func TestLiterals(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.SQLite(t))
	for _, value := range []string{"{}", "{a: 1}", "[{}]", "NAME", "[]", "[[1]]", "1.5", "true"} {
		for _, argument := range []string{
			"where: {name: %}", "where: {id: %}", "where: {createdAt: %}", "after: %", "where: {hasOwner: 5, name: %}",
		} {
			query := `{ heroes(` + strings.Replace(argument, "%", value, 1) + `) { totalCount } }`
			if got := a.Do(query, nil); got.Code() != "GRAPHQL_VALIDATION_FAILED" || got.Data != nil {
				t.Errorf("%s: %s", query, got)
			}
		}
	}
	for _, query := range []string{
		`{ heroes(first: {}) { totalCount } }`, `{ heroes(where: {hasTeam: {}}) { totalCount } }`, `{ heroes(where: {ageIn: [{}]}) { totalCount } }`,
		`{ heroes(orderBy: [{field: {}}]) { totalCount } }`, `{ heroes(where: {createdAt: 5}) { totalCount } }`,
		`query($c: Cursor = {}) { heroes(after: $c) { totalCount } }`, `query($c: Cursor = 5) { heroes(after: $c) { totalCount } }`,
	} {
		if got := a.Do(query, nil); got.Code() != "GRAPHQL_VALIDATION_FAILED" || got.Data != nil {
			t.Errorf("%s: %s", query, got)
		}
	}
	a.Must(`{ heroes(where: {ageIn: 5, idIn: [], createdAtGT: """2026-01-02T15:04:05Z""", hasTeam: null}) { totalCount } }`, nil)
}

// TestVariablesNull sends null for variables where null is not allowed. The variables may stand
// there because they have defaults.
func TestVariablesNull(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.SQLite(t))
	const (
		active    = `mutation($a: Boolean) { createUser(input: {username: "%", isActive: $a}) { user { isActive } } }`
		stock     = `mutation($s: Int) { createProduct(input: {sku: "%", name: "x", priceCents: 1, stock: $s}) { product { stock } } }`
		onError   = `mutation($o: OnError) { createHeroes(input: [], onError: $o) { errors { code } } }`
		direction = `query($d: OrderDirection) { users { nodes { heroes(orderBy: [{field: NAME, direction: $d}]) { totalCount } } } }`
		defaulted = `mutation($s: Int = 5) { createProduct(input: {sku: "%", name: "x", priceCents: $s}) { product { stock } } }`
		listed    = `query($i: ID = "user_00000000000000000000000000") { users(where: {idIn: [$i]}) { totalCount } }`
		fragment  = `query($d: OrderDirection) { users { ...f } } fragment f on UserConnection { nodes { ... { heroes(orderBy: {field: NAME, direction: $d}) { totalCount } } } }`
		skipped   = `query($d: OrderDirection) { users @skip(if: true) { ...f } viewer { id } } fragment f on UserConnection { nodes { ... { heroes(orderBy: {field: NAME, direction: $d}) { totalCount } } } }`
		input     = `mutation($i: CreateUserInput!) { createUser(input: $i) { user { isActive } } }`
		order     = `query($o: [HeroOrder!]) { heroes(orderBy: $o) { totalCount } }`
	)
	for _, tt := range []struct{ name, query, variables, field string }{
		{"input field", active, `{"a":null}`, "input.isActive"},
		{"input field, left out", active, `{}`, ""},
		{"number", stock, `{"s":null}`, "input.stock"},
		{"number, left out", stock, `{}`, ""},
		{"argument", onError, `{"o":null}`, "onError"},
		{"argument, left out", onError, `{}`, ""},
		{"in a list", direction, `{"d":null}`, "orderBy.0.direction"},
		{"in a list, left out", direction, `{}`, ""},
		{"variable with a default", defaulted, `{"s":null}`, "input.priceCents"},
		{"variable with a default, left out", defaulted, `{}`, ""},
		{"entry", listed, `{"i":null}`, "where.idIn.0"},
		{"entry, left out", listed, `{}`, ""},
		{"in a fragment", fragment, `{"d":null}`, "orderBy.direction"},
		{"skipped", skipped, `{"d":null}`, ""},
		{"whole input", input, `{"i":{"username":"% i","isActive":null}}`, "input.isActive"},
		{"whole input, left out", input, `{"i":{"username":"% i"}}`, ""},
		{"unknown field", input, `{"i":{"username":"% i","__typename":"x"}}`, "input.__typename"},
		{"null in a list", order, `{"o":[null]}`, "orderBy.0"},
		{"null in an entry", order, `{"o":[{"field":"NAME","direction":null}]}`, "orderBy.0.direction"},
		{"null for the list", order, `{"o":null}`, ""},
		{"fraction for an ID", listed, `{"i":1.5}`, "where.idIn.0"},
		{"fraction in a list of IDs", `query($i: [ID!]!) { users(where: {idIn: $i}) { totalCount } }`, `{"i":[1.5]}`, "where.idIn.0"},
		{"field missing", order, `{"o":[{}]}`, "orderBy.0.field"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var variables vars
			if err := json.Unmarshal([]byte(strings.ReplaceAll(tt.variables, "%", tt.name)), &variables); err != nil {
				t.Fatal(err)
			}
			got := a.Do(strings.ReplaceAll(tt.query, "%", tt.name), variables)
			if tt.field == "" {
				if len(got.Errors) > 0 {
					t.Errorf("%s", got)
				}
				return
			}
			if got.Code() != "BAD_USER_INPUT" || got.Extension("field") != tt.field || got.Data != nil {
				t.Errorf("%s, want BAD_USER_INPUT about %s", got, tt.field)
			}
		})
	}
	if n := a.Must(`{ products { totalCount } }`, nil).Number("products.totalCount"); n != 2 {
		t.Errorf("%d products, want those two whose stock or price was left out", n)
	}
}

// TestTrustedSyntax checks that documents in manifests are parsed in the same way as those of
// requests.
func TestTrustedSyntax(t *testing.T) {
	t.Parallel()
	load := func(document string) error {
		path := filepath.Join(t.TempDir(), "documents.json")
		manifest, _ := json.Marshal(map[string]string{"a": document})
		if err := os.WriteFile(path, manifest, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := new(graph.Resolver).API().TrustedDocuments(path, 0)
		return err
	}
	if err := load(`"All of them." query { heroes(where: {name: "\uD83D\uDE00\u{1F600}"}) { totalCount } }`); err != nil {
		t.Error(err)
	}
	for _, document := range []string{
		`{ heroes(where: {name: "\uD83D"}) { totalCount } }`, `{ heroes(where: {name: """a""""}) { totalCount } }`,
		`{ heroes(where: {name: {}}) { totalCount } }`, `{ heroes(first: 2147483648) { totalCount } }`, `{ ... "on" Query { viewer { id } } }`,
	} {
		if err := load(document); err == nil {
			t.Errorf("%s is taken", document)
		}
	}
}
