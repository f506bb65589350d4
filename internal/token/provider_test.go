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

// publisher is a server that publishes the keys of a provider.
type publisher struct {
	*httptest.Server
	asked atomic.Int64

	mu      sync.Mutex
	status  int
	answer  []byte
	waiting chan struct{} // answers wait until it is closed; nil: none waits
}

// newPublisher starts a publisher without keys.
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

// publish has the publisher answer with a set of these keys.
func (p *publisher) publish(keys ...json.RawMessage) { p.answerWith(http.StatusOK, setOf(keys...)) }

// answerWith has the publisher answer with a status and a body.
func (p *publisher) answerWith(status int, answer []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status, p.answer = status, answer
}

// hold has later answers wait until release is called.
func (p *publisher) hold() (release func()) {
	waiting := make(chan struct{})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting = waiting
	return func() { close(waiting) }
}

// providerSide returns a side that only accepts the tokens of a provider.
func providerSide(t testing.TB, p *publisher) *side {
	t.Helper()
	o := base()
	o.Secret, o.JWKSURL, o.Issuer = "", p.URL, "https://id.example"
	return newSide(t, o)
}

// providerToken returns a token of the provider that a key has signed.
func (s *side) providerToken(t testing.TB, key any, id string, others jwt.MapClaims) string {
	t.Helper()
	claims := with(s.good(), jwt.MapClaims{"exp": s.now().Unix() + 36000})
	return sign(t, jwt.SigningMethodEdDSA, key, map[string]any{"kid": id}, with(claims, others))
}

// wantValid checks that a token is valid.
func (s *side) wantValid(t testing.TB, name, text string) {
	t.Helper()
	if _, _, err := s.Verify(text); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// wantInvalid checks that a token is refused with an error.
func (s *side) wantInvalid(t testing.TB, name, text string, want error) {
	t.Helper()
	if _, _, err := s.Verify(text); !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", name, err, want)
	}
}

// TestProviderKeys has a provider replace a key, and counts the fetches.
func TestProviderKeys(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	s := providerSide(t, p)
	one, two := mustEd25519(t), mustEd25519(t)
	p.publish(written(t, one.Public(), "one", false))
	old, young := s.providerToken(t, one, "one", nil), s.providerToken(t, two, "two", nil)
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
		s.wantValid(t, "the first key", s.providerToken(t, one, "one", jwt.MapClaims{"jti": time.Now().String()}))
	}
	asked(1)

	p.publish(written(t, one.Public(), "one", false), written(t, two.Public(), "two", false))
	for range 5 {
		s.wantInvalid(t, "a new key, just after a fetch", young, errKey)
	}
	asked(1)
	s.later(minInterval)
	s.wantValid(t, "a new key, later", young)
	asked(2)
	for _, kid := range []string{"three", "four", "' OR 1=1 --", "../two"} {
		s.wantInvalid(t, "unknown keys", s.providerToken(t, one, kid, nil), errKey)
	}
	asked(2)
	s.later(minInterval)
	s.wantInvalid(t, "an unknown secret", sign(t, jwt.SigningMethodHS256, []byte(aSecret), map[string]any{"kid": "three"}, s.good()), errKey)
	asked(2)
	s.wantInvalid(t, "an unknown key of another issuer", s.providerToken(t, one, "three", jwt.MapClaims{"iss": "https://evil.example"}), errIssuer)
	asked(2)

	p.publish(written(t, two.Public(), "two", false))
	s.wantValid(t, "a key that is gone there, while that is not known here", old)
	if err := s.Fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	asked(3)
	s.wantInvalid(t, "a key that is gone, with a token that was remembered", old, errKey)
	s.wantValid(t, "the key that is left", young)
	asked(3)
}

// TestProviderDown checks that tokens stay valid while the provider does not answer, or answers
// with something else than keys.
func TestProviderDown(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	s := providerSide(t, p)
	key := mustEd25519(t)
	published := setOf(written(t, key.Public(), "one", false))
	token := s.providerToken(t, key, "one", nil)

	p.answerWith(http.StatusInternalServerError, published)
	if err := s.Fetch(t.Context()); err == nil {
		t.Error("status 500 is taken for keys")
	}
	s.wantInvalid(t, "before there were keys", token, ErrNoKeys)
	s.wantInvalid(t, "a forged token, before there were keys", s.providerToken(t, mustEd25519(t), "one", nil), ErrNoKeys)
	p.answerWith(http.StatusOK, published)
	s.later(minInterval)
	s.wantValid(t, "as soon as there are", token)

	answers := map[string]func(){
		"status 500":  func() { p.answerWith(http.StatusInternalServerError, published) },
		"a redirect":  func() { p.answerWith(http.StatusFound, published) },
		"nothing":     func() { p.answerWith(http.StatusOK, nil) },
		"HTML":        func() { p.answerWith(http.StatusOK, []byte("<html>")) },
		"no set":      func() { p.answerWith(http.StatusOK, []byte(`{"error":"later"}`)) },
		"far too big": func() { p.answerWith(http.StatusOK, append(published, make([]byte, maxSet)...)) },
	}
	for name, answer := range answers {
		answer()
		if err := s.Fetch(t.Context()); err == nil {
			t.Errorf("%s is taken for keys", name)
		}
		s.wantValid(t, name, s.providerToken(t, key, "one", jwt.MapClaims{"jti": name}))
	}
	p.Close()
	if err := s.Fetch(t.Context()); err == nil {
		t.Error("nobody listens, and it is taken for keys")
	}
	s.wantValid(t, "nobody listens", s.providerToken(t, key, "one", jwt.MapClaims{"jti": "closed"}))
}

// TestProviderFetchesOnce has many tokens with unknown keys wait for the same fetch.
func TestProviderFetchesOnce(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	s := providerSide(t, p)
	key := mustEd25519(t)
	p.publish(written(t, key.Public(), "one", false))
	release := p.hold()
	token := s.providerToken(t, key, "one", nil)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { s.wantValid(t, "while one fetches", token) })
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

// TestProviderKeyAlgorithms checks which of a provider's keys are used, and with which algorithms.
func TestProviderKeyAlgorithms(t *testing.T) {
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
		id, _, algorithms := parseProviderKey(tt.key)
		if got := strings.Join(algorithms, " "); got != tt.want || tt.want != "" && id != "k" {
			t.Errorf("%s: %q for %q, want %q", tt.name, id, got, tt.want)
		}
	}
	// A key that cannot be used does not make the others useless.
	if _, usable, all, err := parsePublic(setOf(json.RawMessage(`7`), ecText)); err != nil || usable != 1 || all != 2 {
		t.Errorf("%d of %d, %v", usable, all, err)
	}
}

// TestProviderClaims checks which viewer and which role follow from the claims.
func TestProviderClaims(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	key := mustEd25519(t)
	p.publish(written(t, key.Public(), "one", false))
	list := func(names ...any) []any { return names }
	tests := []struct {
		name        string
		claim       string
		said        jwt.MapClaims
		role        viewer.Role
		unknownUser bool
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
		{"a name with dots", "https://app.example/role", jwt.MapClaims{"https://app.example/role": "admin"}, viewer.Admin, false},
		{"a role elsewhere", "roles", jwt.MapClaims{"role": "ADMIN"}, viewer.User, false},
		{"an unknown user", "role", jwt.MapClaims{"sub": "auth0|7", "role": "ADMIN"}, viewer.Admin, true},
	}
	for _, tt := range tests {
		s := providerSide(t, p)
		s.options.RoleClaim = tt.claim
		got, _, err := s.Verify(s.providerToken(t, key, "one", tt.said))
		want := viewer.Viewer{ID: ada, Role: tt.role}
		if tt.unknownUser {
			want.ID, want.Stranger = providerID("https://id.example", "auth0|7"), true
		}
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", tt.name, got, err, want)
		}
	}

	s := providerSide(t, p)
	s.options.UserClaim = "forge"
	got, _, err := s.Verify(s.providerToken(t, key, "one", jwt.MapClaims{"sub": "auth0|7", "forge": adaID()}))
	if err != nil || got.ID != ada {
		t.Errorf("by another claim: %+v, %v", got, err)
	}
	got, _, err = s.Verify(s.providerToken(t, key, "one", nil)) // its sub is a user of Forge
	if err != nil || got.ID == ada || got.ID.Version() != 5 {
		t.Errorf("without that claim: %+v, %v, want nobody whom a row belongs to", got, err)
	}
	if providerID("a", "b") == providerID("a", "c") || providerID("a", "b") == providerID("c", "b") || providerID("a", "bc") == providerID("ab", "c") {
		t.Error("two subjects have the same ID")
	}
}

// TestProviderEndlessAnswer has a provider whose answer does not end: only a part of it is read.
func TestProviderEndlessAnswer(t *testing.T) {
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
	if sent > most/2 { // the rest is in buffers between the two, and never read
		t.Errorf("%d bytes were read, of which %d may have a meaning", sent, maxSet)
	}
}

// TestVerifyWithoutKid sends tokens that do not name their keys. They are verified with the only
// key for their algorithm, and refused if there are several.
func TestVerifyWithoutKid(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	s := providerSide(t, p)
	one, two := mustEd25519(t), mustEd25519(t)
	unnamed := func(key any) string { return sign(t, jwt.SigningMethodEdDSA, key, nil, s.good()) }
	p.publish(written(t, one.Public(), "one", false), written(t, mustRSA(t).Public(), "rsa", false))
	s.wantValid(t, "by the only key", unnamed(one))
	s.wantInvalid(t, "by another", unnamed(two), errSignature)
	p.publish(written(t, one.Public(), "one", false), written(t, two.Public(), "two", false))
	if err := s.Fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, key := range []any{one, two} {
		s.wantInvalid(t, "by one of two", unnamed(key), errKey)
	}
}

// TestProviderRoles checks which roles of the application's own, and which tenant, follow from the
// claims.
func TestProviderRoles(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	key := mustEd25519(t)
	p.publish(written(t, key.Public(), "one", false))
	for _, tt := range []struct {
		name   string
		said   jwt.MapClaims
		roles  viewer.Roles
		tenant string
	}{
		{"nothing", jwt.MapClaims{}, "", ""},
		{"a role", jwt.MapClaims{"role": "auditor"}, viewer.NewRoles("AUDITOR"), ""},
		{"a list", jwt.MapClaims{"role": []any{"Sales", "dev", 7, "AUDITOR", "auditor"}}, viewer.NewRoles("sales", "AUDITOR"), ""},
		{"unknown ones", jwt.MapClaims{"role": []any{"AUDITORS", "", "AUDITOR\n"}}, "", ""},
		{"two in one text", jwt.MapClaims{"role": "AUDITOR sales"}, "", ""},
		{"a tenant", jwt.MapClaims{"org": map[string]any{"id": "org_1"}}, "", "org_1"},
		{"a number", jwt.MapClaims{"org": map[string]any{"id": 12345678901234567}}, "", "12345678901234567"},
		{"a long one", jwt.MapClaims{"org": map[string]any{"id": strings.Repeat("x", 256)}}, "", ""},
		{"a list of tenants", jwt.MapClaims{"org": map[string]any{"id": []any{"a"}}}, "", ""},
	} {
		s := providerSide(t, p)
		s.options.Roles, s.options.TenantClaim = []string{"AUDITOR", "sales"}, "org.id"
		got, _, err := s.Verify(s.providerToken(t, key, "one", tt.said))
		if err != nil || got.Roles != tt.roles || got.Tenant != tt.tenant || got.Role != viewer.User {
			t.Errorf("%s: %+v, %v, want %q and %q", tt.name, got, err, tt.roles, tt.tenant)
		}
	}
	s := providerSide(t, p)
	if got, _, err := s.Verify(s.providerToken(t, key, "one", jwt.MapClaims{"role": "AUDITOR", "": "x", "tenant": "y"})); err != nil || got.Roles != "" || got.Tenant != "" {
		t.Errorf("without roles and a claim: %+v, %v", got, err)
	}
}

// TestProviderClockAhead ends the tokens of a user whose provider's clock is ahead. A token that
// was issued before is refused, although it says a later time.
func TestProviderClockAhead(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	key := mustEd25519(t)
	p.publish(written(t, key.Public(), "a", false))
	s := providerSide(t, p)
	e := &ended{now: s.now}
	s.Revocations = e
	if err := s.Fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	token := s.providerToken(t, key, "a", jwt.MapClaims{"sub": adaID(), "iat": s.now().Add(leeway - time.Second).Unix(), "exp": s.now().Add(time.Hour).Unix()})
	s.wantValid(t, "before", token)
	e.set(s.now(), nil)
	s.wantInvalid(t, "ended", token, errRevoked)
	s.later(time.Minute)
	s.wantInvalid(t, "ended a minute ago", token, errRevoked)
	s.wantValid(t, "issued since", s.providerToken(t, key, "a", jwt.MapClaims{"sub": adaID(), "iat": s.now().Unix(), "exp": s.now().Add(time.Hour).Unix()}))
}
