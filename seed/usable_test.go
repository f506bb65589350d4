package seed

import (
	"slices"
	"testing"

	"forge/ent/user"
	"forge/test/dbtest"
)

// TestUsable checks that a demo user is offered for as long as anybody can sign in as them.
func TestUsable(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		db := mustOpen(t, url)
		check := func(when string, want ...Account) {
			t.Helper()
			got, err := Usable(t.Context(), db)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: %v, %v, want %v", when, got, err, want)
			}
		}
		check("nobody is there")
		if err := RunOpen(t.Context(), db, 1); err != nil {
			t.Fatal(err)
		}
		check("filled", Accounts...)
		for _, change := range []string{"is_active = false", "deleted_at = created_at", "hashed_password = 'another'", "hashed_password = NULL", "username = 'another'"} {
			change := "UPDATE " + user.Table + " SET " + change + " WHERE username = 'admin'"
			if _, err := db.ExecContext(t.Context(), change); err != nil {
				t.Fatal(err)
			}
			check(change, Accounts[1])
			back := "UPDATE " + user.Table + " SET is_active = true, deleted_at = NULL, username = 'admin', hashed_password = '" + hashes[0] + "' WHERE username IN ('admin', 'another')"
			if _, err := db.ExecContext(t.Context(), back); err != nil {
				t.Fatal(err)
			}
			check("changed back", Accounts...)
		}
	})
	dbtest.Each(t, func(t *testing.T, url string) {
		if got, err := Usable(t.Context(), mustFill(t, url, 1)); err != nil || len(got) > 0 {
			t.Errorf("filled without passwords: %v, %v", got, err)
		}
	})
}
