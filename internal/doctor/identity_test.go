package doctor

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestIdentity has keys that are good, exposed, broken and missing, and a provider that answers or
// does not.
func TestIdentity(t *testing.T) {
	t.Parallel()
	file := func(mode os.FileMode, text string) string {
		path := filepath.Join(t.TempDir(), "keys.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	provider := func(text string) string {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }))
		t.Cleanup(srv.Close)
		return srv.URL
	}
	const (
		secret  = "AUTH_SECRET=s3cret-s3cret-s3cret-s3cret-s3cret"
		keySet  = `{"keys":[{"kty":"oct","kid":"a","k":"czNjcmV0LXMzY3JldC1zM2NyZXQtczNjcmV0LXMzY3JldA"}]}`
		theirs  = `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"b","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`
		cursors = "CURSOR_SECRET=s3cret-s3cret-s3cret-s3cret-s3cret"
	)
	of := func(url string) []string {
		return []string{"AUTH=on", "AUTH_ISSUER=i", "AUTH_AUDIENCE=a", "AUTH_JWKS_URL=" + url}
	}
	for _, tt := range []struct {
		environ []string
		state   State
		words   []string
	}{
		{[]string{"AUTH=on", secret}, OK, []string{"1 key"}},
		{[]string{"AUTH=on", secret, "AUTH_KEYS_FILE=" + file(0o600, keySet)}, OK, []string{"2 keys"}},
		{[]string{"AUTH=on", "AUTH_KEYS_FILE=" + file(0o644, keySet)}, Warn, []string{"other users", "chmod"}},
		{[]string{"AUTH=on", "AUTH_KEYS_FILE=" + file(0o600, "s3cret")}, Fail, []string{"AUTH_KEYS_FILE", "JSON Web Key Set", "does not start"}},
		{[]string{"AUTH=on", "AUTH_KEYS_FILE=/nowhere/keys.json"}, Fail, []string{"/nowhere/keys.json", "no such file"}},
		{append(of(provider(theirs)), cursors), OK, []string{"0 keys of Forge's own", "1 key of the provider"}},
		{append(of(provider(`{"keys":[]}`)), secret), Warn, []string{"AUTH_JWKS_URL"}},
		{append(of(provider("<html>")), secret), Warn, []string{"cannot be fetched"}},
		{append(of("http://127.0.0.1:1/keys"), secret), Warn, []string{"cannot be fetched", "UNAVAILABLE"}},
	} {
		report := Report(newDoctor(t, append(tt.environ, "DATABASE_URL=sqlite:x.db")...).identity(t.Context(), nil))
		mustFind(t, report, "identity", tt.state, tt.words...)
		if strings.Contains(inWords(t, report), "s3cret") {
			t.Errorf("%v: the report has a secret", tt.environ)
		}
	}
	if report := Report(newDoctor(t, secret, "DATABASE_URL=sqlite:x.db").identity(t.Context(), nil)); len(report) > 0 {
		t.Errorf("with AUTH=off: %s", inWords(t, report))
	}
}
