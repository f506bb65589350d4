package program

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"forge/internal/ids"
	"forge/internal/token"
	"forge/internal/viewer"
	"forge/test/dbtest"
)

const authSecret = "a secret that nobody knows, of more than 32 bytes"

// as sends a query with an Authorization header, or without one if it is "".
func (s *server) as(t *testing.T, authorization, query string) (status int, body string) {
	t.Helper()
	text, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/graphql", strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(answer)
}

const whoAmI = `{ viewer { id } }`

// issue returns a token of Forge's own.
func issue(t *testing.T, id uuid.UUID) string {
	t.Helper()
	o := token.Options{Secret: authSecret, TTL: time.Hour, Issuer: "forge", Audience: "forge"}
	keys, err := token.ReadKeys(o.Secret, "")
	if err != nil {
		t.Fatal(err)
	}
	text, _, err := token.NewIssuer(o, keys).Issue(id, viewer.User, uuid.New(), time.Now(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestAuthOn asks a server in production who the viewer of a request is.
func TestAuthOn(t *testing.T) {
	t.Parallel()
	emptyDatabases(t, func(t *testing.T, address string) {
		s := start(t, "FORGE_ENV=production", "AUTH_SECRET="+authSecret, "LOG_LEVEL=debug", "DATABASE_URL="+address, "serve", "--migrate", "--demo")
		_, users := s.as(t, "", `{ users(first: 1) { nodes { id } } }`)
		known := regexp.MustCompile(`user_\w+`).FindString(users)
		id, err := ids.Parse(known)
		if err != nil {
			t.Fatalf("%s: %v", users, err)
		}
		good := issue(t, id.UUID)
		tests := []struct {
			name, authorization string
			status              int
			has                 string
		}{
			{"none", "", 200, `{"data":{"viewer":null}}`},
			{"good", "Bearer " + good, 200, `{"data":{"viewer":{"id":"` + known + `"}}}`},
			{"of a user who is gone", "Bearer " + issue(t, uuid.Must(uuid.NewV7())), 200, `{"data":{"viewer":null}}`},
			{"bad", "Bearer " + good[:len(good)-4] + "AAAA", 401, "UNAUTHENTICATED"},
			{"another scheme", "Basic dTpw", 401, "UNAUTHENTICATED"},
		}
		for _, tt := range tests {
			if status, body := s.as(t, tt.authorization, whoAmI); status != tt.status || !strings.Contains(body, tt.has) || status == 200 && body != tt.has {
				t.Errorf("%s: %d %s, want %d %s", tt.name, status, body, tt.status, tt.has)
			}
		}
		if status, body := s.get(t, "/graphql?access_token="+good+"&query=%7Bviewer%7Bid%7D%7D"); status != 200 || body != `{"data":{"viewer":null}}` {
			t.Errorf("a token in the address: %d %s", status, body)
		}
		_, page := s.get(t, "/metrics")
		s.end()
		for _, part := range append(strings.Split(good, "."), authSecret) {
			if strings.Contains(s.stdout+s.log.String()+page, part) {
				t.Errorf("a secret is told: %s", part)
			}
		}
	})
}

// TestAuthOff sends a token to a server with AUTH=off.
func TestAuthOff(t *testing.T) {
	t.Parallel()
	s := start(t, "DATABASE_URL="+dbtest.SQLite(t))
	for _, authorization := range []string{"", "Bearer x", "Basic dTpw"} {
		if status, body := s.as(t, authorization, whoAmI); status != 200 || !strings.HasPrefix(body, `{"data":{"viewer":null}`) {
			t.Errorf("%q: %d %s", authorization, status, body)
		}
	}
}

// TestBadTokenFirst sends a bad token with a bad method or Accept header. The token is checked
// first.
func TestBadTokenFirst(t *testing.T) {
	t.Parallel()
	s := start(t, "AUTH=on", "AUTH_SECRET="+authSecret, "DATABASE_URL="+dbtest.EmptySQLite(t))
	for _, tt := range []struct {
		method, accept, authorization string
		status                        int
	}{
		{http.MethodPut, "", "", http.StatusMethodNotAllowed},
		{http.MethodPut, "", "Bearer x", http.StatusUnauthorized},
		{http.MethodGet, "text/html", "", http.StatusNotAcceptable},
		{http.MethodGet, "text/html", "Bearer x", http.StatusUnauthorized},
	} {
		r, err := http.NewRequestWithContext(t.Context(), tt.method, s.url+"/graphql?query={__typename}", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", tt.accept)
		if tt.authorization != "" {
			r.Header.Set("Authorization", tt.authorization)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != tt.status {
			t.Errorf("%s, Accept %q, %q: status %d, want %d", tt.method, tt.accept, tt.authorization, response.StatusCode, tt.status)
		}
	}
}

// TestProvider starts a server while its provider is down. Tokens are accepted soon after the
// provider is up.
func TestProvider(t *testing.T) {
	t.Parallel()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var up atomic.Bool
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !up.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = fmt.Fprintf(w, `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"theirs","x":%q}]}`, base64.RawURLEncoding.EncodeToString(public))
	}))
	defer provider.Close()
	s := start(t, "AUTH=on", "AUTH_JWKS_URL="+provider.URL, "AUTH_ISSUER=https://id.example", "AUTH_AUDIENCE=shop", "DATABASE_URL="+dbtest.SQLite(t))
	unsigned := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.MapClaims{"iss": "https://id.example", "aud": []string{"other", "shop"},
		"sub": "auth0|7", "exp": time.Now().Add(time.Hour).Unix()})
	unsigned.Header["kid"] = "theirs"
	text, err := unsigned.SignedString(private)
	if err != nil {
		t.Fatal(err)
	}
	if status, body := s.as(t, "Bearer "+text, whoAmI); status != 503 || !strings.Contains(body, "UNAVAILABLE") {
		t.Errorf("before the provider is up: %d %s", status, body)
	}
	if status, _ := s.as(t, "", whoAmI); status != 200 {
		t.Errorf("anonymous, before the provider is up: %d", status)
	}
	if log := s.log.String(); !strings.Contains(log, "keys cannot be fetched") || !strings.Contains(log, "CURSOR_SECRET") {
		t.Errorf("the log does not say what is missing:\n%s", log)
	}
	up.Store(true)
	for begun := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		status, body := s.as(t, "Bearer "+text, whoAmI)
		if status == 200 && strings.HasPrefix(body, `{"data":{"viewer":null}`) {
			break
		}
		if time.Since(begun) > time.Minute {
			t.Fatalf("after the provider is up: %d %s", status, body)
		}
	}
	if status, body := s.as(t, "Bearer "+text[:len(text)-8]+"AAAAAAAA", whoAmI); status != 401 {
		t.Errorf("another signature: %d %s", status, body)
	}
}
