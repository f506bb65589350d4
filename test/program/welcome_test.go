package program

import (
	"strings"
	"testing"

	"forge/seed"
	"forge/test/dbtest"
)

// TestWelcome checks where the demo accounts are shown, on the terminal and in the playground: only
// in development, and only if somebody can sign in with them.
func TestWelcome(t *testing.T) {
	t.Parallel()
	const auth, key = "AUTH=on", "AUTH_SECRET=only for this test, only for this test"
	open, closed := "DATABASE_URL="+dbtest.EmptySQLite(t), "DATABASE_URL="+dbtest.EmptySQLite(t)
	tests := []struct {
		name     string
		settings []string
		shown    bool
		asked    bool
	}{
		{"first start", []string{open, auth, key}, true, true},
		{"later start", []string{open, auth, key}, true, true},
		{"nobody is asked", []string{open, "AUTH=off"}, false, false},
		{"production, where everybody knows the passwords", []string{open, "FORGE_ENV=production", "PLAYGROUND=on", auth, key}, false, true},
		{"production, where nobody does", []string{closed, "FORGE_ENV=production", "PLAYGROUND=on", "DEMO=on", "MIGRATE=on", auth, key}, false, true},
		{"development, where nobody does", []string{closed, auth, key}, false, true},
	}
	for _, tt := range tests {
		s := start(t, tt.settings...)
		page := s.Get("/config.json").Body
		if asked := strings.Contains(page, `"signIn":true`); asked != tt.asked {
			t.Errorf("%s: the page is told %s", tt.name, page)
		}
		if off := strings.Contains(s.stdout, "AUTH is off"); off == tt.asked {
			t.Errorf("%s: the start says\n%s", tt.name, s.stdout)
		}
		for _, a := range seed.Accounts {
			if strings.Contains(page, a.Password) != tt.shown || strings.Contains(s.stdout, a.Password) != tt.shown {
				t.Errorf("%s: is %s shown? want %v\n%s%s", tt.name, a.Username, tt.shown, s.stdout, page)
			}
		}
		if code := s.end(); code != 0 {
			t.Errorf("%s: it ended with status %d", tt.name, code)
		}
	}
}
