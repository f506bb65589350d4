package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"forge/ent"
	entmail "forge/ent/mail"
	"forge/graph"
	"forge/internal/account"
	"forge/internal/factor"
	"forge/internal/mail"
	"forge/internal/onetime"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// TestMailsEndWithPassword changes the password of somebody whose mails others may have seen, turns
// them off and on, and deletes and restores them. No token of a mail from before is good then.
func TestMailsEndWithPassword(t *testing.T) {
	eachMail(t, func(t *testing.T, d *mailed) {
		for name, end := range map[string]func(v viewer.Viewer){
			"change": func(v viewer.Viewer) {
				d.as(v).Must(changePassword, vars{"i": vars{"oldPassword": secret, "newPassword": "another good one"}})
				d.news(1) // the notice
			},
			"active": func(v viewer.Viewer) {
				d.rule(`mutation($id: ID!) { updateUser(id: $id, input: {isActive: false}) { user { id } } }`, vars{"id": d.id(v)})
				d.rule(`mutation($id: ID!) { updateUser(id: $id, input: {isActive: true}) { user { id } } }`, vars{"id": d.id(v)})
			},
			"delete": func(v viewer.Viewer) {
				d.rule(`mutation($id: ID!) { deleteUser(id: $id) { deletedId } }`, vars{"id": d.id(v)})
				d.rule(`mutation($id: ID!) { restoreUser(id: $id) { user { id } } }`, vars{"id": d.id(v)})
			},
		} {
			v := d.verified(name)
			d.Must(requestReset, vars{"e": name + "@example.com"})
			reset, _ := d.token()
			d.Must(requestLink, vars{"l": name})
			link, _ := d.token()
			d.Must(requestCode, vars{"l": name})
			code := codeOf(t, d.news(1)[0])
			end(v)
			d.WantCode("BAD_USER_INPUT", resetPassword, vars{"t": reset, "p": "a third good one"})
			d.WantCode("UNAUTHENTICATED", signInLink, vars{"t": link})
			d.WantCode("UNAUTHENTICATED", signInCode, vars{"l": name, "c": code})
		}
	})
}

// TestNoticeOfFactors tells a user by mail of each way to sign in that was added.
func TestNoticeOfFactors(t *testing.T) {
	eachMail(t, func(t *testing.T, d *mailed) {
		r := d.sessionResolver(lifetimes)
		r.Account, r.Factors = d.service, factor.New(d.db, graph.Accounts{}, r.Sessions, allFactors())
		d.configure(config{Options: usual().Options, Resolver: r})
		ada := &member{d: d.api, name: "ada", viewer: d.verified("ada")}
		ada.begin()
		for what, add := range map[string]func(){
			"app":     func() { ada.must(confirmTotp, vars{"c": ada.code(0)}) },
			"passkey": func() { d.register(ada, "a phone") },
		} {
			add()
			if m := d.news(1)[0]; m.Template != "changed" || !strings.Contains(m.Text, "A way to sign in was added") {
				t.Errorf("%s: %+v", what, m)
			}
		}
	})
}

// TestNothingHeldWhileCounting lets an API have one connection. What a user does is still counted
// for all servers, because no unit of work holds the connection meanwhile.
func TestNothingHeldWhileCounting(t *testing.T) {
	eachMail(t, func(t *testing.T, d *mailed) {
		ada, eve := d.holder(d.signUp("ada")), d.holder(d.signUp("eve"))
		d.as(eve).Must(requestChange, vars{"e": "eve@other.example"})
		ofEve, _ := d.token()
		log := new(bytes.Buffer)
		d.log = slog.New(slog.NewTextHandler(log, nil))
		d.sending(d.inbox)
		d.db.SetMaxOpenConns(1)
		d.as(ada).Must(requestVerify, nil)
		d.as(ada).Must(requestChange, vars{"e": "ada@other.example"})
		d.as(ada).WantCode("BAD_USER_INPUT", verifyEmail, vars{"t": "wrong"})
		d.as(ada).WantCode("BAD_USER_INPUT", confirmChange, vars{"t": ofEve})
		d.as(ada).WantCode("BAD_USER_INPUT", deleteAccount, vars{"p": "incorrect"})
		d.as(ada).Must(exportAccount, nil)
		if d.db.Dialect == "postgres" {
			d.as(ada).Must(`mutation { createHero(input: {name: "Lovelace"}) { hero { id } } keepAccount { ok } }`, nil)
		}
		d.WantCode("UNAUTHENTICATED", signInLink, vars{"t": "wrong"})
		d.WantCode("UNAUTHENTICATED", signInCode, vars{"l": "ada", "c": "000000"})
		if strings.Contains(log.String(), "this server alone") {
			t.Errorf("logged: %s", log)
		}
	})
}

// TestPreHijacking has an attacker make an account with somebody else's email, before they come.
// When the owner of the email proves it, in whatever way, the attacker's password and sessions are
// worth nothing.
func TestPreHijacking(t *testing.T) {
	eachMail(t, func(t *testing.T, d *mailed) {
		for name, prove := range map[string]func(){
			"link": func() {
				d.Must(requestLink, vars{"l": "link@example.com"})
				token, _ := d.token()
				d.Must(signInLink, vars{"t": token})
			},
			"code": func() {
				d.Must(requestCode, vars{"l": "code@example.com"})
				d.Must(signInCode, vars{"l": "code@example.com", "c": codeOf(t, d.news(1)[0])})
			},
			"reset": func() {
				d.Must(requestReset, vars{"e": "reset@example.com"})
				token, _ := d.token()
				d.Must(resetPassword, vars{"t": token, "p": "the owner's own"})
				d.news(1) // the notice
			},
		} {
			before := d.signUp(name)
			attacker := d.holder(before)
			d.as(attacker).Must(deleteAccount, vars{"p": secret})
			d.stored(func(ctx context.Context, c *ent.Client) {
				c.Credential.Create().SetUserID(attacker.ID).SetKind("passkey").SetKey(name).SaveX(ctx)
			})
			prove()
			if u := d.row(d.id(attacker)); u.EmailVerifiedAt == nil || u.EraseAt != nil {
				t.Errorf("%s has not proved the email, or is to be erased: %v", name, u)
			}
			if got := d.signIn(name, secret); got.Code() != "UNAUTHENTICATED" {
				t.Errorf("%s: the attacker's password: %s", name, got)
			}
			if got := d.refresh(before.Text("m.refreshToken")); got.Code() != "UNAUTHENTICATED" {
				t.Errorf("%s: the attacker's session: %s", name, got)
			}
			if !tokenEnded(d.revocations, attacker) {
				t.Errorf("%s: the attacker's access token is good", name)
			}
			d.stored(func(ctx context.Context, c *ent.Client) {
				if n := c.Credential.Query().CountX(ctx); n != 0 {
					t.Errorf("%s: the attacker's passkey is good", name)
				}
			})
		}
	})
}

// TestMailedCodesAreNotGuessed tries codes. The fifth wrong one ends the code, and the failures
// outlast the operations that were rolled back. Another user's code, a late one, and that of an
// account which has another email by now are not good.
func TestMailedCodesAreNotGuessed(t *testing.T) {
	eachMail(t, func(t *testing.T, d *mailed) {
		d.signUp("ada")
		d.signUp("eve")
		d.signUp("bob")
		d.signUp("kim")
		code := func(login string) string {
			d.Must(requestCode, vars{"l": login})
			return codeOf(t, d.news(1)[0])
		}
		wrong := func(code string) string { return map[bool]string{true: "000001", false: "000000"}[code == "000000"] }
		ada := code("ada")
		d.WantCode("UNAUTHENTICATED", signInCode, vars{"l": "eve", "c": ada})
		for i, login := range []string{"ada", "ada@example.com", "ada", "ada@example.com", "ada"} {
			if got := d.Do(signInCode, vars{"l": login, "c": wrong(ada)}); got.Code() != "UNAUTHENTICATED" {
				t.Fatalf("wrong code %d: %s", i, got)
			}
		}
		if got := d.Do(signInCode, vars{"l": "ada@example.com", "c": ada}); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("the right code after five wrong ones: %s", got)
		}
		for range 2 {
			d.Do(signInCode, vars{"l": "ada", "c": wrong(ada)})
		}
		d.WantCode("RATE_LIMITED", signInCode, vars{"l": "ada", "c": ada})
		eve := code("eve")
		for range 4 {
			d.WantCode("UNAUTHENTICATED", signInCode, vars{"l": "eve@example.com", "c": wrong(eve)})
		}
		d.Must(signInCode, vars{"l": "eve@example.com", "c": eve})
		old, fresh := code("bob"), code("bob")
		if old != fresh {
			d.WantCode("UNAUTHENTICATED", signInCode, vars{"l": "bob", "c": old})
		}
		d.expireTokens()
		d.WantCode("UNAUTHENTICATED", signInCode, vars{"l": "bob", "c": fresh})
		for _, login := range []string{strings.Repeat("e\u0301\uff20", 100_000), "ada\x00"} {
			if got := d.Do(signInCode, vars{"l": login, "c": fresh}); got.Code() != "BAD_USER_INPUT" || got.Extension("field") != "login" {
				t.Errorf("a login that is none: %s", got)
			}
		}
		kim := code("kim")
		d.rule(`mutation($id: ID!) { updateUser(id: $id, input: {email: "k@example.com"}) { user { id } } }`, vars{"id": d.named("kim")})
		d.WantCode("UNAUTHENTICATED", signInCode, vars{"l": "kim", "c": kim})
	})
}

// TestMailedCodesAreCountedByAccount tries wrong codes with the username and the email by turns. A
// second code is then no good for a while, with either of them.
func TestMailedCodesAreCountedByAccount(t *testing.T) {
	eachMail(t, func(t *testing.T, d *mailed) {
		d.signUp("ada")
		code := func() string {
			d.Must(requestCode, vars{"l": "ada"})
			return codeOf(t, d.news(1)[0])
		}
		first := code()
		wrong := map[bool]string{true: "000001", false: "000000"}[first == "000000"]
		for _, login := range []string{"ada", "ada@example.com", "ada", "ada@example.com", "ada"} {
			d.WantCode("UNAUTHENTICATED", signInCode, vars{"l": login, "c": wrong})
		}
		d.WantCode("UNAUTHENTICATED", signInCode, vars{"l": "ada@example.com", "c": code()})
	})
}

// TestIDsAreNoLogins has somebody ask for mails, and try codes, with the IDs of others as logins,
// which are no secret. Nothing of that is counted for these accounts.
func TestIDsAreNoLogins(t *testing.T) {
	eachMail(t, func(t *testing.T, d *mailed) {
		ada := d.holder(d.signUp("ada"))
		key := ada.ID.String()
		for i := range 5 {
			eve := d.from(fmt.Sprintf("192.0.2.%d", i))
			eve.Must(requestLink, vars{"l": key})
			eve.WantCode("UNAUTHENTICATED", signInCode, vars{"l": key, "c": "000000"})
		}
		d.as(ada).Must(requestVerify, nil)
		d.news(1)
		d.Must(requestCode, vars{"l": "ada"})
		d.Must(signInCode, vars{"l": "ada", "c": codeOf(t, d.news(1)[0])})
	})
}

// TestOwnCodeForgivesNothing has somebody try codes of many others, and sign in to their own
// account in between. The network has to wait all the same.
func TestOwnCodeForgivesNothing(t *testing.T) {
	eachMail(t, func(t *testing.T, d *mailed) {
		d.signUp("eve")
		guess := func(from, to int) {
			for i := range to - from {
				d.WantCode("UNAUTHENTICATED", signInCode, vars{"l": fmt.Sprint("user", from+i), "c": "000000"})
			}
		}
		guess(0, 29)
		d.Must(requestCode, vars{"l": "eve"})
		d.Must(signInCode, vars{"l": "eve", "c": codeOf(t, d.news(1)[0])})
		guess(29, 30)
		d.WantCode("RATE_LIMITED", signInCode, vars{"l": "user30", "c": "000000"})
	})
}

// named returns the ID of the user with a name.
func (d *mailed) named(name string) string {
	d.t.Helper()
	return d.rule(`query($n: String!) { users(where: {username: $n}) { nodes { id } } }`, vars{"n": name}).Text("users.nodes.0.id")
}

// TestMailsAreNotAFlood asks for many mails to one address, and from one network to many addresses.
// Whether there is an account makes no difference.
func TestMailsAreNotAFlood(t *testing.T) {
	eachMail(t, func(t *testing.T, d *mailed) {
		d.signUp("ada")
		answers := map[string][]string{}
		for _, to := range []string{"ada@example.com", "nobody@example.com"} {
			for i := range 8 {
				got := d.from(fmt.Sprintf("192.0.2.%d", i)).Do(requestReset, vars{"e": to})
				answers[to] = append(answers[to], got.Code())
			}
		}
		if a, n := fmt.Sprint(answers["ada@example.com"]), fmt.Sprint(answers["nobody@example.com"]); a != n || a != "[     RATE_LIMITED RATE_LIMITED RATE_LIMITED]" {
			t.Errorf("a known address: %s, an unknown one: %s", a, n)
		}
		d.news(5)
		d.from("192.0.2.99").Must(requestLink, vars{"l": "ada"}) // the same mailbox by another name
		d.news(0)
		refused := 0
		for i := range 40 {
			if got := d.from("198.51.100.1").Do(requestReset, vars{"e": fmt.Sprintf("user%d@example.com", i)}); got.Code() == "RATE_LIMITED" {
				refused++
			}
		}
		if refused != 10 {
			t.Errorf("%d of 40 requests from one network were refused, want 10", refused)
		}
	})
}

// TestMailboxIsNotFlooded has somebody make accounts with another person's email, one after the
// other, and have mails sent to it in each way. Those of all accounts count together, and so do
// those to the addresses with tags.
func TestMailboxIsNotFlooded(t *testing.T) {
	eachMail(t, func(t *testing.T, d *mailed) {
		asked := func(name, address string, ask func(name string, v viewer.Viewer)) {
			v := d.holder(d.Must(signUp, vars{"i": vars{"username": name, "email": address, "password": secret}}))
			ask(name, v)
			d.rule(`mutation($id: ID!) { deleteUser(id: $id) { deletedId } }`, vars{"id": d.id(v)})
		}
		for i, address := range []string{"kim@example.com", "KIM@example.com", "kim+1@example.com", "kim+2@example.com"} {
			asked(fmt.Sprint("eve", i), address, func(name string, v viewer.Viewer) {
				d.as(v).Must(requestVerify, nil)
				d.Must(requestLink, vars{"l": name})
				d.empty()
			})
		}
		d.news(5)
	})
}

// TestRequestsDoTheSame counts the statements of requests: a known login and an unknown one take
// the same.
func TestRequestsDoTheSame(t *testing.T) {
	eachMail(t, func(t *testing.T, d *mailed) {
		d.signUp("ada")
		for _, ask := range []struct{ query, name string }{{requestReset, "e"}, {requestLink, "l"}, {requestCode, "l"}} {
			known, unknown := d.Must(ask.query, vars{ask.name: "ada@example.com"}), d.Must(ask.query, vars{ask.name: "nobody@example.com"})
			if known.Statements() != unknown.Statements() || known.RawData() != unknown.RawData() {
				t.Errorf("%s: %d and %d statements", ask.query, known.Statements(), unknown.Statements())
			}
		}
	})
}

// TestMailsThatAreOff asks for what is off, and for mails where there are none.
func TestMailsThatAreOff(t *testing.T) {
	t.Parallel()
	d := newMailAPI(t, dbtest.SQLite(t), account.Verify)
	ask := func(want string) {
		t.Helper()
		for query, v := range map[string]vars{requestReset: {"e": "ada@example.com"}, requestLink: {"l": "ada"}, requestCode: {"l": "ada"},
			resetPassword: {"t": "x", "p": secret}, signInLink: {"t": "x"}, signInCode: {"l": "ada", "c": "000000"}} {
			if got := d.WantCode("FORBIDDEN", query, v); !strings.Contains(got.Body, want) {
				t.Errorf("%s: %s", query, got)
			}
		}
	}
	ask("ACCOUNT_MAILS")
	r := d.sessionResolver(lifetimes)
	r.Account = account.New(account.Options{DB: d.db, Accounts: graph.Accounts{}, Sessions: r.Sessions})
	d.configure(config{Options: usual().Options, Resolver: r})
	ask("MAIL_URL")
	d.signUp("ada")
	r.Account = nil
	d.configure(config{Options: usual().Options, Resolver: r})
	ask("AUTH_SECRET")
}

// TestQueueIsBounded fills the queue. Nothing more is taken then, and nothing else fails: what a
// notice would tell of is done without it.
func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		d := newMailAPI(t, url)
		ada, log := d.verified("ada"), new(bytes.Buffer)
		d.log = slog.New(slog.NewTextHandler(log, nil))
		d.sending(failing{})
		insert := `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
INSERT INTO mails (id, template, recipient, created_at, due_at, failures) SELECT %s, 'reset', 'x', %[3]s, %[3]s, 0 FROM n`
		key, at := "gen_random_uuid()", "now() + interval '1 hour'"
		if d.db.Dialect == "sqlite3" {
			key, at = "randomblob(16)", "'2999-01-01 00:00:00'"
		}
		if _, err := d.db.ExecContext(t.Context(), fmt.Sprintf(insert, mail.MostQueued, key, at)); err != nil {
			t.Fatal(err)
		}
		d.WantCode("UNAVAILABLE", requestReset, vars{"e": "ada@example.com"})
		d.signUp("eve")
		d.as(ada).Must(changePassword, vars{"i": vars{"oldPassword": secret, "newPassword": "another good one"}})
		if !strings.Contains(log.String(), "a mail was dropped") {
			t.Errorf("logged: %s", log)
		}
	})
}

// failing sends nothing.
type failing struct{}

func (failing) Send(context.Context, *mail.Message) error { return errors.New("away") }

func (failing) Greet(context.Context) error { return errors.New("away") }

// TestNoTokenIsStored looks through the whole queue, and the table of tokens, while a mail waits. A
// copy of the database lets nobody sign in.
func TestNoTokenIsStored(t *testing.T) {
	eachMail(t, func(t *testing.T, d *mailed) {
		d.signUp("ada")
		d.Must(requestLink, vars{"l": "ada"})
		d.Must(requestCode, vars{"l": "ada@example.com"})
		d.empty()
		var secrets []string
		for _, m := range d.news(2) {
			if m.Template == "code" {
				secrets = append(secrets, codeOf(t, m))
			} else {
				secrets = append(secrets, tokenOf(t, m))
			}
		}
		rows, err := d.db.QueryContext(t.Context(), "SELECT purpose, data, hash FROM "+onetime.Objects(d.db.Dialect)[0].Name)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var purpose string
			var data, hash []byte
			if err := rows.Scan(&purpose, &data, &hash); err != nil {
				t.Fatal(err)
			}
			for _, s := range secrets {
				if strings.Contains(string(data)+string(hash), s) {
					t.Errorf("%s: %q has %s", purpose, data, s)
				}
			}
		}
	})
}

// TestWrongCodesAreLogged tries codes of mails. The user sees it, also where there was no code, and
// nothing is logged for logins that are nobody's.
func TestWrongCodesAreLogged(t *testing.T) {
	eachMail(t, func(t *testing.T, d *mailed) {
		ada := d.holder(d.signUp("ada"))
		for _, login := range []string{"ada", "ada@example.com", "nobody"} {
			d.WantCode("UNAUTHENTICATED", signInCode, vars{"l": login, "c": "000000"})
		}
		d.storeFailures(d.service.Sessions)
		got := d.as(ada).Must(listSignIns, nil)
		if got.Len("viewer.signIns.nodes") != 3 || got.Text("viewer.signIns.nodes.0.method") != "code" || got.At("viewer.signIns.nodes.0.succeeded") != false {
			t.Errorf("%s, want two failures", got)
		}
	})
}

// TestGivenUpMailsAreErased has a mail given up that was asked for by another form of a username,
// and one to an email that is another one by now. Both go with the account.
func TestGivenUpMailsAreErased(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		d := &mailed{api: newSessionAPI(t, url)}
		d.sending(refusing{})
		ada := d.holder(d.signUp("ada"))
		d.Must(requestCode, vars{"l": "\uff41da"})
		d.Must(requestReset, vars{"e": "ada@example.com"})
		gqltest.Eventually(t, "both are given up", func() (err error) {
			d.stored(func(ctx context.Context, c *ent.Client) {
				if n := c.Mail.Query().Where(entmail.FailedAtNotNil()).CountX(ctx); n != 2 {
					err = fmt.Errorf("%d are", n)
				}
			})
			return err
		})
		d.stored(func(ctx context.Context, c *ent.Client) {
			c.User.UpdateOneID(ada.ID).SetEmail("lovelace@example.com").ExecX(ctx)
		})
		d.as(ada).Must(deleteAccount, vars{"p": secret})
		d.erased(2 * time.Hour)
		if text := contents(t, d.db, "mails"); text != "" {
			t.Errorf("left behind: %s", text)
		}
	})
}

// refusing is a mail server that takes no mail.
type refusing struct{ failing }

func (refusing) Send(ctx context.Context, m *mail.Message) error {
	m.To = "nobody"
	return mail.NewInbox("", nil).Send(ctx, m)
}
