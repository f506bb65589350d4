package api_test

import (
	"strings"
	"testing"

	"forge/test/dbtest"
)

// TestErrorsWithoutValues sends secrets in places where they are not valid. The errors do not
// repeat them.
func TestErrorsWithoutValues(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.SQLite(t))
	for _, value := range []string{"87654321", "8765.4321", `["hunter87654321"]`, `{hunter: "87654321"}`, "hunter87654321", "true87654321"} {
		for _, query := range []string{`mutation { signIn(input: {login: "a", password: ` + value + `}) { accessToken } }`,
			`mutation { refreshSession(input: {refreshToken: ` + value + `}) { accessToken } }`,
			`{ users(where: {hasHeroes: ` + value + `}) { totalCount } }`} {
			got := a.Do(query, nil)
			if got.Code() != "GRAPHQL_VALIDATION_FAILED" || strings.Contains(got.Body, "87654321") {
				t.Errorf("%s: %s, want an error that does not say it", query, got)
			}
		}
	}
}

// TestErrorsNameArguments sends values that are not valid in variables. The errors name the path of
// the argument, and not the variable.
func TestErrorsNameArguments(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		const create = `mutation($in: CreateHeroInput!) { createHero(input: $in) { hero { id } } }`
		const where = `query($w: HeroWhereInput) { heroes(where: $w) { totalCount } }`
		for _, tt := range []struct {
			query     string
			variables vars
			field     string
			says      string
		}{
			{create, vars{"in": vars{"name": "A", "age": "old"}}, "input.age", ""},
			{create, vars{"in": vars{"name": "A", "age": 1.5}}, "input.age", ""},
			{create, vars{"in": vars{"name": "A", "age": 1 << 40}}, "input.age", ""},
			{create, vars{"in": vars{"name": 7}}, "input.name", ""},
			{create, vars{"in": vars{"age": 7}}, "input.name", ""},
			{create, vars{"in": vars{"name": "A", "bad": 7}}, "input.bad", ""},
			{create, vars{"in": nil}, "input", ""},
			{create, nil, "input", ""},
			{create, vars{"in": vars{"name": "A", "teamId": "zzz"}}, "input.teamId", "looks like team_"},
			{create, vars{"in": vars{"name": "A", "ownerId": "zzz"}}, "input.ownerId", "looks like user_"},
			{`mutation($n: String!, $a: Int) { createHero(input: {name: $n, age: $a}) { hero { id } } }`, vars{"n": "A", "a": "x"}, "input.age", ""},
			{`mutation($a: Int) { createHeroes(input: [{name: "A"}, {name: "B", age: $a}], onError: ABORT) { heroes { id } } }`, vars{"a": "x"}, "input.1.age", ""},
			{`mutation($in: [CreateHeroInput!]!) { createHeroes(input: $in, onError: SKIP) { heroes { id } } }`, vars{"in": []any{vars{"name": "A"}, vars{"name": "A", "age": "x"}}}, "input.1.age", ""},
			{`query($n: Int) { ...f } fragment f on Query { users { nodes { heroes(first: $n) { totalCount } } } }`, vars{"n": "x"}, "first", ""},
			{where, vars{"w": vars{"ageGT": "x"}}, "where.ageGT", ""},
			{where, vars{"w": vars{"teamId": "zzz"}}, "where.teamId", "looks like team_"},
			{`query($x: ID!) { team(id: $x) { id } }`, vars{"x": "zzz"}, "id", "looks like team_"},
			{`{ product(id: "zzz") { id } }`, nil, "id", "looks like product_"},
			{`mutation { cancelOrder(id: "zzz") { order { id } } }`, nil, "id", "looks like order_"},
			{`mutation { adjustStock(productId: "zzz", delta: 1) { product { id } } }`, nil, "productId", "looks like product_"},
			{`mutation { createHero(input: {name: "A", teamId: "zzz"}) { hero { id } } }`, nil, "input.teamId", "looks like team_"},
			{`query($x: [ID!]!) { nodes(ids: $x) { id } }`, vars{"x": []any{"zzz"}}, "ids.0", "looks like user_"},
		} {
			got := a.Do(tt.query, tt.variables)
			if got.Code() != "BAD_USER_INPUT" || got.Extension("field") != tt.field || !strings.Contains(got.Errors[0].Message, tt.says) {
				t.Errorf("%s with %v: %s\nwant the field %q, and %q", tt.query, tt.variables, got, tt.field, tt.says)
			}
		}
	})
}
