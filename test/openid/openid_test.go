// Package openid signs people in to Forge with a certified provider of OpenID Connect, which runs
// in the test.
package openid

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
)

// page is where browsers come back to. No server answers there.
const page = "https://app.example.com/signed-in"

// newProvider starts a provider with one client.
func newProvider(t *testing.T, redirect string) (issuer string) {
	t.Helper()
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	clients := map[string]*storage.Client{"forge": storage.WebClient("forge", "a-secret", redirect)}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	handler = exampleop.SetupServer(server.URL, storage.NewStorageWithClients(storage.NewUserStore(server.URL), clients), quiet, false)
	return server.URL
}

// freeAddress returns an address on which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// startForge builds Forge and starts it, with a provider, until the test ends. It returns when
// Forge answers.
func startForge(t *testing.T, address, issuer string) {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "forge")
	if out, err := exec.Command("go", "build", "-C", "../..", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	file, err := json.Marshal(map[string]any{"returnTo": []string{page}, "providers": []any{map[string]any{
		"name": "zitadel", "issuer": issuer, "clientId": "forge", "clientSecret": "a-secret", "signUp": true}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "providers.json"), file, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "serve")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "ADDR="+address, "AUTH=on", "AUTH_SECRET="+strings.Repeat("secret ", 6), "DEMO=off", "AUTH_PROVIDERS_FILE=providers.json")
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() == "Ctrl+C ends it." {
			return
		}
	}
	_ = cmd.Wait()
	t.Fatalf("Forge did not start: %s", log.String())
}

// browse follows redirects from an address, and signs in where the provider asks for it, until the
// browser comes to the page. It returns the code that it brings.
func browse(t *testing.T, address string) (code string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := browser.Get(address)
	for range 10 {
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		next, moved := answer.Location()
		switch {
		case moved == nil && strings.HasPrefix(next.String(), page):
			return strings.TrimPrefix(next.Fragment, "forgeCode=")
		case moved == nil:
			answer, err = browser.Get(next.String())
		default:
			id := regexp.MustCompile(`name="id" value="([^"]+)"`).FindSubmatch(body)
			if id == nil {
				t.Fatalf("%d %s", answer.StatusCode, body)
			}
			form := url.Values{"id": {string(id[1])}, "username": {"test-user2"}, "password": {"verysecure"}}
			answer, err = browser.PostForm(answer.Request.URL.ResolveReference(&url.URL{Path: "/login/username"}).String(), form)
		}
	}
	t.Fatal("the browser goes in circles")
	return ""
}

// TestOpenID signs somebody up with a provider, and in again.
func TestOpenID(t *testing.T) {
	address := freeAddress(t)
	forge := "http://" + address
	startForge(t, address, newProvider(t, forge+"/auth/zitadel/callback"))
	verifier := strings.Repeat("verifier", 6)
	challenge := sha256.Sum256([]byte(verifier))
	start := forge + "/auth/zitadel/start?" + url.Values{"returnTo": {page}, "challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}}.Encode()
	var first string
	for _, what := range []string{"up", "in"} {
		operation, err := json.Marshal(map[string]any{
			"query":     `mutation($c: String!, $v: String!) { signInWithProvider(code: $c, verifier: $v) { user { id username email emailVerifiedAt } } }`,
			"variables": map[string]any{"c": browse(t, start), "v": verifier}})
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.Post(forge+"/graphql", "application/json", bytes.NewReader(operation))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		var got struct {
			Data struct {
				SignInWithProvider struct {
					User struct{ ID, Username, Email, EmailVerifiedAt string }
				}
			}
		}
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		user := got.Data.SignInWithProvider.User
		if user.ID == "" || user.Email != "test-user2@zitadel.ch" || user.Username != "test-user2" || user.EmailVerifiedAt == "" || first != "" && user.ID != first {
			t.Errorf("signing %s: %s", what, body)
		}
		first = user.ID
	}
}
