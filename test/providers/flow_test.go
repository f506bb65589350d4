package providers

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"forge/internal/database"
	"forge/internal/unit"
	"forge/test/dbtest"
	"forge/test/gqltest"
	"forge/test/idp"
)

// do runs a statement on the database of a test.
func do(t *testing.T, address, statement string, args ...any) {
	t.Helper()
	db, err := database.Open(address, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	u := unit.New(db, unit.Write)
	defer u.Rollback()
	if n, err := u.Exec(t.Context(), statement, args...); err != nil || n == 0 {
		t.Fatal(n, err)
	}
	if err := u.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func ada() map[string]any {
	return map[string]any{"sub": "ada-1", "email": "ada@example.com", "email_verified": true, "preferred_username": "ada"}
}

// signUp signs a user up with a password, and returns an access token.
func (w *world) signUp(name, email string) string {
	w.t.Helper()
	return w.Must(`mutation($in: SignUpInput!) { signUp(input: $in) { accessToken } }`, gqltest.Vars{"in": gqltest.Vars{
		"username": name, "email": email, "password": "correct horse battery"}}).At("signUp.accessToken").(string)
}

// TestSignIn signs people in with a provider: one who was never here, one who comes back, and ones
// whose email is known already.
func TestSignIn(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, address string) {
		w := start(t, address)
		if got := w.Must(`{ authProviders { name startUrl } }`, nil); got.At("authProviders.0.startUrl") != w.url+"/auth/good/start" {
			t.Errorf("%s", got)
		}

		w.idp.Person = ada()
		first, token := w.signIn("good")
		if first["username"] != "ada" || first["email"] != "ada@example.com" || first["emailVerifiedAt"] == nil {
			t.Errorf("a new user: %v", first)
		}
		if me := w.As(token).Must(`{ viewer { username identities { provider email } } }`, nil); !strings.Contains(me.Body,
			`"viewer":{"username":"ada","identities":[{"provider":"good","email":"ada@example.com"}]}`) {
			t.Errorf("%s", me)
		}
		w.idp.Person["email"], w.idp.Person["email_verified"] = "countess@example.com", false
		again, _ := w.signIn("good")
		if again["id"] != first["id"] || again["email"] != "ada@example.com" {
			t.Errorf("coming back: %v, before %v", again, first)
		}
		if seen := w.Do(`{ users { nodes { username identities { id } } } }`, nil); seen.Code() != "FORBIDDEN" || !strings.Contains(seen.Body, `{"username":"ada","identities":null}`) {
			t.Errorf("what others see: %s", seen)
		}

		w.idp.Person = map[string]any{"sub": "ada-2", "preferred_username": "ada", "email": "other@example.com"}
		if other, _ := w.signIn("good"); other["id"] == first["id"] || !strings.HasPrefix(other["username"].(string), "ada-") || other["email"] != nil {
			t.Errorf("somebody of the same name, without a verified email: %v", other)
		}
		w.idp.Person = map[string]any{"sub": "ada-3", "preferred_username": "x@example.com", "email": "secret-part@example.com", "email_verified": "true"}
		if other, _ := w.signIn("good"); !strings.HasPrefix(other["username"].(string), "user") || other["email"] != "secret-part@example.com" {
			t.Errorf("nothing of the email is in the username: %v", other)
		}

		bob := w.signUp("bob", "Bob@example.com")
		w.idp.Person = map[string]any{"sub": "bob", "email": "bob@EXAMPLE.com", "email_verified": true}
		b := w.browser()
		if code, fault, got := b.goes(b.start("good")); fault != "EMAIL_KNOWN" {
			t.Errorf("an email that only the provider has verified: %q, %q, %s", code, fault, got)
		}
		do(t, address, "UPDATE users SET email_verified_at = created_at WHERE username = 'bob'")
		w.idp.Person["email_verified"] = false
		if code, fault, got := b.goes(b.start("closed")); fault != "SIGN_UP_CLOSED" {
			t.Errorf("an email that only this server has verified: %q, %q, %s", code, fault, got)
		}
		w.idp.Person["email_verified"] = true
		if linked, _ := w.signIn("closed"); linked["username"] != "bob" {
			t.Errorf("an email that both have verified: %v", linked)
		}
		w.signUp("strasse", "ada@strasse.example")
		do(t, address, "UPDATE users SET email_verified_at = created_at WHERE username = 'strasse'")
		for _, like := range []string{"ada@xn--strae-oqa.example", "\uff41da@strasse.example"} {
			w.idp.Person = map[string]any{"sub": like, "email": like, "email_verified": true}
			if code, fault, got := b.goes(b.start("good")); fault != "EMAIL_KNOWN" {
				t.Errorf("an email that is like a verified one, and somebody else's: %q, %q, %s", code, fault, got)
			}
		}
		if me := w.As(bob).Do(`mutation { updateUser(id: "`+w.As(bob).Must(`{ viewer { id } }`, nil).At("viewer.id").(string)+
			`", input: {email: "carol@example.com"}) { user { emailVerifiedAt } } }`, nil); me.Code() != "FORBIDDEN" {
			t.Errorf("another email without a mail to this one: %s", me)
		}

		w.idp.Person = ada()
		for what, statement := range map[string]string{
			"inactive": "UPDATE users SET is_active = false WHERE username = 'ada'",
			"deleted":  "UPDATE users SET is_active = true, deleted_at = created_at WHERE username = 'ada'",
		} {
			b, ready := w.browser(), ""
			if what == "inactive" {
				ready, _, _ = b.goes(b.start("good")) // got before, and used after
			}
			do(t, address, statement)
			if ready != "" {
				b.exchangeFails("of a user who was made "+what, "FORBIDDEN", ready)
			}
			if code, fault, got := b.goes(b.start("good")); fault != "ACCOUNT_CLOSED" {
				t.Errorf("%s: %q, %q, %s", what, code, fault, got)
			}
		}
		w.end()
		w.tellsNothing()
	})
}

// exchangeFails checks that a code cannot be exchanged.
func (b *browser) exchangeFails(what, code, given string) {
	b.w.t.Helper()
	if got := b.exchange(given); got.Code() != code {
		b.w.t.Errorf("%s: %s", what, got)
	}
}

// tellsNothing checks that the log has no code, token, secret or email in it.
func (w *world) tellsNothing() {
	w.t.Helper()
	log := w.log.String()
	for _, one := range []*idp.Provider{w.idp, w.evil} {
		for _, request := range one.Requests {
			values, err := url.ParseQuery(request[strings.LastIndex(request, " ")+1:])
			if err != nil {
				w.t.Fatal(err)
			}
			for name, all := range values {
				for _, value := range all {
					if len(value) > 20 && !strings.HasPrefix(value, "http") && strings.Contains(log, value) {
						w.t.Errorf("the log has %s: %q", name, value)
					}
				}
			}
		}
	}
	for _, secret := range []string{idp.Secret, "access-token-of", "the words of", "example.com", "forgeCode", "forgeError="} {
		if strings.Contains(log, secret) {
			w.t.Errorf("the log has %q", secret)
		}
	}
	if !strings.Contains(log, "/auth/{provider}/callback") {
		w.t.Error("the log has no request of a browser that comes back")
	}
}

// TestSignInKinds signs in at GitHub and at Apple, and at a provider whose tokens have no email.
func TestSignInKinds(t *testing.T) {
	t.Parallel()
	w := start(t, dbtest.SQLite(t))
	w.idp.Person = map[string]any{"id": 42, "login": "octo"}
	w.idp.Emails = []map[string]any{{"email": "a@example.com", "verified": true}, {"email": "octo@example.com", "primary": true, "verified": true}}
	if user, _ := w.signIn("github"); user["username"] != "octo" || user["email"] != "octo@example.com" {
		t.Errorf("github: %v", user)
	}
	w.idp.Person = map[string]any{"id": 0, "login": "octo"}
	b := w.browser()
	if _, fault, got := b.goes(b.start("github")); fault != "PROVIDER_FAILED" {
		t.Errorf("nobody at github: %q, %s", fault, got)
	}

	w.idp.Reset()
	w.idp.Person = map[string]any{"sub": "001", "email": "apple@example.com", "email_verified": "true"}
	signed := ""
	w.idp.CheckSecret = func(secret string) bool {
		signed = secret
		c := jwt.MapClaims{}
		_, err := jwt.ParseWithClaims(secret, c, func(*jwt.Token) (any, error) { return &w.key.PublicKey, nil },
			jwt.WithValidMethods([]string{"ES256"}), jwt.WithIssuer("TEAM"), jwt.WithAudience(w.idp.URL), jwt.WithSubject(idp.ClientID), jwt.WithExpirationRequired())
		return err == nil
	}
	if user, _ := w.signIn("apple"); user["email"] != "apple@example.com" {
		t.Errorf("apple: %v", user)
	}
	if strings.Contains(w.log.String(), signed) {
		t.Error("the log has a secret that was signed")
	}
	w.idp.Reset()
	if got := b.get(w.url + "/auth/apple/callback?state=x&code=y"); got.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("apple by GET: %s", got)
	}
	if got := b.post(w.url+"/auth/good/callback", url.Values{"state": {"x"}, "code": {"y"}}); got.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("another by POST: %s", got)
	}
	form := fields(b.get(b.get(b.start("apple")).Header.Get("Location")).body)
	form.Set("user", strings.Repeat("x", 100_000))
	if got := b.post(w.url+"/auth/apple/callback", form); got.StatusCode != http.StatusBadRequest || !strings.Contains(got.body, "the form") {
		t.Errorf("a large form: %s", got)
	}

	w.idp.Person = map[string]any{"sub": "thin"}
	w.idp.UserInfo = map[string]any{"sub": "thin", "email": "thin@example.com", "email_verified": true, "name": "Thin Ice"}
	if user, _ := w.signIn("good"); user["email"] != "thin@example.com" || user["username"] != "Thin Ice" {
		t.Errorf("a token without an email: %v", user)
	}
	w.idp.UserInfo["sub"] = "another"
	if _, fault, got := b.goes(b.start("good")); fault != "PROVIDER_FAILED" {
		t.Errorf("what the provider says of somebody else: %q, %s", fault, got)
	}
}

const (
	beginLink  = `mutation($p: String!, $to: String!, $c: String!) { beginProviderLink(provider: $p, returnTo: $to, challenge: $c) { url } }`
	finishLink = `mutation($code: String!, $verifier: String!) { finishProviderLink(code: $code, verifier: $verifier) { identity { id provider email } } }`
	unlink     = `mutation($id: ID!) { unlinkProvider(id: $id) { deletedId } }`
)

// addPasskey gives the user grace a passkey.
const addPasskey = "INSERT INTO credentials (id, user_id, kind, key, created_at) SELECT id, id, 'passkey', 'key', created_at FROM users WHERE username = 'grace'"

// link begins to link a provider as the owner of a token, and returns the code that the browser
// brings back.
func (b *browser) link(token, provider string) (code, fault string) {
	b.w.t.Helper()
	begun := b.w.As(token).Must(beginLink, gqltest.Vars{"p": provider, "to": page, "c": b.challenge()})
	code, fault, _ = b.goes(begun.At("beginProviderLink.url").(string))
	return code, fault
}

// TestLinkNeedsFreshSession has a thief of an access token try to link an account of their own,
// which would outlive the token, and a change of the password.
func TestLinkNeedsFreshSession(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, address string) {
		w := start(t, address)
		token := w.signUp("ada", "ada@example.com")
		b := w.browser()
		w.idp.Person = ada()
		code, _ := b.link(token, "good")
		do(t, address, "UPDATE users SET tokens_valid_after = $1 WHERE username = 'ada'", time.Now().Add(time.Minute))
		if got := w.As(token).Do(finishLink, gqltest.Vars{"code": code, "verifier": b.verifier}); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("with a token that was ended: %s", got)
		}
		do(t, address, "UPDATE users SET tokens_valid_after = NULL")
		do(t, address, "UPDATE sessions SET began_at = $1", time.Now().Add(-time.Hour))
		if got := w.As(token).Do(beginLink, gqltest.Vars{"p": "good", "to": page, "c": b.challenge()}); got.Code() != "FORBIDDEN" {
			t.Errorf("in a session that is old: %s", got)
		}
		w.idp.Person = map[string]any{"sub": "grace", "preferred_username": "grace"}
		_, token = w.signIn("good")
		id := w.As(token).Must(`{ viewer { identities { id } } }`, nil).Text("viewer.identities.0.id")
		do(t, address, addPasskey)
		if got := w.As(token).Do(unlink, gqltest.Vars{"id": id}); got.Code() != "CONFLICT" {
			t.Errorf("unlinking beside a passkey, where no passkey signs in: %s", got)
		}
		do(t, address, "UPDATE sessions SET began_at = $1", time.Now().Add(-time.Hour))
		if got := w.As(token).Do(unlink, gqltest.Vars{"id": id}); got.Code() != "FORBIDDEN" {
			t.Errorf("unlinking in a session that is old: %s", got)
		}
	})
}

// TestLink links and unlinks accounts at providers.
func TestLink(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, address string) {
		w := start(t, address, "PASSKEYS=on")
		w.idp.Person = ada()
		token := w.signUp("lovelace", "ada@example.com")
		b := w.browser()
		code, _ := b.link(token, "good")
		b.exchangeFails("a code for linking does not sign in", "UNAUTHENTICATED", code)
		finish := func(token, code, verifier string) gqltest.Answer {
			return w.As(token).Do(finishLink, gqltest.Vars{"code": code, "verifier": verifier})
		}
		mallory := w.signUp("mallory", "mallory@example.com")
		for what, got := range map[string]gqltest.Answer{
			"as somebody else":      finish(mallory, code, b.verifier),
			"with another verifier": finish(token, code, w.browser().verifier),
		} {
			if got.Code() != "UNAUTHENTICATED" {
				t.Errorf("%s: %s", what, got)
			}
		}
		linked := finish(token, code, b.verifier)
		id := linked.Text("finishProviderLink.identity.id")
		if !linked.OK() || id == "" {
			t.Fatalf("%s", linked)
		}
		if got := finish(token, code, b.verifier); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("a code that was used: %s", got)
		}
		if user, _ := w.signIn("good"); user["username"] != "lovelace" {
			t.Errorf("%v", user)
		}
		if _, fault := b.link(mallory, "good"); fault != "LINKED_ELSEWHERE" {
			t.Errorf("an identity of somebody else: %q", fault)
		}
		for _, tt := range []struct{ name, p, to, c, field string }{
			{"no such provider", "none", page, b.challenge(), "provider"},
			{"another page", "good", "https://evil.example", b.challenge(), "returnTo"},
			{"no challenge", "good", page, "short", "challenge"},
		} {
			if got := w.As(token).Do(beginLink, gqltest.Vars{"p": tt.p, "to": tt.to, "c": tt.c}); got.Code() != "BAD_USER_INPUT" || got.Extension("field") != tt.field {
				t.Errorf("%s: %s", tt.name, got)
			}
		}
		if got := w.Do(beginLink, gqltest.Vars{"p": "good", "to": page, "c": b.challenge()}); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("nobody links: %s", got)
		}
		begun := w.As(token).Must(beginLink, gqltest.Vars{"p": "good", "to": page, "c": b.challenge()}).Text("beginProviderLink.url")
		b.get(strings.Replace(begun, "/good/", "/closed/", 1))
		if got := b.get(begun); got.StatusCode != http.StatusBadRequest {
			t.Errorf("an address that was used: %s", got)
		}

		if got := w.As(mallory).Do(unlink, gqltest.Vars{"id": id}); got.Code() != "NOT_FOUND" {
			t.Errorf("somebody else unlinks: %s", got)
		}
		if got := w.As(token).Must(unlink, gqltest.Vars{"id": id}); got.Text("unlinkProvider.deletedId") != id {
			t.Errorf("%s", got)
		}
		if _, fault, _ := b.goes(b.start("good")); fault != "EMAIL_KNOWN" {
			t.Errorf("after unlinking: %q", fault)
		}

		w.idp.Person = map[string]any{"sub": "grace", "preferred_username": "grace"}
		user, token := w.signIn("good")
		first := user["identities"].([]any)[0].(map[string]any)["id"].(string)
		if got := w.As(token).Do(unlink, gqltest.Vars{"id": first}); got.Code() != "CONFLICT" {
			t.Errorf("the last way to sign in: %s", got)
		}
		code, _ = b.link(token, "closed")
		if got := finish(token, code, b.verifier); !got.OK() {
			t.Fatalf("%s", got)
		}
		if got := w.As(token).Do(unlink, gqltest.Vars{"id": first}); !got.OK() {
			t.Errorf("one of two: %s", got)
		}
		last := w.As(token).Must(`{ viewer { identities { id } } }`, nil).Text("viewer.identities.0.id")
		do(t, address, addPasskey)
		if got := w.As(token).Do(unlink, gqltest.Vars{"id": last}); !got.OK() {
			t.Errorf("the last one beside a passkey: %s", got)
		}
	})
}
