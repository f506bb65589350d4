package api_test

import (
	"log/slog"
	"strings"
	"testing"

	"forge/internal/database"
	"forge/internal/viewer"
	"forge/test/dbtest"
)

// TestIntrospectionOff checks that the schema is not given away.
func TestIntrospectionOff(t *testing.T) {
	t.Parallel()
	db, err := database.Open(dbtest.SQLite(t), database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	a := &api{t: t, db: db, handler: as(viewer.System, newServer(db, config{}, slog.New(slog.NewTextHandler(t.Output(), nil))))}
	for _, query := range []string{
		`{ __schema { queryType { name } } }`,
		`{ users { totalCount } a: __type(name: "User") { name } }`,
		`{ ... { ... on Query { __schema { types { name } } } } }`,
		`{ ...f } fragment f on Query { __type(name: "User") { name } }`,
	} {
		got := a.do(query, nil)
		if got.code() != "GRAPHQL_VALIDATION_FAILED" || got.Data != nil || !strings.Contains(got.Errors[0].Message, "introspection is off") {
			t.Errorf("%s is answered %s", query, got)
		}
	}
	if got := a.do(`{ usrs { totalCount } }`, nil); strings.Contains(got.String(), "users") {
		t.Errorf("a hint in production: %s", got)
	}
	got := a.mustDo(`{ __typename users { __typename totalCount } }`, nil)
	if got.text("users.__typename") != "UserConnection" || len(got.Extensions) != 0 {
		t.Errorf("names of types stay, costs go: %s", got)
	}
}
