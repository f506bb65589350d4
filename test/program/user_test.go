package program

import (
	"regexp"
	"strings"
	"testing"

	"forge/test/dbtest"
)

// TestUserRole changes the role of somebody who has signed in. Their tokens are revoked.
func TestUserRole(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, address string) {
		database := "DATABASE_URL=" + address
		for _, step := range []struct {
			words []string
			code  int
			has   string
		}{
			{[]string{"seed", "--scale=1", "--passwords"}, 0, ""},
			{[]string{"user", "role", "--username=user", "--role=admin"}, 0, "user has the role ADMIN"},
			{[]string{"user", "role", "--username=user", "--role=boss"}, 2, "ADMIN or USER"},
			{[]string{"user", "role", "--username=User", "--role=USER"}, 1, `there is no user "User"`},
			{[]string{"user", "role", "--role=USER"}, 2, "user role needs --username"},
			{[]string{"user", "role", "user", "USER"}, 2, "user role needs --username and --role"},
		} {
			code, stdout, stderr := do(t, append([]string{database}, step.words...)...)
			if code != step.code || !strings.Contains(stdout+stderr, step.has) || code != 0 && !isOneLine(stderr) {
				t.Errorf("%v: status %d, stdout %q, stderr %q, want %d and %q", step.words, code, stdout, stderr, step.code, step.has)
			}
		}
		s := start(t, database, "AUTH=on", "AUTH_SECRET="+authSecret)
		signIn := func() string {
			answer := s.Do(`mutation { signIn(input: {login: "user", password: "forge-demo-user"}) { accessToken } }`, nil).Body
			return "Bearer " + regexp.MustCompile(`"accessToken":"([^"]+)"`).FindStringSubmatch(answer + `"accessToken":"none"`)[1]
		}
		wants := func(when, token, query, has string) {
			if answer := s.With("Authorization", token).Do(query, nil).Body; !strings.Contains(answer, has) {
				t.Errorf("%s: %s, want %s", when, answer, has)
			}
		}
		before := signIn()
		wants("as an administrator", before, `{ viewer { role } }`, `"role":"ADMIN"`)
		if code, _, stderr := do(t, database, "user", "role", "--username=user", "--role=USER"); code != 0 {
			t.Fatal(stderr)
		}
		// Another process has revoked the token. Reads may notice that a second later. Mutations
		// notice it at once.
		wants("with a token of before", before, `mutation { createTeam(input: {name: "late"}) { team { id } } }`, "UNAUTHENTICATED")
		wants("signed in again", signIn(), `{ viewer { role } }`, `"role":"USER"`)
		const guess = `mutation { signIn(input: {login: "user", password: "a bad guess"}) { accessToken } }`
		for range 5 {
			wants("a guess", "", guess, "UNAUTHENTICATED")
		}
		wants("one guess too many", "", guess, "RATE_LIMITED")
		if metrics := s.Get("/metrics").Body; !strings.Contains(metrics, `forge_refused_total{limit="guessing"} 1`) {
			t.Error("the metrics do not count it")
		}
	})
}
