// Package e2e runs JavaScript programs against a Forge process: the browser test of the playground,
// the public audits of GraphQL over HTTP, the clients that applications use, and the reference
// implementation of GraphQL.
package e2e

import (
	"crypto/rand"
	"strings"
	"testing"

	"forge/test/dbtest"
)

func TestPlayground(t *testing.T) {
	npmTest(t, "../../playground")
}

// TestPlaygroundPlan looks at the one statement that PostgreSQL gets for a nested query.
func TestPlaygroundPlan(t *testing.T) {
	t.Parallel()
	const dir = "../../playground"
	needChromium(t)
	install(t, dir)
	npm(t, dir, []string{"FORGE_URL=" + serve(t, dbtest.EmptyPostgres(t), "DEMO=off", "MIGRATE=on")}, "run", "test:plan")
}

// TestPlaygroundSignIn signs in and out, as a demo user. Only a server in development names those.
func TestPlaygroundSignIn(t *testing.T) {
	const dir = "../../playground"
	install(t, dir)
	url := serve(t, dbtest.EmptySQLite(t), "AUTH=on", "AUTH_SECRET="+rand.Text()+rand.Text(), "ACCESS_TOKEN_TTL=10s", "TOTP=on")
	npm(t, dir, []string{"FORGE_URL=" + url}, "run", "test:sign-in")
}

// TestPasskeyInBrowser makes a passkey in a browser with a virtual authenticator, and signs in with
// it.
func TestPasskeyInBrowser(t *testing.T) {
	const dir = "../../playground"
	install(t, dir)
	url := serve(t, dbtest.EmptySQLite(t), "AUTH=on", "AUTH_SECRET="+rand.Text()+rand.Text(), "PASSKEYS=on")
	npm(t, dir, []string{"FORGE_URL=" + strings.Replace(url, "127.0.0.1", "localhost", 1)}, "run", "test:passkey")
}

// TestEventSource follows changes with the EventSource of a browser, which loses its connection.
func TestEventSource(t *testing.T) {
	const dir = "../../playground"
	install(t, dir)
	npm(t, dir, []string{"FORGE_URL=" + serve(t, dbtest.EmptySQLite(t))}, "run", "test:events")
}

// npmTest runs the tests of a folder against a server with demo data.
func npmTest(t *testing.T, dir string) {
	install(t, dir)
	npm(t, dir, []string{"FORGE_URL=" + serve(t, dbtest.EmptySQLite(t))}, "test")
}
