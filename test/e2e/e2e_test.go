// Package e2e runs what is written in JavaScript against a Forge that runs as users run it: the browser test of the playground, the
// public audits of GraphQL over HTTP, and the clients that applications use.
package e2e

import (
	"crypto/rand"
	"testing"

	"forge/test/dbtest"
)

func TestPlayground(t *testing.T) {
	npmTest(t, "../../playground")
}

// TestPlaygroundSignIn signs in and out. The demo users are known in development alone.
func TestPlaygroundSignIn(t *testing.T) {
	const dir = "../../playground"
	install(t, dir)
	url := serve(t, dbtest.EmptySQLite(t), "AUTH=on", "AUTH_SECRET="+rand.Text()+rand.Text(), "ACCESS_TOKEN_TTL=10s")
	npm(t, dir, []string{"FORGE_URL=" + url}, "run", "test:sign-in")
}

// npmTest runs the tests of a folder against a server with demo data.
func npmTest(t *testing.T, dir string) {
	install(t, dir)
	npm(t, dir, []string{"FORGE_URL=" + serve(t, dbtest.EmptySQLite(t))}, "test")
}
