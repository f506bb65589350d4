package api_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"forge/ent"
	"forge/graph"
	"forge/internal/account"
	"forge/internal/mail"
	"forge/internal/onetime"
	"forge/internal/retry"
	"forge/internal/session"
	"forge/internal/viewer"
	mailtemplates "forge/mail"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// mailed is an API that people can sign in to, with an inbox that gets its mails.
type mailed struct {
	*api
	service *account.Service
	inbox   *mail.Inbox
	mails   *mail.Mails
	seen    int // how many mails were looked at
}

// newMailAPI returns an API whose mails go to an inbox.
func newMailAPI(t *testing.T, url string, kinds ...string) *mailed {
	t.Helper()
	d := &mailed{api: newSessionAPI(t, url)}
	d.inbox = mail.NewInbox("", d.log)
	d.sending(d.inbox, kinds...)
	return d
}

// sending has the API send its mails, of some kinds or of all if none is given.
func (d *mailed) sending(sender mail.Sender, kinds ...string) {
	d.t.Helper()
	templates, err := mail.NewTemplates(mailtemplates.Templates, nil, account.Templates...)
	if err != nil {
		d.t.Fatal(err)
	}
	if len(kinds) == 0 {
		kinds = account.Kinds
	}
	d.mails = mail.New(mail.Options{DB: d.db, Sender: sender, Templates: templates, From: "Shop <shop@example.com>", Log: d.log,
		Look: 10 * time.Millisecond, Retry: retry.Backoff{First: 20 * time.Millisecond}})
	r := d.sessionResolver(lifetimes)
	d.service = account.New(account.Options{DB: d.db, Accounts: graph.Accounts{}, Sessions: r.Sessions, Passwords: d.passwords, Mails: d.mails,
		Entities: ent.Entities, Query: ent.QueryEntity, Grace: time.Hour, ExportBytes: 1 << 20, Page: "https://app.example/account", Kinds: kinds, Revoked: d.revocations.Add,
		Narrow: session.NewLimiter(d.db, 5, d.log), Wide: session.NewLimiter(d.db, 30, d.log), Log: d.log})
	r.Account = d.service
	d.configure(config{Options: usual().Options, Resolver: r})
	run(d.t, d.mails)
}

// run sends mails until the test ends.
func run(t testing.TB, m *mail.Mails) {
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		m.Run(ctx)
	}()
	t.Cleanup(func() { stop(); <-ended })
}

// empty waits until the queue is empty.
func (d *mailed) empty() {
	d.t.Helper()
	gqltest.Eventually(d.t, "all mails are sent", func() error {
		if n := d.waiting(); n > 0 {
			return fmt.Errorf("%d wait", n)
		}
		return nil
	})
}

func (d *mailed) waiting() (n int) {
	d.stored(func(ctx context.Context, c *ent.Client) { n = c.Mail.Query().CountX(ctx) })
	return n
}

// news returns the mails that have come since the last call, the oldest first, once the queue is
// empty.
func (d *mailed) news(want int) []mail.Received {
	d.t.Helper()
	d.empty()
	all := d.inbox.Mails()
	all = all[:len(all)-d.seen]
	if d.seen += len(all); len(all) != want {
		d.t.Fatalf("%d mails have come, want %d: %v", len(all), want, all)
	}
	return all
}

var inLink = regexp.MustCompile(`https://app\.example/account#\w+=([\w-]{40,})`)

// token returns the token of the only new mail, and to whom that is.
func (d *mailed) token() (token, to string) {
	d.t.Helper()
	m := d.news(1)[0]
	return tokenOf(d.t, m), m.To
}

func tokenOf(t testing.TB, m mail.Received) string {
	t.Helper()
	found := inLink.FindStringSubmatch(m.Text)
	if found == nil || !strings.Contains(m.HTML, found[0]) {
		t.Fatalf("no link in %q, or not in %q", m.Text, m.HTML)
	}
	return found[1]
}

// these are the operations.
const (
	requestVerify = `mutation { requestEmailVerification { ok } }`
	verifyEmail   = `mutation($t: String!) { verifyEmail(token: $t) { ok } }`
	requestChange = `mutation($e: String!) { requestEmailChange(email: $e) { ok } }`
	confirmChange = `mutation($t: String!) { m: confirmEmailChange(token: $t) { ok done } }`
	requestReset  = `mutation($e: String!) { requestPasswordReset(email: $e) { ok } }`
	resetPassword = `mutation($t: String!, $p: String!) { resetPassword(token: $t, newPassword: $p) { ok } }`
	requestLink   = `mutation($l: String!) { requestSignInLink(login: $l) { ok } }`
	signInLink    = `mutation($t: String!) { m: signInWithLink(token: $t) ` + tokens + ` }`
	requestCode   = `mutation($l: String!) { requestSignInCode(login: $l) { ok } }`
	signInCode    = `mutation($l: String!, $c: String!) { m: signInWithCode(login: $l, code: $c) ` + tokens + ` }`
)

// verified signs a user up, and proves the email.
func (d *mailed) verified(name string) viewer.Viewer {
	d.t.Helper()
	v := d.holder(d.signUp(name))
	d.as(v).Must(requestVerify, nil)
	token, _ := d.token()
	d.as(v).Must(verifyEmail, vars{"t": token})
	return v
}

func eachMail(t *testing.T, test func(*testing.T, *mailed)) {
	t.Helper()
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) { test(t, newMailAPI(t, url)) })
}

// TestVerifyEmail proves an email, and tries tokens that are not good: used ones, those of another
// user, those of another purpose, late ones, and those of an email that was changed.
func TestVerifyEmail(t *testing.T) {
	eachMail(t, func(t *testing.T, d *mailed) {
		ada, eve := d.holder(d.signUp("ada")), d.holder(d.signUp("eve"))
		d.WantCode("UNAUTHENTICATED", requestVerify, nil)
		d.as(ada).With("Accept-Language", "fr;q=0.5, de-CH").Must(requestVerify, nil)
		m := d.news(1)[0]
		if m.To != "ada@Example.com" || m.Subject != "Bestätigen Sie Ihre E-Mail-Adresse" || m.From != "Shop <shop@example.com>" {
			t.Errorf("the mail: %+v", m)
		}
		token := tokenOf(t, m)
		d.WantCode("UNAUTHENTICATED", verifyEmail, vars{"t": token})
		d.as(eve).WantCode("BAD_USER_INPUT", verifyEmail, vars{"t": token})
		d.WantCode("BAD_USER_INPUT", resetPassword, vars{"t": token, "p": "another good one"})
		d.WantCode("UNAUTHENTICATED", signInLink, vars{"t": token})
		d.as(ada).Must(verifyEmail, vars{"t": token})
		d.as(ada).WantCode("BAD_USER_INPUT", verifyEmail, vars{"t": token})
		if u := d.row(d.id(ada)); u.EmailVerifiedAt == nil || time.Since(*u.EmailVerifiedAt) > time.Minute {
			t.Errorf("verified at %v", u.EmailVerifiedAt)
		}
		d.as(ada).Must(requestVerify, nil)
		d.news(0)

		d.as(eve).Must(requestVerify, nil)
		d.as(eve).Must(requestVerify, nil)
		both := d.news(2)
		d.expireTokens()
		d.as(eve).WantCode("BAD_USER_INPUT", verifyEmail, vars{"t": tokenOf(t, both[0])})
		d.as(eve).Must(requestVerify, nil)
		token, _ = d.token()
		before := *d.row(d.id(eve)).Email
		for _, address := range []string{"eve@other.example", before} { // the token has ended for good
			d.as(eve).Must(`mutation($id: ID!, $e: String) { updateUser(id: $id, input: {email: $e}) { user { id } } }`, vars{"id": d.id(eve), "e": address})
		}
		d.as(eve).WantCode("BAD_USER_INPUT", verifyEmail, vars{"t": token})
		d.as(eve).Must(`mutation($id: ID!) { updateUser(id: $id, input: {email: null}) { user { id } } }`, vars{"id": d.id(eve)})
		d.as(eve).WantCode("CONFLICT", requestVerify, nil)
	})
}

// id returns the ID of a user.
func (d *mailed) id(v viewer.Viewer) string { return (&ent.User{ID: v.ID}).GlobalID().String() }

// expireTokens has all tokens that are good once end, as if their time had passed.
func (d *mailed) expireTokens() {
	d.t.Helper()
	name := onetime.Objects(d.db.Dialect)[0].Name
	if _, err := d.db.ExecContext(d.t.Context(), "UPDATE "+name+" SET expires_at = created_at"); err != nil {
		d.t.Fatal(err)
	}
}

// TestChangeEmail changes an email with the consent of both addresses, in either order.
func TestChangeEmail(t *testing.T) {
	eachMail(t, func(t *testing.T, d *mailed) {
		ada, eve := d.verified("ada"), d.holder(d.signUp("eve"))
		for i, address := range []string{"first@example.com", "second@example.com"} {
			before := *d.row(d.id(ada)).Email
			d.as(ada).Must(requestChange, vars{"e": address})
			by := map[string]string{}
			for _, m := range d.news(2) {
				by[m.To] = tokenOf(t, m)
			}
			order := []string{before, address}
			if i == 1 {
				order = []string{address, before}
			}
			d.as(eve).WantCode("BAD_USER_INPUT", confirmChange, vars{"t": by[address]})
			if got := d.as(ada).Must(confirmChange, vars{"t": by[order[0]]}); got.At("m.done") != false {
				t.Errorf("after the first: %s", got)
			}
			d.as(ada).WantCode("BAD_USER_INPUT", confirmChange, vars{"t": by[order[0]]})
			if u := d.row(d.id(ada)); *u.Email != before {
				t.Errorf("the email is %s after one of two has confirmed", *u.Email)
			}
			if got := d.as(ada).Must(confirmChange, vars{"t": by[order[1]]}); got.At("m.done") != true {
				t.Errorf("after the second: %s", got)
			}
			if u := d.row(d.id(ada)); *u.Email != address || u.EmailVerifiedAt == nil {
				t.Errorf("stored: %v", u)
			}
			if m := d.news(1)[0]; m.To != before || m.Template != "changed" {
				t.Errorf("the notice: %+v", m)
			}
		}
		if got := d.as(ada).Do(`mutation($id: ID!) { updateUser(id: $id, input: {email: "x@example.com"}) { user { id } } }`, vars{"id": d.id(ada)}); got.Code() != "FORBIDDEN" {
			t.Errorf("a proved email without the consent of the address: %s", got)
		}
		d.rule(`mutation($id: ID!) { updateUser(id: $id, input: {email: "x@example.com"}) { user { id } } }`, vars{"id": d.id(ada)})
		if u := d.row(d.id(ada)); *u.Email != "x@example.com" || u.EmailVerifiedAt != nil {
			t.Errorf("after an administrator's change: %v", u)
		}
		if m := d.news(1)[0]; m.To != "second@example.com" {
			t.Errorf("the notice: %+v", m)
		}
	})
}

// TestChangeEmailOfOthers asks for the email of another user. No mail goes there, and the answer
// does not say why. If the email is taken after the mail has gone out, the change is a conflict. An
// email that was never proved need not agree.
func TestChangeEmailOfOthers(t *testing.T) {
	eachMail(t, func(t *testing.T, d *mailed) {
		d.signUp("ada")
		eve := d.holder(d.signUp("eve"))
		d.as(eve).Must(requestChange, vars{"e": "ADA@example.com"})
		d.news(0)
		d.as(eve).Must(requestChange, vars{"e": "new@example.com"})
		token, to := d.token()
		if to != "new@example.com" {
			t.Errorf("to %s", to)
		}
		d.Must(signUp, vars{"i": vars{"username": "bob", "email": "New@example.com", "password": secret}})
		if got := d.as(eve).WantCode("CONFLICT", confirmChange, vars{"t": token}); strings.Contains(got.Body, "new@") {
			t.Errorf("the answer names the email: %s", got)
		}
		d.as(eve).Must(requestChange, vars{"e": "eve@other.example"})
		token, _ = d.token()
		d.as(eve).Must(confirmChange, vars{"t": token})
		if u := d.row(d.id(eve)); *u.Email != "eve@other.example" || u.EmailVerifiedAt == nil {
			t.Errorf("stored: %v", u)
		}
	})
}

// TestChangeEmailNeedsFreshSession has a thief of an access token try to give a user an email of
// their own, where no email of the user has to agree, and so the mails that lead into the account.
func TestChangeEmailNeedsFreshSession(t *testing.T) {
	eachMail(t, func(t *testing.T, d *mailed) {
		const update = `mutation($id: ID!, $e: String) { updateUser(id: $id, input: {email: $e}) { user { id } } }`
		ada := &member{d: d.api, name: "ada", viewer: d.holder(d.signUp("ada"))}
		thief := d.as(ada.aged(false))
		if got := thief.WantCode("FORBIDDEN", requestChange, vars{"e": "thief@example.com"}); got.Extension("field") != "email" {
			t.Error(got)
		}
		if got := thief.WantCode("FORBIDDEN", update, vars{"id": ada.id(), "e": "thief@example.com"}); got.Extension("field") != "input.email" {
			t.Error(got)
		}
		d.news(0)
		ada.must(update, vars{"id": ada.id(), "e": "ada@other.example"})
		d.as(d.verified("eve")).Must(requestChange, vars{"e": "eve@other.example"})
		d.news(2)
	})
}

// TestChangeEmailOfEndedSession has a thief begin a change of an email. Then the user ends that
// session, after which the thief's access token does not complete the change.
func TestChangeEmailOfEndedSession(t *testing.T) {
	eachMail(t, func(t *testing.T, d *mailed) {
		ada := d.as(d.holder(d.signUp("ada")))
		thief := d.as(d.holder(d.signIn("ada", secret)))
		thief.Must(requestChange, vars{"e": "thief@example.com"})
		token := tokenOf(t, d.news(1)[0])
		ada.Must(endOtherSessions, nil)
		thief.WantCode("UNAUTHENTICATED", confirmChange, vars{"t": token})
		thief.WantCode("UNAUTHENTICATED", requestChange, vars{"e": "thief@example.com"})
		ada.Must(confirmChange, vars{"t": token})
	})
}

// TestResetPassword resets a password. All sessions end, and all other tokens of mails. Tokens that
// are used, late or guessed are refused.
func TestResetPassword(t *testing.T) {
	eachMail(t, func(t *testing.T, d *mailed) {
		ada := d.verified("ada")
		d.Must(requestReset, vars{"e": " ADA@example.com "})
		d.Must(requestReset, vars{"e": "ada@example.com"})
		d.Must(requestReset, vars{"e": "nobody@example.com"})
		both := d.news(2)
		if both[0].To != "ada@Example.com" || both[0].Template != "reset" {
			t.Errorf("the mail: %+v", both[0])
		}
		one, other := tokenOf(t, both[0]), tokenOf(t, both[1])
		d.WantCode("BAD_USER_INPUT", resetPassword, vars{"t": one, "p": "password123"})
		d.Must(resetPassword, vars{"t": one, "p": "another good one"})
		for _, token := range []string{one, other, "", strings.Repeat("A", 43), strings.Repeat("A", 1000)} {
			if got := d.Do(resetPassword, vars{"t": token, "p": "a third good one"}); got.Code() != "BAD_USER_INPUT" || got.Extension("field") != "token" {
				t.Errorf("the token %.50q: %s", token, got)
			}
		}
		if d.sessions() != 0 || !tokenEnded(d.revocations, ada) {
			t.Error("a session or a token has outlived the password")
		}
		if got := d.signIn("ada", secret); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("the old password: %s", got)
		}
		if got := d.signIn("ada", "another good one"); !got.OK() {
			t.Error(got)
		}
		if m := d.news(1)[0]; m.Template != "changed" || !strings.Contains(m.Text, "password") {
			t.Errorf("the notice: %+v", m)
		}
		d.Must(requestReset, vars{"e": "ada@example.com"})
		token, _ := d.token()
		d.expireTokens()
		d.WantCode("BAD_USER_INPUT", resetPassword, vars{"t": token, "p": "a third good one"})
		d.rule(`mutation($id: ID!) { updateUser(id: $id, input: {isActive: false}) { user { id } } }`, vars{"id": d.id(ada)})
		d.Must(requestReset, vars{"e": "ada@example.com"})
		d.news(0)
	})
}

var inMail = regexp.MustCompile(`(?m)^    (\d{6})$`)

func codeOf(t testing.TB, m mail.Received) string {
	t.Helper()
	found := inMail.FindStringSubmatch(m.Text)
	if found == nil {
		t.Fatalf("no code in %q", m.Text)
	}
	return found[1]
}

// TestSignInByMail signs in by a link and by a code, after which they are good no longer, and
// leaves a password that was set by who had proved the email.
func TestSignInByMail(t *testing.T) {
	eachMail(t, func(t *testing.T, d *mailed) {
		ada := d.verified("ada")
		for _, login := range []string{"ada", "Ada@example.com"} {
			d.Must(requestLink, vars{"l": login})
			token, _ := d.token()
			if got := d.Must(signInLink, vars{"t": token}); d.holder(got).ID != ada.ID {
				t.Errorf("a link: %s", got)
			}
			d.WantCode("UNAUTHENTICATED", signInLink, vars{"t": token})
			d.Must(requestCode, vars{"l": login})
			code := codeOf(t, d.news(1)[0])
			if got := d.Must(signInCode, vars{"l": "ada", "c": code}); d.holder(got).ID != ada.ID {
				t.Errorf("a code: %s", got)
			}
			d.WantCode("UNAUTHENTICATED", signInCode, vars{"l": "ada", "c": code})
		}
		if got := d.signIn("ada", secret); !got.OK() {
			t.Errorf("the password: %s", got)
		}
		d.Must(requestLink, vars{"l": "nobody"})
		d.Must(requestCode, vars{"l": "nobody@example.com"})
		d.news(0)
		got := d.Do(`mutation { a: requestSignInLink(login: "ada") { ok } b: requestSignInLink(login: "ada") { ok } }`, nil)
		if got.Code() != "BAD_USER_INPUT" {
			t.Errorf("two at once: %s", got)
		}
	})
}
