package e2e

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"forge/test/dbtest"
)

// TestAccountsApp uses a single-page application with accounts in a browser. It was written from
// the pages alone, and has another origin than Forge.
func TestAccountsApp(t *testing.T) {
	const dir = "../../playground"
	needChromium(t)
	install(t, dir)
	dbtest.Each(t, func(t *testing.T, databaseURL string) {
		var forge string
		app := httptest.NewServer(appFiles(&forge))
		t.Cleanup(app.Close)
		origin := onLocalhost(app.URL)
		forge = onLocalhost(serve(t, databaseURL, "AUTH=on", "AUTH_SECRET="+rand.Text()+rand.Text(), "ACCESS_TOKEN_TTL=2s", "DEMO=off",
			"SESSION_COOKIE=on", "CORS_ORIGINS="+origin, "ACCOUNT_URL="+origin+"/", "TOTP=on", "PASSKEYS=on"))
		npm(t, dir, []string{"FORGE_URL=" + forge, "APP_URL=" + origin}, "run", "test:accounts")
	})
}

// appFiles serves the application, which asks the Forge at an address that is known later.
func appFiles(forge *string) http.Handler {
	files := http.NewServeMux()
	files.Handle("/", http.FileServer(http.Dir(filepath.Join(clients, "accounts-app"))))
	files.Handle("/spa.mjs", http.FileServer(http.Dir(filepath.Join(clients, "accounts"))))
	files.Handle("/forge-errors/", http.StripPrefix("/forge-errors/", http.FileServer(http.Dir("../../clients/forge-errors"))))
	files.HandleFunc("/config.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprintf(w, "export const api = %q;\n", *forge+"/graphql")
	})
	return files
}

// onLocalhost returns an address of this machine by the name that cookies and passkeys need.
func onLocalhost(address string) string {
	return strings.Replace(address, "127.0.0.1", "localhost", 1)
}

// needChromium skips the test where there is no browser. In CI, the test fails instead.
func needChromium(t *testing.T) {
	t.Helper()
	names := []string{os.Getenv("CHROMIUM"), "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"}
	found := slices.ContainsFunc(names, func(name string) bool {
		_, err := os.Stat(name)
		return err == nil
	})
	if !found && os.Getenv("CI") == "" {
		t.Skip("Chromium is not there: install it, or set CHROMIUM to its path")
	}
}
