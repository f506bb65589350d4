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

// TestFrameworks builds applications of Next.js and SvelteKit with the recipes for production, and
// uses them without scripts, as a browser does.
func TestFrameworks(t *testing.T) {
	if !soak {
		t.Skip("builds two applications for a minute: set FORGE_SOAK=1")
	}
	const frameworks = "frameworks"
	install(t, frameworks)
	for _, recipe := range []struct{ name, folder string }{
		{"server.mjs", "next/lib"}, {"next.mjs", "next/lib"}, {"server.mjs", "svelte/src/lib/server"}, {"sveltekit.mjs", "svelte/src/lib/server"},
	} {
		text, err := os.ReadFile(filepath.Join(clients, "accounts", recipe.name))
		if err != nil {
			t.Fatal(err)
		}
		folder := filepath.Join(frameworks, recipe.folder)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, recipe.name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	quiet := "NEXT_TELEMETRY_DISABLED=1"
	npm(t, frameworks, []string{quiet}, "run", "build")
	url := serve(t, dbtest.EmptySQLite(t), "AUTH=on", "AUTH_SECRET="+rand.Text()+rand.Text(), "ACCESS_TOKEN_TTL=2s",
		"SESSION_COOKIE=on", "TRUSTED_PROXIES=127.0.0.0/8")
	npm(t, frameworks, []string{quiet, "FORGE_URL=" + url + "/graphql"}, "test")
}
