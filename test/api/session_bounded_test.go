package api_test

import (
	"context"
	"testing"

	"forge/ent"
	"forge/test/gqltest"
)

// TestSessionsAreBounded signs in again and again. The oldest sessions end, while those that were
// used since go on.
func TestSessionsAreBounded(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		const most = 100
		first := d.signUp("ada")
		d.signUp("bob")
		var second, last gqltest.Answer
		for i := range most + 1 {
			if i == 1 {
				second = last
			}
			if i == most-1 {
				first = d.refresh(first.Text("m.refreshToken"))
			}
			if last = d.signIn("ada", secret); len(last.Errors) > 0 {
				t.Fatalf("sign in %d: %s", i, last)
			}
		}
		families := map[string]bool{}
		d.stored(func(ctx context.Context, c *ent.Client) {
			for _, s := range c.Session.Query().AllX(ctx) {
				families[s.Family.String()] = true
			}
		})
		if len(families) != most+1 {
			t.Errorf("there are %d sessions, want %d, and one of another user", len(families), most)
		}
		if got := d.refresh(second.Text("m.refreshToken")); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("the session that was used the longest ago: %s", got)
		}
		for name, of := range map[string]gqltest.Answer{"one that was used since": first, "the last": last} {
			if got := d.refresh(of.Text("m.refreshToken")); len(got.Errors) > 0 {
				t.Errorf("%s: %s", name, got)
			}
		}
	})
}
