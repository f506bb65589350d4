package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"forge/ent"
	entsession "forge/ent/session"
	"forge/internal/gqlexec"
	"forge/internal/session"
	"forge/internal/viewer"
	"forge/test/gqltest"
)

// graced returns another process on the database of d, with the given grace time for used refresh
// tokens.
func (d *api) graced(grace time.Duration) *api {
	other := *d
	other.configure(config{Options: gqlexec.Options{Development: true}, Resolver: d.sessionResolver(session.Lifetimes{Token: time.Hour, Grace: grace})})
	return &other
}

// refreshAs refreshes a session from an address, with a User-Agent.
func (d *api) refreshAs(address, agent, token string) gqltest.Answer {
	d.t.Helper()
	return d.from(address).With("User-Agent", agent).Do(refreshSession, vars{"t": token})
}

const (
	home    = "192.0.2.7"
	browser = "Browser/1.0"
)

// works fails the test unless the access token in an answer is ada's, and the refresh token was not
// used yet.
func (d *api) works(got gqltest.Answer, who string) {
	d.t.Helper()
	v := d.holder(got)
	if len(got.Errors) > 0 || got.Text("m.user.id") != who || v.Role != viewer.User {
		d.t.Fatalf("no working tokens: %s", got)
	}
}

// TestRefreshInTabsAtOnce has four tabs send the same refresh token to two processes at once, over
// and over. All get the same tokens. A tab that comes late gets the tokens that the others have by
// then.
func TestRefreshInTabsAtOnce(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		up := d.signUp("ada")
		processes := []*api{d.graced(time.Minute), d.graced(time.Minute)}
		token, late := up.Text("m.refreshToken"), up.Text("m.refreshToken")
		for round := range 30 {
			tabs := make([]gqltest.Answer, 4)
			var wg sync.WaitGroup
			for i := range tabs {
				wg.Go(func() { tabs[i] = processes[i%2].refreshAs(home, browser, token) })
			}
			wg.Wait()
			for i, got := range tabs {
				d.works(got, up.Text("m.user.id"))
				for _, name := range []string{"refreshToken", "accessToken", "expiresAt"} {
					if got.Text("m."+name) != tabs[0].Text("m."+name) {
						t.Fatalf("round %d: tab %d has another %s than the first", round, i, name)
					}
				}
			}
			if tabs[0].Text("m.refreshToken") == token {
				t.Fatalf("round %d: the token is the one before", round)
			}
			token = tabs[0].Text("m.refreshToken")
			if got := processes[0].refreshAs(home, browser, late); got.Text("m.refreshToken") != token {
				t.Fatalf("round %d: a late tab: %s", round, got)
			}
		}
		if n := d.sessions(); n != 31 {
			t.Errorf("%d sessions are stored, want one for each round and the first", n)
		}
	})
}

// TestRefreshByThief has somebody else send a used refresh token. Within the grace time, the thief
// has another address or another User-Agent. After it, the thief may even be the same client. Each
// time the family ends, for the rightful user as well.
func TestRefreshByThief(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		d.signUp("ada")
		within := d.graced(time.Minute)
		for name, tt := range map[string]struct {
			address, agent string
			at             *api
		}{
			"another address": {"192.0.2.8", browser, within},
			"another agent":   {home, "curl/8", within},
			"later":           {home, browser, d.graced(time.Nanosecond)},
			"no grace":        {home, browser, d.graced(0)},
		} {
			for _, follow := range []bool{false, true} { // whether the client has gone on meanwhile
				first := d.signIn("ada", secret).Text("m.refreshToken")
				last := within.refreshAs(home, browser, first).Text("m.refreshToken")
				if follow {
					last = within.refreshAs(home, browser, last).Text("m.refreshToken")
				}
				if got := tt.at.refreshAs(tt.address, tt.agent, first); got.Code() != "UNAUTHENTICATED" || len(got.Errors) != 1 {
					t.Errorf("%s: %s", name, got)
				}
				if got := within.refreshAs(home, browser, last); got.Code() != "UNAUTHENTICATED" {
					t.Errorf("%s: the family goes on: %s", name, got)
				}
			}
		}
		// Who stole the next one and used it first is found out by the client that sends the one
		// before again.
		first := d.signIn("ada", secret).Text("m.refreshToken")
		next := within.refreshAs(home, browser, first).Text("m.refreshToken")
		thief := within.refreshAs("192.0.2.8", browser, next)
		if got := within.refreshAs(home, browser, first); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("the client after a thief: %s", got)
		}
		if got := within.refreshAs("192.0.2.8", browser, thief.Text("m.refreshToken")); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("the thief goes on: %s", got)
		}
	})
}

// TestRefreshGraceEnds moves the use of a token back in time instead of waiting. Up to the grace
// time, the token gets the same tokens.
func TestRefreshGraceEnds(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		up := d.signUp("ada")
		g := d.graced(10 * time.Second)
		first := up.Text("m.refreshToken")
		next := g.refreshAs(home, browser, first)
		used := func(ago time.Duration) {
			d.stored(func(ctx context.Context, c *ent.Client) {
				c.Session.Update().Where(entsession.UsedAtNotNil()).SetUsedAt(time.Now().UTC().Truncate(time.Microsecond).Add(-ago)).ExecX(ctx)
			})
		}
		used(5 * time.Second)
		if got := g.refreshAs(home, browser, first); got.Text("m.refreshToken") != next.Text("m.refreshToken") {
			t.Errorf("after 5 s: %s", got)
		}
		used(10 * time.Second)
		if got := g.refreshAs(home, browser, first); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("after 10 s: %s", got)
		}
		if n := d.sessions(); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
}

// TestRefreshAfterEnd ends a session within the grace time, in every possible way.
func TestRefreshAfterEnd(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		for i, mutation := range []string{
			`signOut(input: {refreshToken: "TOKEN"}) { ok }`,
			`updateUser(id: "ID", input: {password: "another horse"}) { user { id } }`,
			`updateUser(id: "ID", input: {isActive: false}) { user { id } }`,
			`deleteUser(id: "ID") { deletedId }`,
		} {
			up := d.signUp(fmt.Sprint("user", i))
			g := d.graced(time.Minute)
			first := up.Text("m.refreshToken")
			next := g.refreshAs(home, browser, first).Text("m.refreshToken")
			if got := d.rule("mutation { m: "+strings.NewReplacer("TOKEN", next, "ID", up.Text("m.user.id")).Replace(mutation)+" }", nil); len(got.Errors) > 0 {
				t.Fatal(got)
			}
			for _, token := range []string{first, next} {
				if got := g.refreshAs(home, browser, token); got.Code() != "UNAUTHENTICATED" {
					t.Errorf("after %s: %s", mutation, got)
				}
			}
		}
	})
}

// TestRefreshLostAnswer refreshes through a proxy that drops every first answer. The client sends
// the same token again, and goes on.
func TestRefreshLostAnswer(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		up := d.signUp("ada")
		g := d.graced(time.Minute)
		var asked atomic.Int32
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			kept := httptest.NewRecorder()
			g.handler.ServeHTTP(kept, r)
			if asked.Add(1)%2 == 1 {
				panic(http.ErrAbortHandler) // the connection is closed without an answer
			}
			w.Header().Set("Content-Type", kept.Header().Get("Content-Type"))
			w.WriteHeader(kept.Code)
			_, _ = w.Write(kept.Body.Bytes())
		}))
		t.Cleanup(proxy.Close)
		client := gqltest.New(t, proxy.URL)
		send := func(token string) gqltest.Answer { return client.Send(t.Context(), refreshSession, vars{"t": token}) }
		token := up.Text("m.refreshToken")
		for round := range 5 {
			if got := send(token); got.Err == nil {
				t.Fatalf("round %d: the first answer came: %s", round, got)
			}
			got := send(token)
			if got.Err != nil {
				t.Fatal(got)
			}
			d.works(got, up.Text("m.user.id"))
			token = got.Text("m.refreshToken")
		}
	})
}
