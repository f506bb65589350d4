package console

import (
	"net/http"
	"strings"
	"testing"

	"forge/internal/webpage"
	"forge/internal/webpage/pagetest"
)

func TestIndex(t *testing.T) {
	t.Parallel()
	for _, path := range []string{Path, Path + "/"} {
		res := pagetest.Do(Handler(Config{}), "GET", path)
		if got := res.Header.Get("Content-Security-Policy"); res.StatusCode != http.StatusOK || got != policy || strings.Contains(got, "unsafe") {
			t.Errorf("%s: status %d, Content-Security-Policy %q", path, res.StatusCode, got)
		}
		if body := pagetest.Read(t, res.Body); !strings.Contains(body, `<div id="root">`) {
			t.Errorf("the page has no root:\n%s", body)
		}
	}
}

// TestStorage checks that a page whose files are elsewhere may load and send them, and nothing
// else.
func TestStorage(t *testing.T) {
	t.Parallel()
	res := pagetest.Do(Handler(Config{Storage: "https://s3.example.com"}), "GET", Path)
	got := res.Header.Get("Content-Security-Policy")
	for _, part := range []string{"connect-src 'self' https://s3.example.com;", "img-src 'self' https://s3.example.com data:", "script-src 'self';"} {
		if !strings.Contains(got, part) {
			t.Errorf("%q is not in %s", part, got)
		}
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	handler, built := Handler(Config{}), webpage.MustRead(dist, Path+"/")
	if n := pagetest.References(t, handler, built, Path+"/"); n < 5 {
		t.Errorf("only %d files found: has the shape of their names changed?", n)
	}
	pagetest.LoadsNothingElsewhere(t, handler, built)
	pagetest.Encodings(t, handler, built)
}

// TestConfig checks the configuration that the page gets, and that no cache keeps it.
func TestConfig(t *testing.T) {
	t.Parallel()
	cfg := Config{SignIn: true, Cookie: true, Passkeys: true, Accounts: []webpage.Account{{Username: "a", Password: "b", Role: "USER"}}}
	res := pagetest.Do(Handler(cfg), "GET", Path+"/config.json")
	if got, want := pagetest.Read(t, res.Body), `{"signIn":true,"cookie":true,"accounts":[{"username":"a","password":"b","role":"USER"}],"passkeys":true,"codes":false}`; got != want {
		t.Errorf("the page is told %s, want %s", got, want)
	}
	if got := res.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		method, path string
		want         int
	}{
		{"GET", Path + "/elsewhere", 404},
		{"GET", Path + "/index.html", 404},
		{"GET", Path + "/../console.go", 404},
		{"GET", "/", 404},
		{"POST", Path, 405},
	} {
		if res := pagetest.Do(Handler(Config{}), tt.method, tt.path); res.StatusCode != tt.want {
			t.Errorf("%s %s: status %d, want %d", tt.method, tt.path, res.StatusCode, tt.want)
		}
	}
}
