package api_test

import (
	"database/sql"
	"regexp"
	"slices"
	"testing"

	"entgo.io/ent/dialect"

	"forge/ent"
	"forge/ent/user"
	"forge/graph/generated"
	"forge/internal/database"
	"forge/internal/entity"
	"forge/internal/viewer"
	"forge/test/dbtest"
)

// TestRolesInSchema compares the roles of package viewer with those in schema.graphqls and in the
// generated code.
func TestRolesInSchema(t *testing.T) {
	t.Parallel()
	var shown []string
	for _, value := range generated.NewExecutableSchema(generated.Config{}).Schema().Types["Role"].EnumValues {
		shown = append(shown, value.Name)
	}
	if !slices.Equal(shown, viewer.RoleNames()) {
		t.Errorf("schema.graphqls has the roles %v, and package viewer %v", shown, viewer.RoleNames())
	}
	users := ent.Entities[slices.IndexFunc(ent.Entities, func(e *entity.Entity) bool { return e.Table == user.Table })]
	if stored := users.Field("role").Values; !slices.Equal(stored, viewer.RoleNames()) {
		t.Errorf("ent has the roles %v, and package viewer %v: go generate ./...", stored, viewer.RoleNames())
	}
}

// TestRolesInDatabase compares the roles of package viewer with the CHECK constraint that the
// migrations have made.
func TestRolesInDatabase(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		db, err := database.Open(url, database.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		query := "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'users_role_known'"
		if db.Dialect == dialect.SQLite {
			query = "SELECT substr(sql, instr(sql, 'users_role_known')) FROM sqlite_master WHERE type = 'table' AND name = 'users'"
		}
		var check sql.NullString
		if err := db.QueryRowContext(t.Context(), query).Scan(&check); err != nil {
			t.Fatal(err)
		}
		var stored []string
		for _, m := range regexp.MustCompile(`'([A-Z]+)'`).FindAllStringSubmatch(check.String, -1) {
			stored = append(stored, m[1])
		}
		if !slices.Equal(stored, viewer.RoleNames()) {
			t.Errorf("the database has the roles %v, and package viewer %v: a migration is missing (forge migrate diff)", stored, viewer.RoleNames())
		}
	})
}
