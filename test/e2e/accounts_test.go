package e2e

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"forge/test/dbtest"
)

// TestAccounts runs the recipes for sessions, which docs/accounts.md shows.
func TestAccounts(t *testing.T) {
	needNode(t)
	page, err := os.ReadFile("../../docs/accounts.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, recipe := range []string{"spa.mjs", "server.mjs", "next.mjs", "sveltekit.mjs", "expo.mjs"} {
		text, err := os.ReadFile(filepath.Join(clients, "accounts", recipe))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(page), "```js\n"+string(text)+"```\n") {
			t.Errorf("the page does not have %s as it is", recipe)
		}
	}
	const origin = "https://app.example.com"
	url := serve(t, dbtest.EmptySQLite(t), "AUTH=on", "AUTH_SECRET="+rand.Text()+rand.Text(), "ACCESS_TOKEN_TTL=2s",
		"SESSION_COOKIE=on", "CORS_ORIGINS="+origin, "TRUSTED_PROXIES=127.0.0.0/8")
	npm(t, clients, []string{"FORGE_URL=" + url + "/graphql", "APP_ORIGIN=" + origin}, "run", "accounts")
}
