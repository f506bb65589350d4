package graph_test

import (
	"strings"
	"testing"

	"forge/internal/dbtest"
)

// TestValuesAreNotRepeated sends secrets in places where they do not fit: the errors do not repeat them.
func TestValuesAreNotRepeated(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.SQLite(t))
	for _, value := range []string{"87654321", "8765.4321", `["hunter87654321"]`, `{hunter: "87654321"}`, "hunter87654321", "true87654321"} {
		for _, query := range []string{`mutation { signIn(input: {login: "a", password: ` + value + `}) { accessToken } }`,
			`mutation { refreshSession(input: {refreshToken: ` + value + `}) { accessToken } }`,
			`{ users(where: {hasHeroes: ` + value + `}) { totalCount } }`} {
			got := a.do(query, nil)
			if got.code() != "GRAPHQL_VALIDATION_FAILED" || strings.Contains(got.body, "87654321") {
				t.Errorf("%s: %s, want an error that does not say it", query, got)
			}
		}
	}
}
