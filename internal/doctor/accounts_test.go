package doctor

import (
	"strings"
	"testing"

	"forge/internal/database"
	"forge/seed"
	"forge/test/dbtest"
)

// TestAccounts examines a database of development, with the passwords that everybody knows, as one
// of production.
func TestAccounts(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, address string) {
		db, err := database.Open(address, database.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		settings := []string{"DATABASE_URL=" + address, "FORGE_ENV=production", "AUTH_SECRET=" + strings.Repeat("s", 32)}
		if report := newDoctor(t, settings...).Examine(t.Context()); strings.Contains(inWords(t, report), "accounts") {
			t.Errorf("of an empty database: %s", inWords(t, report))
		}
		if err := seed.Fill(t.Context(), db, 1, true); err != nil {
			t.Fatal(err)
		}
		mustFind(t, newDoctor(t, settings...).Examine(t.Context()), "accounts", Fail, "admin (ADMIN)", "user (USER)")
		if report := newDoctor(t, "DATABASE_URL="+address).Examine(t.Context()); strings.Contains(inWords(t, report), "accounts") {
			t.Errorf("in development: %s", inWords(t, report))
		}
	})
}
