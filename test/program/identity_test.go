package program

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
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
	"forge/test/gqltest"
)

const authSecret = "a secret that nobody knows, of more than 32 bytes"

const whoAmI = `{ viewer { id } }`

// issue returns a token of Forge's own.
func issue(t *testing.T, id uuid.UUID) string {
	t.Helper()
	o := token.Options{Secret: authSecret, TTL: time.Hour, Issuer: "forge", Audience: "forge"}
	keys, err := token.ReadKeys(o.Secret, "")
	if err != nil {
		t.Fatal(err)
	}
	text, _, err := token.NewIssuer(o, keys).Issue(id, viewer.User, uuid.New(), uuid.New(), time.Now(), time.Now())
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
		users := s.Do(`{ users(first: 1) { nodes { id } } }`, nil).Body
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
			if got := s.With("Authorization", tt.authorization).Do(whoAmI, nil); got.Status != tt.status || !strings.Contains(got.Body, tt.has) || got.Status == 200 && got.Body != tt.has {
				t.Errorf("%s: %s, want %d %s", tt.name, got, tt.status, tt.has)
			}
		}
		if got := s.Get("/graphql?access_token=" + good + "&query=%7Bviewer%7Bid%7D%7D"); got.Status != 200 || got.Body != `{"data":{"viewer":null}}` {
			t.Errorf("a token in the address: %s", got)
		}
		page := s.Get("/metrics").Body
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
		if got := s.With("Authorization", authorization).Do(whoAmI, nil); got.Status != 200 || !strings.HasPrefix(got.Body, `{"data":{"viewer":null}`) {
			t.Errorf("%q: %s", authorization, got)
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
	if got := s.As(text).Do(whoAmI, nil); got.Status != 503 || !strings.Contains(got.Body, "UNAVAILABLE") {
		t.Errorf("before the provider is up: %s", got)
	}
	if got := s.Do(whoAmI, nil); got.Status != 200 {
		t.Errorf("anonymous, before the provider is up: %d", got.Status)
	}
	if log := s.log.String(); !strings.Contains(log, "keys cannot be fetched") || !strings.Contains(log, "CURSOR_SECRET") {
		t.Errorf("the log does not say what is missing:\n%s", log)
	}
	up.Store(true)
	gqltest.Eventually(t, "the token is accepted", func() error {
		if got := s.As(text).Do(whoAmI, nil); got.Status != 200 || !strings.HasPrefix(got.Body, `{"data":{"viewer":null}`) {
			return errors.New(got.String())
		}
		return nil
	})
	if got := s.As(text[:len(text)-8]+"AAAAAAAA").Do(whoAmI, nil); got.Status != 401 {
		t.Errorf("another signature: %s", got)
	}
}
