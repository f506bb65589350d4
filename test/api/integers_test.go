package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"forge/test/dbtest"
)

// TestInts sends numbers that are an Int, and that are none: those are errors of the request, which
// is not begun, and are named as they were sent.
func TestInts(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.SQLite(t))
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
			query, _ := json.Marshal(tt.query)
			r := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(`{"query":`+string(query)+`,"variables":`+tt.variables+`}`))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Accept", "application/graphql-response+json")
			w := httptest.NewRecorder()
			a.handler.ServeHTTP(w, r)
			var got struct {
				Data   json.RawMessage
				Errors []struct {
					Message    string
					Extensions struct{ Code, Field string }
				}
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if tt.code == "" {
				if w.Code != http.StatusOK || len(got.Errors) > 0 {
					t.Errorf("%d %s", w.Code, w.Body)
				}
				return
			}
			if w.Code != http.StatusBadRequest || got.Data != nil || len(got.Errors) != 1 {
				t.Fatalf("%d %s, want 400 without data", w.Code, w.Body)
			}
			const allowed = " is no Int: whole numbers from -2147483648 to 2147483647 are allowed"
			if e := got.Errors[0]; e.Extensions.Code != tt.code || e.Extensions.Field != tt.field || e.Message != tt.named+allowed {
				t.Errorf("%s", w.Body)
			}
		})
	}
}
