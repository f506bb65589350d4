package token

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"forge/internal/viewer"
)

// publisher is a provider's address of keys.
type publisher struct {
	*httptest.Server
	asked atomic.Int64

	mu      sync.Mutex
	status  int
	answer  []byte
	waiting chan struct{} // an answer waits until it is closed; nil: none waits
}

func newPublisher(t testing.TB) *publisher {
	p := &publisher{status: http.StatusOK}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p.asked.Add(1)
		p.mu.Lock()
		status, answer, waiting := p.status, p.answer, p.waiting
		p.mu.Unlock()
		if waiting != nil {
			<-waiting
		}
		if status == http.StatusFound {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(status)
		_, _ = w.Write(answer)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *publisher) publish(keys ...json.RawMessage) { p.say(http.StatusOK, setOf(keys...)) }

func (p *publisher) say(status int, answer []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status, p.answer = status, answer
}

func (p *publisher) hold() (release func()) {
	waiting := make(chan struct{})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = waiting
	return func() { close(waiting) }
}

// providerSide is a server that a provider alone makes tokens for.
func providerSide(t testing.TB, p *publisher) *side {
	t.Helper()
	o := base()
	o.Secret, o.JWKSURL, o.Issuer = "", p.URL, "https://id.example"
	return newSide(t, o)
}

// by returns a token of the provider.
func (s *side) by(t testing.TB, key any, id string, others jwt.MapClaims) string {
	t.Helper()
	return sign(t, jwt.SigningMethodEdDSA, key, map[string]any{"kid": id}, with(with(s.good(), jwt.MapClaims{"exp": s.now().Unix() + 36000}), others))
}

func (s *side) mustHold(t testing.TB, name, text string) {
	t.Helper()
	if _, _, err := s.Verify(text); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

func (s *side) mustNot(t testing.TB, name, text string, want error) {
	t.Helper()
	if _, _, err := s.Verify(text); !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", name, err, want)
	}
}

// TestProviderKeys follows a provider that replaces a key: fetches are counted.
func TestProviderKeys(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	s := providerSide(t, p)
	one, two := mustEd25519(t), mustEd25519(t)
	p.publish(written(t, one.Public(), "one", false))
	old, young := s.by(t, one, "one", nil), s.by(t, two, "two", nil)
	asked := func(want int64) {
		t.Helper()
		if got := p.asked.Load(); got != want {
			t.Errorf("%d fetches, want %d", got, want)
		}
	}
	if err := s.Fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		s.mustHold(t, "the first key", s.by(t, one, "one", jwt.MapClaims{"jti": time.Now().String()}))
	}
	asked(1)

	p.publish(written(t, one.Public(), "one", false), written(t, two.Public(), "two", false))
	for range 5 {
		s.mustNot(t, "a new key, just after a fetch", young, errKey)
	}
	asked(1)
	s.later(minInterval)
	s.mustHold(t, "a new key, later", young)
	asked(2)
	for _, kid := range []string{"three", "four", "' OR 1=1 --", "../two"} {
		s.mustNot(t, "unknown keys", s.by(t, one, kid, nil), errKey)
	}
	asked(2)
	s.later(minInterval)
	s.mustNot(t, "an unknown secret", sign(t, jwt.SigningMethodHS256, []byte(aSecret), map[string]any{"kid": "three"}, s.good()), errKey)
	asked(2)
	s.mustNot(t, "an unknown key of another issuer", s.by(t, one, "three", jwt.MapClaims{"iss": "https://evil.example"}), errIssuer)
	asked(2)

	p.publish(written(t, two.Public(), "two", false))
	s.mustHold(t, "a key that is gone there, while that is not known here", old)
	if err := s.Fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	asked(3)
	s.mustNot(t, "a key that is gone, with a token that was remembered", old, errKey)
	s.mustHold(t, "the key that is left", young)
	asked(3)
}

// TestProviderDown checks that tokens hold while the provider does not answer, or answers something else.
func TestProviderDown(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	s := providerSide(t, p)
	key := mustEd25519(t)
	published := setOf(written(t, key.Public(), "one", false))
	token := s.by(t, key, "one", nil)

	p.say(http.StatusInternalServerError, published)
	if err := s.Fetch(t.Context()); err == nil {
		t.Error("status 500 is taken for keys")
	}
	s.mustNot(t, "before there were keys", token, ErrNoKeys)
	s.mustNot(t, "a forged token, before there were keys", s.by(t, mustEd25519(t), "one", nil), ErrNoKeys)
	p.say(http.StatusOK, published)
	s.later(minInterval)
	s.mustHold(t, "as soon as there are", token)

	answers := map[string]func(){
		"status 500":  func() { p.say(http.StatusInternalServerError, published) },
		"a redirect":  func() { p.say(http.StatusFound, published) },
		"nothing":     func() { p.say(http.StatusOK, nil) },
		"HTML":        func() { p.say(http.StatusOK, []byte("<html>")) },
		"no set":      func() { p.say(http.StatusOK, []byte(`{"error":"later"}`)) },
		"far too big": func() { p.say(http.StatusOK, append(published, make([]byte, maxSet)...)) },
	}
	for name, answer := range answers {
		answer()
		if err := s.Fetch(t.Context()); err == nil {
			t.Errorf("%s is taken for keys", name)
		}
		s.mustHold(t, name, s.by(t, key, "one", jwt.MapClaims{"jti": name}))
	}
	p.Close()
	if err := s.Fetch(t.Context()); err == nil {
		t.Error("nobody listens, and it is taken for keys")
	}
	s.mustHold(t, "nobody listens", s.by(t, key, "one", jwt.MapClaims{"jti": "closed"}))
}

// TestOneFetchAtATime has many tokens with unknown keys wait for one answer.
func TestOneFetchAtATime(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	s := providerSide(t, p)
	key := mustEd25519(t)
	p.publish(written(t, key.Public(), "one", false))
	release := p.hold()
	token := s.by(t, key, "one", nil)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { s.mustHold(t, "while one fetches", token) })
	}
	for p.asked.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	release()
	all.Wait()
	if got := p.asked.Load(); got != 1 {
		t.Errorf("%d fetches", got)
	}
}

// TestUsefulKeys checks which of a provider's keys count, and for what.
func TestUsefulKeys(t *testing.T) {
	t.Parallel()
	ed, ec, rsaKey := mustEd25519(t), mustECDSA(t), mustRSA(t)
	changed := func(text json.RawMessage, name string, value any) json.RawMessage {
		var key map[string]any
		if err := json.Unmarshal(text, &key); err != nil {
			t.Fatal(err)
		}
		key[name] = value
		text, err := json.Marshal(key)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	rsaText, ecText := written(t, rsaKey.Public(), "k", false), written(t, ec.Public(), "k", false)
	tests := []struct {
		name string
		key  json.RawMessage
		want string
	}{
		{"RSA", rsaText, "RS256 RS384 RS512 PS256 PS384 PS512"},
		{"RSA for one algorithm", changed(rsaText, "alg", "PS256"), "PS256"},
		{"RSA for another's algorithm", changed(rsaText, "alg", "HS256"), ""},
		{"RSA for none", changed(rsaText, "alg", "none"), ""},
		{"RSA for encryption", changed(rsaText, "use", "enc"), ""},
		{"RSA for signing alone", changed(rsaText, "key_ops", []string{"sign"}), ""},
		{"RSA for verifying", changed(rsaText, "key_ops", []string{"verify"}), "RS256 RS384 RS512 PS256 PS384 PS512"},
		{"RSA with a certificate that is none", changed(rsaText, "x5c", []string{"!"}), "RS256 RS384 RS512 PS256 PS384 PS512"},
		{"RSA, 512 bits", json.RawMessage(`{"kty":"RSA","kid":"k","e":"AQAB","n":"` + encode(strings.Repeat("\xff", 64)) + `"}`), ""},
		{"RSA, 65536 bits", json.RawMessage(`{"kty":"RSA","kid":"k","e":"AQAB","n":"` + encode(strings.Repeat("\xff", 8192)) + `"}`), ""},
		{"P-256", ecText, "ES256"},
		{"off the curve", changed(ecText, "x", encode(strings.Repeat("x", 32))), ""},
		{"Ed25519", written(t, ed.Public(), "k", false), "EdDSA"},
		{"a secret", json.RawMessage(`{"kty":"oct","kid":"k","k":"` + encode(aSecret) + `"}`), ""},
		{"another kind", json.RawMessage(`{"kty":"PQC","kid":"k"}`), ""},
		{"no key", json.RawMessage(`7`), ""},
	}
	for _, tt := range tests {
		id, _, algorithms := parseTheirs(tt.key)
		if got := strings.Join(algorithms, " "); got != tt.want || tt.want != "" && id != "k" {
			t.Errorf("%s: %q for %q, want %q", tt.name, id, got, tt.want)
		}
	}
	// A key that is no use does not take the others with it.
	if _, usable, all, err := parsePublic(setOf(json.RawMessage(`7`), ecText)); err != nil || usable != 1 || all != 2 {
		t.Errorf("%d of %d, %v", usable, all, err)
	}
}

// TestProviderClaims checks who the viewer is, and what they may.
func TestProviderClaims(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	key := mustEd25519(t)
	p.publish(written(t, key.Public(), "one", false))
	list := func(names ...any) []any { return names }
	tests := []struct {
		name       string
		claim      string
		said       jwt.MapClaims
		role       viewer.Role
		isStranger bool
	}{
		{"none", "role", jwt.MapClaims{"role": nil}, viewer.User, false},
		{"user", "role", jwt.MapClaims{"role": "USER"}, viewer.User, false},
		{"admin", "role", jwt.MapClaims{"role": "ADMIN"}, viewer.Admin, false},
		{"small letters", "role", jwt.MapClaims{"role": "admin"}, viewer.Admin, false},
		{"longer", "role", jwt.MapClaims{"role": "ADMINISTRATOR"}, viewer.User, false},
		{"a list", "roles", jwt.MapClaims{"roles": list("dev", "Admin")}, viewer.Admin, false},
		{"a list without", "roles", jwt.MapClaims{"roles": list("dev", 7, nil)}, viewer.User, false},
		{"a number", "role", jwt.MapClaims{"role": 1}, viewer.User, false},
		{"true", "admin", jwt.MapClaims{"admin": true}, viewer.User, false},
		{"a path", "realm_access.roles", jwt.MapClaims{"realm_access": map[string]any{"roles": list("admin")}}, viewer.Admin, false},
		{"a path to nothing", "realm_access.roles", jwt.MapClaims{"realm_access": "admin"}, viewer.User, false},
		{"a name with dots", "https://shop.example/role", jwt.MapClaims{"https://shop.example/role": "admin"}, viewer.Admin, false},
		{"a role elsewhere", "roles", jwt.MapClaims{"role": "ADMIN"}, viewer.User, false},
		{"a stranger", "role", jwt.MapClaims{"sub": "auth0|7", "role": "ADMIN"}, viewer.Admin, true},
	}
	for _, tt := range tests {
		s := providerSide(t, p)
		s.options.RoleClaim = tt.claim
		got, _, err := s.Verify(s.by(t, key, "one", tt.said))
		want := viewer.Viewer{ID: ada, Role: tt.role}
		if tt.isStranger {
			want.ID, want.Stranger = stranger("https://id.example", "auth0|7"), true
		}
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", tt.name, got, err, want)
		}
	}

	s := providerSide(t, p)
	s.options.UserClaim = "forge"
	got, _, err := s.Verify(s.by(t, key, "one", jwt.MapClaims{"sub": "auth0|7", "forge": adaID()}))
	if err != nil || got.ID != ada {
		t.Errorf("by another claim: %+v, %v", got, err)
	}
	got, _, err = s.Verify(s.by(t, key, "one", nil)) // whose sub is a user of Forge
	if err != nil || got.ID == ada || got.ID.Version() != 5 {
		t.Errorf("without that claim: %+v, %v, want nobody whom a row belongs to", got, err)
	}
	if stranger("a", "b") == stranger("a", "c") || stranger("a", "b") == stranger("c", "b") || stranger("a", "bc") == stranger("ab", "c") {
		t.Error("two strangers have one ID")
	}
}

// TestEndlessAnswer has a provider whose answer goes on and on: it is not read on and on.
func TestEndlessAnswer(t *testing.T) {
	t.Parallel()
	const most = 64 << 20
	sent, done := 0, make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		defer close(done)
		for chunk := make([]byte, 64<<10); sent < most; sent += len(chunk) {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}))
	defer srv.Close()
	if _, err := CountKeys(t.Context(), srv.URL); err == nil {
		t.Error("it is taken for keys")
	}
	<-done
	if sent > most/2 { // what is between the two, in buffers, is read by nobody
		t.Errorf("%d bytes were read, of which %d may have a meaning", sent, maxSet)
	}
}

// TestWithoutKid checks that a token that does not name its key is tried with the only one that fits, and with none of several.
func TestWithoutKid(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	s := providerSide(t, p)
	one, two := mustEd25519(t), mustEd25519(t)
	unnamed := func(key any) string { return sign(t, jwt.SigningMethodEdDSA, key, nil, s.good()) }
	p.publish(written(t, one.Public(), "one", false), written(t, mustRSA(t).Public(), "rsa", false))
	s.mustHold(t, "by the only key", unnamed(one))
	s.mustNot(t, "by another", unnamed(two), errSignature)
	p.publish(written(t, one.Public(), "one", false), written(t, two.Public(), "two", false))
	if err := s.Fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, key := range []any{one, two} {
		s.mustNot(t, "by one of two", unnamed(key), errKey)
	}
}
