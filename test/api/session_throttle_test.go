package api_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"forge/internal/ids"
	"forge/test/gqltest"
)

// TestSignInIsNotForgiven has a guesser sign in, between guesses, as a user whose name differs only
// in case. That user is another one, so the failures are not forgotten.
func TestSignInIsNotForgiven(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		d.signUp("ada")
		if got := d.Do(signUp, vars{"i": vars{"username": "ADA", "password": secret}}); len(got.Errors) > 0 {
			t.Fatal(got)
		}
		try := func(login, password string) gqltest.Answer {
			got := d.from("192.0.2.1").Do(signIn, vars{"i": vars{"login": login, "password": password}})
			return got
		}
		for range 5 {
			if got := try("ada", "incorrect"); got.Code() != "UNAUTHENTICATED" {
				t.Fatal(got)
			}
			if got := try("ADA", secret); len(got.Errors) > 0 {
				t.Fatal(got)
			}
		}
		if got := try("ada", "incorrect"); got.Code() != "RATE_LIMITED" {
			t.Errorf("the sixth guess: %s", got)
		}
	})
}

// TestEmailsAreNotProbed has a user try one email after the other, which is limited. A username
// that looks like an email is refused.
func TestEmailsAreNotProbed(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		d.signUp("ada")
		me := d.holder(d.signUp("eve"))
		id := ids.ID{Prefix: "user", UUID: me.ID}.String()
		change := func(input vars) gqltest.Answer {
			got := d.as(me).Do(`mutation($id: ID!, $i: UpdateUserInput!) { updateUser(id: $id, input: $i) { user { id } } }`,
				vars{"id": id, "i": input})
			return got
		}
		for range 7 {
			if got := change(vars{"username": "eve", "email": " EVE@example.com"}); len(got.Errors) > 0 {
				t.Fatalf("to say again what it is: %s", got)
			}
		}
		for i := range 5 {
			if got := change(vars{"email": "ada@example.com"}); got.Code() != "CONFLICT" || got.Extension("field") != nil {
				t.Fatalf("probe %d: %s", i, got)
			}
		}
		if got := change(vars{"email": "bob@example.com"}); got.Code() != "RATE_LIMITED" {
			t.Errorf("one probe too many: %s", got)
		}
		if got := change(vars{"username": "Eve"}); len(got.Errors) > 0 {
			t.Errorf("a change of the username alone: %s", got)
		}
		for _, got := range []gqltest.Answer{change(vars{"username": "ada@example.com"}), d.Do(`mutation { signUp(input: {username: "a@b.example", password: "a long password"}) { accessToken } }`, nil)} {
			if got.Code() != "BAD_USER_INPUT" || got.Extension("field") != "input.username" {
				t.Errorf("a username that looks like an email: %s", got)
			}
		}
	})
}

func TestSignInSlowsDown(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		d.signUp("ada")
		try := func(address, login, password string) gqltest.Answer {
			return d.from(address).Do(signIn, vars{"i": vars{"login": login, "password": password}})
		}
		for _, login := range []string{"ada@example.com", "nobody"} {
			for i := range 5 {
				if got := try("192.0.2.1", login, "incorrect"); got.Code() != "UNAUTHENTICATED" {
					t.Fatalf("failure %d: %s", i, got)
				}
			}
			made := d.passwords.Made()
			if strings.Contains(login, "@") {
				login = strings.ToUpper(login) // it is the same one
			}
			got := try("192.0.2.1", login, secret)
			seconds, _ := strconv.Atoi(got.Header.Get("Retry-After"))
			if got.Code() != "RATE_LIMITED" || got.Status != http.StatusTooManyRequests || seconds < 10 || seconds > 15 || got.Extension("retryAfter") != float64(seconds) {
				t.Errorf("the sixth, of %s: Retry-After %d, %s", login, seconds, got)
			}
			if d.passwords.Made() != made {
				t.Error("a hash was made for it")
			}
		}
		if got := try("192.0.2.2", "ada@example.com", secret); len(got.Errors) > 0 {
			t.Errorf("from another address: %s", got)
		}
		if got := try("192.0.2.1", "ada", secret); len(got.Errors) > 0 {
			t.Errorf("by another login: %s", got)
		}
		for i := range 5 {
			try(fmt.Sprintf("[2001:db8:0:%d::1]", i), "ada@example.com", "incorrect")
		}
		if got := try("[2001:db8:0:ff::1]", "ada@example.com", secret); got.Code() != "RATE_LIMITED" {
			t.Errorf("from another /64 of the same /48: %s", got)
		}
		if got := try("[2001:db8:1::1]", "ada@example.com", secret); len(got.Errors) > 0 {
			t.Errorf("from another /48: %s", got)
		}
	})
}
