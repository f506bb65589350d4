package providers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/golang-jwt/jwt/v5"

	"forge/internal/onetime"
	"forge/test/dbtest"
	"forge/test/idp"
)

// signedWith returns a function that signs tokens with another method and key than the provider's.
func signedWith(method jwt.SigningMethod, key any) func(jwt.MapClaims) string {
	return func(c jwt.MapClaims) string {
		token := jwt.NewWithClaims(method, c)
		token.Header["kid"] = "one"
		text, err := token.SignedString(key)
		if err != nil {
			panic(err)
		}
		return text
	}
}

// says returns an answer of a token endpoint.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Location", "/token-elsewhere")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// TestBadProvider signs in with a provider that does one thing wrong at a time. The page is told
// that the provider failed, and nothing is stored.
func TestBadProvider(t *testing.T) {
	t.Parallel()
	w := start(t, dbtest.SQLite(t))
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	claim := func(name string, value any) func(*idp.Provider) {
		return func(p *idp.Provider) { p.Claims = func(c map[string]any) { c[name] = value } }
	}
	for _, tt := range []struct {
		name string
		make func(*idp.Provider)
	}{
		{"another issuer", claim("iss", w.idp.URL)},
		{"no issuer", claim("iss", nil)},
		{"another nonce", claim("nonce", "another")},
		{"no nonce", claim("nonce", nil)},
		{"another audience", claim("aud", "another-client")},
		{"several audiences", claim("aud", []string{"another-client", idp.ClientID})},
		{"for another party", claim("azp", "another-client")},
		{"expired", claim("exp", time.Now().Add(-time.Second).Unix())},
		{"no expiry", claim("exp", nil)},
		{"no subject", claim("sub", "")},
		{"a long subject", claim("sub", strings.Repeat("x", 256))},
		{"of another access token", claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA")},
		{"unsigned", func(p *idp.Provider) { p.Sign = signedWith(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType) }},
		{"signed with the secret", func(p *idp.Provider) { p.Sign = signedWith(jwt.SigningMethodHS256, []byte(idp.Secret)) }},
		{"signed with another key", func(p *idp.Provider) { p.Sign = signedWith(jwt.SigningMethodES256, other) }},
		{"no token", func(p *idp.Provider) { p.Sign = func(jwt.MapClaims) string { return "" } }},
		{"a token that is none", func(p *idp.Provider) { p.Sign = func(jwt.MapClaims) string { return "e30.e30.e30" } }},
		{"the wrong secret", func(p *idp.Provider) { p.CheckSecret = func(string) bool { return false } }},
		{"too long", func(p *idp.Provider) {
			p.Token = says(http.StatusOK, `{"access_token": "`+strings.Repeat("x", 10<<20)+`"}`)
		}},
		{"not JSON", func(p *idp.Provider) { p.Token = says(http.StatusOK, `<html>the words of the provider`) }},
		{"a redirect", func(p *idp.Provider) { p.Token = says(http.StatusTemporaryRedirect, ``) }},
		{"broken", func(p *idp.Provider) { p.Token = says(http.StatusInternalServerError, `the words of the provider`) }},
		{"comes back from another", func(p *idp.Provider) { p.Answer = func(q url.Values) { q.Set("iss", w.idp.URL) } }},
		{"comes back with an error", func(p *idp.Provider) {
			p.Answer = func(q url.Values) {
				q.Set("error", "server_error")
				q.Set("error_description", "the words of the provider")
			}
		}},
		{"comes back with two codes", func(p *idp.Provider) { p.Answer = func(q url.Values) { q.Add("code", "x") } }},
		{"comes back with none", func(p *idp.Provider) { p.Answer = func(q url.Values) { q.Del("code") } }},
		{"comes back with a code of its own", func(p *idp.Provider) { p.Answer = func(q url.Values) { q.Set("code", "x") } }},
	} {
		w.evil.Reset()
		w.evil.Person = ada()
		tt.make(w.evil)
		b := w.browser()
		if code, fault, got := b.goes(b.start("evil")); fault != "PROVIDER_FAILED" {
			t.Errorf("%s: %q, %q, %s", tt.name, code, fault, got)
		}
	}
	if got := w.Must(`{ users { totalCount } }`, nil); got.Number("users.totalCount") != 0 {
		t.Errorf("something was stored: %s", got)
	}
	w.evil.Reset()
	w.evil.Person = ada()
	w.evil.Answer = func(q url.Values) { q.Set("iss", w.evil.URL) }
	w.signIn("evil")
	w.evil.Answer = func(q url.Values) { q.Del("code"); q.Set("error", "access_denied") }
	b := w.browser()
	if _, fault, got := b.goes(b.start("evil")); fault != "PROVIDER_DENIED" {
		t.Errorf("the person says no: %q, %s", fault, got)
	}
	for _, request := range w.evil.Requests {
		if strings.Contains(request, "elsewhere") {
			t.Errorf("a redirect was followed: %s", request)
		}
	}
	w.end()
	w.tellsNothing()
}

// TestState attacks the way back from a provider.
func TestState(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, address string) {
		w := start(t, address)
		w.idp.Person, w.evil.Person = ada(), ada()
		refused := func(what string, got answer) {
			t.Helper()
			if got.StatusCode != http.StatusBadRequest || got.Header.Get("Location") != "" {
				t.Errorf("%s: %s", what, got)
			}
		}
		b := w.browser()
		back := b.callback(b.start("good"))
		change := func(name, value string) string {
			u, _ := url.Parse(back)
			q := u.Query()
			if q.Set(name, value); value == "" {
				q.Del(name)
			}
			u.RawQuery = q.Encode()
			return u.String()
		}
		refused("without a state", b.get(change("state", "")))
		refused("with another state", b.get(change("state", rand.Text()+rand.Text())))
		refused("in a way that is no query", b.get(back+"&%zz"))
		if got := b.get(back); got.StatusCode != http.StatusSeeOther || got.Header.Get("Cache-Control") != "no-store" || got.Header.Get("Referrer-Policy") != "no-referrer" || got.body != "" {
			t.Errorf("the way back: %s, %v", got, got.Header)
		}
		refused("twice", b.get(back))

		victim := w.browser()
		refused("in another browser", victim.get(b.callback(b.start("good"))))
		_ = victim.callback(victim.start("good"))
		refused("in a browser that signs in as well", victim.get(b.callback(b.start("good"))))

		back = b.callback(b.start("good"))
		u, _ := url.Parse(w.url)
		for _, c := range b.client.Jar.Cookies(u) {
			victim.client.Jar.SetCookies(u, []*http.Cookie{{Name: c.Name, Value: rand.Text() + rand.Text(), Path: "/"}})
		}
		refused("with a cookie that somebody made up", victim.get(back))

		// Mix-up: the evil provider sends the browser to the good one's address, to learn its code.
		asked := len(w.idp.Requests)
		refused("at the address of another provider", b.get(strings.Replace(b.callback(b.start("evil")), "/evil/", "/good/", 1)))
		if len(w.idp.Requests) != asked {
			t.Errorf("the good provider was asked: %q", w.idp.Requests[asked:])
		}

		// A code of the attacker in the victim's browser, with the victim's state: PKCE does not
		// fit.
		stolen, _ := url.Parse(b.callback(b.start("good")))
		back = victim.callback(victim.start("good"))
		if _, fault, got := victim.goes(change("code", stolen.Query().Get("code"))); fault != "PROVIDER_FAILED" {
			t.Errorf("a code of somebody else: %q, %s", fault, got)
		}

		back = b.callback(b.start("good"))
		do(t, address, "UPDATE "+tokens(address)+" SET expires_at = 1")
		refused("too late", b.get(back))
		code, _, _ := b.goes(b.start("good"))
		do(t, address, "UPDATE "+tokens(address)+" SET expires_at = 1")
		b.exchangeFails("a code that comes too late", "UNAUTHENTICATED", code)

		// Login CSRF: the attacker brings a code, or a whole address, to the victim's page.
		code, _, _ = b.goes(b.start("good"))
		victim.exchangeFails("a code of another page", "UNAUTHENTICATED", code)
		if got := b.exchange(code); !got.OK() {
			t.Errorf("a code that somebody tried without its verifier: %s", got)
		}
		b.exchangeFails("a code that was used", "UNAUTHENTICATED", code)
		b.exchangeFails("a state as a code", "UNAUTHENTICATED", url.QueryEscape(stolen.Query().Get("state")))
	})
}

// tokens returns the name of the table of tokens that are good once.
func tokens(address string) string {
	kind := dialect.Postgres
	if strings.HasPrefix(address, "sqlite") {
		kind = dialect.SQLite
	}
	return onetime.Objects(kind)[0].Name
}

// TestStart attacks the way to a provider.
func TestStart(t *testing.T) {
	t.Parallel()
	w := start(t, dbtest.SQLite(t))
	b := w.browser()
	at := func(returnTo, challenge string) answer {
		return b.get(w.url + "/auth/good/start?" + url.Values{"returnTo": {returnTo}, "challenge": {challenge}}.Encode())
	}
	for _, returnTo := range []string{
		"", "/", "//evil.example", `\\evil.example`, "/\\evil.example", "https://evil.example", "https://app.example.com.evil.example/signed-in",
		"https://app.example.com@evil.example/signed-in", "https://evil.example\\@app.example.com/signed-in", "https://app.example.com:8443/signed-in",
		"http://app.example.com/signed-in", "https://app.example.com/other", page + "/../other", page + "/", page + "#x", page + " x", page + "\r\nX: y",
		"javascript:alert(1)", "data:text/html,x", "https:app.example.com/signed-in", "https:///app.example.com/signed-in", "https://user:x@app.example.com/signed-in",
		"HTTPS://APP.EXAMPLE.COM/signed-in", page + "%00\x00", "http://localhost.evil.example/", "http://localhost@evil.example/", "http://127.0.0.1.evil.example",
		page + strings.Repeat("x", 5000),
	} {
		if got := at(returnTo, b.challenge()); got.StatusCode != http.StatusBadRequest || got.Header.Get("Location") != "" || len(got.Cookies()) > 0 {
			t.Errorf("back to %q: %s", returnTo, got)
		}
	}
	for _, returnTo := range []string{page, page + "?a=b&c=https://evil.example", "http://localhost:5173/x", "http://127.0.0.1:3000"} {
		if got := at(returnTo, b.challenge()); got.StatusCode != http.StatusSeeOther || !strings.HasPrefix(got.Header.Get("Location"), w.idp.URL+"/authorize?") {
			t.Errorf("back to %q: %s", returnTo, got)
		}
	}
	for _, challenge := range []string{"", "short", b.challenge() + "x", strings.Repeat("+", 43)} {
		if got := at(page, challenge); got.StatusCode != http.StatusBadRequest {
			t.Errorf("the challenge %q: %s", challenge, got)
		}
	}
	cookies := 0
	for range 8 {
		b.get(b.start("good"))
	}
	u, _ := url.Parse(w.url)
	for _, c := range b.client.Jar.Cookies(u) {
		if strings.HasPrefix(c.Name, "forge-auth-") {
			cookies++
		}
	}
	if cookies > 5 {
		t.Errorf("the browser has %d cookies", cookies)
	}
	for path, status := range map[string]int{"/auth/none/start": 404, "/auth/good": 404, "/auth/good/else": 404, "/auth/none/callback": 404} {
		if got := b.get(w.url + path); got.StatusCode != status {
			t.Errorf("%s: %s", path, got)
		}
	}
	if got := b.send(http.NewRequest(http.MethodHead, b.start("good"), nil)); got.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("HEAD: %s", got)
	}
	for i := 0; ; i++ {
		got := b.get(w.url + "/auth/good/start")
		if got.StatusCode == http.StatusTooManyRequests && got.Header.Get("Retry-After") != "" {
			break
		}
		if i > 1000 {
			t.Fatal("a network is never refused")
		}
	}
	if strings.Contains(fmt.Sprint(w.log), "evil.example") {
		t.Error("the log has an address that somebody chose")
	}
}
