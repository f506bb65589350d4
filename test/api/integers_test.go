package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"forge/test/dbtest"
	"forge/test/gqltest"
)

// TestInts sends numbers that an Int can have, and numbers that it cannot. The latter are errors of
// the request, which is not begun. The errors quote the numbers as they were sent.
func TestInts(t *testing.T) {
	t.Parallel()
	client := newAPI(t, dbtest.SQLite(t)).With("Accept", "application/graphql-response+json")
	const top, inside = `query($n: Int) { users(first: $n) { totalCount } }`, `query($w: HeroWhereInput) { heroes(where: $w) { totalCount } }`
	for _, tt := range []struct{ name, query, variables, code, field, named string }{
		{"literal", `{ users(first: 99999999999) { totalCount } }`, `{}`, "GRAPHQL_VALIDATION_FAILED", "", "99999999999"},
		{"literal in a list", `{ heroes(where: {ageIn: [1, -2147483649]}) { totalCount } }`, `{}`, "GRAPHQL_VALIDATION_FAILED", "", "-2147483649"},
		{"default", `query($n: Int = 2147483648) { users(first: $n) { totalCount } }`, `{}`, "GRAPHQL_VALIDATION_FAILED", "", "2147483648"},
		{"variable", top, `{"n":99999999999}`, "BAD_USER_INPUT", "first", "99999999999"},
		{"variable past 64 bits", top, `{"n":99999999999999999999}`, "BAD_USER_INPUT", "first", "99999999999999999999"},
		{"fraction", top, `{"n":1.5}`, "BAD_USER_INPUT", "first", "1.5"},
		{"fraction inside", inside, `{"w":{"ageGT":1.5}}`, "BAD_USER_INPUT", "where.ageGT", "1.5"},
		{"fraction in a list", inside, `{"w":{"ageIn":[1,2.5]}}`, "BAD_USER_INPUT", "where.ageIn.1", "2.5"},
		{"variable inside", inside, `{"w":{"not":{"ageLTE":4294967296}}}`, "BAD_USER_INPUT", "where.not.ageLTE", "4294967296"},
		{"whole with a point", top, `{"n":1.0}`, "", "", ""},
		{"whole with a point inside", inside, `{"w":{"ageIn":[1.0]}}`, "", "", ""},
		{"largest and smallest", `{ heroes(where: {ageIn: [2147483647, -2147483648]}) { totalCount } }`, `{}`, "", "", ""},
		{"largest and smallest inside", inside, `{"w":{"ageIn":[2147483647,-2147483648]}}`, "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := client.SendRequest(t.Context(), gqltest.Request{Query: tt.query, Variables: json.RawMessage(tt.variables)})
			if tt.code == "" {
				if got.Status != http.StatusOK || !got.OK() {
					t.Error(got)
				}
				return
			}
			if got.Status != http.StatusBadRequest || got.RawData() != "" || len(got.Errors) != 1 {
				t.Fatalf("%s, want 400 without data", got)
			}
			message := tt.named + " is no Int: whole numbers from -2147483648 to 2147483647 are allowed"
			if name := tt.field[strings.LastIndexByte(tt.field, '.')+1:]; name == "1" {
				message = "ageIn.1 must be a whole number from -2147483648 to 2147483647, not " + tt.named
			} else if name != "" {
				message = name + " must be a whole number from -2147483648 to 2147483647, not " + tt.named
			}
			if field, _ := got.Extension("field").(string); got.Code() != tt.code || field != tt.field || got.Errors[0].Message != message {
				t.Error(got)
			}
		})
	}
}
