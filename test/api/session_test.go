package api_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/user"
	"forge/graph"
	"forge/internal/application"
	"forge/internal/expiry"
	"forge/internal/password"
	"forge/internal/session"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// lifetimes has no grace time, so that a refresh token can be used only once. The tests in
// session_grace_test.go have one.
var lifetimes = session.Lifetimes{Token: 30 * 24 * time.Hour}

// cheap is the cost of hashes in tests that do not measure how long they take.
var cheap = password.Cost{Memory: 64, Time: 1, Threads: 1}

// minted is an issuer of tokens that contain nothing. It keeps what each token stands for.
type minted struct {
	mu    sync.Mutex
	known map[string]viewer.Viewer
}

func (m *minted) Issue(id uuid.UUID, role viewer.Role, family, token uuid.UUID, now, issued time.Time) (string, time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	text := fmt.Sprint("access-", token)
	m.known[text] = viewer.Viewer{ID: id, Role: role, Issued: issued.UTC(), Session: family}
	return text, now.Add(15 * time.Minute).UTC(), nil
}

func (m *minted) viewer(text string) viewer.Viewer {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.known[text]
}

// tokenEnded reports whether a process knows that the viewer's token was ended.
func tokenEnded(r *session.Revocations, v viewer.Viewer) bool {
	after, _ := r.ValidAfter(v.ID)
	return v.Issued.Before(after)
}

// newSessionAPI returns an API on the database at url that people can sign in to. Its client is
// anonymous.
func newSessionAPI(t testing.TB, url string) *api {
	t.Helper()
	return newBareAPI(t, url).signingIn(password.New(cheap, 0, 0), lifetimes)
}

// signingIn returns an API that people can sign in to, on the database of a.
func (a *api) signingIn(passwords *password.Hasher, l session.Lifetimes) *api {
	d := &api{t: a.t, db: a.db, log: a.log, issuer: &minted{known: map[string]viewer.Viewer{}}, passwords: passwords,
		revocations: session.NewRevocations(graph.Accounts{}, 15*time.Minute)}
	d.configure(config{Options: usual().Options, Resolver: d.sessionResolver(l)})
	return d
}

// sessionResolver returns resolvers with which people can sign in, with the given lifetimes.
func (d *api) sessionResolver(l session.Lifetimes) graph.Resolver {
	return graph.Resolver{Services: application.Services{Passwords: d.passwords, Revocations: d.revocations, Sessions: session.New(d.db, graph.Accounts{}, d.issuer, d.passwords, l, nil, session.NewFailures(d.db, d.log))}}
}

const (
	tokens         = `{ accessToken expiresAt refreshToken user { id username role } }`
	signUp         = `mutation($i: SignUpInput!) { m: signUp(input: $i) ` + tokens + ` }`
	signIn         = `mutation($i: SignInInput!) { m: signIn(input: $i) ` + tokens + ` }`
	refreshSession = `mutation($t: String!) { m: refreshSession(input: {refreshToken: $t}) ` + tokens + ` }`
	signOut        = `mutation($t: String!) { m: signOut(input: {refreshToken: $t}) { ok } }`
	changePassword = `mutation($i: ChangePasswordInput!) { m: changePassword(input: $i) { user { id username } } }`
	secret         = "correct horse"
)

func (d *api) signUp(name string) gqltest.Answer {
	d.t.Helper()
	return d.Must(signUp, vars{"i": vars{"username": name, "email": name + "@Example.com", "password": secret}})
}

func (d *api) signIn(login, password string) gqltest.Answer {
	return d.Do(signIn, vars{"i": vars{"login": login, "password": password}})
}

func (d *api) refresh(token string) gqltest.Answer {
	return d.Do(refreshSession, vars{"t": token})
}

// holder returns the viewer of the access token in an answer.
func (d *api) holder(a gqltest.Answer) viewer.Viewer { return d.issuer.viewer(a.Text("m.accessToken")) }

// sessions returns how many sessions are stored.
func (a *api) sessions() (n int) {
	a.t.Helper()
	a.stored(func(ctx context.Context, c *ent.Client) { n = c.Session.Query().CountX(ctx) })
	return n
}

func eachDoor(t *testing.T, test func(*testing.T, *api)) {
	t.Helper()
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) { test(t, newSessionAPI(t, url)) })
}

func TestSignUpAndIn(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		up := d.signUp("ada")
		if up.Text("m.user.username") != "ada" || up.Text("m.user.role") != "USER" || up.Text("m.accessToken") == "" || len(up.Text("m.refreshToken")) < 40 {
			t.Errorf("signUp: %s", up)
		}
		if at, err := time.Parse(time.RFC3339Nano, up.Text("m.expiresAt")); err != nil || at.Before(time.Now()) {
			t.Errorf("expiresAt: %s, %v", up.Text("m.expiresAt"), err)
		}
		stored := d.row(up.Text("m.user.id"))
		if stored.Role != user.RoleUSER || !stored.IsActive || stored.HashedPassword == nil || strings.Contains(*stored.HashedPassword, secret) {
			t.Errorf("stored: %v", stored)
		}
		for _, login := range []string{"ada", "ada@example.com", " ADA@EXAMPLE.COM "} {
			in := d.signIn(login, secret)
			if in.Text("m.user.id") != up.Text("m.user.id") || d.holder(in).ID != stored.ID || d.holder(in).Role != viewer.User {
				t.Errorf("signIn(%s): %s", login, in)
			}
		}
		if got := d.signIn("ADA", secret); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("a username in other case: %s", got)
		}
		if n := d.sessions(); n != 4 {
			t.Errorf("%d sessions, want 4", n)
		}
		d.stored(func(ctx context.Context, c *ent.Client) {
			for _, s := range c.Session.Query().AllX(ctx) {
				if left := time.Until(s.ExpiresAt); left < 29*24*time.Hour || left > 30*24*time.Hour || len(s.TokenHash) != 64 {
					t.Errorf("a session: %+v", s)
				}
			}
		})
		d.stored(func(ctx context.Context, c *ent.Client) { c.User.Update().SetRole(user.RoleADMIN).ExecX(ctx) })
		if in := d.signIn("ada", secret); d.holder(in).Role != viewer.Admin {
			t.Errorf("an administrator: %v", d.holder(in))
		}
	})
}

// TestSignUpConflict signs up with a username and with an email that others have. The answers are
// the same.
func TestSignUpConflict(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		d.signUp("ada")
		var answers []string
		for _, in := range []vars{
			{"username": "ada", "password": secret},
			{"username": "eve", "email": "ADA@example.com", "password": secret},
		} {
			made := d.passwords.Made()
			got := d.Do(signUp, vars{"i": in})
			if d.passwords.Made() != made+1 {
				t.Errorf("%d hashes were made, want 1", d.passwords.Made()-made)
			}
			if got.Code() != "CONFLICT" || got.Extension("field") != nil {
				t.Errorf("signUp(%v): %s", in, got)
			}
			answers = append(answers, got.Errors[0].Message)
		}
		if answers[0] != answers[1] {
			t.Errorf("the messages differ: %q", answers)
		}
		for field, in := range map[string]vars{
			"input.username": {"username": " ", "password": secret},
			"input.email":    {"username": "x", "email": "no", "password": secret},
			"input.password": {"username": "x", "password": "PassWord1"},
		} {
			got := d.Do(signUp, vars{"i": in})
			if got.Code() != "BAD_USER_INPUT" || got.Extension("field") != field || strings.Contains(got.Body, "PassWord1") {
				t.Errorf("signUp(%v): %s, want BAD_USER_INPUT about %s", in, got, field)
			}
		}
	})
}

// TestSignInGivesNothingAway compares sign-ins that fail for different reasons: the answers, the
// numbers of statements, and the numbers of hashes.
func TestSignInGivesNothingAway(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		for _, name := range []string{"ada", "none", "idle", "gone"} {
			d.signUp(name)
		}
		d.stored(func(ctx context.Context, c *ent.Client) {
			c.User.Update().Where(user.Username("none")).ClearHashedPassword().ExecX(ctx)
			c.User.Update().Where(user.Username("idle")).SetIsActive(false).ExecX(ctx)
			c.User.Update().Where(user.Username("gone")).SetDeletedAt(time.Now()).ExecX(ctx)
		})
		statements := 0
		d.db.Watch = func(context.Context, string, time.Duration, error) { statements++ }
		var first string
		for i, in := range []struct{ login, password string }{
			{"ada", "incorrect"}, {"nobody", secret}, {"none", secret}, {"none", ""}, {"idle", secret}, {"gone", secret}, {"nobody@example.com", secret},
		} {
			statements = 0
			made := d.passwords.Made()
			got := d.from(fmt.Sprint("192.0.2.", i)).Do(signIn, vars{"i": vars{"login": in.login, "password": in.password}})
			if statements != 1 || d.passwords.Made()-made != 1 {
				t.Errorf("%v: %d statements and %d hashes, want 1 of each", in, statements, d.passwords.Made()-made)
			}
			if got.Code() != "UNAUTHENTICATED" || got.Status != http.StatusOK {
				t.Errorf("%v: %s", in, got)
			}
			if seen := got.Errors[0].Message; first == "" {
				first = seen
			} else if seen != first {
				t.Errorf("%v: %q, and before %q", in, seen, first)
			}
		}
	})
}

func TestRehashOnSignIn(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		id := d.signUp("ada").Text("m.user.id")
		before := d.row(id)
		dearer := d.signingIn(password.New(password.Cost{Memory: 128, Time: 1, Threads: 1}, 0, 0), lifetimes)
		if got := dearer.signIn("ada", "incorrect"); got.Code() != "UNAUTHENTICATED" || *d.row(id).HashedPassword != *before.HashedPassword {
			t.Errorf("a wrong password: %s, %v", got, d.row(id))
		}
		if got := dearer.signIn("ada", secret); len(got.Errors) > 0 {
			t.Fatal(got)
		}
		after := d.row(id)
		if !strings.Contains(*after.HashedPassword, "m=128,") || after.Version != before.Version {
			t.Errorf("%s, version %d, want m=128 and version %d", *after.HashedPassword, after.Version, before.Version)
		}
		if got := dearer.signIn("ada", secret); len(got.Errors) > 0 || *d.row(id).HashedPassword != *after.HashedPassword {
			t.Errorf("the next time: %s", got)
		}
	})
}

func TestRefresh(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		first := d.signUp("ada")
		token := first.Text("m.refreshToken")
		for range 3 {
			next := d.refresh(token)
			if next.Text("m.user.id") != first.Text("m.user.id") || next.Text("m.refreshToken") == token || next.Text("m.accessToken") == "" {
				t.Fatalf("refresh: %s", next)
			}
			token = next.Text("m.refreshToken")
		}
		for _, bad := range []string{"", "x", token + "x", token[:len(token)-1]} {
			if got := d.refresh(bad); got.Code() != "UNAUTHENTICATED" || got.Status != http.StatusOK {
				t.Errorf("refresh(%q): %s", bad, got)
			}
		}
		d.stored(func(ctx context.Context, c *ent.Client) {
			hour := time.Now().Add(-time.Hour)
			at := uuid.Must(uuid.NewV7())
			c.Session.Create().SetFamily(at).SetUserID(d.holder(first).ID).SetTokenHash("3d5dd71cf2ee0ab64f95bb6acf8cbf10e1bd7ba0a5cb21dcd2a6fd9d5e16a1a3").SetExpiresAt(hour).ExecX(ctx)
		})
		if n, err := expiry.Some(session.Expired).All(t.Context(), d.db); n != 1 || err != nil {
			t.Errorf("the sweep removed %d (%v), want 1", n, err)
		}
		if got := d.refresh(token); len(got.Errors) > 0 {
			t.Errorf("after the sweep: %s", got)
		}
	})
}

func TestExpiredRefresh(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		d := newSessionAPI(t, url)
		token := d.signingIn(d.passwords, session.Lifetimes{Token: -time.Second}).signUp("ada").Text("m.refreshToken")
		if got := d.refresh(token); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("an expired token: %s", got)
		}
	})
}

// TestReplay sends a used refresh token again. Its whole family ends, and no other.
func TestReplay(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		stolen := d.signUp("ada").Text("m.refreshToken")
		other := d.signIn("ada", secret).Text("m.refreshToken")
		next := d.refresh(stolen).Text("m.refreshToken")
		for range 2 {
			if got := d.refresh(stolen); got.Code() != "UNAUTHENTICATED" || len(got.Errors) != 1 {
				t.Errorf("the replay: %s", got)
			}
		}
		if got := d.refresh(next); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("the token that came out of it: %s", got)
		}
		if got := d.refresh(other); len(got.Errors) > 0 {
			t.Errorf("another session: %s", got)
		}
	})
}

// TestReplayAtOnce sends a refresh token twice at once. At most one request gets new tokens, and
// afterwards no token of the family is valid.
func TestReplayAtOnce(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		d.signUp("ada")
		for round := range 50 {
			token := d.signIn("ada", secret).Text("m.refreshToken")
			answers := make([]gqltest.Answer, 2)
			var wg sync.WaitGroup
			for i := range answers {
				wg.Go(func() { answers[i] = d.refresh(token) })
			}
			wg.Wait()
			won := 0
			for _, got := range answers {
				if len(got.Errors) == 0 {
					won++
				} else if got.Code() != "UNAUTHENTICATED" {
					t.Errorf("round %d: %s", round, got)
				}
			}
			if won != 1 {
				t.Errorf("round %d: %d got tokens, want 1", round, won)
			}
			for _, got := range answers {
				if next := got.Text("m.refreshToken"); next != "" && d.refresh(next).Code() != "UNAUTHENTICATED" {
					t.Errorf("round %d: the family goes on", round)
				}
			}
		}
	})
}

// TestSessionFieldsOnly sends operations that would try many passwords at once, or store an answer
// with tokens. They are refused.
func TestSessionFieldsOnly(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		d.signUp("ada")
		const in = `signIn(input: {login: "ada", password: "correct horse"}) { accessToken }`
		for _, query := range []string{
			`mutation { a: ` + in + ` b: ` + in + ` }`,
			`mutation { createTeam(input: {name: "x"}) { team { id } } ` + in + ` }`,
			`mutation { ...f } fragment f on Mutation { ` + in + ` signOut(input: {refreshToken: "x"}) { ok } }`,
		} {
			made := d.passwords.Made()
			if got := d.Do(query, nil); got.Code() != "BAD_USER_INPUT" || d.passwords.Made() != made {
				t.Errorf("%s: %s", query, got)
			}
		}
		if got := d.Do(`mutation { __typename `+in+` }`, nil); len(got.Errors) > 0 {
			t.Errorf("with __typename: %s", got)
		}
		for query, v := range map[string]vars{signIn: {"i": vars{"login": "ada", "password": secret}}, signOut: {"t": "x"}, refreshSession: {"t": "x"},
			signUp: {"i": vars{"username": "eve", "password": secret}}, changePassword: {"i": vars{"oldPassword": secret, "newPassword": secret}}} {
			if got := d.under("k", query, v); !strings.Contains(got, `"BAD_USER_INPUT"`) || !strings.Contains(got, "Idempotency-Key") {
				t.Errorf("under a key: %s", got)
			}
		}
	})
}

// TestIdempotencyKeysBelongToViewers sends the same request under the same key as two people. It is
// carried out for each of them, and neither gets the other's answer.
func TestIdempotencyKeysBelongToViewers(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		ada, eve := d.holder(d.signUp("ada")), d.holder(d.signUp("eve"))
		const query = `mutation { createHero(input: {name: "Nobby"}) { hero { id } } }`
		seen := map[string]bool{}
		for _, v := range []viewer.Viewer{ada, eve, viewer.System, ada, eve} {
			seen[d.as(v).With("Idempotency-Key", "k").Do(query, nil).Text("createHero.hero.id")] = true
		}
		if len(seen) != 3 || seen[""] {
			t.Errorf("%d heroes were made, want 3: %v", len(seen), seen)
		}
		got := d.With("Idempotency-Key", "k").Do(query, nil)
		if got.Code() != "UNAUTHENTICATED" || got.Text("createHero.hero.id") != "" || got.Statements() != 0 {
			t.Errorf("nobody in particular, with everybody's key: %s", got)
		}
	})
}

func TestSessionWithoutKey(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		for query, v := range map[string]vars{signUp: {"i": vars{"username": "eve", "password": secret}}, signIn: {"i": vars{"login": "a", "password": secret}},
			refreshSession: {"t": "x"}, signOut: {"t": "x"}, changePassword: {"i": vars{"oldPassword": secret, "newPassword": secret}}} {
			if got := a.Do(query, v); got.Code() != "FORBIDDEN" || !strings.Contains(got.Body, "AUTH_SECRET") {
				t.Errorf("%s: %s", query, got)
			}
		}
	})
}

// TestCommonPasswords checks that common passwords are refused wherever a password is set, and
// never repeated in an answer.
func TestCommonPasswords(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		id := d.signUp("ada").Text("m.user.id")
		for _, query := range []string{
			`mutation { createUser(input: {username: "x", password: "SuperMan"}) { user { id } } }`,
			`mutation { updateUser(id: "` + id + `", input: {password: "SuperMan"}) { user { id } } }`,
		} {
			got := d.rule(query, nil)
			if got.Code() != "BAD_USER_INPUT" || got.Extension("field") != "input.password" || strings.Contains(got.Body, "SuperMan") {
				t.Errorf("%s: %s", query, got)
			}
		}
	})
}
