package api_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	entsession "forge/ent/session"
	entsignin "forge/ent/signin"
	"forge/ent/user"
	"forge/internal/expiry"
	"forge/internal/ids"
	"forge/internal/session"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

const (
	listSessions     = `{ viewer { sessions { nodes { id createdAt lastUsedAt address client method current } } } }`
	endSession       = `mutation($id: ID!) { m: endSession(id: $id) { deletedId } }`
	endOtherSessions = `mutation { m: endOtherSessions { ended } }`
	listSignIns      = `query($n: Int! = 20) { viewer { signIns(first: $n) { nodes { at method succeeded address client } } } }`
)

// storeFailures stores the failures to sign in that wait.
func (d *api) storeFailures(s *session.Sessions) {
	d.t.Helper()
	if err := s.StoreFailures(d.t.Context()); err != nil {
		d.t.Fatal(err)
	}
}

// newListed returns an API, and the sessions behind it.
func newListed(t *testing.T, url string) (*api, *session.Sessions) {
	d := newSessionAPI(t, url)
	r := d.sessionResolver(session.Lifetimes{Token: time.Hour, Grace: time.Minute})
	d.configure(config{Options: usual().Options, Resolver: r})
	return d, r.Sessions
}

// begin signs somebody in from an address, and returns the answer.
func (d *api) begin(login, address, agent string) gqltest.Answer {
	d.t.Helper()
	return d.from(address).With("User-Agent", agent).Must(signIn, vars{"i": vars{"login": login, "password": secret}})
}

// by returns a client with the access token of an answer.
func (d *api) by(a gqltest.Answer) *gqltest.Client { return d.as(d.holder(a)) }

// TestSessions lists the sessions of a user, and ends them one by one and together.
func TestSessions(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		d, _ := newListed(t, url)
		d.signUp("ada")
		phone := d.begin("ada", "192.0.2.7", "Phone/1")
		laptop := d.begin("ada", "[2001:db8::1]", strings.Repeat("é", 300)+"\x07")
		d.begin("ada", "192.0.2.9", "")
		next := d.from("192.0.2.8").With("User-Agent", "Phone/2").Do(refreshSession, vars{"t": phone.Text("m.refreshToken")})

		got := d.by(next).Must(listSessions, nil)
		if n := got.Len("viewer.sessions.nodes"); n != 4 {
			t.Fatalf("%d sessions, want 4: %s", n, got)
		}
		at := func(i int, name string) string { return got.Text(fmt.Sprintf("viewer.sessions.nodes.%d.%s", i, name)) }
		if at(0, "address") != "192.0.2.8" || at(0, "client") != "Phone/2" || at(0, "method") != "password" || at(0, "createdAt") >= at(0, "lastUsedAt") {
			t.Errorf("the phone's: %s", got)
		}
		if at(2, "address") != "2001:db8::1" || at(2, "client") != strings.Repeat("é", 254) || at(1, "client") != "" || at(3, "method") != "sign up" {
			t.Errorf("the others: %s", got)
		}
		for i := range 4 {
			if current := got.At(fmt.Sprintf("viewer.sessions.nodes.%d.current", i)); current != (i == 0) {
				t.Errorf("session %d is the current one: %v", i, current)
			}
		}
		if !strings.HasPrefix(at(0, "id"), "session_") {
			t.Errorf("its ID is %s", at(0, "id"))
		}

		ended := at(2, "id")
		if got := d.by(next).Must(endSession, vars{"id": ended}); got.Text("m.deletedId") != ended {
			t.Errorf("%s", got)
		}
		if got := d.refresh(laptop.Text("m.refreshToken")); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("a session that was ended is refreshed: %s", got)
		}
		// The access token of the ended session is still valid. It ends nobody's sessions.
		for _, query := range []string{endOtherSessions, endSession} {
			if got := d.by(laptop).Do(query, vars{"id": at(0, "id")}); got.Code() != "UNAUTHENTICATED" {
				t.Errorf("by the token of an ended session: %s", got)
			}
		}
		if got := d.by(next).Must(endOtherSessions, nil); got.Number("m.ended") != 2 {
			t.Errorf("%s, want 2", got)
		}
		if got := d.by(next).Must(listSessions, nil); got.Len("viewer.sessions.nodes") != 1 {
			t.Errorf("%s, want the current one", got)
		}
		if got := d.by(next).Must(endSession, vars{"id": at(0, "id")}); len(got.Errors) > 0 || d.sessions() != 0 {
			t.Errorf("%s; %d tokens are left", got, d.sessions())
		}
	})
}

// TestEndedSessionEndsNothing has the access token of an administrator, whose session has ended, set
// a password, and end sessions in each other way.
func TestEndedSessionEndsNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		d, _ := newListed(t, url)
		ada, lost := d.signUp("ada"), d.holder(d.signUp("root"))
		d.stored(func(ctx context.Context, c *ent.Client) {
			c.User.Update().Where(user.Username("root")).SetRole(user.RoleADMIN).ExecX(ctx)
		})
		lost.Role = viewer.Admin
		root := d.begin("root", "192.0.2.1", "Console")
		d.by(root).Must(endOtherSessions, nil)
		for _, of := range []viewer.Viewer{lost, d.holder(ada)} {
			for _, mutation := range []string{
				`mutation($u: ID!) { updateUser(id: $u, input: {password: "another good one"}) { user { id } } }`,
				`mutation($u: ID!) { updateUser(id: $u, input: {isActive: false}) { user { id } } }`,
				`mutation($u: ID!) { deleteUser(id: $u) { deletedId } }`, removeFactors,
			} {
				if got := d.as(lost).Do(mutation, vars{"u": (&ent.User{ID: of.ID}).GlobalID().String()}); got.Code() != "UNAUTHENTICATED" {
					t.Errorf("%s: %s", mutation, got)
				}
			}
		}
		if got := d.as(lost).Do(changePassword, vars{"i": vars{"oldPassword": secret, "newPassword": "another good one"}}); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("changePassword: %s", got)
		}
		for _, a := range []gqltest.Answer{ada, root} {
			if got := d.refresh(a.Text("m.refreshToken")); len(got.Errors) > 0 {
				t.Errorf("a session was ended: %s", got)
			}
		}
	})
}

// TestSessionsOfOthers has somebody ask for the sessions of another user, and end them: to them,
// there are none. An administrator may.
func TestSessionsOfOthers(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		d, _ := newListed(t, url)
		ada, eve := d.signUp("ada"), d.signUp("eve")
		d.signUp("root")
		d.stored(func(ctx context.Context, c *ent.Client) {
			c.User.Update().Where(user.Username("root")).SetRole(user.RoleADMIN).ExecX(ctx)
		})
		root := d.begin("root", "192.0.2.1", "Console")
		id := d.by(ada).Must(listSessions, nil).Text("viewer.sessions.nodes.0.id")
		const others = `query($id: ID!) { user(id: $id) { username sessions { nodes { id current } } signIns { nodes { at } } } }`
		who := vars{"id": ada.Text("m.user.id")}
		for name, client := range map[string]*gqltest.Client{"eve": d.by(eve), "nobody": d.Client} {
			if got := client.Do(others, who); len(got.Errors) != 2 || got.Code() != "FORBIDDEN" || got.At("user.sessions") != nil || got.At("user.signIns") != nil || got.Text("user.username") != "ada" {
				t.Errorf("%s sees %s", name, got)
			}
		}
		unknown := ids.ID{Prefix: "session", UUID: uuid.Must(uuid.NewV7())}.String()
		there, none := d.by(eve).Do(endSession, vars{"id": id}), d.by(eve).Do(endSession, vars{"id": unknown})
		if there.Code() != "NOT_FOUND" || strings.ReplaceAll(there.RawData(), id, "") != strings.ReplaceAll(none.RawData(), unknown, "") ||
			strings.ReplaceAll(there.Errors[0].Message, id, "") != strings.ReplaceAll(none.Errors[0].Message, unknown, "") || there.Statements() != none.Statements() {
			t.Errorf("another's: %s; of nobody: %s", there, none)
		}
		for id, code := range map[string]string{ada.Text("m.user.id"): "BAD_USER_INPUT", "session_x": "BAD_USER_INPUT", unknown: "NOT_FOUND"} {
			if got := d.by(ada).Do(endSession, vars{"id": id}); got.Code() != code {
				t.Errorf("endSession(%s): %s, want %s", id, got, code)
			}
		}
		for _, query := range []string{endSession, endOtherSessions} {
			if got := d.Do(query, vars{"id": id}); got.Code() != "UNAUTHENTICATED" {
				t.Errorf("nobody: %s", got)
			}
		}
		old := d.holder(ada)
		old.Session = uuid.Nil
		if got := d.as(old).Do(endOtherSessions, nil); got.Code() != "FORBIDDEN" {
			t.Errorf("a token of an earlier version: %s", got)
		}
		if got := d.as(old).Must(listSessions, nil); got.At("viewer.sessions.nodes.0.current") != false {
			t.Errorf("a token of an earlier version: %s", got)
		}
		if got := d.by(root).Must(others, who); got.Text("user.sessions.nodes.0.id") != id || got.At("user.sessions.nodes.0.current") != false {
			t.Errorf("an administrator sees %s", got)
		}
		d.by(root).Must(endSession, vars{"id": id})
		if got := d.by(root).Do(endSession, vars{"id": id}); got.Code() != "NOT_FOUND" {
			t.Errorf("a second time: %s", got)
		}
		if got := d.refresh(ada.Text("m.refreshToken")); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("an administrator has ended it: %s", got)
		}
	})
}

// TestSessionsInLists asks for the sessions of many users. The number of statements does not depend
// on how many there are.
func TestSessionsInLists(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		d, _ := newListed(t, url)
		for i := range 6 {
			d.signUp(fmt.Sprintf("user%d", i))
		}
		const query = `query($n: Int!) { users(first: $n) { nodes { sessions { nodes { id } } signIns(first: 3) { nodes { at } } } } }`
		admin := d.as(viewer.System)
		two, six := admin.Must(query, vars{"n": 2}), admin.Must(query, vars{"n": 6})
		if two.Statements() != six.Statements() || six.Len("users.nodes.5.sessions.nodes") != 1 || six.Len("users.nodes.0.signIns.nodes") != 1 {
			t.Errorf("%d and %d statements: %s", two.Statements(), six.Statements(), six)
		}
		if got := admin.Do(`{ users { nodes { signIns(first: 101) { nodes { at } } } } }`, nil); got.Code() != "BAD_USER_INPUT" {
			t.Errorf("too many: %s", got)
		}
	})
}

// TestSessionOfEarlierVersion lists a session of which an earlier version has stored less.
func TestSessionOfEarlierVersion(t *testing.T) {
	t.Parallel()
	d, _ := newListed(t, dbtest.SQLite(t))
	up := d.signUp("ada")
	d.stored(func(ctx context.Context, c *ent.Client) {
		s := c.Session.Query().OnlyX(ctx)
		c.Session.Delete().ExecX(ctx)
		c.Session.Create().SetFamily(s.Family).SetUserID(s.UserID).SetTokenHash(s.TokenHash).SetCreatedAt(s.CreatedAt).SetExpiresAt(s.ExpiresAt).ExecX(ctx)
	})
	next := d.refresh(up.Text("m.refreshToken"))
	got := d.by(next).Must(listSessions, nil)
	if got.Text("viewer.sessions.nodes.0.method") != "unknown" || got.Text("viewer.sessions.nodes.0.createdAt") == "" {
		t.Errorf("%s", got)
	}
}

// TestSignInLog signs in and fails to. Failures of accounts that do not exist are nobody's.
func TestSignInLog(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		d, s := newListed(t, url)
		d.signUp("ada")
		try := func(login string) {
			d.from("192.0.2.66").With("User-Agent", "Guess\x00er").Do(signIn, vars{"i": vars{"login": login, "password": "wrong wrong"}})
		}
		try("ada")
		try("nobody")
		d.storeFailures(s)
		in := d.begin("ada", "192.0.2.7", "Phone/1")
		got := d.by(in).Must(listSignIns, nil)
		var said []string
		for i := range got.Len("viewer.signIns.nodes") {
			at := func(name string) any { return got.At(fmt.Sprintf("viewer.signIns.nodes.%d.%s", i, name)) }
			said = append(said, fmt.Sprint(at("method"), " ", at("succeeded"), " ", at("address"), " ", at("client")))
		}
		want := "password true 192.0.2.7 Phone/1, password false 192.0.2.66 Guesser, "
		if text := strings.Join(said, ", "); len(said) != 3 || !strings.HasPrefix(text, want) || !strings.HasPrefix(said[2], "sign up true") {
			t.Errorf("%s", text)
		}
		if got := d.by(in).Must(listSignIns, vars{"n": 1}); got.Len("viewer.signIns.nodes") != 1 {
			t.Errorf("%s, want one", got)
		}
		d.stored(func(ctx context.Context, c *ent.Client) {
			if n := c.SignIn.Query().CountX(ctx); n != 3 {
				t.Errorf("%d entries, want 3", n)
			}
		})
	})
}

// TestSignInLogIsBounded has an attacker fail very often, from ever other addresses. What has
// succeeded stays, and few failures are stored.
func TestSignInLogIsBounded(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		d, s := newListed(t, url)
		d.signUp("ada")
		for i := range 120 {
			d.from(fmt.Sprintf("198.51.100.%d", i)).Do(signIn, vars{"i": vars{"login": "ada", "password": "wrong wrong"}})
		}
		d.storeFailures(s)
		for range 55 {
			d.begin("ada", "192.0.2.7", "Phone/1")
		}
		count := func(succeeded bool) (n int) {
			d.stored(func(ctx context.Context, c *ent.Client) {
				n = c.SignIn.Query().Where(entsignin.Succeeded(succeeded)).CountX(ctx)
			})
			return n
		}
		if failed, succeeded := count(false), count(true); failed != 20 || succeeded != 50 {
			t.Errorf("%d failures and %d sign-ins are kept, want 20 and 50", failed, succeeded)
		}
		old := func(n int) {
			d.stored(func(ctx context.Context, c *ent.Client) {
				for range n {
					c.SignIn.Create().SetUserID(c.User.Query().OnlyIDX(ctx)).SetMethod("password").SetSucceeded(true).
						SetCreatedAt(time.Now().UTC().Truncate(time.Microsecond).Add(-91 * 24 * time.Hour)).ExecX(ctx)
				}
			})
		}
		old(3)
		if n, err := expiry.Some(session.ExpiredSignIns).All(t.Context(), d.db); n != 3 || err != nil {
			t.Errorf("%d have expired, %v, want 3", n, err)
		}
	})
}

// TestSignInLogIsKept runs what stores failures in the background, and ends it: none is lost.
func TestSignInLogIsKept(t *testing.T) {
	t.Parallel()
	d, s := newListed(t, dbtest.SQLite(t))
	d.signUp("ada")
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { s.KeepLog(ctx, slog.New(slog.DiscardHandler)); close(done) }()
	d.from("192.0.2.66").Do(signIn, vars{"i": vars{"login": "ada", "password": "wrong wrong"}})
	s.Failed(t.Context(), uuid.Must(uuid.NewV7()), session.ByCode) // of an account that is gone
	stop()
	<-done
	d.stored(func(ctx context.Context, c *ent.Client) {
		if n := c.SignIn.Query().Where(entsignin.Succeeded(false)).CountX(ctx); n != 1 {
			t.Errorf("%d failures, want 1", n)
		}
		if n := c.Session.Query().Where(entsession.MethodEQ("sign up")).CountX(ctx); n != 1 {
			t.Errorf("%d sessions", n)
		}
	})
}
