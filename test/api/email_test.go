package api_test

import (
	"context"
	"testing"

	"forge/ent"
	"forge/ent/user"
	"forge/internal/email"
	"forge/test/gqltest"
)

// TestEmailSpellings signs up with one spelling of an email, and signs in with others.
func TestEmailSpellings(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		up := func(name, address string) gqltest.Answer {
			return d.Do(signUp, vars{"i": vars{"username": name, "email": address, "password": secret}})
		}
		for i, tt := range []struct{ stored, spelled, kept string }{
			{"ze\u0301@example.com", "Z\u00c9@EXAMPLE.com", "z\u00e9@example.com"},
			{"\uff41da@example.com", "ada@example.com", "\uff41da@example.com"},
			{"stra\u00dfe@example.com", "STRASSE@example.com", "stra\u00dfe@example.com"},
			{"\u212aarl@example.com", "karl@example.com", "Karl@example.com"},
			{"ada@b\u00fccher.example", "ada@xn--bcher-kva.example", "ada@b\u00fccher.example"},
		} {
			name := string(rune('a'+i)) + "user"
			got := up(name, tt.stored)
			if len(got.Errors) > 0 {
				t.Fatalf("signUp with %+q: %s", tt.stored, got)
			}
			if row := d.row(got.Text("m.user.id")); *row.Email != tt.kept {
				t.Errorf("%+q is stored as %+q, want %+q", tt.stored, *row.Email, tt.kept)
			}
			for _, spelling := range []string{tt.stored, tt.spelled} {
				if in := d.signIn(spelling, secret); in.Text("m.user.id") != got.Text("m.user.id") {
					t.Errorf("signIn with %+q: %s", spelling, in)
				}
				if other := up("other", spelling); other.Code() != "CONFLICT" {
					t.Errorf("signUp with %+q, which is taken: %s", spelling, other)
				}
				made := d.rule(`mutation($e: String!) { createUser(input: {username: "other", email: $e}) { user { id } } }`, vars{"e": spelling})
				if made.Code() != "CONFLICT" || made.Extension("field") != "input.email" {
					t.Errorf("createUser with %+q, which is taken: %s", spelling, made)
				}
			}
		}
	})
}

// TestEmailFormerKeys signs in users whose rows have the key that the first version stored. They
// can sign in, and have today's key afterwards, unless somebody else has it.
func TestEmailFormerKeys(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		const apart, whole = "ze\u0301@example.com", "z\u00e9@example.com"
		first := d.signUp("first").Text("m.user.id")
		former := func() {
			d.stored(func(ctx context.Context, c *ent.Client) {
				c.User.Update().Where(user.ID(d.row(first).ID)).SetEmail(apart).SetEmailKey(email.FormerKey(apart)).ExecX(ctx)
			})
		}
		former()
		if got := d.signIn(apart, secret); got.Text("m.user.id") != first {
			t.Fatalf("signIn: %s", got)
		}
		if key := *d.row(first).EmailKey; key != whole {
			t.Errorf("the key is %+q then", key)
		}
		if got := d.signIn(whole, secret); got.Text("m.user.id") != first {
			t.Errorf("signIn with the other spelling: %s", got)
		}
		former()
		second := d.Do(signUp, vars{"i": vars{"username": "second", "email": whole, "password": "another horse"}})
		if len(second.Errors) > 0 {
			t.Fatal(second)
		}
		if got := d.signIn("first", secret); got.Text("m.user.id") != first || *d.row(first).EmailKey != email.FormerKey(apart) {
			t.Errorf("signIn of who has a key that is somebody else's by now: %s", got)
		}
	})
}
