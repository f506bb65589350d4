package api_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/credential"
	"forge/ent/user"
	"forge/graph"
	"forge/internal/factor"
	"forge/internal/ids"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

const (
	proofs             = `{ accessToken refreshToken user { id username } secondFactor { token kinds } }`
	signInProofs       = `mutation($i: SignInInput!) { m: signIn(input: $i) ` + proofs + ` }`
	completeSignIn     = `mutation($t: String!, $c: String!) { m: completeSignIn(token: $t, code: $c) ` + proofs + ` }`
	beginTotp          = `mutation { m: beginTotp { secret uri } }`
	confirmTotp        = `mutation($c: String!) { m: confirmTotp(code: $c) { recoveryCodes } }`
	disableTotp        = `mutation($c: String!) { m: disableTotp(code: $c) { ok } }`
	renewRecoveryCodes = `mutation($c: String!) { m: renewRecoveryCodes(code: $c) { recoveryCodes } }`
	removeFactors      = `mutation($u: ID!) { m: removeFactors(userId: $u) { ok } }`
)

// sealing returns a key that seals secrets.
func sealing(name byte) []byte { return bytes.Repeat([]byte{name}, 32) }

// allFactors are the options of a server that offers all factors.
func allFactors() factor.Options {
	return factor.Options{TOTP: true, Issuer: "A Shop", Passkeys: true, RPID: "example.com",
		Origins: []string{"https://example.com", "https://app.example.com", androidApp}, Keys: [][]byte{sealing('a')}}
}

// withFactors returns an API on the database of d that has second factors.
func (d *api) withFactors(o factor.Options) *api {
	a := d.signingIn(d.passwords, lifetimes)
	a.issuer = d.issuer
	r := a.sessionResolver(lifetimes)
	if o.Log == nil {
		o.Log = a.log
	}
	r.Factors = factor.New(a.db, graph.Accounts{}, r.Sessions, o)
	a.configure(config{Options: usual().Options, Resolver: r})
	return a
}

func eachFactors(t *testing.T, test func(*testing.T, *api)) {
	t.Helper()
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, address string) { test(t, newSessionAPI(t, address).withFactors(allFactors())) })
}

// member is a user with an authenticator app.
type member struct {
	d        *api
	name     string
	viewer   viewer.Viewer
	secret   []byte
	recovery []string
}

// join signs a user up, without an app.
func (d *api) join(name string) *member {
	d.t.Helper()
	return &member{d: d, name: name, viewer: d.holder(d.signUp(name))}
}

// joinWithTOTP signs a user up who sets up an app.
func (d *api) joinWithTOTP(name string) *member {
	d.t.Helper()
	m := d.join(name)
	m.begin()
	m.recovery = textsAt(m.must(confirmTotp, vars{"c": m.code(0)}), "m.recoveryCodes")
	m.forgetCode()
	return m
}

// begin makes a secret for an app.
func (m *member) begin() gqltest.Answer {
	m.d.t.Helper()
	got := m.must(beginTotp, nil)
	m.secret, _ = base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(got.Text("m.secret"))
	return got
}

func (m *member) id() string { return ids.ID{Prefix: "user", UUID: m.viewer.ID}.String() }

func (m *member) do(query string, v vars) gqltest.Answer { return m.d.as(m.viewer).Do(query, v) }

func (m *member) must(query string, v vars) gqltest.Answer {
	m.d.t.Helper()
	return m.d.as(m.viewer).Must(query, v)
}

// code returns the code that the app shows, or the one of some periods later.
func (m *member) code(later int64) string {
	mac := hmac.New(sha1.New, m.secret)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(time.Now().Unix()/30+later)))
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[at:at+4])&0x7fffffff%1_000_000)
}

// wrong returns a code that is not good.
func (m *member) wrong() string {
	for n := 0; ; n++ {
		if code := fmt.Sprintf("%06d", n); !slices.Contains([]string{m.code(-2), m.code(-1), m.code(0), m.code(1), m.code(2)}, code) {
			return code
		}
	}
}

// forgetCode has the codes of the app be unused again.
func (m *member) forgetCode() {
	m.d.stored(func(ctx context.Context, c *ent.Client) {
		c.Credential.Update().Where(credential.UserID(m.viewer.ID), credential.Kind("totp")).ClearLastUsedAt().ExecX(ctx)
	})
}

// forgive has failures be forgotten, by a code that is good.
func (m *member) forgive() {
	m.d.t.Helper()
	m.recovery = textsAt(m.must(renewRecoveryCodes, vars{"c": m.recovery[0]}), "m.recoveryCodes")
}

// signIn signs in with the password.
func (m *member) signIn() gqltest.Answer {
	return m.d.Do(signInProofs, vars{"i": vars{"login": m.name, "password": secret}})
}

// due returns the token of a second factor.
func (m *member) due() string {
	m.d.t.Helper()
	got := m.signIn()
	if got.Text("m.secondFactor.token") == "" || got.Text("m.accessToken") != "" {
		m.d.t.Fatalf("signIn: %s, want a second factor", got)
	}
	return got.Text("m.secondFactor.token")
}

func (m *member) complete(token, code string) gqltest.Answer {
	return m.d.Do(completeSignIn, vars{"t": token, "c": code})
}

func textsAt(a gqltest.Answer, path string) (texts []string) {
	for i := range a.Len(path) {
		texts = append(texts, a.Text(fmt.Sprint(path, ".", i)))
	}
	return texts
}

func refusedCode(a gqltest.Answer) bool {
	return a.Code() == "BAD_USER_INPUT" && a.Extension("field") == "code"
}

func TestTOTP(t *testing.T) {
	eachFactors(t, func(t *testing.T, d *api) {
		ada := d.join("ada")
		begun := ada.begin()
		u, err := url.Parse(begun.Text("m.uri"))
		if err != nil || u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/A Shop:ada" || strings.Contains(u.RawQuery, "+") ||
			u.Query().Get("secret") != begun.Text("m.secret") || u.Query().Get("issuer") != "A Shop" || len(ada.secret) != 20 {
			t.Errorf("beginTotp: %s", begun)
		}
		if got := ada.signIn(); got.Text("m.accessToken") == "" {
			t.Errorf("signIn before the app is confirmed: %s", got)
		}
		if got := ada.do(confirmTotp, vars{"c": ada.wrong()}); !refusedCode(got) {
			t.Errorf("a wrong code: %s", got)
		}
		first := ada.secret
		ada.begin() // the first secret is gone
		if second := ada.secret; bytes.Equal(first, second) {
			t.Error("the same secret twice")
		}
		ada.recovery = textsAt(ada.must(confirmTotp, vars{"c": ada.code(0)}), "m.recoveryCodes")
		if len(ada.recovery) != 10 || len(ada.recovery[0]) != 19 {
			t.Errorf("recovery codes: %q", ada.recovery)
		}
		for _, again := range []string{beginTotp, strings.ReplaceAll(confirmTotp, "$c", "$c")} {
			if got := ada.do(again, vars{"c": ada.code(1)}); got.Code() != "CONFLICT" {
				t.Errorf("%s: %s", again, got)
			}
		}
		d.stored(func(ctx context.Context, c *ent.Client) {
			for _, row := range c.Credential.Query().AllX(ctx) {
				if row.Data != nil && bytes.Contains(*row.Data, ada.secret) || slices.Contains(ada.recovery, row.Key) {
					t.Errorf("stored as it is: %v", row)
				}
			}
		})
		in := ada.signIn()
		if kinds := textsAt(in, "m.secondFactor.kinds"); !slices.Equal(kinds, []string{"TOTP", "RECOVERY_CODE"}) || in.At("m.user") != nil || in.At("m.refreshToken") != nil {
			t.Errorf("signIn: %s", in)
		}
		ada.forgetCode()
		code := ada.code(0)
		if got := ada.complete(in.Text("m.secondFactor.token"), " "+code[:3]+" "+code[3:]); got.Text("m.user.username") != "ada" || d.holder(got).ID != ada.viewer.ID || got.Text("m.refreshToken") == "" {
			t.Errorf("completeSignIn: %s", got)
		}
		misread := strings.ToLower(strings.NewReplacer("0", "O", "1", "l", "-", " ").Replace(ada.recovery[0]))
		if got := ada.complete(ada.due(), misread); got.Text("m.accessToken") == "" {
			t.Errorf("a recovery code: %s", got)
		}
		renewed := textsAt(ada.must(renewRecoveryCodes, vars{"c": ada.recovery[1]}), "m.recoveryCodes")
		if got := ada.do(disableTotp, vars{"c": ada.recovery[2]}); !refusedCode(got) || len(renewed) != 10 {
			t.Errorf("a code from before renewRecoveryCodes: %s", got)
		}
		ada.must(disableTotp, vars{"c": renewed[9]})
		if got := ada.signIn(); got.Text("m.accessToken") == "" || got.At("m.secondFactor") != nil {
			t.Errorf("after disableTotp: %s", got)
		}
		d.stored(func(ctx context.Context, c *ent.Client) {
			if n := c.Credential.Query().CountX(ctx); n != 0 {
				t.Errorf("%d credentials are left", n)
			}
		})
	})
}

// TestCodesAreUsedOnce uses codes twice, too late, and for another account.
func TestCodesAreUsedOnce(t *testing.T) {
	eachFactors(t, func(t *testing.T, d *api) {
		ada, eve := d.joinWithTOTP("ada"), d.joinWithTOTP("eve")
		refused := func(what, code string) {
			t.Helper()
			ada.forgive()
			if got := ada.complete(ada.due(), code); !refusedCode(got) {
				t.Errorf("%s: %s", what, got)
			}
		}
		late, before, now, early := ada.code(-2), ada.code(-1), ada.code(0), ada.code(3)
		if got := ada.complete(ada.due(), now); got.Text("m.accessToken") == "" {
			t.Fatal(got)
		}
		refused("twice", now)
		refused("the one before", before)
		ada.forgetCode()
		refused("late", late)
		refused("early", early)
		refused("eve's", eve.code(0))
		used := ada.recovery[0]
		refused("a recovery code twice", used) // forgive has used it
		refused("a recovery code of eve's", eve.recovery[0])
		for _, code := range []string{"", "000000", "000 000 0", strings.Repeat("A", 1000), "\x00"} {
			refused("made up", code)
		}
	})
}

// TestCodesAtOnce uses one code several times at once. It counts once.
func TestCodesAtOnce(t *testing.T) {
	eachFactors(t, func(t *testing.T, d *api) {
		ada := d.joinWithTOTP("ada")
		for what, code := range map[string]string{"app": ada.code(0), "recovery": ada.recovery[0]} {
			tokens := []string{ada.due(), ada.due(), ada.due()}
			answers := make([]gqltest.Answer, len(tokens))
			var all sync.WaitGroup
			for i, token := range tokens {
				all.Go(func() { answers[i] = ada.complete(token, code) })
			}
			all.Wait()
			in := 0
			for _, got := range answers {
				if got.Text("m.accessToken") != "" {
					in++
				} else if !refusedCode(got) && got.Code() != "RATE_LIMITED" { // after the failures of the other code
					t.Errorf("%s: %s", what, got)
				}
			}
			if in != 1 {
				t.Errorf("%s: %d signed in, want 1", what, in)
			}
		}
	})
}

// TestSecondFactorTokens uses the tokens of second factors in wrong ways.
func TestSecondFactorTokens(t *testing.T) {
	eachFactors(t, func(t *testing.T, d *api) {
		ada := d.joinWithTOTP("ada")
		ended := func(what, token string) {
			t.Helper()
			ada.forgetCode()
			if got := ada.complete(token, ada.code(0)); got.Code() != "UNAUTHENTICATED" {
				t.Errorf("%s: %s", what, got)
			}
		}
		for _, token := range []string{"", "x", strings.Repeat("x", 10_000)} {
			ended("made up", token)
		}
		ended("a refresh token", ada.d.as(viewer.Viewer{}).Must(completeSignIn, vars{"t": ada.due(), "c": ada.recovery[0]}).Text("m.refreshToken"))
		token := ada.due()
		if got := d.refresh(token); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("as a refresh token: %s", got)
		}
		// Five codes may be tried with a token, also if failures are forgotten in between.
		for i := range 5 {
			if got := ada.complete(token, ada.wrong()); !refusedCode(got) {
				t.Fatalf("try %d: %s", i, got)
			}
			if i == 2 {
				ada.recovery = ada.recovery[1:] // the first one was used
				ada.forgive()
			}
		}
		ended("after five tries", token)
		ada.forgive()

		token = ada.due()
		ada.forgetCode()
		code := ada.code(0)
		if got := ada.complete(token, code); got.Text("m.accessToken") == "" {
			t.Fatal(got)
		}
		ended("twice", token)

		token = ada.due()
		ada.must(changePassword, vars{"i": vars{"oldPassword": secret, "newPassword": "another horse"}})
		ended("after changePassword", token)
		d.rule(`mutation($id: ID!) { updateUser(id: $id, input: {password: "`+secret+`"}) { user { id } } }`, vars{"id": ada.id()})

		token = ada.due()
		d.rule(`mutation($id: ID!) { updateUser(id: $id, input: {isActive: false}) { user { id } } }`, vars{"id": ada.id()})
		ended("of a user who is not active", token)
		d.rule(`mutation($id: ID!) { updateUser(id: $id, input: {isActive: true}) { user { id } } }`, vars{"id": ada.id()})
		ended("of a user who was not active", token)

		token = ada.due()
		d.rule(removeFactors, vars{"u": ada.id()})
		ended("after removeFactors", token)
	})
}

// TestCodesAreNotGuessed guesses codes with one token after the other, from many addresses.
func TestCodesAreNotGuessed(t *testing.T) {
	eachFactors(t, func(t *testing.T, d *api) {
		ada, eve := d.joinWithTOTP("ada"), d.joinWithTOTP("eve")
		for i := range 5 {
			token := ada.due()
			got := d.from(fmt.Sprint("192.0.2.", i)).Do(completeSignIn, vars{"t": token, "c": ada.wrong()})
			if !refusedCode(got) {
				t.Fatalf("guess %d: %s", i, got)
			}
		}
		token := ada.due()
		for what, got := range map[string]gqltest.Answer{
			"completeSignIn": d.from("192.0.2.9").Do(completeSignIn, vars{"t": token, "c": ada.code(0)}),
			"disableTotp":    ada.do(disableTotp, vars{"c": ada.code(0)}),
			"beginPasskey":   ada.do(`mutation($c: String) { beginPasskey(code: $c) { options } }`, vars{"c": ada.code(0)}),
		} {
			if got.Code() != "RATE_LIMITED" || got.Header.Get("Retry-After") == "" {
				t.Errorf("%s after five wrong codes: %s", what, got)
			}
		}
		if got := eve.complete(eve.due(), eve.code(0)); got.Text("m.accessToken") == "" {
			t.Errorf("another user: %s", got)
		}
	})
}

// TestNothingHeldWhileCodesAreCounted lets an API have one connection. Codes, wrong and good ones,
// are counted for all servers, because no unit of work holds the connection meanwhile.
func TestNothingHeldWhileCodesAreCounted(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, address string) {
		d := newSessionAPI(t, address)
		log := new(bytes.Buffer)
		d.log = slog.New(slog.NewTextHandler(log, nil))
		d = d.withFactors(allFactors())
		ada := d.join("ada")
		ada.begin()
		d.db.SetMaxOpenConns(1)
		for _, got := range []gqltest.Answer{ada.do(confirmTotp, vars{"c": ada.wrong()}), ada.do(confirmTotp, vars{"c": ada.code(-1)}),
			ada.complete(ada.due(), ada.wrong()), ada.do(disableTotp, vars{"c": ada.wrong()}), ada.complete(ada.due(), ada.code(1))} {
			if got.Code() != "" && !refusedCode(got) {
				t.Error(got)
			}
		}
		if strings.Contains(log.String(), "this server alone") {
			t.Errorf("logged: %s", log)
		}
	})
}

// aged returns the viewer of a session of m that began an hour ago, and was refreshed just now.
func (m *member) aged(legacy bool) viewer.Viewer {
	at := time.Now().UTC().Truncate(time.Microsecond)
	m.d.stored(func(ctx context.Context, c *ent.Client) {
		family, hour := uuid.New(), at.Add(-time.Hour)
		add := func(name string, created time.Time) *ent.SessionCreate {
			return c.Session.Create().SetFamily(family).SetUserID(m.viewer.ID).SetTokenHash(fmt.Sprint(name, legacy)).
				SetCreatedAt(created).SetExpiresAt(at.Add(time.Hour))
		}
		now := add("now", at)
		if legacy { // an earlier version did not store when a session began
			add("hour", hour).ExecX(ctx)
		} else {
			now.SetBeganAt(hour)
		}
		now.ExecX(ctx)
	})
	return viewer.Viewer{ID: m.viewer.ID, Role: viewer.User, Issued: at}
}

// TestFactorsNeedFreshSessions has a thief of an access token try to add and remove factors.
func TestFactorsNeedFreshSessions(t *testing.T) {
	eachFactors(t, func(t *testing.T, d *api) {
		ada := d.joinWithTOTP("ada")
		old := []viewer.Viewer{ada.aged(true), ada.aged(false), {ID: ada.viewer.ID, Role: viewer.User, Issued: time.Now()}}
		for i, v := range old {
			for _, mutation := range []string{`beginTotp { uri }`, `beginPasskey { options }`, `removePasskey(id: "credential_01h455vb4pex5vsknk084sn02q") { deletedId }`} {
				if got := d.as(v).Do(`mutation { `+mutation+` }`, nil); got.Code() != "FORBIDDEN" {
					t.Errorf("%s with session %d: %s", mutation, i, got)
				}
			}
		}
		if got := d.as(old[0]).Do(`mutation($c: String) { beginPasskey(code: $c) { options } }`, vars{"c": ada.code(0)}); len(got.Errors) > 0 {
			t.Errorf("with a code: %s", got)
		}
		for what, v := range map[string]viewer.Viewer{"anonymous": {}, "nobody": {ID: uuid.New(), Role: viewer.User}} {
			if got := d.as(v).Do(beginTotp, nil); got.Code() != "UNAUTHENTICATED" {
				t.Errorf("%s: %s", what, got)
			}
		}
		if got := d.as(viewer.Viewer{ID: uuid.New(), Role: viewer.User, Stranger: true}).Do(beginTotp, nil); got.Code() != "FORBIDDEN" {
			t.Errorf("a user of a provider: %s", got)
		}
		d.rule(`mutation($id: ID!) { updateUser(id: $id, input: {password: "another horse"}) { user { id } } }`, vars{"id": ada.id()})
		if got := ada.do(disableTotp, vars{"c": ada.recovery[0]}); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("with a token that was ended: %s", got)
		}
	})
}

// TestSealingKeys rotates the keys that seal secrets, and loses one.
func TestSealingKeys(t *testing.T) {
	eachFactors(t, func(t *testing.T, d *api) {
		ada := d.joinWithTOTP("ada")
		with := func(keys ...[]byte) *bytes.Buffer {
			o, log := allFactors(), new(bytes.Buffer)
			o.Keys, o.Log = keys, slog.New(slog.NewTextHandler(log, nil))
			ada.d = d.withFactors(o)
			ada.forgetCode()
			factor.New(d.db, graph.Accounts{}, ada.d.sessionResolver(lifetimes).Sessions, o).CheckKeys(t.Context())
			return log
		}
		for i, keys := range [][][]byte{{sealing('b'), sealing('a')}, {sealing('b')}} {
			log := with(keys...)
			if got := ada.complete(ada.due(), ada.code(0)); got.Text("m.accessToken") == "" || log.Len() > 0 {
				t.Errorf("rotation %d: %s, %s", i, got, log)
			}
		}
		log := with(sealing('c'), sealing('d'))
		if !strings.Contains(log.String(), "FACTOR_SECRET") || !strings.Contains(log.String(), "accounts=1") {
			t.Errorf("the start does not say that a key is missing: %s", log)
		}
		token := ada.due()
		if got := ada.complete(token, ada.code(0)); got.Code() != "UNAVAILABLE" || strings.Count(log.String(), "level=ERROR") != 2 {
			t.Errorf("without the key: %s, %s", got, log)
		}
		if got := ada.complete(token, ada.recovery[0]); got.Text("m.accessToken") == "" {
			t.Errorf("a recovery code without the key: %s", got)
		}
	})
}

// TestFactorsOff turns factors off. What protects accounts stays, and nothing new is made.
func TestFactorsOff(t *testing.T) {
	eachFactors(t, func(t *testing.T, d *api) {
		ada, eve := d.joinWithTOTP("ada"), d.join("eve")
		o := allFactors()
		o.TOTP, o.Passkeys = false, false
		d = d.withFactors(o)
		ada.d, eve.d = d, d
		for mutation, setting := range map[string]string{
			`beginTotp { uri }`: "TOTP=on", `confirmTotp(code: "1") { recoveryCodes }`: "TOTP=on", `beginPasskey { options }`: "PASSKEYS=on",
			`finishPasskey(response: {}) { passkey { id } }`: "PASSKEYS=on", `beginPasskeySignIn { options }`: "PASSKEYS=on", `signInWithPasskey(response: {}) { accessToken }`: "PASSKEYS=on",
		} {
			if got := eve.do(`mutation { `+mutation+` }`, nil); got.Code() != "FORBIDDEN" || !strings.Contains(got.Errors[0].Message, setting) {
				t.Errorf("%s: %s", mutation, got)
			}
		}
		if got := ada.complete(ada.due(), ada.code(0)); got.Text("m.accessToken") == "" {
			t.Errorf("an app from before: %s", got)
		}
		if got := eve.signIn(); got.Text("m.accessToken") == "" {
			t.Errorf("no app: %s", got)
		}
		if got := newSessionAPI(t, dbtest.SQLite(t)).Do(beginTotp, nil); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("a server without factors: %s", got)
		}
	})
}

// TestRemoveFactors has an administrator help somebody who has lost everything.
func TestRemoveFactors(t *testing.T) {
	eachFactors(t, func(t *testing.T, d *api) {
		ada, eve := d.joinWithTOTP("ada"), d.joinWithTOTP("eve")
		refresh := ada.complete(ada.due(), ada.code(0)).Text("m.refreshToken")
		if got := eve.do(removeFactors, vars{"u": ada.id()}); got.Code() != "FORBIDDEN" {
			t.Errorf("a user: %s", got)
		}
		for _, id := range []string{"user_01h455vb4pex5vsknk084sn02q", "team_01h455vb4pex5vsknk084sn02q"} {
			if got := d.rule(removeFactors, vars{"u": id}); got.Code() == "" || got.Code() == "INTERNAL" {
				t.Errorf("%s: %s", id, got)
			}
		}
		if got := d.rule(removeFactors, vars{"u": ada.id()}); got.At("m.ok") != true {
			t.Fatal(got)
		}
		if got := d.refresh(refresh); got.Code() != "UNAUTHENTICATED" || !tokenEnded(d.revocations, ada.viewer) {
			t.Errorf("a session from before: %s", got)
		}
		if got := ada.signIn(); got.Text("m.accessToken") == "" {
			t.Errorf("the password: %s", got)
		}
		eve.due() // has kept hers
	})
}

// TestFactorsShown reads what users have, as they themselves, as others, and as an administrator.
func TestFactorsShown(t *testing.T) {
	eachFactors(t, func(t *testing.T, d *api) {
		ada, eve := d.joinWithTOTP("ada"), d.join("eve")
		d.register(ada, "phone")
		d.register(ada, "key")
		const all = `{ users(orderBy: [{field: USERNAME}]) { nodes { hasTotp passkeys { id name createdAt lastUsedAt } } } }`
		one := d.as(viewer.System).Must(all, nil)
		if one.Text("users.nodes.0.passkeys.0.name") != "phone" || one.Text("users.nodes.0.passkeys.1.name") != "key" || one.At("users.nodes.0.passkeys.0.lastUsedAt") != nil ||
			one.At("users.nodes.0.hasTotp") != true || one.At("users.nodes.1.hasTotp") != false || one.Len("users.nodes.1.passkeys") != 0 {
			t.Errorf("an administrator: %s", one)
		}
		if got := ada.do(all, nil); got.Len("users.nodes.0.passkeys") != 2 || got.At("users.nodes.1.hasTotp") != nil || got.At("users.nodes.1.passkeys") != nil {
			t.Errorf("ada: %s", got)
		}
		if got := eve.do(all, nil); got.At("users.nodes.0.hasTotp") != nil || got.At("users.nodes.0.passkeys") != nil || got.At("users.nodes.1.hasTotp") != false {
			t.Errorf("eve: %s", got)
		}
		statements := d.as(viewer.System).Must(all, nil).Statements()
		d.stored(func(ctx context.Context, c *ent.Client) {
			for i := range 15 {
				c.User.Create().SetUsername(fmt.Sprint("user", i)).SetRole(user.RoleUSER).ExecX(ctx)
			}
		})
		if more := d.as(viewer.System).Must(all, nil).Statements(); more != statements {
			t.Errorf("%d statements for 17 users, and %d for 2", more, statements)
		}
	})
}
