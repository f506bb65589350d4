package program

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"forge/test/dbtest"
	"forge/test/gqltest"
)

const (
	signUpAda  = `mutation { m: signUp(input: {username: "ada", password: "correct horse"}) { accessToken refreshToken } }`
	signInAda  = `mutation { m: signIn(input: {login: "ada", password: "correct horse"}) { accessToken refreshToken } }`
	refreshIt  = `mutation { m: refreshSession { accessToken refreshToken user { username } } }`
	signOutNow = `mutation { m: signOut { ok } }`
	whoNow     = `{ viewer { username } }`
	appOrigin  = "https://app.example.com"
)

// cookied starts a server that keeps tokens in cookies.
func cookied(t *testing.T, address string, words ...string) *server {
	return start(t, append([]string{"DATABASE_URL=" + address, "AUTH=on", "AUTH_SECRET=" + authSecret, "CORS_ORIGINS=" + appOrigin, "MIGRATE=on"}, words...)...)
}

// cookieOf returns the cookie of that name which an answer sets.
func cookieOf(t *testing.T, a gqltest.Answer, name string) *http.Cookie {
	t.Helper()
	for _, c := range (&http.Response{Header: a.Header}).Cookies() {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no cookie %s: %v %s", name, a.Header["Set-Cookie"], a)
	return nil
}

// with returns a client that sends a cookie.
func (s *server) with(cookies ...*http.Cookie) *gqltest.Client {
	var pairs []string
	for _, c := range cookies {
		pairs = append(pairs, c.Name+"="+c.Value)
	}
	return s.Client.With("Cookie", strings.Join(pairs, "; "))
}

// TestSessionCookie follows a session in cookies from its beginning to its end: in production, and
// in development, where http://localhost has no HTTPS.
func TestSessionCookie(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		env, setting, prefix string
		secure               bool
	}{
		{"production", "on", "__Host-", true},
		{"production", "both", "__Host-", true},
		{"development", "both", "", false},
	} {
		s := cookied(t, dbtest.EmptySQLite(t), "FORGE_ENV="+tt.env, "SESSION_COOKIE="+tt.setting)
		refresh, access := tt.prefix+"forge-refresh", tt.prefix+"forge-access"
		up := s.Must(signUpAda, nil)
		first := cookieOf(t, up, refresh)
		if !first.HttpOnly || first.Secure != tt.secure || first.SameSite != http.SameSiteStrictMode || first.Path != "/" || first.Domain != "" || first.MaxAge != 30*24*3600 {
			t.Errorf("%v: %s", tt, first)
		}
		if up.Text("m.accessToken") == "" || up.Text("m.refreshToken") != "" || strings.Contains(up.Body, first.Value) {
			t.Errorf("%v: %s", tt, up)
		}
		if n := len(up.Header["Set-Cookie"]); (n == 2) != (tt.setting == "both") {
			t.Errorf("%v: %d cookies", tt, n)
		}
		if tt.setting == "both" {
			if got := s.with(cookieOf(t, up, access)).Must(whoNow, nil); got.Text("viewer.username") != "ada" {
				t.Errorf("%v: by the cookie: %s", tt, got)
			}
			bad := &http.Cookie{Name: access, Value: "x.y.z"}
			if got := s.with(bad).Do(whoNow, nil); got.Status != 200 || got.Text("viewer.username") != "" {
				t.Errorf("%v: by a bad cookie: %s", tt, got)
			}
			if got := s.with(bad, first).Must(refreshIt, nil); got.Text("m.user.username") != "ada" {
				t.Errorf("%v: a refresh beside a bad cookie: %s", tt, got)
			}
		}
		next := cookieOf(t, s.with(first).Must(refreshIt, nil), refresh)
		if again := cookieOf(t, s.with(first).Must(refreshIt, nil), refresh); again.Value != next.Value || next.Value == first.Value {
			t.Errorf("%v: the second refresh gives another token", tt)
		}
		in := cookieOf(t, s.with(next).Must(signInAda, nil), refresh)
		if in.Value == next.Value || in.Value == first.Value {
			t.Errorf("%v: signing in goes on with a session that was there", tt)
		}
		out := s.with(in).Must(signOutNow, nil)
		if c := cookieOf(t, out, refresh); c.Value != "" || c.MaxAge >= 0 {
			t.Errorf("%v: signOut leaves %s", tt, c)
		}
		refused := s.with(in).Do(refreshIt, nil)
		if c := cookieOf(t, refused, refresh); refused.Code() != "UNAUTHENTICATED" || c.MaxAge >= 0 {
			t.Errorf("%v: a refresh after signOut: %s", tt, refused)
		}
		if got := s.Do(refreshIt, nil); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("%v: a refresh without a cookie: %s", tt, got)
		}
	}
}

// TestSessionCookieOff checks that without the setting no cookie is read or set, and that a refresh
// token has to be given.
func TestSessionCookieOff(t *testing.T) {
	t.Parallel()
	s := cookied(t, dbtest.EmptySQLite(t))
	up := s.Client.With("Origin", appOrigin).Must(signUpAda, nil)
	if up.Text("m.refreshToken") == "" || up.Header["Set-Cookie"] != nil || up.Header["Access-Control-Allow-Credentials"] != nil {
		t.Errorf("%v %s", up.Header, up)
	}
	held := &http.Cookie{Name: "forge-refresh", Value: up.Text("m.refreshToken")}
	if got := s.with(held).Do(refreshIt, nil); got.Code() != "BAD_USER_INPUT" || got.Extension("field") != "input.refreshToken" {
		t.Errorf("a cookie: %s", got)
	}
	token := &http.Cookie{Name: "forge-access", Value: up.Text("m.accessToken")}
	if got := s.with(token).Must(whoNow, nil); got.Text("viewer.username") != "" {
		t.Errorf("a cookie: %s", got)
	}
}

// TestSessionCookieAttacks sends what pages of other origins and sites can have a browser send,
// with the cookies of a user. None gets a cookie, and none acts as the user.
func TestSessionCookieAttacks(t *testing.T) {
	t.Parallel()
	s := cookied(t, dbtest.EmptySQLite(t), "FORGE_ENV=production", "SESSION_COOKIE=both")
	up := s.Must(signUpAda, nil)
	refresh, access := cookieOf(t, up, "__Host-forge-refresh"), cookieOf(t, up, "__Host-forge-access")
	for name, headers := range map[string][]string{
		"another site":          {"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"},
		"a sibling domain":      {"Origin", "https://evil.example.com", "Sec-Fetch-Site", "same-site"},
		"no origin":             {"Origin", "null", "Sec-Fetch-Site", "cross-site"},
		"an old browser":        {"Origin", "https://evil.example"},
		"the app without HTTPS": {"Origin", "http://app.example.com", "Sec-Fetch-Site", "cross-site"},
		"a form":                {"Content-Type", "text/plain"},
		"a form of another":     {"Content-Type", "application/x-www-form-urlencoded", "Origin", "https://evil.example"},
	} {
		for _, query := range []string{signInAda, refreshIt, signOutNow, whoNow} {
			got := s.with(refresh, access).With(headers...).Send(t.Context(), query, nil)
			if got.Status != 403 && got.Status != 415 || got.Header["Set-Cookie"] != nil || got.Header["Access-Control-Allow-Origin"] != nil || got.Data != nil {
				t.Errorf("%s: %d %v %s", name, got.Status, got.Header, got)
			}
		}
	}
	tossed := &http.Cookie{Name: refresh.Name, Value: "planted"}
	for name, cookies := range map[string][]*http.Cookie{
		"two with the name":  {tossed, refresh},
		"the other way":      {refresh, tossed},
		"twice the same":     {refresh, refresh},
		"without the prefix": {{Name: "forge-refresh", Value: refresh.Value}},
		"in other case":      {{Name: "__host-forge-refresh", Value: refresh.Value}},
		"the wrong one":      {{Name: access.Name, Value: refresh.Value}},
		"planted":            {tossed},
	} {
		if got := s.with(cookies...).Do(refreshIt, nil); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := s.with(access, access).Must(whoNow, nil); got.Text("viewer.username") != "" {
		t.Errorf("two access tokens: %s", got)
	}
	if got := s.with(refresh).Must(refreshIt, nil); got.Text("m.user.username") != "ada" {
		t.Errorf("after all attacks: %s", got)
	}
}

// TestSessionCookieGet asks by GET, which guardOrigins lets pass from anywhere.
func TestSessionCookieGet(t *testing.T) {
	t.Parallel()
	production := cookied(t, dbtest.EmptySQLite(t), "FORGE_ENV=production", "SESSION_COOKIE=both")
	development := cookied(t, dbtest.EmptySQLite(t), "SESSION_COOKIE=both")
	for _, tt := range []struct {
		name    string
		s       *server
		headers []string
		known   bool // whether the cookie counts
		shared  bool // whether the page may read the answer to a request with cookies
	}{
		{"own page", production, []string{"Sec-Fetch-Site", "same-origin"}, true, false},
		{"typed", production, []string{"Sec-Fetch-Site", "none"}, true, false},
		{"named", production, []string{"Origin", appOrigin, "Sec-Fetch-Site", "same-site"}, true, true},
		{"another site", production, []string{"Sec-Fetch-Site", "cross-site"}, false, false},
		{"a sibling domain", production, []string{"Sec-Fetch-Site", "same-site"}, false, false},
		{"another site with CORS", production, []string{"Origin", "https://evil.example"}, false, false},
		{"another site with CORS, by SSE", production, []string{"Origin", "https://evil.example", "Accept", "text/event-stream"}, false, false},
		{"own page by SSE", production, []string{"Sec-Fetch-Site", "same-origin", "Accept", "text/event-stream"}, true, false},
		{"another port", development, []string{"Origin", "http://localhost:5173", "Sec-Fetch-Site", "same-site"}, false, false},
		{"named in development", development, []string{"Origin", appOrigin}, true, true},
	} {
		up := tt.s.Do(signUpAda, nil)
		if up.Code() == "CONFLICT" {
			up = tt.s.Must(signInAda, nil)
		}
		var access *http.Cookie
		for _, c := range (&http.Response{Header: up.Header}).Cookies() {
			if strings.HasSuffix(c.Name, "forge-access") {
				access = c
			}
		}
		got := tt.s.with(access).With(tt.headers...).Get("/graphql?query=" + url.QueryEscape(whoNow))
		if got.Status != 200 || strings.Contains(got.Body, `"username":"ada"`) != tt.known {
			t.Errorf("%s: %s, is it ada? want %v", tt.name, got, tt.known)
		}
		if credentials := got.Header.Get("Access-Control-Allow-Credentials") == "true"; credentials != tt.shared {
			t.Errorf("%s: credentials are allowed: %v", tt.name, credentials)
		}
	}
}

// TestSessionCookiePreflight asks which pages may send cookies. Those of this machine may ask in
// development, but not with cookies.
func TestSessionCookiePreflight(t *testing.T) {
	t.Parallel()
	s := cookied(t, dbtest.EmptySQLite(t), "SESSION_COOKIE=on")
	for origin, want := range map[string]string{appOrigin: "true", "http://localhost:5173": "", "http://[::1]:3000": "", "http://127.0.0.1:9": ""} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, s.url+"/graphql", nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"} {
			r.Header.Set(name, value)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		h := response.Header
		if response.StatusCode != 204 || h.Get("Access-Control-Allow-Origin") != origin || h.Get("Access-Control-Allow-Credentials") != want || h.Get("Access-Control-Allow-Headers") != "content-type" {
			t.Errorf("%s: %s %v", origin, response.Status, h)
		}
	}
	got := s.Client.With("Origin", "http://localhost:5173").Do(signUpAda, nil)
	if got.Code() != "FORBIDDEN" || !strings.Contains(got.Body, "CORS_ORIGINS") || got.Header["Set-Cookie"] != nil {
		t.Errorf("a page of another port: %s", got)
	}
	if got := s.Do(signInAda, nil); got.Code() != "UNAUTHENTICATED" {
		t.Errorf("the user was stored although the tokens could not be handed over: %s", got)
	}
}

// TestTokensInAnswer has a client that is no browser ask for its tokens, and a browser's script try
// the same.
func TestTokensInAnswer(t *testing.T) {
	t.Parallel()
	s := cookied(t, dbtest.EmptySQLite(t), "SESSION_COOKIE=both")
	s.Must(signUpAda, nil)
	app := s.Client.With("Forge-Session", "token")
	got := app.Must(signInAda, nil)
	if got.Text("m.refreshToken") == "" || got.Header["Set-Cookie"] != nil {
		t.Errorf("an app: %v %s", got.Header, got)
	}
	held := &http.Cookie{Name: "forge-refresh", Value: got.Text("m.refreshToken")}
	if got := app.With("Cookie", held.String()).Do(refreshIt, nil); got.Code() != "BAD_USER_INPUT" {
		t.Errorf("an app with a cookie: %s", got)
	}
	for _, header := range [][]string{{"Origin", s.url}, {"Origin", appOrigin}, {"Sec-Fetch-Site", "same-origin"}} {
		got := app.With(header...).Must(signInAda, nil)
		if got.Text("m.refreshToken") != "" || got.Header["Set-Cookie"] == nil {
			t.Errorf("a script: %v: %s", header, got)
		}
	}
}

// TestSessionCookieSockets opens WebSockets with the cookie of an access token: as the server's own
// page, and as a page of another origin. A WebSocket cannot set cookies, so nobody signs in there.
func TestSessionCookieSockets(t *testing.T) {
	t.Parallel()
	s := cookied(t, dbtest.EmptySQLite(t), "FORGE_ENV=production", "SESSION_COOKIE=both")
	access := cookieOf(t, s.Must(signUpAda, nil), "__Host-forge-access")
	open := func(origin string) (*websocket.Conn, error) {
		conn, response, err := websocket.Dial(t.Context(), s.url+"/graphql", &websocket.DialOptions{
			Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: http.Header{"Cookie": {access.Name + "=" + access.Value}, "Origin": {origin}}})
		if err != nil && response != nil && response.Body != nil {
			err = fmt.Errorf("%s: %w", response.Status, err)
		}
		return conn, err
	}
	for _, origin := range []string{"https://evil.example", "https://evil.example.com", "null"} {
		if conn, err := open(origin); err == nil || !strings.Contains(err.Error(), "403") {
			t.Errorf("%s: %v, want 403", origin, err)
			if conn != nil {
				conn.CloseNow()
			}
		}
	}
	for _, origin := range []string{s.url, appOrigin} {
		conn, err := open(origin)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.CloseNow()
		send(t, conn, map[string]any{"type": "connection_init"})
		if got := overSocket(t, conn, whoNow); !strings.Contains(got, `"username":"ada"`) {
			t.Errorf("%s: %s", origin, got)
		}
		for _, query := range []string{signInAda, refreshIt} {
			if got := overSocket(t, conn, query); !strings.Contains(got, "FORBIDDEN") {
				t.Errorf("%s: %s", origin, got)
			}
		}
	}
}

// send sends a message on a WebSocket.
func send(t *testing.T, conn *websocket.Conn, message map[string]any) {
	t.Helper()
	text, err := json.Marshal(message)
	if err == nil {
		err = conn.Write(t.Context(), websocket.MessageText, text)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// overSocket runs an operation on a WebSocket, and returns the message with its answer.
func overSocket(t *testing.T, conn *websocket.Conn, query string) string {
	t.Helper()
	send(t, conn, map[string]any{"type": "subscribe", "id": query, "payload": map[string]any{"query": query}})
	for {
		_, text, err := conn.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), `"next"`) || strings.Contains(string(text), `"error"`) {
			return string(text)
		}
	}
}

// TestTabsWithCookies has four tabs of a browser reload at once, a hundred times, over HTTP. They
// share one cookie, as tabs do, and nobody is signed out. After that, somebody has stolen a cookie
// that was used: the session ends.
func TestTabsWithCookies(t *testing.T) {
	t.Parallel()
	emptyDatabases(t, func(t *testing.T, address string) {
		s := cookied(t, address, "SESSION_COOKIE=on")
		jar := cookieOf(t, s.Must(signUpAda, nil), "forge-refresh")
		first := jar
		for round := range 100 {
			tabs := make([]gqltest.Answer, 4)
			var all sync.WaitGroup
			for i := range tabs {
				all.Go(func() { tabs[i] = s.with(jar).Do(refreshIt, nil) })
			}
			all.Wait()
			for i, got := range tabs {
				if got.Text("m.user.username") != "ada" {
					t.Fatalf("round %d: tab %d is signed out: %s", round, i, got)
				}
				if c := cookieOf(t, got, "forge-refresh"); c.Value != cookieOf(t, tabs[0], "forge-refresh").Value {
					t.Fatalf("round %d: tab %d has another cookie", round, i)
				}
			}
			jar = cookieOf(t, tabs[0], "forge-refresh")
		}
		thief := s.with(first).With("User-Agent", "thief")
		if got := thief.Do(refreshIt, nil); got.Code() != "UNAUTHENTICATED" || cookieOf(t, got, "forge-refresh").MaxAge >= 0 {
			t.Errorf("a thief: %s", got)
		}
		if got := s.with(jar).Do(refreshIt, nil); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("the session goes on: %s", got)
		}
	})
}

// dropped is a transport that loses the first answer.
type dropped struct{ lost bool }

func (d *dropped) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && !d.lost {
		d.lost = true
		response.Body.Close()
		return nil, io.ErrUnexpectedEOF
	}
	return response, err
}

// TestLostAnswerWithCookies has a proxy lose the answer to a refresh. The client sends its cookie
// again, and goes on.
func TestLostAnswerWithCookies(t *testing.T) {
	t.Parallel()
	s := cookied(t, dbtest.EmptySQLite(t), "SESSION_COOKIE=on")
	jar := cookieOf(t, s.Must(signUpAda, nil), "forge-refresh")
	through := s.with(jar).Through(&http.Client{Transport: new(dropped)})
	if got := through.Send(context.Background(), refreshIt, nil); got.Err == nil {
		t.Fatalf("no answer was lost: %s", got)
	}
	again := through.Must(refreshIt, nil)
	if got := s.with(cookieOf(t, again, "forge-refresh")).Must(refreshIt, nil); got.Text("m.user.username") != "ada" {
		t.Errorf("%s", got)
	}
}

// TestSecretMade starts a server in development without a secret. It makes one, which later starts
// use as well. In production, and on PostgreSQL, the start is refused.
func TestSecretMade(t *testing.T) {
	t.Parallel()
	address := dbtest.EmptySQLite(t)
	s := start(t, "DATABASE_URL="+address, "AUTH=on")
	access := s.Must(signUpAda, nil).Text("m.accessToken")
	s.end()
	path := strings.TrimPrefix(address, "sqlite:") + "-secret"
	secret, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(s.stdout+s.log.String(), strings.TrimSpace(string(secret))) || !strings.Contains(s.log.String(), path) {
		t.Errorf("the log says %s", s.log)
	}
	s = start(t, "DATABASE_URL="+address, "AUTH=on")
	if got := s.As(access).Must(whoNow, nil); got.Text("viewer.username") != "ada" {
		t.Errorf("after a restart: %s", got)
	}
	start(t, "DATABASE_URL=sqlite::memory:", "AUTH=on").Must(signUpAda, nil)
	for _, words := range [][]string{{"FORGE_ENV=production", "DATABASE_URL=" + address}, {"AUTH=on", "DATABASE_URL=postgres://127.0.0.1:1/d"}} {
		if code, _, stderr := do(t, append([]string{"ADDR=127.0.0.1:0"}, words...)...); code == 0 || !strings.Contains(stderr, "AUTH_SECRET") {
			t.Errorf("%v: status %d, %s", words, code, stderr)
		}
	}
}
