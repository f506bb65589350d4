package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/descope/virtualwebauthn"
	"github.com/go-webauthn/webauthn/protocol/webauthncbor"

	"forge/ent"
	"forge/internal/ids"
	"forge/internal/onetime"
	"forge/internal/viewer"
	"forge/test/gqltest"
)

const (
	beginPasskey       = `mutation { m: beginPasskey { options } }`
	finishPasskey      = `mutation($r: JSON!, $n: String) { m: finishPasskey(response: $r, name: $n) { passkey { id name createdAt lastUsedAt } } }`
	removePasskey      = `mutation($id: ID!, $c: String) { m: removePasskey(id: $id, code: $c) { deletedId } }`
	beginPasskeySignIn = `mutation { m: beginPasskeySignIn { options } }`
	signInWithPasskey  = `mutation($r: JSON!) { m: signInWithPasskey(response: $r) ` + proofs + ` }`
)

// androidApp is the origin of an app for Android.
const androidApp = "android:apk-key-hash:pNiP5iKyQ8JwgGOaKA1zGPUPJIS-0H1xKCQcfIoGLck"

// device is a virtual authenticator with one passkey, in a browser on a page.
type device struct {
	page          virtualwebauthn.RelyingParty
	authenticator virtualwebauthn.Authenticator
	key           virtualwebauthn.Credential
	id            string // of the passkey in the API
}

// newDevice returns a device without a passkey of m yet.
func newDevice(m *member) *device {
	return &device{
		page:          virtualwebauthn.RelyingParty{ID: "example.com", Name: "A Shop", Origin: "https://app.example.com"},
		authenticator: virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: m.viewer.ID[:]}),
		key:           virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2),
	}
}

func parsedJSON(text string) (v any) {
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		panic(err)
	}
	return v
}

func optionsOf(a gqltest.Answer) string {
	text, err := json.Marshal(a.At("m.options"))
	if err != nil {
		panic(err)
	}
	return string(text)
}

// makes returns the response of the device to the options of beginPasskey.
func (dev *device) makes(begun gqltest.Answer) any {
	options, err := virtualwebauthn.ParseAttestationOptions(optionsOf(begun))
	if err != nil {
		panic(err)
	}
	return parsedJSON(virtualwebauthn.CreateAttestationResponse(dev.page, dev.authenticator, dev.key, *options))
}

// signs returns the response of the device to the options of beginPasskeySignIn, or of
// beginPasskey.
func (dev *device) signs(begun gqltest.Answer) any {
	options, err := virtualwebauthn.ParseAssertionOptions(optionsOf(begun))
	if err != nil {
		panic(err)
	}
	return parsedJSON(virtualwebauthn.CreateAssertionResponse(dev.page, dev.authenticator, dev.key, *options))
}

// register makes a passkey for m.
func (d *api) register(m *member, name string) *device {
	d.t.Helper()
	dev := newDevice(m)
	got := m.must(finishPasskey, vars{"r": dev.makes(m.must(beginPasskey, nil)), "n": name})
	dev.id = got.Text("m.passkey.id")
	return dev
}

func TestPasskey(t *testing.T) {
	eachFactors(t, func(t *testing.T, d *api) {
		ada := d.joinWithTOTP("ada")
		begun := ada.must(beginPasskey, nil)
		if begun.Text("m.options.rp.id") != "example.com" || begun.Text("m.options.user.name") != "ada" || begun.Text("m.options.authenticatorSelection.userVerification") != "required" ||
			begun.Text("m.options.authenticatorSelection.residentKey") != "required" || begun.Number("m.options.timeout") != 300_000 {
			t.Errorf("beginPasskey: %s", begun)
		}
		dev := newDevice(ada)
		made := ada.must(finishPasskey, vars{"r": dev.makes(begun), "n": " my phone "})
		if made.Text("m.passkey.name") != "my phone" || made.Text("m.passkey.createdAt") == "" || made.At("m.passkey.lastUsedAt") != nil {
			t.Errorf("finishPasskey: %s", made)
		}
		if got := ada.must(beginPasskey, nil); got.Len("m.options.excludeCredentials") != 1 {
			t.Errorf("beginPasskey does not exclude the first: %s", got)
		}
		for n := range 3 {
			dev.key.Counter = uint32(n) * 5
			options := d.Must(beginPasskeySignIn, nil)
			if options.Text("m.options.userVerification") != "required" || options.Text("m.options.rpId") != "example.com" || options.At("m.options.allowCredentials") != nil {
				t.Errorf("beginPasskeySignIn: %s", options)
			}
			in := d.Must(signInWithPasskey, vars{"r": dev.signs(options)})
			dev.page.Origin = androidApp // from now on
			if in.Text("m.user.username") != "ada" || d.holder(in).ID != ada.viewer.ID || in.At("m.secondFactor") != nil || in.Text("m.refreshToken") == "" {
				t.Errorf("signInWithPasskey: %s", in)
			}
		}
		if got := ada.must(`{ viewer { passkeys { lastUsedAt } } }`, nil); got.Text("viewer.passkeys.0.lastUsedAt") == "" {
			t.Errorf("lastUsedAt: %s", got)
		}
		id := made.Text("m.passkey.id")
		if got := d.as(ada.aged(false)).Must(removePasskey, vars{"id": id, "c": ada.code(0)}); got.Text("m.deletedId") != id {
			t.Errorf("removePasskey: %s", got)
		}
		dev.key.Counter = 100
		if got := d.Do(signInWithPasskey, vars{"r": dev.signs(d.Must(beginPasskeySignIn, nil))}); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("after removePasskey: %s", got)
		}
	})
}

// TestPasskeyAttacks signs in with responses that are not right in one thing each. All get the same
// answer.
func TestPasskeyAttacks(t *testing.T) {
	eachFactors(t, func(t *testing.T, d *api) {
		ada, eve := d.join("ada"), d.join("eve")
		log := new(bytes.Buffer)
		o := allFactors()
		o.Log = slog.New(slog.NewTextHandler(log, nil))
		d = d.withFactors(o)
		ada.d, eve.d = d, d
		good := d.register(ada, "phone")
		eves := d.register(eve, "phone")
		good.key.Counter, eves.key.Counter = 10, 10
		begin := func() gqltest.Answer { return d.Must(beginPasskeySignIn, nil) }
		used := good.signs(begin())
		d.Must(signInWithPasskey, vars{"r": used})
		good.key.Counter++
		ends := begin()
		late := good.signs(ends)
		if _, err := d.db.Exec("UPDATE " + onetime.Objects(d.db.Dialect)[0].Name + " SET expires_at = 0"); err != nil {
			t.Fatal(err)
		}
		with := func(change func(*device)) any {
			dev := *good
			change(&dev)
			return dev.signs(begin())
		}
		var first string
		for what, response := range map[string]any{
			"another origin":              with(func(dev *device) { dev.page.Origin = "https://example.org" }),
			"an origin of a sibling":      with(func(dev *device) { dev.page.Origin = "https://evil.example.com" }),
			"another app":                 with(func(dev *device) { dev.page.Origin = "android:apk-key-hash:" + strings.Repeat("A", 43) }),
			"an app in other letters":     with(func(dev *device) { dev.page.Origin = strings.ToLower(androidApp) }),
			"an origin without TLS":       with(func(dev *device) { dev.page.Origin = "http://app.example.com" }),
			"another relying party":       with(func(dev *device) { dev.page.ID = "example.org" }),
			"the person was not verified": with(func(dev *device) { dev.authenticator.Options.UserNotVerified = true }),
			"nobody was there":            with(func(dev *device) { dev.authenticator.Options.UserNotPresent = true }),
			"eve's handle":                with(func(dev *device) { dev.authenticator.Options.UserHandle = eve.viewer.ID[:] }),
			"no handle":                   with(func(dev *device) { dev.authenticator.Options.UserHandle = nil }),
			"eve's key under ada's ID":    with(func(dev *device) { dev.key.Key = eves.key.Key }),
			"an unknown passkey":          with(func(dev *device) { dev.key = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2) }),
			"the counter has not gone up": with(func(dev *device) { dev.key.Counter = 10 }),
			"the counter went back":       with(func(dev *device) { dev.key.Counter = 3 }),
			"the counter is 0 again":      with(func(dev *device) { dev.key.Counter = 0 }),
			"used":                        used,
			"late":                        late,
			"a challenge of beginPasskey": good.signs(ada.must(beginPasskey, nil)),
			"a challenge of nobody":       parsedJSON(virtualwebauthn.CreateAssertionResponse(good.page, good.authenticator, good.key, virtualwebauthn.AssertionOptions{Challenge: []byte("made up")})),
			"what makes a passkey":        newDevice(ada).makes(ada.must(beginPasskey, nil)),
			"no response":                 nil,
			"a text":                      "x",
			"an object":                   vars{"id": "x", "rawId": "x", "type": "public-key", "response": vars{}},
			"a list of a thousand":        make([]any, 1000),
		} {
			if response == nil {
				response = vars{}
			}
			got := d.Do(signInWithPasskey, vars{"r": response})
			if got.Code() != "UNAUTHENTICATED" {
				t.Errorf("%s: %s", what, got)
				continue
			}
			if first == "" {
				first = got.Errors[0].Message
			} else if got.Errors[0].Message != first {
				t.Errorf("%s tells itself from others: %s", what, got)
			}
		}
		if n := strings.Count(log.String(), "there may be a copy of it"); n != 3 || !strings.Contains(log.String(), good.id) {
			t.Errorf("%d copies of a passkey are logged, want 3: %s", n, log)
		}
		d.Must(signInWithPasskey, vars{"r": good.signs(begin())}) // all of that has changed nothing
		good.key.Counter++
		for what, change := range map[string]string{"not active": `updateUser(id: "ID", input: {isActive: false}) { user { id } }`, "deleted": `deleteUser(id: "ID") { deletedId }`} {
			d.rule(`mutation { m: `+strings.ReplaceAll(change, "ID", ada.id())+` }`, nil)
			if got := d.Do(signInWithPasskey, vars{"r": good.signs(begin())}); got.Code() != "UNAUTHENTICATED" || got.Errors[0].Message != first {
				t.Errorf("of a user who is %s: %s", what, got)
			}
		}
	})
}

// TestPasskeysMadeByOthers makes passkeys with responses that are not right.
func TestPasskeysMadeByOthers(t *testing.T) {
	eachFactors(t, func(t *testing.T, d *api) {
		ada, eve := d.join("ada"), d.join("eve")
		good := d.register(ada, "phone")
		begin := func() gqltest.Answer { return ada.must(beginPasskey, nil) }
		used := newDevice(ada)
		response := used.makes(begin())
		ada.must(finishPasskey, vars{"r": response})
		with := func(change func(*device)) any {
			dev := newDevice(ada)
			change(dev)
			return dev.makes(begin())
		}
		for what, response := range map[string]any{
			"another origin":                    with(func(dev *device) { dev.page.Origin = "https://example.org" }),
			"another relying party":             with(func(dev *device) { dev.page.ID = "example.org" }),
			"the person was not verified":       with(func(dev *device) { dev.authenticator.Options.UserNotVerified = true }),
			"used":                              response,
			"eve's challenge":                   newDevice(ada).makes(eve.must(beginPasskey, nil)),
			"what signs in":                     good.signs(d.Must(beginPasskeySignIn, nil)),
			"a challenge of beginPasskeySignIn": parsedJSON(virtualwebauthn.CreateAttestationResponse(good.page, good.authenticator, good.key, virtualwebauthn.AttestationOptions{Challenge: challengeOf(d.Must(beginPasskeySignIn, nil))})),
			"a text":                            "x",
			"nothing":                           vars{},
		} {
			if got := ada.do(finishPasskey, vars{"r": response}); got.Code() != "BAD_USER_INPUT" || got.Extension("field") != "response" {
				t.Errorf("%s: %s", what, got)
			}
		}
		if got := eve.do(finishPasskey, vars{"r": good.makes(eve.must(beginPasskey, nil))}); got.Code() != "CONFLICT" {
			t.Errorf("a passkey of ada's: %s", got)
		}
		if got := ada.do(finishPasskey, vars{"r": vars{}, "n": strings.Repeat("x", 101)}); got.Code() != "BAD_USER_INPUT" || got.Extension("field") != "name" {
			t.Errorf("a long name: %s", got)
		}
		if got := eve.do(removePasskey, vars{"id": good.id}); got.Code() != "NOT_FOUND" {
			t.Errorf("removePasskey of ada's: %s", got)
		}
		totp := ""
		eve.begin()
		eve.must(confirmTotp, vars{"c": eve.code(0)})
		d.stored(func(ctx context.Context, c *ent.Client) {
			for _, row := range c.Credential.Query().AllX(ctx) {
				if row.Kind == "totp" {
					totp = row.GlobalID().String()
				}
			}
		})
		for _, id := range []string{totp, eve.id(), ids.ID{Prefix: "credential", UUID: eve.viewer.ID}.String()} {
			if got := eve.do(removePasskey, vars{"id": id}); got.Code() != "NOT_FOUND" && got.Code() != "BAD_USER_INPUT" {
				t.Errorf("removePasskey(%s): %s", id, got)
			}
		}
		eve.due()
	})
}

func challengeOf(begun gqltest.Answer) []byte {
	options, err := virtualwebauthn.ParseAssertionOptions(optionsOf(begun))
	if err != nil {
		panic(err)
	}
	return options.Challenge
}

// framed returns a response of the device as if it came from a frame in a page of another origin.
func (dev *device) framed(response any, top string) any {
	in := response.(map[string]any)["response"].(map[string]any)
	decoded := func(name string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(in[name].(string))
		if err != nil {
			panic(err)
		}
		return b
	}
	encode := base64.RawURLEncoding.EncodeToString
	data := strings.TrimSuffix(string(decoded("clientDataJSON")), "}") + `,"crossOrigin":true` + top + "}"
	in["clientDataJSON"] = encode([]byte(data))
	if in["signature"] != nil {
		hash := sha256.Sum256([]byte(data))
		digest := sha256.Sum256(append(decoded("authenticatorData"), hash[:]...))
		signature, err := dev.key.Key.Sign(digest[:])
		if err != nil {
			panic(err)
		}
		in["signature"] = encode(signature)
		return response
	}
	var made map[string]any
	if err := webauthncbor.Unmarshal(decoded("attestationObject"), &made); err != nil {
		panic(err)
	}
	made["fmt"], made["attStmt"] = "none", map[string]any{}
	object, err := webauthncbor.Marshal(made)
	if err != nil {
		panic(err)
	}
	in["attestationObject"] = encode(object)
	return response
}

// TestPasskeysInFrames uses passkeys in frames: not in a page of another origin, and not where the
// browser does not say in which.
func TestPasskeysInFrames(t *testing.T) {
	eachFactors(t, func(t *testing.T, d *api) {
		ada := d.join("ada")
		dev := d.register(ada, "phone")
		for top, good := range map[string]bool{``: false, `,"topOrigin":"https://evil.example"`: false, `,"topOrigin":"https://app.example.com"`: true} {
			made := ada.do(finishPasskey, vars{"r": dev.framed(newDevice(ada).makes(ada.must(beginPasskey, nil)), top)})
			dev.key.Counter++
			in := d.Do(signInWithPasskey, vars{"r": dev.framed(dev.signs(d.Must(beginPasskeySignIn, nil)), top)})
			if (len(made.Errors) == 0) != good || (len(in.Errors) == 0) != good {
				t.Errorf("%q: %s, %s", top, made, in)
			}
		}
	})
}

// TestPasskeysAreBounded makes as many passkeys as an account may have, and begins one more.
func TestPasskeysAreBounded(t *testing.T) {
	eachFactors(t, func(t *testing.T, d *api) {
		ada := d.join("ada")
		pending := newDevice(ada).makes(ada.must(beginPasskey, nil))
		for range 20 {
			d.register(ada, "")
		}
		if got := ada.do(beginPasskey, nil); got.Code() != "CONFLICT" {
			t.Errorf("beginPasskey for one more: %s", got)
		}
		if got := ada.do(finishPasskey, vars{"r": pending}); got.Code() != "CONFLICT" && got.Code() != "BAD_USER_INPUT" {
			t.Errorf("finishPasskey of one more: %s", got)
		}
	})
}

// TestPasskeysOnLocalhost uses pages of localhost on any port, and no other, where no origin is
// set.
func TestPasskeysOnLocalhost(t *testing.T) {
	eachFactors(t, func(t *testing.T, d *api) {
		o := allFactors()
		o.RPID, o.Origins = "localhost", nil
		d = d.withFactors(o)
		ada := d.join("ada")
		for origin, good := range map[string]bool{
			"http://localhost:3000": true, "http://localhost:5173": true, "https://localhost": true,
			"http://127.0.0.1:3000": false, "http://localhost.example.com": false, "https://evil.localhost": false, "http://localhost@example.com": false, "localhost": false,
		} {
			dev := newDevice(ada)
			dev.page = virtualwebauthn.RelyingParty{ID: "localhost", Name: "A Shop", Origin: origin}
			if got := ada.do(finishPasskey, vars{"r": dev.makes(ada.must(beginPasskey, nil))}); (len(got.Errors) == 0) != good {
				t.Errorf("%s: %s", origin, got)
			}
		}
		if got := d.as(viewer.System).Do(beginPasskey, nil); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("the system: %s", got)
		}
	})
}
