package providers

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"forge/graph"
	"forge/internal/cli"
	"forge/test/dbtest"
	"forge/test/process"
)

// TestRefused starts Forge with files of providers, or settings beside them, that are not right.
// The start is refused, in a line that says why and has no secret in it.
func TestRefused(t *testing.T) {
	t.Parallel()
	const good = `{"providers": [{"name": "own", "issuer": "https://id.example.com", "clientId": "c", "clientSecret": "hush"}]}`
	const key = "AUTH_SECRET=a secret that nobody knows, of more than 32 bytes"
	for _, tt := range []struct {
		name, file string
		environ    []string
		want       string
	}{
		{"no such file", "", []string{"AUTH=on", key}, "there is no such file"},
		{"an unknown member", strings.Replace(good, `"name"`, `"nmae": "hush", "name"`, 1), []string{"AUTH=on", key}, `"nmae", which is not known`},
		{"no key of its own", good, []string{"AUTH=on", "AUTH_JWKS_URL=http://127.0.0.1:1/keys", "AUTH_ISSUER=i", "AUTH_AUDIENCE=a"}, "set AUTH_SECRET"},
		{"production without an origin", good, []string{"FORGE_ENV=production", key}, "publicUrl is missing"},
	} {
		path := filepath.Join(t.TempDir(), "providers.json")
		if tt.file != "" {
			if err := os.WriteFile(path, []byte(tt.file), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var out, log process.Output
		environ := append([]string{"ADDR=127.0.0.1:0", "DEMO=off", "DATABASE_URL=" + dbtest.SQLite(t), "AUTH_PROVIDERS_FILE=" + path}, tt.environ...)
		code := cli.Run(t.Context(), graph.Application("", "0.0.0-test"), []string{"forge", "serve"}, environ, &out, &log)
		if said := log.String(); code == 0 || !strings.Contains(said, "AUTH_PROVIDERS_FILE") || !strings.Contains(said, tt.want) || strings.Contains(said, "hush") {
			t.Errorf("%s: %d, %s", tt.name, code, said)
		}
	}
}
