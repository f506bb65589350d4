package e2e

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	entsql "entgo.io/ent/dialect/sql"

	"forge/console"
	"forge/internal/cursorcipher"
	"forge/internal/database"
	"forge/internal/gqlexec"
	"forge/internal/schema/entschema"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/idp"
	"forge/test/kinds"
	"forge/test/kinds/ent/migrate"
)

const consoleDir = "../../console"

// installConsole installs what the tests of the console need: they drive the browser as those of
// the playground do.
func installConsole(t *testing.T) {
	t.Helper()
	needChromium(t)
	install(t, "../../playground")
}

// TestConsole uses the console in a browser, as an administrator. With UPDATE_PAGES=1 it writes the
// picture for the pages.
func TestConsole(t *testing.T) {
	installConsole(t)
	dbtest.Each(t, func(t *testing.T, databaseURL string) {
		url := onLocalhost(serve(t, databaseURL, "AUTH=on", "AUTH_SECRET="+rand.Text()+rand.Text(), "DEMO=on", "SESSION_COOKIE=on", "TOTP=on"))
		env := []string{"FORGE_URL=" + url}
		switch {
		case strings.HasPrefix(databaseURL, "postgres"):
			env = append(env, "AXE=off", "FILES=off") // the pages are the same on both databases
		case os.Getenv("UPDATE_PAGES") != "":
			env = append(env, "SCREENSHOT=../docs/console.png")
		}
		npm(t, consoleDir, env, "test")
	})
}

// TestConsoleSignIn signs in to the console in all ways that need no password. The provider's
// origin is another one than the server's.
func TestConsoleSignIn(t *testing.T) {
	t.Parallel()
	installConsole(t)
	provider := idp.New(t)
	provider.Person = map[string]any{"sub": "1", "email": "somebody@example.com", "email_verified": true, "name": "Somebody"}
	file := filepath.Join(t.TempDir(), "providers.json")
	text := fmt.Sprintf(`{"providers": [{"name": "example", "issuer": %q, "clientId": %q, "clientSecret": %q, "signUp": true}]}`, provider.URL, idp.ClientID, idp.Secret)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	url := onLocalhost(serve(t, dbtest.EmptySQLite(t), "AUTH=on", "AUTH_SECRET="+rand.Text()+rand.Text(), "DEMO=on", "PASSKEYS=on", "ACCOUNT_MAILS=code", "AUTH_PROVIDERS_FILE="+file))
	npm(t, consoleDir, []string{"FORGE_URL=" + url, "IDP_URL=" + provider.URL}, "run", "test:sign-in")
}

// TestConsoleOperator uses the operator's corner and the map of the schema in a browser.
// With UPDATE_PAGES=1 it writes the picture of the map for the pages.
func TestConsoleOperator(t *testing.T) {
	t.Parallel()
	installConsole(t)
	url := onLocalhost(serve(t, dbtest.EmptyPostgres(t), "AUTH=on", "AUTH_SECRET="+rand.Text()+rand.Text(), "DEMO=on", "MIGRATE=on", "SESSION_COOKIE=on", "WEBHOOK_PRIVATE=on"))
	env := []string{"FORGE_URL=" + url}
	if os.Getenv("UPDATE_PAGES") != "" {
		env = append(env, "SCREENSHOT=../docs/console-map.png")
	}
	npm(t, consoleDir, env, "run", "test:operator")
}

// TestConsoleMap lays out a schema of 60 types.
func TestConsoleMap(t *testing.T) {
	t.Parallel()
	install(t, consoleDir)
	npm(t, consoleDir, nil, "run", "test:layout")
}

// TestConsoleKinds uses the console on an API that it has not seen, with a column of every kind.
func TestConsoleKinds(t *testing.T) {
	t.Parallel()
	installConsole(t)
	db, err := database.Open(dbtest.EmptySQLite(t), database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := entschema.Create(t.Context(), entsql.OpenDB(db.Dialect, db.DB), migrate.Tables); err != nil {
		t.Fatal(err)
	}
	api := gqlexec.New(new(kinds.Resolver).API(), db, gqlexec.Options{Development: true, Cursors: cursorcipher.New(make([]byte, 32))}, slog.New(slog.DiscardHandler))
	mux := http.NewServeMux()
	mux.Handle("/graphql", api)
	mux.Handle(console.Path, console.Handler(console.Config{}))
	mux.Handle(console.Path+"/", console.Handler(console.Config{}))
	mux.Handle("GET "+console.Path+"/schema.json", api.ServeOffered(false))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mux.ServeHTTP(w, r.WithContext(viewer.NewContext(r.Context(), viewer.System)))
	}))
	t.Cleanup(server.Close)
	npm(t, consoleDir, []string{"FORGE_URL=" + server.URL}, "run", "test:kinds")
}
