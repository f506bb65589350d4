package httpserver

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"forge/internal/database"
	"forge/internal/metrics"
	"forge/internal/token"
	"forge/internal/viewer"
)

var (
	someone = uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8057")
	tokens  = token.Options{Secret: "a secret that nobody knows, of more than 32 bytes", TTL: time.Hour, Issuer: "forge", Audience: "forge"}
)

// newTokens returns a verifier, and a valid token.
func newTokens(t testing.TB, o token.Options) (*token.Verifier, string) {
	t.Helper()
	keys, err := token.ReadKeys(tokens.Secret, "")
	if err != nil {
		t.Fatal(err)
	}
	text, _, err := token.NewIssuer(tokens, keys).Issue(someone, viewer.Admin, uuid.New(), uuid.New(), time.Now(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return token.NewVerifier(o, keys, slog.New(slog.DiscardHandler)), text
}

// newIdentified returns the routes of a server whose API answers with its viewer, the log of the
// server, and a valid token.
func newIdentified(t testing.TB, o token.Options) (h http.Handler, log *strings.Builder, text string) {
	t.Helper()
	db, err := database.Open("sqlite::memory:", database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	verifier, text := newTokens(t, o)
	log = new(strings.Builder)
	return Routes(Parts{
		API: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			v := viewer.FromContext(r.Context())
			_, _ = fmt.Fprintf(w, "%s %d", v.ID, v.Role)
		}),
		Tokens: verifier, Ready: http.NotFoundHandler(), Metrics: metrics.New(db), Origins: []string{trusted},
		Log: slog.New(slog.NewJSONHandler(log, nil)),
	}), log, text
}

// TestBearer sends Authorization headers that are valid, and others that are not.
func TestBearer(t *testing.T) {
	t.Parallel()
	h, log, good := newIdentified(t, tokens)
	expired, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"exp": 1, "aud": "forge", "iss": "forge"}).SignedString([]byte(tokens.Secret))
	if err != nil {
		t.Fatal(err)
	}
	nobody, admin := uuid.Nil.String()+" 0", someone.String()+" 2"
	tests := []struct {
		name    string
		headers []string // values of Authorization
		query   url.Values
		want    string // the answer of the API; "" if it is not reached
		reason  string
	}{
		{name: "none", want: nobody},
		{name: "good", headers: []string{"Bearer " + good}, want: admin},
		{name: "small letters", headers: []string{"bearer  " + good}, want: admin},
		{name: "in the address", query: url.Values{"access_token": {good}, "token": {good}, "Authorization": {"Bearer " + good}}, want: nobody},
		{name: "bad, and good in the address", headers: []string{"Bearer x"}, query: url.Values{"access_token": {good}}, reason: "not a signed JSON Web Token"},
		{name: "empty", headers: []string{""}, reason: "Bearer and a token"},
		{name: "scheme alone", headers: []string{"Bearer"}, reason: "Bearer and a token"},
		{name: "scheme and spaces", headers: []string{"Bearer   "}, reason: "Bearer and a token"},
		{name: "token alone", headers: []string{good}, reason: "Bearer and a token"},
		{name: "another scheme", headers: []string{"Basic " + good}, reason: "Bearer and a token"},
		{name: "a tab", headers: []string{"Bearer\t" + good}, reason: "Bearer and a token"},
		{name: "two", headers: []string{"Bearer " + good, "Bearer " + good}, reason: "more than one"},
		{name: "two in one", headers: []string{"Bearer " + good + ", Bearer " + good}, reason: "not a signed JSON Web Token"},
		{name: "something behind", headers: []string{"Bearer " + good + " x"}, reason: "not a signed JSON Web Token"},
		{name: "quoted", headers: []string{`Bearer "` + good + `"`}, reason: "not a signed JSON Web Token"},
		{name: "expired", headers: []string{"Bearer " + expired}, reason: "has expired"},
		{name: "one letter less", headers: []string{"Bearer " + good[:len(good)-1]}, reason: "token"},
	}
	refused := 0
	for _, tt := range tests {
		for _, accept := range []string{"application/json", "application/graphql-response+json"} {
			r := httptest.NewRequest("POST", "/graphql?"+tt.query.Encode(), strings.NewReader(`{"query":"{ __typename }","access_token":"`+good+`"}`))
			r.Header.Set("Accept", accept)
			r.Header.Set("Origin", trusted)
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			if tt.headers != nil {
				r.Header["Authorization"] = tt.headers
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if tt.want != "" {
				if w.Code != 200 || w.Body.String() != tt.want {
					t.Errorf("%s: %d %s, want %s", tt.name, w.Code, w.Body, tt.want)
				}
				continue
			}
			refused++
			wantRefusal(t, tt.name, w, accept, tt.reason)
		}
	}
	page := httptest.NewRecorder()
	h.ServeHTTP(page, httptest.NewRequest("GET", "/metrics", nil))
	if want := fmt.Sprintf(`forge_http_requests_total{code="401",route="/graphql"} %d`, refused); !strings.Contains(page.Body.String(), want) {
		t.Errorf("the metrics do not have %s", want)
	}
	if got := strings.Count(log.String(), `"status":401`); got != refused || strings.Count(log.String(), `"code":"UNAUTHENTICATED"`) != refused {
		t.Errorf("%d lines of refusals, want %d, each with its code", got, refused)
	}
	for _, part := range append(strings.Split(good, "."), expired) {
		if strings.Contains(log.String()+page.Body.String(), part) {
			t.Errorf("the log has a part of a token: %s", part)
		}
	}
}

func wantRefusal(t *testing.T, name string, w *httptest.ResponseRecorder, accept, reason string) {
	t.Helper()
	var got struct {
		Errors []struct {
			Message    string
			Extensions struct{ Code string }
		}
		Data *json.RawMessage
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got.Errors) != 1 || strings.Contains(w.Body.String(), `"data"`) {
		t.Errorf("%s: %s (%v), want one error and no data", name, w.Body, err)
		return
	}
	if w.Code != 401 || got.Errors[0].Extensions.Code != "UNAUTHENTICATED" || !strings.Contains(got.Errors[0].Message, reason) {
		t.Errorf("%s: %d %s, want UNAUTHENTICATED: %s", name, w.Code, w.Body, reason)
	}
	if got, want := w.Header().Get("WWW-Authenticate"), `Bearer error="invalid_token", error_description="`+got.Errors[0].Message+`"`; got != want {
		t.Errorf("%s: WWW-Authenticate: %s, want %s", name, got, want)
	}
	if got := w.Header().Get("Content-Type"); got != accept+"; charset=utf-8" {
		t.Errorf("%s: %s for who asks for %s", name, got, accept)
	}
	if w.Header().Get("Access-Control-Allow-Origin") != trusted || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%s: %v, want a page to be able to read it, and nobody to keep it", name, w.Header())
	}
}

// TestBearerOtherRoutes checks that probes and metrics ignore tokens, and that a preflight may ask
// for the Authorization header.
func TestBearerOtherRoutes(t *testing.T) {
	t.Parallel()
	h, _, _ := newIdentified(t, tokens)
	for _, path := range []string{"/healthz", "/metrics"} {
		if w := askFrom(h, "GET", path, "Authorization", "Bearer x"); w.Code != 200 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	w := askFrom(h, "OPTIONS", "/graphql", "Origin", trusted, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,content-type")
	if got := w.Header().Get("Access-Control-Allow-Headers"); w.Code != 204 || !strings.Contains(got, "authorization") {
		t.Errorf("a preflight: %d, allowed are %q", w.Code, got)
	}
}

// TestBearerWithoutKeys has a provider that was never reached: tokens cannot be verified.
func TestBearerWithoutKeys(t *testing.T) {
	t.Parallel()
	o := tokens
	o.JWKSURL = "http://127.0.0.1:1/keys"
	h, _, good := newIdentified(t, o)
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"iss": "forge"}).SignedString([]byte(tokens.Secret))
	if err != nil {
		t.Fatal(err)
	}
	header := `{"alg":"EdDSA","kid":"theirs"}`
	parts := strings.Split(text, ".")
	theirs := strings.Join([]string{base64.RawURLEncoding.EncodeToString([]byte(header)), parts[1], parts[2]}, ".")
	if w := askFrom(h, "POST", "/graphql", "Authorization", "Bearer "+theirs); w.Code != 503 || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "UNAVAILABLE") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := askFrom(h, "POST", "/graphql", "Authorization", "Bearer "+good); w.Code != 200 {
		t.Errorf("a token of Forge's own: %d %s", w.Code, w.Body)
	}
}

// TestServeContext checks that requests have the values of the context of Serve.
func TestServeContext(t *testing.T) {
	t.Parallel()
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if viewer.FromContext(r.Context()) != viewer.System {
			w.WriteHeader(http.StatusTeapot)
		}
	})
	ctx := viewer.NewContext(t.Context(), viewer.System)
	go func() { _ = Serve(ctx, l, api, nil, Connection{}, slog.New(slog.DiscardHandler), 0) }()
	response, err := http.Get(URL(l))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("%s: the request has another viewer", response.Status)
	}
}

func BenchmarkBearer(b *testing.B) {
	verifier, text := newTokens(b, tokens)
	h := authenticate(Parts{Tokens: verifier}, origins{})(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	w := discardWriter{http.Header{}}
	for name, header := range map[string]http.Header{"none": {}, "token": {"Authorization": {"Bearer " + text}}} {
		r := httptest.NewRequest("POST", "/graphql", nil)
		r.Header = header
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(w, r)
			}
		})
	}
}

// outdated are revocations that could not be read for too long.
type outdated struct{}

func (outdated) ValidAfter(uuid.UUID) (time.Time, error) {
	return time.Time{}, errors.New("it is not known")
}
func (outdated) Now() time.Time { return time.Now() }

// TestBearerOutdatedRevocations checks requests while it is not known which tokens are revoked:
// those with a valid token may try again, those with an invalid one are refused, and anonymous ones
// are answered.
func TestBearerOutdatedRevocations(t *testing.T) {
	t.Parallel()
	verifier, good := newTokens(t, tokens)
	verifier.Revocations = outdated{}
	h := authenticate(Parts{Tokens: verifier}, origins{})(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("let in")) }))
	ask := func(headers ...string) *httptest.ResponseRecorder { return askFrom(h, "POST", "/graphql", headers...) }
	if w := ask("Authorization", "Bearer "+good); w.Code != 503 || w.Header().Get("Retry-After") == "" ||
		!strings.Contains(w.Body.String(), "UNAVAILABLE") || !strings.Contains(w.Body.String(), "it is not known") {
		t.Errorf("a good token: %d %v %s", w.Code, w.Header(), w.Body)
	}
	if w := ask("Authorization", "Bearer "+good+"x"); w.Code != 401 {
		t.Errorf("a bad token: %d %s", w.Code, w.Body)
	}
	if w := ask(); w.Body.String() != "let in" {
		t.Errorf("anonymous: %d %s", w.Code, w.Body)
	}
}
