package token

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"forge/internal/ids"
	"forge/internal/viewer"
)

const (
	aSecret     = "a secret that nobody knows, of more than 32 bytes"
	otherSecret = "another secret, of more than 32 bytes just like it"
)

var ada = uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8057")

// aSession is a session of ada's.
var aSession = uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8058")

func adaID() string { return ids.ID{Prefix: "user", UUID: ada}.String() }

// base returns the options of most tests: a secret and nothing else.
func base() Options {
	return Options{Secret: aSecret, TTL: 15 * time.Minute, Issuer: "forge", Audience: "shop", RoleClaim: "role", UserClaim: "sub"}
}

// side issues and verifies tokens. Each side has its own clock.
type side struct {
	*Verifier
	keys   *Keys
	issuer *Issuer
	mu     sync.Mutex
	time   time.Time
}

func (s *side) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.time
}

func (s *side) later(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.time = s.time.Add(d)
}

func newSide(t testing.TB, o Options) *side {
	t.Helper()
	keys, err := ReadKeys(o.Secret, o.KeysFile)
	if err != nil {
		t.Fatal(err)
	}
	s := &side{Verifier: NewVerifier(o, keys, slog.New(slog.NewTextHandler(io.Discard, nil))), keys: keys, issuer: NewIssuer(o, keys), time: time.Now()}
	s.Verifier.now = s.now
	if s.provider != nil {
		s.provider.now = s.now
	}
	return s
}

func (s *side) mustIssue(t testing.TB, role viewer.Role) string {
	t.Helper()
	text, _, err := s.issuer.Issue(ada, role, aSession, uuid.New(), s.now(), s.now())
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// good returns the claims of a valid token.
func (s *side) good() jwt.MapClaims {
	now := s.now().Unix()
	return jwt.MapClaims{"iss": s.options.Issuer, "aud": s.options.Audience, "sub": adaID(), "iat": now, "exp": now + 60, "role": "USER"}
}

// with returns the claims c, changed by others. The value nil removes a claim.
func with(c jwt.MapClaims, others jwt.MapClaims) jwt.MapClaims {
	c = maps.Clone(c)
	for name, value := range others {
		if c[name] = value; value == nil {
			delete(c, name)
		}
	}
	return c
}

// sign returns a token with further entries in its header.
func sign(t testing.TB, method jwt.SigningMethod, key any, header map[string]any, c jwt.Claims) string {
	t.Helper()
	token := jwt.NewWithClaims(method, c)
	maps.Copy(token.Header, header)
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// TestIssue checks the claims and the header of a token.
func TestIssue(t *testing.T) {
	t.Parallel()
	s := newSide(t, base())
	for _, role := range []viewer.Role{viewer.User, viewer.Admin} {
		text, expires, err := s.issuer.Issue(ada, role, aSession, uuid.New(), s.now(), s.now())
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time it is cached
			got, issued, err := s.Verify(text)
			if want := (viewer.Viewer{ID: ada, Role: role, Session: aSession}); err != nil || got != want {
				t.Fatalf("%+v, %v, want %+v", got, err, want)
			}
			if want := s.now().Truncate(time.Microsecond); !issued.Equal(want) {
				t.Errorf("issued at %v, want %v", issued, want)
			}
		}
		if left := expires.Sub(s.now()); left > 15*time.Minute || left <= 15*time.Minute-time.Second {
			t.Errorf("it lives for %v", left)
		}
		token, _, err := jwt.NewParser().ParseUnverified(text, jwt.MapClaims{})
		if err != nil {
			t.Fatal(err)
		}
		said := token.Claims.(jwt.MapClaims)
		if token.Header["typ"] != "at+jwt" || token.Header["alg"] != "HS256" || said["sub"] != adaID() || said["jti"] == "" || said["exp"] != float64(expires.Unix()) {
			t.Errorf("%v %v", token.Header, said)
		}
	}
}

// TestVerifyForged sends invalid tokens to a server with a secret, a file of keys, and a provider.
func TestVerifyForged(t *testing.T) {
	t.Parallel()
	ed, rsaKey, ecKey, provided := mustEd25519(t), mustRSA(t), mustECDSA(t), mustEd25519(t)
	p := newPublisher(t)
	p.publish(written(t, rsaKey.Public(), "theirs", false), written(t, ecKey.Public(), "curve", false), written(t, provided.Public(), "provided", false))
	o := base()
	o.KeysFile, o.JWKSURL = mustWriteFile(t, setOf(written(t, ed, "ours", true))), p.URL
	s := newSide(t, o)
	if err := s.Fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	secret := s.keys.secret.id
	bySecret := func(header map[string]any, c jwt.MapClaims) string {
		return sign(t, jwt.SigningMethodHS256, []byte(aSecret), header, c)
	}
	kid := func(id any) map[string]any { return map[string]any{"kid": id} }
	claim := func(name string, value any) string {
		return bySecret(kid(secret), with(s.good(), jwt.MapClaims{name: value}))
	}
	theirs := func(name string, value any) string {
		return sign(t, jwt.SigningMethodRS256, rsaKey, kid("theirs"), with(s.good(), jwt.MapClaims{name: value}))
	}
	der, err := x509.MarshalPKIXPublicKey(rsaKey.Public())
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	good := bySecret(kid(secret), s.good())
	parts := strings.Split(good, ".")
	now := s.now().Unix()

	tests := []struct {
		name, text string
		want       error
	}{
		{"empty", "", errMalformed},
		{"a word", "token", errMalformed},
		{"two parts", parts[0] + "." + parts[1], errMalformed},
		{"no header", "." + parts[1] + "." + parts[2], errMalformed},
		{"a line break", good[:10] + "\n" + good[10:], errMalformed},
		{"padding", parts[0] + "." + parts[1] + "." + parts[2] + "=", errMalformed},
		{"written another way", respelt(good), errMalformed},
		{"too long", strings.Repeat("a", maxToken+1), errTooLong},
		{"long and signed", claim("more", strings.Repeat("a", maxToken)), errTooLong},
		{"encrypted", encode(`{"alg":"dir","enc":"A256GCM"}`) + "..aa.aa.aa", errMalformed},
		{"enc", bySecret(map[string]any{"kid": secret, "enc": "A256GCM"}, s.good()), errHeader},

		{"alg none", encode(`{"alg":"none","typ":"JWT"}`) + "." + parts[1] + ".", errSignature},
		{"alg none with a key", encode(`{"alg":"none","kid":"`+secret+`"}`) + "." + parts[1] + "." + parts[2], errSignature},
		{"alg None", encode(`{"alg":"None","kid":"`+secret+`"}`) + "." + parts[1] + ".", errAlgorithm},
		{"no alg", encode(`{"kid":"`+secret+`"}`) + "." + parts[1] + "." + parts[2], errAlgorithm},
		{"alg a list", encode(`{"alg":["HS256"],"kid":"`+secret+`"}`) + "." + parts[1] + "." + parts[2], errAlgorithm},
		{"another HMAC", sign(t, jwt.SigningMethodHS512, []byte(aSecret), kid(secret), s.good()), errSignature},
		{"no signature", parts[0] + "." + parts[1] + ".", errSignature},
		{"another signature", parts[0] + "." + parts[1] + "." + encode(strings.Repeat("a", 32)), errSignature},
		{"another's claims", parts[0] + "." + encode(`{"iss":"forge","aud":"shop","sub":"`+adaID()+`","exp":9999999999,"role":"ADMIN"}`) + "." + parts[2], errSignature},
		{"another secret", sign(t, jwt.SigningMethodHS256, []byte(otherSecret), kid(secret), s.good()), errSignature},

		{"a public RSA key as HMAC secret", sign(t, jwt.SigningMethodHS256, public, kid("theirs"), s.good()), errKey},
		{"its DER as HMAC secret", sign(t, jwt.SigningMethodHS256, der, kid("theirs"), s.good()), errKey},
		{"a public key without a kid", sign(t, jwt.SigningMethodHS256, public, nil, s.good()), errSignature},
		{"our public key as HMAC secret", sign(t, jwt.SigningMethodHS256, []byte(ed.Public().(ed25519.PublicKey)), kid("ours"), s.good()), errKey},
		{"their Ed25519 key as HMAC secret", sign(t, jwt.SigningMethodHS256, []byte(provided.Public().(ed25519.PublicKey)), kid("provided"), s.good()), errKey},
		{"their key under our kid", sign(t, jwt.SigningMethodRS256, rsaKey, kid(secret), s.good()), errKey},
		{"an Ed25519 key under our kid", sign(t, jwt.SigningMethodEdDSA, provided, kid("ours"), s.good()), errSignature},
		{"our key under their kid", sign(t, jwt.SigningMethodEdDSA, ed, kid("provided"), s.good()), errSignature},
		{"a curve's kid for RSA", sign(t, jwt.SigningMethodRS256, rsaKey, kid("curve"), s.good()), errKey},
		{"another RSA key", sign(t, jwt.SigningMethodRS256, mustRSA(t), kid("theirs"), s.good()), errSignature},

		{"unknown kid", bySecret(kid("nobody"), s.good()), errKey},
		{"empty kid", bySecret(kid(""), s.good()), errKey},
		{"a number as kid", bySecret(kid(7), s.good()), errKey},
		{"null as kid", bySecret(kid(nil), s.good()), errKey},
		{"a path as kid", sign(t, jwt.SigningMethodHS256, []byte{}, kid("../../../../dev/null"), s.good()), errKey},
		{"the file as kid", bySecret(kid(o.KeysFile), s.good()), errKey},
		{"an address as kid", bySecret(kid(p.URL), s.good()), errKey},
		{"SQL as kid", sign(t, jwt.SigningMethodHS256, []byte("x"), kid("' UNION SELECT 'x' --"), s.good()), errKey},
		{"NUL in kid", bySecret(kid(secret+"\x00"), s.good()), errKey},
		{"a long kid", bySecret(kid(strings.Repeat("k", 300)), s.good()), errKey},

		{"crit", bySecret(map[string]any{"kid": secret, "crit": []string{"exp"}}, s.good()), errHeader},
		{"b64", bySecret(map[string]any{"kid": secret, "b64": false}, s.good()), errHeader},
		{"an ID token", bySecret(map[string]any{"kid": secret, "typ": "id_token+jwt"}, s.good()), errHeader},
		{"a type that is none", bySecret(map[string]any{"kid": secret, "typ": 1}, s.good()), errHeader},

		{"expired", claim("exp", now), errExpired},
		{"expired long ago", claim("exp", 1), errExpired},
		{"no exp", claim("exp", nil), errClaims},
		{"exp a text", claim("exp", "9999999999"), errClaims},
		{"exp after the last time", claim("exp", json.Number("1e300")), errClaims},
		{"exp before all time", claim("exp", -1), errClaims},
		{"not valid yet", claim("nbf", now+1), errEarly},
		{"nbf a text", claim("nbf", "soon"), errClaims},
		{"issued in the future", claim("iat", now+60), errEarly},
		{"iat a text", claim("iat", "now"), errClaims},
		{"another audience", claim("aud", "other"), errAudience},
		{"other audiences", claim("aud", []string{"other", "shop2"}), errAudience},
		{"no audience", claim("aud", nil), errClaims},
		{"empty audience", claim("aud", ""), errClaims},
		{"audience a number", claim("aud", 1), errClaims},
		{"another issuer", claim("iss", "forge2"), errIssuer},
		{"no issuer", claim("iss", nil), errClaims},
		{"no subject", claim("sub", nil), errSubject},
		{"empty subject", claim("sub", ""), errSubject},
		{"subject a number", claim("sub", 7), errSubject},
		{"another kind of ID as subject", claim("sub", ids.ID{Prefix: "other", UUID: ada}.String()), errSubject},
		{"nobody as subject", claim("sub", ids.ID{Prefix: "user"}.String()), errSubject},
		{"a UUID as subject", claim("sub", ada.String()), errSubject},

		{"theirs, expired", theirs("exp", now-int64(leeway/time.Second)), errExpired},
		{"theirs, not valid yet", theirs("nbf", now+int64(leeway/time.Second)+1), errEarly},
		{"theirs, no exp", theirs("exp", nil), errClaims},
		{"theirs, another audience", theirs("aud", "other"), errAudience},
		{"theirs, no audience", theirs("aud", nil), errClaims},
		{"theirs, another issuer", theirs("iss", "https://evil.example"), errIssuer},
		{"theirs, no issuer", theirs("iss", nil), errIssuer},
		{"theirs, no subject", theirs("sub", nil), errSubject},
	}
	for _, tt := range tests {
		for range 2 { // a refusal is not cached
			if got, _, err := s.Verify(tt.text); !errors.Is(err, tt.want) || got != (viewer.Viewer{}) {
				t.Errorf("%s: %+v, %v, want: %v", tt.name, got, err, tt.want)
			}
		}
	}
	for name, text := range map[string]string{
		"ours": good, "without a kid": bySecret(nil, s.good()), "by the file": s.mustIssue(t, viewer.User),
		"theirs": theirs("x", 1), "theirs within leeway": theirs("exp", now-1),
		"their curve": sign(t, jwt.SigningMethodES256, ecKey, kid("curve"), s.good()),
		"their PSS":   sign(t, jwt.SigningMethodPS384, rsaKey, kid("theirs"), s.good()),
	} {
		if got, _, err := s.Verify(text); err != nil || got.ID != ada {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// respelt returns a token with another last letter, which only differs in bits that base64url
// ignores.
func respelt(text string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(text) - 1
	return text[:last] + string(alphabet[strings.IndexByte(alphabet, text[last])^1])
}

// TestRefusalInHeader checks that each reason can be quoted in a header.
func TestRefusalInHeader(t *testing.T) {
	for _, r := range []Refusal{errTooLong, errMalformed, errAlgorithm, errHeader, errKey, errSignature, errClaims, errExpired, errEarly, errAudience, errIssuer, errSubject, errRevoked} {
		if strings.ContainsFunc(string(r), func(c rune) bool { return c < ' ' || c > '~' || c == '"' || c == '\\' }) {
			t.Errorf("%s", r)
		}
	}
}

// TestVerifyExpiredInCache checks that a cached token expires.
func TestVerifyExpiredInCache(t *testing.T) {
	t.Parallel()
	s := newSide(t, base())
	text, expires, err := s.issuer.Issue(ada, viewer.User, aSession, uuid.New(), s.now(), s.now())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Verify(text); err != nil {
		t.Fatal(err)
	}
	s.later(expires.Sub(s.now()) - 1)
	if _, _, err := s.Verify(text); err != nil {
		t.Errorf("just before its end: %v", err)
	}
	s.later(1)
	if _, _, err := s.Verify(text); !errors.Is(err, errExpired) {
		t.Errorf("at its end: %v", err)
	}
}

// ended are revocations that a test sets.
type ended struct {
	mu    sync.Mutex
	after time.Time // for ada
	err   error
	now   func() time.Time
}

func (e *ended) set(after time.Time, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.after, e.err = after, err
}

func (e *ended) ValidAfter(user uuid.UUID) (time.Time, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if user != ada {
		return time.Time{}, e.err
	}
	return e.after, e.err
}

func (e *ended) Now() time.Time { return e.now() }

// TestVerifyRevoked checks that each request asks for revocations, and that a newer token of the
// same second is valid.
func TestVerifyRevoked(t *testing.T) {
	t.Parallel()
	s := newSide(t, base())
	e := &ended{now: s.now}
	s.Revocations = e
	old := s.mustIssue(t, viewer.User)
	silent := sign(t, jwt.SigningMethodHS256, []byte(aSecret), nil, with(s.good(), jwt.MapClaims{"iat": nil, "exp": s.now().Unix() + 600}))
	for _, text := range []string{old, silent} {
		if _, _, err := s.Verify(text); err != nil {
			t.Fatal(err)
		}
	}
	s.later(2 * time.Microsecond)
	e.set(s.now().Truncate(time.Microsecond), nil)
	young := s.mustIssue(t, viewer.User)
	if _, _, err := s.Verify(young); err != nil {
		t.Errorf("issued after: %v", err)
	}
	for _, text := range []string{old, silent} {
		if _, _, err := s.Verify(text); !errors.Is(err, errRevoked) {
			t.Errorf("issued before: %v", err)
		}
	}
	e.set(time.Time{}, errors.New("not known"))
	for _, text := range []string{old, young} {
		if _, _, err := s.Verify(text); !isUnknown(err) || err.Error() != "not known" {
			t.Errorf("while it is not known what was revoked: %v", err)
		}
	}
}

func isUnknown(err error) bool {
	_, ok := errors.AsType[*UnknownError](err)
	return ok
}

// TestVerifyIssuedInFuture checks tokens that were issued in the future. Only the first token after
// a revocation, of exactly that time, is valid. The next revocation ends it.
func TestVerifyIssuedInFuture(t *testing.T) {
	t.Parallel()
	s := newSide(t, base())
	e := &ended{now: s.now}
	s.Revocations = e
	stamp := s.now().Add(time.Hour).Truncate(time.Microsecond)
	issued := func(at time.Time) string {
		text, _, err := s.issuer.Issue(ada, viewer.User, aSession, uuid.New(), s.now(), at)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	e.set(stamp, nil)
	first := issued(stamp)
	for text, want := range map[string]error{
		first:                              nil,
		issued(s.now()):                    errRevoked,
		issued(stamp.Add(-time.Second)):    errRevoked,
		issued(stamp.Add(time.Second)):     errEarly,
		issued(stamp.Add(2 * time.Second)): errEarly,
	} {
		for range 2 { // the second time it is cached
			if _, _, err := s.Verify(text); !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
		}
	}
	e.set(stamp.Add(time.Microsecond), nil)
	if _, _, err := s.Verify(first); !errors.Is(err, errRevoked) {
		t.Errorf("revoked again: %v", err)
	}
	s.later(15 * time.Minute)
	e.set(stamp, nil)
	if _, _, err := s.Verify(first); !errors.Is(err, errExpired) {
		t.Errorf("after a token's life: %v", err)
	}
}

// TestVerifyByIssuersClock checks that Forge's own tokens are judged by the clock that stamped
// them, even if the clock of this machine is wrong.
func TestVerifyByIssuersClock(t *testing.T) {
	t.Parallel()
	for _, off := range []time.Duration{-time.Hour, time.Hour} {
		s := newSide(t, base())
		theirs := func() time.Time { return s.now().Add(off) }
		s.Revocations = &ended{now: theirs}
		text, expires, err := s.issuer.Issue(ada, viewer.User, aSession, uuid.New(), theirs(), theirs())
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Verify(text); err != nil {
			t.Errorf("%v off: %v", off, err)
		}
		s.later(expires.Sub(theirs()))
		if _, _, err := s.Verify(text); !errors.Is(err, errExpired) {
			t.Errorf("%v off, at its end: %v", off, err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	s := newSide(b, base())
	s.Verifier.now = time.Now
	s.Revocations = &ended{now: s.now}
	text := s.mustIssue(b, viewer.User)
	b.ReportAllocs()
	b.Run("remembered", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := s.Verify(text); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("new", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := s.check(text, s.state.Load()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// FuzzVerify looks for a text that is accepted as a token without being signed with the secret.
func FuzzVerify(f *testing.F) {
	s := newSide(f, base())
	issued := s.mustIssue(f, viewer.Admin)
	parts := strings.Split(issued, ".")
	for _, seed := range []string{issued, parts[0] + "." + parts[1] + ".", encode(`{"alg":"none"}`) + "." + parts[1] + ".", "..", "....", encode(`{"alg":"HS256","kid":[]}`) + "." + encode(`{"exp":1e999}`) + "." + parts[2]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, _, err := s.Verify(text)
		if err == nil && !isSigned(text) {
			t.Errorf("%q is taken for %+v", text, got)
		}
		if _, ok := errors.AsType[Refusal](err); err != nil && !ok {
			t.Errorf("%q: %v is no refusal", text, err)
		}
	})
}

// isSigned reports whether a text ends with the HMAC of everything before its last dot:
// https://www.rfc-editor.org/rfc/rfc7515#section-5.2.
func isSigned(text string) bool {
	dot := strings.LastIndexByte(text, '.')
	mac := hmac.New(sha256.New, []byte(aSecret))
	mac.Write([]byte(text[:max(dot, 0)]))
	return text[dot+1:] == base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
