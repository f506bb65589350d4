package api_test

import (
	"strings"
	"testing"

	"forge/test/dbtest"
)

// TestIntrospectionOff checks that nothing reveals the schema if introspection is off.
func TestIntrospectionOff(t *testing.T) {
	t.Parallel()
	a := newConfiguredAPI(t, dbtest.SQLite(t), config{})
	for _, query := range []string{
		`{ __schema { queryType { name } } }`,
		`{ users { totalCount } a: __type(name: "User") { name } }`,
		`{ ... { ... on Query { __schema { types { name } } } } }`,
		`{ ...f } fragment f on Query { __type(name: "User") { name } }`,
	} {
		got := a.Do(query, nil)
		if got.Code() != "GRAPHQL_VALIDATION_FAILED" || got.Data != nil || !strings.Contains(got.Errors[0].Message, "introspection is off") {
			t.Errorf("%s is answered %s", query, got)
		}
	}
	if got := a.Do(`{ usrs { totalCount } }`, nil); strings.Contains(got.Body, "users") {
		t.Errorf("a hint in production: %s", got)
	}
	got := a.Must(`{ __typename users { __typename totalCount } }`, nil)
	if got.Text("users.__typename") != "UserConnection" || len(got.Extensions) != 0 {
		t.Errorf("names of types stay, costs go: %s", got)
	}
}
