package api_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	"forge/graph"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/session"
	"forge/internal/viewer"
	"forge/test/gqltest"
)

func TestSignOut(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		used := d.signUp("ada").Text("m.refreshToken")
		token := d.refresh(used).Text("m.refreshToken")
		other := d.signIn("ada", secret).Text("m.refreshToken")
		for _, tt := range []struct {
			token string
			ok    bool
		}{{"x", false}, {used, true}, {token, false}} {
			if got := d.Must(signOut, vars{"t": tt.token}); got.At("m.ok") != tt.ok {
				t.Errorf("signOut: %s, want %t", got, tt.ok)
			}
		}
		if got := d.refresh(token); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("after signOut: %s", got)
		}
		if got := d.refresh(other); len(got.Errors) > 0 {
			t.Errorf("another session: %s", got)
		}
	})
}

// TestSessionsEndTogether does each thing that ends all sessions and tokens of a user, and some
// that do not.
func TestSessionsEndTogether(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		for i, tt := range []struct {
			mutation string
			ends     bool
		}{
			{`updateUser(id: "ID", input: {password: "another horse"}) { user { id } }`, true},
			{`updateUser(id: "ID", input: {password: null}) { user { id } }`, true},
			{`updateUser(id: "ID", input: {isActive: false}) { user { id isActive version heroes { totalCount } } }`, true},
			{`deleteUser(id: "ID") { deletedId }`, true},
			{`updateUser(id: "ID", input: {username: "eve", isActive: true, email: null}) { user { id } }`, false},
		} {
			in := d.signUp(fmt.Sprint("user", i))
			id, token, holder := in.Text("m.user.id"), in.Text("m.refreshToken"), d.holder(in)
			stranger := d.signUp(fmt.Sprint("stranger", i))
			mutation := strings.Replace(tt.mutation, "ID", id, 1)
			if got := d.rule(`mutation { m: `+mutation+` createTeam(input: {name: " "}) { team { id } } }`, nil); got.Code() != "BAD_USER_INPUT" {
				t.Fatal(got)
			}
			if tokenEnded(d.revocations, holder) {
				t.Errorf("%s: the token is ended by a mutation that was rolled back", tt.mutation)
			}
			if got := d.rule(`mutation { m: `+mutation+` }`, nil); len(got.Errors) > 0 {
				t.Fatal(got)
			}
			if got := d.refresh(token); (got.Code() == "UNAUTHENTICATED") != tt.ends {
				t.Errorf("%s: then refresh: %s", tt.mutation, got)
			}
			if tokenEnded(d.revocations, holder) != tt.ends {
				t.Errorf("%s: the access token is ended: %t, want %t", tt.mutation, !tt.ends, tt.ends)
			}
			if tokenEnded(d.revocations, d.holder(stranger)) || d.refresh(stranger.Text("m.refreshToken")).Code() != "" {
				t.Errorf("%s: a stranger's session has ended", tt.mutation)
			}
			got := d.as(holder).Do(`mutation { createTeam(input: {name: "`+fmt.Sprint("Team ", i)+`"}) { team { id } } }`, nil)
			if (got.Code() == "UNAUTHENTICATED") != tt.ends {
				t.Errorf("%s: then a mutation with the old token: %s", tt.mutation, got)
			}
			if strings.HasPrefix(tt.mutation, "deleteUser") {
				d.rule(`mutation { restoreUser(id: "`+id+`") { user { id } } }`, nil)
				if got := d.refresh(token); got.Code() != "UNAUTHENTICATED" {
					t.Errorf("restoreUser brings sessions back: %s", got)
				}
				if got := d.signIn(fmt.Sprint("user", i), secret); len(got.Errors) > 0 || tokenEnded(d.revocations, d.holder(got)) {
					t.Errorf("signIn once restored: %s", got)
				}
			}
		}
	})
}

func TestChangePassword(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		in := d.signUp("ada")
		token, holder := in.Text("m.refreshToken"), d.holder(in)
		change := func(v viewer.Viewer, before, after string) gqltest.Answer {
			got := d.as(v).Do(changePassword, vars{"i": vars{"oldPassword": before, "newPassword": after}})
			return got
		}
		for name, got := range map[string]gqltest.Answer{
			"anonymous":    change(viewer.Viewer{}, secret, "another horse"),
			"the system":   change(viewer.System, secret, "another horse"),
			"unknown user": change(viewer.Viewer{ID: uuid.New(), Role: viewer.User}, secret, "another horse"),
		} {
			if got.Code() != "UNAUTHENTICATED" {
				t.Errorf("%s: %s", name, got)
			}
		}
		if got := change(holder, "incorrect", "another horse"); got.Code() != "BAD_USER_INPUT" || got.Extension("field") != "input.oldPassword" {
			t.Errorf("a wrong password: %s", got)
		}
		if got := change(holder, secret, "password1"); got.Code() != "BAD_USER_INPUT" || got.Extension("field") != "input.newPassword" {
			t.Errorf("a common password: %s", got)
		}
		if got := change(holder, secret, "another horse"); got.Text("m.user.username") != "ada" {
			t.Fatalf("changePassword: %s", got)
		}
		if !tokenEnded(d.revocations, holder) {
			t.Error("the access token is not ended")
		}
		if n := d.sessions(); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
		if got := d.refresh(token); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("then refresh: %s", got)
		}
		if got := change(holder, "another horse", "a third horse"); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("changePassword with the ended token: %s", got)
		}
		if got := d.signIn("ada", secret); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("the old password: %s", got)
		}
		again := d.signIn("ada", "another horse")
		if len(again.Errors) > 0 {
			t.Fatal(again)
		}
		holder = d.holder(again)
		for range 5 {
			change(holder, "incorrect", "another horse")
		}
		if got := change(holder, "another horse", "a third horse"); got.Code() != "RATE_LIMITED" {
			t.Errorf("after 5 failures: %s", got)
		}
	})
}

// TestSessionClockWasAhead sets the database's clock back after tokens were issued or ended at
// times that are then in the future. Somebody who signs in afterwards gets valid tokens. Tokens
// that were ended before do not become valid again, and the new ones can be ended, too.
func TestSessionClockWasAhead(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		in := d.signUp("ada")
		old, id := d.holder(in), in.Text("m.user.id")
		ahead := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
		d.stored(func(ctx context.Context, c *ent.Client) {
			c.User.Update().SetTokensValidAfter(ahead).ExecX(viewer.NewContext(ctx, viewer.System))
		})
		counts := func(what string, v viewer.Viewer, refresh string) {
			t.Helper()
			other := session.NewRevocations(graph.Accounts{}, 15*time.Minute) // another process
			if err := other.Read(t.Context(), d.db); err != nil {
				t.Fatal(err)
			}
			if tokenEnded(d.revocations, v) || tokenEnded(other, v) {
				t.Errorf("%s: the access token is dead", what)
			}
			if got := d.as(v).Do(`mutation { createHero(input: {name: "Al", ownerId: "`+id+`"}) { hero { id } } }`, nil); len(got.Errors) > 0 {
				t.Errorf("%s: a mutation with it: %s", what, got)
			}
			if got := d.refresh(refresh); len(got.Errors) > 0 || tokenEnded(other, d.holder(got)) {
				t.Errorf("%s: refreshSession: %s", what, got)
			}
		}
		ended := func(what string, v viewer.Viewer) {
			t.Helper()
			other := session.NewRevocations(graph.Accounts{}, 15*time.Minute)
			if err := other.Read(t.Context(), d.db); err != nil || !tokenEnded(other, v) {
				t.Errorf("%s: the token counts (%v)", what, err)
			}
		}
		again := d.signIn("ada", secret)
		counts("signed in after the clock was set back", d.holder(again), again.Text("m.refreshToken"))
		ended("one of before", old)

		// A token whose time is still to come is ended by a stamp after it, though the clock is far
		// behind both.
		d.stored(func(ctx context.Context, c *ent.Client) {
			c.User.Update().ClearTokensValidAfter().ExecX(viewer.NewContext(ctx, viewer.System))
		})
		for i, mutation := range []string{
			`updateUser(id: "ID", input: {password: "` + secret + `"}) { user { id } }`,
			`updateUser(id: "ID", input: {isActive: false}) { user { id } }`,
			`deleteUser(id: "ID") { deletedId }`,
		} {
			before := d.holder(again)
			if got := d.rule(`mutation { m: `+strings.Replace(mutation, "ID", id, 1)+` }`, nil); len(got.Errors) > 0 {
				t.Fatal(got)
			}
			ended(mutation, before)
			switch i {
			case 0:
			case 1:
				d.rule(`mutation { updateUser(id: "`+id+`", input: {isActive: true}) { user { id } } }`, nil)
			default:
				continue
			}
			again = d.signIn("ada", secret)
			counts("signed in after "+mutation, d.holder(again), again.Text("m.refreshToken"))
		}
	})
}

// TestRevocationsOfOthers ends a user's tokens in one process. Another process finds out.
func TestRevocationsOfOthers(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		in := d.signUp("ada")
		other := session.NewRevocations(graph.Accounts{}, 15*time.Minute)
		holder := d.holder(in)
		d.rule(`mutation($id: ID!) { deleteUser(id: $id) { deletedId } }`, vars{"id": ids.ID{Prefix: "user", UUID: holder.ID}.String()})
		if tokenEnded(other, holder) {
			t.Error("another process knows before it was told")
		}
		if err := other.Read(t.Context(), d.db); err != nil || !tokenEnded(other, holder) {
			t.Errorf("another process does not know (%v)", err)
		}
		if tokenEnded(other, viewer.Viewer{ID: holder.ID, Issued: time.Now()}) || tokenEnded(other, viewer.Viewer{ID: uuid.New(), Issued: holder.Issued}) {
			t.Error("newer tokens, or those of others, are ended")
		}
		d.stored(func(ctx context.Context, c *ent.Client) {
			c.User.Update().ClearTokensValidAfter().ExecX(entity.WithDeleted(viewer.NewContext(ctx, viewer.System)))
		})
		if err := other.Read(t.Context(), d.db); err != nil || tokenEnded(other, holder) {
			t.Errorf("what is not there any more still counts (%v)", err)
		}
		// What this process knows by itself stays for a while: the commit may be on its way.
		if err := d.revocations.Read(t.Context(), d.db); err != nil || !tokenEnded(d.revocations, holder) {
			t.Errorf("what is being committed is forgotten (%v)", err)
		}
	})
}
