package seed

import (
	"testing"

	"forge/ent"
	_ "forge/ent/runtime" // the policies and interceptors of ent/schema
	"forge/ent/user"
	"forge/internal/password"
	"forge/internal/unit"
	"forge/test/dbtest"
)

// TestAccounts checks that the accounts have their passwords after Fill with passwords, and nobody
// has one after Run.
func TestAccounts(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		db := mustOpen(t, url)
		if err := Fill(t.Context(), db, 1, true); err != nil {
			t.Fatal(err)
		}
		u := unit.New(db, unit.Single)
		defer u.Rollback()
		for _, a := range Accounts {
			found := ent.UnitClient(u).User.Query().Where(user.Username(a.Username)).OnlyX(t.Context())
			ok, err := password.New(password.Cost{}, 0, 0).Verify(t.Context(), a.Password, *found.HashedPassword)
			if !ok || err != nil || string(found.Role) != a.Role || !found.IsActive || password.Common(a.Password) {
				t.Errorf("%s: %t, %v, %s", a.Username, ok, err, found)
			}
		}
		if n := mustCount(t, db, "SELECT count(hashed_password) FROM users"); n != len(Accounts) {
			t.Errorf("%d users have a password, want %d", n, len(Accounts))
		}
	})
	if n := mustCount(t, mustFill(t, dbtest.SQLite(t), 1), "SELECT count(hashed_password) FROM users"); n != 0 {
		t.Errorf("%d users have a password that everybody knows", n)
	}
}
