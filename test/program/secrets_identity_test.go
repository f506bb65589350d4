package program

import (
	"database/sql"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"forge/internal/database"
)

// TestIdentitySecrets signs a user up, in, on and out, with and without errors. Then it searches
// everything that the server logs and answers for passwords, hashes and tokens.
func TestIdentitySecrets(t *testing.T) {
	t.Parallel()
	emptyDatabases(t, func(t *testing.T, address string) {
		c := newCollector(t)
		p := startProcess(t, "FORGE_ENV=production", "AUTH_SECRET="+authSecret, "LOG_LEVEL=debug", "DATABASE_URL="+address, "MIGRATE=on", "SLOW_OPERATION=1ms", "REFRESH_GRACE=0s",
			"OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL, "OTEL_EXPORTER_OTLP_HEADERS=Key=of%20the%20collector")
		hidden := map[string]string{"the secret": authSecret}
		calls := 0
		// call runs a mutation, and notes the secrets of it and of its answer.
		call := func(token, code, field, input, selection string, passwords ...string) (access, refresh string) {
			calls++
			for i, password := range passwords {
				hidden[fmt.Sprintf("password %d of call %d", i, calls)] = password
			}
			answer := p.With("Authorization", token).Do(fmt.Sprintf(`mutation { %s(input: {%s}) { %s } }`, field, input, selection), nil).Body
			if !strings.Contains(answer, code) {
				t.Errorf("%s(%s): %s, want %s", field, input, answer, code)
			}
			for _, m := range regexp.MustCompile(`"(access|refresh)Token":"([^"]+)"`).FindAllStringSubmatch(answer, -1) {
				for i, part := range strings.Split(m[2], ".") {
					hidden[fmt.Sprintf("part %d of the %s token of call %d", i, m[1], calls)] = part
				}
				if m[1] == "access" {
					access = "Bearer " + m[2]
				} else {
					refresh = m[2]
				}
			}
			for name, text := range hidden {
				if strings.HasPrefix(name, "password") && strings.Contains(answer, text) {
					t.Errorf("an answer tells %s: %s", name, answer)
				}
			}
			return access, refresh
		}
		const tokens = `accessToken refreshToken user { username email }`
		_, refresh := call("", `"x@forge.example"`, "signUp", `username: "x", email: "x@forge.example", password: "first-Passw0rd"`, tokens, "first-Passw0rd")
		call("", "CONFLICT", "signUp", `username: "x", password: "second-Passw0rd"`, tokens, "second-Passw0rd")
		call("", "BAD_USER_INPUT", "signUp", `username: "y", password: "Qwertyuiop"`, tokens, "Qwertyuiop")
		call("", "UNAUTHENTICATED", "signIn", `login: "x", password: "third-Passw0rd"`, tokens, "third-Passw0rd")
		access, _ := call("", "accessToken", "signIn", `login: "X@forge.example", password: "first-Passw0rd"`, tokens)
		call("", "accessToken", "refreshSession", fmt.Sprintf("refreshToken: %q", refresh), tokens)
		call("", "UNAUTHENTICATED", "refreshSession", fmt.Sprintf("refreshToken: %q", refresh), tokens)
		call("", "UNAUTHENTICATED", "refreshSession", `refreshToken: "made-Up-Tok3n"`, tokens, "made-Up-Tok3n")
		call(access, "BAD_USER_INPUT", "changePassword", `oldPassword: "fourth-Passw0rd", newPassword: "fifth-Passw0rd"`, `user { id }`, "fourth-Passw0rd", "fifth-Passw0rd")
		call(access, `"id"`, "changePassword", `oldPassword: "first-Passw0rd", newPassword: "fifth-Passw0rd"`, `user { id }`)
		call(access, "UNAUTHENTICATED", "changePassword", `oldPassword: "first-Passw0rd", newPassword: "fifth-Passw0rd"`, `user { id }`)
		call("", `"ok"`, "signOut", fmt.Sprintf("refreshToken: %q", refresh), "ok")
		for i, hash := range hashesIn(t, address) {
			hidden[fmt.Sprintf("hash %d", i)] = hash
		}
		metrics := p.Get("/metrics").Body
		if code := p.end(); code != 0 {
			t.Errorf("exit status %d", code)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		told := map[string]string{"log": p.log.String(), "metrics": metrics, "traces": c.raw.String()}
		for what, has := range map[string]string{"log": `"code":"UNAUTHENTICATED"`, "metrics": `code="UNAUTHENTICATED"`, "traces": "SELECT"} {
			if !strings.Contains(told[what], has) {
				t.Errorf("the %s have no %s, so this shows nothing", what, has)
			}
			for name, text := range hidden {
				if strings.Contains(told[what], text) {
					t.Errorf("the %s tell %s", what, name)
				}
			}
		}
	})
}

// hashesIn returns the hashes of passwords and of refresh tokens in a database.
func hashesIn(t *testing.T, address string) (hashes []string) {
	t.Helper()
	db, err := database.Open(address, database.Options{ConnectTimeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), "SELECT hashed_password FROM users UNION ALL SELECT token_hash FROM sessions")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var hash sql.NullString
		if err := rows.Scan(&hash); err != nil {
			t.Fatal(err)
		}
		if hash.Valid {
			hashes = append(hashes, hash.String)
		}
	}
	if len(hashes) == 0 {
		t.Error("there are no hashes, so this shows nothing")
	}
	return hashes
}
