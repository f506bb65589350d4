package token

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/MicahParks/jwkset"
	"github.com/golang-jwt/jwt/v5"

	"forge/internal/viewer"
)

func mustRSA(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func mustEd25519(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func mustECDSA(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// written returns a key as JSON.
func written(t testing.TB, key any, id string, private bool) json.RawMessage {
	t.Helper()
	made, err := jwkset.NewJWKFromKey(key, jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: id}, Marshal: jwkset.JWKMarshalOptions{Private: private}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(made.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func setOf(keys ...json.RawMessage) []byte {
	text, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		panic(err)
	}
	return text
}

func mustWriteFile(t testing.TB, text []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestKeysRotation replaces a key: tokens of the old key are valid as long as the key is there.
func TestKeysRotation(t *testing.T) {
	t.Parallel()
	first, second := []byte(strings.Repeat("1", 32)), mustEd25519(t)
	one, two := written(t, first, "2025", true), written(t, second, "2026", true)
	at := func(keys ...json.RawMessage) *side {
		o := base()
		o.KeysFile = mustWriteFile(t, setOf(keys...))
		return newSide(t, o)
	}
	before, between, after := at(one), at(two, one), at(two)
	old, young := before.mustIssue(t, viewer.User), between.mustIssue(t, viewer.Admin)
	if before.keys.Len() != 2 || between.keys.Len() != 3 {
		t.Errorf("%d and %d keys, with the secret", before.keys.Len(), between.keys.Len())
	}
	bySecret := newSide(t, base()).mustIssue(t, viewer.User)
	tests := []struct {
		name, text string
		at         *side
		want       error
	}{
		{"old, before", old, before, nil},
		{"old, between", old, between, nil},
		{"old, after", old, after, errKey},
		{"young, before", young, before, errKey},
		{"young, between", young, between, nil},
		{"young, after", young, after, nil},
		{"the secret's, after", bySecret, after, nil},
	}
	for _, tt := range tests {
		if _, _, err := tt.at.Verify(tt.text); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	token, _, err := jwt.NewParser().ParseUnverified(young, jwt.MapClaims{})
	if err != nil || token.Header["kid"] != "2026" || token.Header["alg"] != "EdDSA" {
		t.Errorf("the first of the file signs: %v (%v)", token.Header, err)
	}
}

// TestKeysFile checks that errors say what is wrong with a file, and repeat nothing of its content.
func TestKeysFile(t *testing.T) {
	t.Parallel()
	ed := mustEd25519(t)
	var okp map[string]any
	if err := json.Unmarshal(written(t, ed, "a", true), &okp); err != nil {
		t.Fatal(err)
	}
	okpWith := func(name string, value any) string {
		changed := maps.Clone(okp)
		changed[name] = value
		text, _ := json.Marshal(changed)
		return `{"keys":[` + string(text) + `]}`
	}
	oct := func(k, more string) string { return `{"keys":[{"kty":"oct","k":"` + encode(k) + `"` + more + `}]}` }
	long := strings.Repeat("s3cret", 6)
	tests := []struct{ name, text, want string }{
		{"empty", "", "not a JSON Web Key Set"},
		{"a secret", "s3cret", "not a JSON Web Key Set"},
		{"one key", `{"kty":"oct","kid":"a","k":"s3cret"}`, "not a JSON Web Key Set"},
		{"no key", `{"keys":[]}`, "no key"},
		{"too large", `{"keys":[` + strings.Repeat(" ", maxSet) + `]}`, "bytes"},
		{"too many", `{"keys":[` + strings.Repeat("1,", maxKeys) + `1]}`, "keys"},
		{"no kid", oct(long, ""), "key 1 of it: it needs a kid"},
		{"short", oct("s3cret", `,"kid":"a"`), "it has 6 bytes, and HS256 needs 32"},
		{"not base64", `{"keys":[{"kty":"oct","kid":"a","k":"s3cret+/!"}]}`, "not valid"},
		{"a number", `{"keys":[1234567]}`, "not a JSON Web Key"},
		{"for encryption", oct(long, `,"kid":"a","use":"enc"`), "use"},
		{"another algorithm", oct(long, `,"kid":"a","alg":"HS512"`), "its alg is not HS256"},
		{"twice", strings.Replace(oct(long, `,"kid":"a"`), "]}", ","+oct(long, `,"kid":"a"`)[len(`{"keys":[`):], 1), "same kid"},
		{"the secret's kid", oct(long, `,"kid":"`+secretKey([]byte(aSecret)).id+`"`), "AUTH_SECRET"},
		{"only public", string(setOf(written(t, ed.Public(), "a", false))), "private parts"},
		{"RSA", string(setOf(written(t, mustRSA(t), "a", true))), "allowed are oct keys and Ed25519"},
		{"d of another", okpWith("d", base64.RawURLEncoding.EncodeToString(mustEd25519(t).Seed())), "x does not belong to its d"},
		{"short d", okpWith("d", "AAAA"), "not valid"},
		{"kid a number", okpWith("kid", 1234567), "not a JSON Web Key"},
	}
	for _, tt := range tests {
		_, err := ReadKeys(aSecret, mustWriteFile(t, []byte(tt.text)))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
			continue
		}
		if strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "1234567") {
			t.Errorf("%s: the file's contents in %v", tt.name, err)
		}
	}
	if _, err := ReadKeys("", filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if keys, err := ReadKeys("", ""); err != nil || keys.Len() != 0 || NewIssuer(base(), keys) != nil {
		t.Errorf("no secret and no file: %v, %v", keys, err)
	}
}

func TestExposed(t *testing.T) {
	path := mustWriteFile(t, nil)
	for mode, want := range map[os.FileMode]bool{0o600: false, 0o640: false, 0o644: true} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if got := Exposed(path); got != want {
			t.Errorf("%o: %v", mode, got)
		}
	}
	if Exposed("") || Exposed(path+"x") {
		t.Error("what is not there is exposed")
	}
}

// TestCursorKey checks that the same options give the same key, and that others give another key.
func TestCursorKey(t *testing.T) {
	t.Parallel()
	file := mustWriteFile(t, setOf(written(t, mustEd25519(t), "a", true), written(t, []byte(otherSecret), "b", true)))
	made := func(o Options) (string, bool) {
		keys, err := ReadKeys(o.Secret, o.KeysFile)
		if err != nil {
			t.Fatal(err)
		}
		key, lasting := o.CursorKey(keys)
		if len(key) != 32 {
			t.Errorf("%d bytes", len(key))
		}
		return string(key), lasting
	}
	seen := map[string]string{}
	for name, o := range map[string]Options{
		"a secret": {Secret: aSecret}, "another": {Secret: otherSecret}, "a file": {KeysFile: file}, "its own": {CursorSecret: "x"},
	} {
		key, lasting := made(o)
		again, _ := made(o)
		if key != again || !lasting {
			t.Errorf("%s: not the same twice, or not lasting", name)
		}
		if other, taken := seen[key]; taken {
			t.Errorf("%s has the key of %s", name, other)
		}
		seen[key] = name
		if o.Secret != "" {
			o.KeysFile = file
			if key, _ := made(o); key != again {
				t.Errorf("%s: another key with a file beside it", name)
			}
		}
		o.CursorSecret = "x"
		if key, _ := made(o); seen[key] != "its own" && seen[key] != "" {
			t.Errorf("%s: its own secret does not count more", name)
		}
	}
	first, lasting := made(Options{})
	if second, _ := made(Options{}); lasting || first == second {
		t.Errorf("made up: lasting %v, or the same twice", lasting)
	}
}
