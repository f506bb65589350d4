package provider

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// files writes files into a new folder, and returns the path of the one that is called providers.
func files(t *testing.T, texts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "providers")
}

func privateKey(t *testing.T, curve elliptic.Curve) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text}))
}

// TestReadPresets reads a file with a provider of each kind.
func TestReadPresets(t *testing.T) {
	t.Parallel()
	path := files(t, map[string]string{"secret": " hush\n", "key.p8": privateKey(t, elliptic.P256()), "providers": `{
		"publicUrl": "https://api.example.com", "returnTo": ["https://app.example.com", "com.example.app:/signed-in"],
		"providers": [
			{"name": "google", "preset": "google", "clientId": "c", "clientSecretFile": "secret", "signUp": true},
			{"name": "microsoft", "preset": "microsoft", "tenant": "common", "clientId": "c", "clientSecret": "s"},
			{"name": "personal", "preset": "microsoft", "tenant": "consumers", "clientId": "c", "clientSecret": "s"},
			{"name": "github", "preset": "github", "clientId": "c", "clientSecret": "s", "scopes": ["user:email"]},
			{"name": "apple", "preset": "apple", "clientId": "c", "teamId": "T", "keyId": "K", "keyFile": "key.p8"},
			{"name": "own", "issuer": "http://localhost:9000/realm", "clientId": "c", "clientSecret": "s", "trustEmail": false}
		]}`})
	f, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	var issuers []string
	for _, c := range f.Providers {
		issuers = append(issuers, c.Issuer)
	}
	if got, want := strings.Join(issuers, " "), "https://accounts.google.com https://login.microsoftonline.com/common/v2.0 https://login.microsoftonline.com/"+
		consumers+"/v2.0 https://github.com https://appleid.apple.com http://localhost:9000/realm"; got != want {
		t.Errorf("the issuers are %s, want %s", got, want)
	}
	google := f.Providers[0]
	if google.ClientSecret != "hush" || !google.SignUp || strings.Join(google.Scopes, " ") != "openid email profile" || f.Providers[3].Scopes[0] != "user:email" {
		t.Errorf("%+v", google)
	}
	for address, want := range map[string]bool{
		"https://app.example.com": true, "https://app.example.com/any?x=y": true, "https://app.example.com/a/../b": false,
		"com.example.app:/signed-in": true, "com.example.app:/other": false, "http://localhost:3000": false,
	} {
		if got := f.pages.allow(address); got != want {
			t.Errorf("allow(%q) = %t", address, got)
		}
	}
}

// TestOwnPage checks that browsers may come back to the server's own page, and to no other one.
func TestOwnPage(t *testing.T) {
	p := New(Options{File: &File{PublicURL: "https://api.example.com"}, Page: "/console"})
	for address, want := range map[string]bool{
		"https://api.example.com/console": true, "https://api.example.com/": false, "https://api.example.com/console/x": false,
		"http://api.example.com/console": false, "https://example.com/console": false,
	} {
		if got := p.pages.allow(address); got != want {
			t.Errorf("allow(%q) = %t", address, got)
		}
	}
	if New(Options{File: &File{PublicURL: "https://api.example.com"}}).pages.allow("https://api.example.com/console") {
		t.Error("browsers may come back to a page that is not there")
	}
}

// TestReadBad reads files that are not right. The errors are sentences, and have no secret in them.
func TestReadBad(t *testing.T) {
	t.Parallel()
	one := func(members string) string {
		return `{"providers": [{"name": "own", "clientId": "c", "clientSecret": "hush", ` + members + `}]}`
	}
	const issuer = `"issuer": "https://id.example.com"`
	apple := func(members string) string {
		return `{"providers": [{"name": "apple", "preset": "apple", "clientId": "c", ` + members + `}]}`
	}
	for _, tt := range []struct{ name, text, want string }{
		{"not JSON", `providers: hush`, "it is not JSON"},
		{"cut off", `{"providers": [`, "it is not JSON"},
		{"something behind it", one(issuer) + `hush`, "behind its end"},
		{"an unknown member", `{"provider": []}`, `"provider", which is not known`},
		{"an unknown member of a provider", one(issuer + `, "clientsecret2": "hush"`), `"clientsecret2", which is not known`},
		{"another type", one(`"signUp": "hush"`), "signUp may not be a string"},
		{"empty", `{}`, "it has no providers"},
		{"no provider", `{"providers": [null]}`, "name of provider 1"},
		{"a bad name", `{"providers": [{"name": "Hush/../x"}]}`, "name of provider 1"},
		{"twice", `{"providers": [{"name": "a", ` + issuer + `, "clientId": "c", "clientSecret": "hush"}, {"name": "a"}]}`, "two providers a"},
		{"no client", `{"providers": [{"name": "a", ` + issuer + `, "clientSecret": "hush"}]}`, "provider a: clientId is missing"},
		{"no secret", `{"providers": [{"name": "a", ` + issuer + `, "clientId": "c"}]}`, "either clientSecret or"},
		{"two secrets", one(issuer + `, "clientSecretFile": "secret"`), "either clientSecret or"},
		{"no file", `{"providers": [{"name": "a", ` + issuer + `, "clientId": "c", "clientSecretFile": "none"}]}`, "clientSecretFile: there is no such file"},
		{"an empty file", `{"providers": [{"name": "a", ` + issuer + `, "clientId": "c", "clientSecretFile": "empty"}]}`, "clientSecretFile is empty"},
		{"no issuer", one(`"signUp": true`), "issuer or preset is missing"},
		{"an unknown preset", one(`"preset": "myspace"`), "preset is none of"},
		{"plain http", one(`"issuer": "http://id.example.com"`), "https://"},
		{"a user in the issuer", one(`"issuer": "https://a:hush@id.example.com"`), "not the URL of a server"},
		{"a query in the issuer", one(`"issuer": "https://id.example.com?x=y"`), "not the URL of a server"},
		{"a long issuer", one(`"issuer": "https://id.example.com/` + strings.Repeat("x", 500) + `"`), "longer than"},
		{"no tenant", one(`"preset": "microsoft"`), "tenant is missing"},
		{"a bad tenant", one(`"preset": "microsoft", "tenant": "../x"`), "tenant is missing, or not"},
		{"a tenant elsewhere", one(issuer + `, "tenant": "common"`), "tenant is for"},
		{"without openid", one(issuer + `, "scopes": ["email"]`), "openid"},
		{"a key elsewhere", one(issuer + `, "keyFile": "key"`), "for the preset apple"},
		{"apple with a secret", apple(`"clientSecret": "hush"`), "apple has no secret"},
		{"apple without a key", apple(`"teamId": "T"`), "missing"},
		{"a key that is none", apple(`"teamId": "T", "keyId": "K", "keyFile": "secret"`), "keyFile is not a P-256 key"},
		{"a key of another kind", apple(`"teamId": "T", "keyId": "K", "keyFile": "large.p8"`), "keyFile is not a P-256 key"},
		{"a page that is none", `{"returnTo": ["app.example.com"]}`, "neither a page"},
		{"a page with a fragment", `{"returnTo": ["https://app.example.com/#x"]}`, "is not an address"},
		{"a page with a query", `{"returnTo": ["https://app.example.com/?x"]}`, "not the URL of a server"},
		{"a page over http", `{"returnTo": ["http://app.example.com"]}`, "https://"},
		{"a script", `{"returnTo": ["javascript:alert(1)"]}`, "neither a page"},
		{"a path", `{"publicUrl": "https://api.example.com/x"}`, "publicUrl"},
		{"no origin", `{"publicUrl": "api.example.com"}`, "publicUrl"},
		{"a large file", `{"x": "` + strings.Repeat("x", maxFile) + `"}`, "larger than 1 MiB"},
	} {
		path := files(t, map[string]string{"secret": "hush", "empty": " ", "large.p8": privateKey(t, elliptic.P384()), "providers": tt.text})
		if _, err := Read(path); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("no file: %v", err)
	}
}

// TestReadYAML reads files that are YAML, as strictly as those that are JSON.
func TestReadYAML(t *testing.T) {
	t.Parallel()
	const good = "returnTo: [https://app.example.com/signed-in]\nproviders:\n  - name: google\n    preset: google\n    clientId: c\n    clientSecretFile: secret\n    signUp: true\n"
	for what, tt := range map[string]struct{ text, want string }{
		"good":               {good, ""},
		"an unknown member":  {good + "    signin: hush\n", `"signin", which is not known`},
		"another type":       {strings.Replace(good, "true", "hush", 1), "signUp may not be a string"},
		"a number":           {strings.Replace(good, "clientId: c", "clientId: 12", 1), "clientId may not be a number"},
		"a member twice":     {good + "    clientId: hush\n", "it is not YAML"},
		"two documents":      {good + "---\nhush\n", "behind its end"},
		"a name of no text":  {good + "    ? [hush]\n    : x\n", "YAML"},
		"nothing":            {"", "it is not YAML"},
		"a list":             {"- hush\n", "may not be a"},
		"tabs":               {"\tproviders: hush", "it is not YAML"},
		"aliases of aliases": {"a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\ne: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\nf: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]\ng: [*f, *f, *f, *f, *f, *f, *f, *f, *f, *f]\n", "it is not YAML"},
	} {
		path := files(t, map[string]string{"secret": "hush", "providers": ""}) + ".yaml"
		if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := Read(path)
		switch {
		case tt.want == "" && (err != nil || f.Providers[0].ClientSecret != "hush" || !f.Providers[0].SignUp):
			t.Errorf("%s: %v, %v", what, f, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hush")):
			t.Errorf("%s: %v, want %q", what, err, tt.want)
		}
	}
}

// TestPage reads the file that the page for people who build applications shows.
func TestPage(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../../docs/accounts*.md")
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
			if !strings.Contains(block[1], `"providers"`) {
				continue
			}
			read++
			if _, err := Read(files(t, map[string]string{"google.secret": "hush", "providers": block[1]})); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
	if read == 0 {
		t.Error("no page shows a file")
	}
}
