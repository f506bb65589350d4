package program

import (
	"strings"
	"testing"

	"forge/seed"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// TestConsoleInProduction asks for the console and for its schema as different viewers: in
// production the page is there only if it is asked for, and the schema only for administrators.
func TestConsoleInProduction(t *testing.T) {
	t.Parallel()
	const auth, key = "AUTH=on", "AUTH_SECRET=only for this test, only for this test"
	database := "DATABASE_URL=" + dbtest.EmptySQLite(t)
	development := start(t, database, auth, key) // makes the demo users
	if got := development.Get("/console/schema.json"); got.Status != 200 || !strings.Contains(got.Body, `"role":"ANONYMOUS"`) || strings.Contains(got.Body, `"name":"createTeam"`) {
		t.Errorf("in development, everybody sees what they may call: %.300s", got)
	}
	development.end()

	closed := start(t, database, "FORGE_ENV=production", auth, key)
	for _, path := range []string{"/console", "/console/schema.json", "/console/config.json"} {
		if got := closed.Get(path); got.Status != 404 {
			t.Errorf("%s, without being asked for: %d", path, got.Status)
		}
	}
	closed.end()

	s := start(t, database, "FORGE_ENV=production", "CONSOLE=on", auth, key)
	if got := s.Get("/console"); got.Status != 200 || strings.Contains(got.Header.Get("Content-Security-Policy"), "unsafe") {
		t.Errorf("the page: %d, %v", got.Status, got.Header)
	}
	if got := s.Get("/"); !strings.Contains(got.Body, "/console/assets/") {
		t.Errorf("the host alone does not lead to the console: %d", got.Status)
	}
	if got := s.Get("/console/config.json"); strings.Contains(got.Body, "forge-demo") {
		t.Errorf("it tells passwords: %s", got.Body)
	}
	if got := s.Get("/console/schema.json"); got.Status != 401 || strings.Contains(got.Body, "types") {
		t.Errorf("the schema, for nobody: %s", got)
	}
	for _, a := range seed.Accounts {
		as := s.With("Authorization", "Bearer "+accessToken(t, s.Client, a.Username, a.Password))
		want := map[string]int{"ADMIN": 200, "USER": 403}[a.Role]
		got := as.Get("/console/schema.json")
		if got.Status != want || (want == 200) != strings.Contains(got.Body, `"name":"createTeam"`) {
			t.Errorf("the schema, for %s: %d, want %d: %.300s", a.Username, got.Status, want, got.Body)
		}
		if strings.Contains(got.Body, `"name":"changePassword"`) {
			t.Error("it offers what takes credentials")
		}
	}
	if got := s.With("Authorization", "Bearer not.a.token").Get("/console/schema.json"); got.Status != 401 {
		t.Errorf("the schema, for a token that is not good: %d", got.Status)
	}
}

// accessToken signs an account in.
func accessToken(t *testing.T, c *gqltest.Client, login, password string) string {
	t.Helper()
	got := c.Do(`mutation($l: String!, $p: String!) { signIn(input: { login: $l, password: $p }) { accessToken } }`, map[string]any{"l": login, "p": password})
	_, token, _ := strings.Cut(got.RawData(), `"accessToken":"`)
	token, _, _ = strings.Cut(token, `"`)
	if token == "" {
		t.Fatalf("%s does not get in: %s", login, got)
	}
	return token
}
