package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// forms are different ways to write the same username. None of them is the form that is stored.
var forms = []string{"zoe\u0308", "ｚｏë", " zoë\u3000", "𝐳oë"}

// TestUsernamesAreSeen checks that usernames with invisible parts are refused, and that other ways
// to write a username count as the same one.
func TestUsernamesAreSeen(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		d := newSessionAPI(t, url)
		id := d.rule(`mutation { createUser(input: {username: "zoë"}) { user { id } } }`, nil).Text("createUser.user.id")
		other := d.rule(`mutation { createUser(input: {username: "other"}) { user { id } } }`, nil).Text("createUser.user.id")
		self := viewer.Viewer{ID: d.row(other).ID, Role: viewer.User, Issued: time.Now().UTC().Truncate(time.Microsecond)}
		ways := map[string]func(string) gqltest.Answer{
			"createUser": func(name string) gqltest.Answer {
				return d.rule(`mutation($n: String!) { createUser(input: {username: $n}) { user { id } } }`, vars{"n": name})
			},
			"updateUser": func(name string) gqltest.Answer {
				return d.rule(`mutation($n: String!) { updateUser(id: "`+other+`", input: {username: $n}) { user { id } } }`, vars{"n": name})
			},
			"one's own": func(name string) gqltest.Answer {
				got := d.as(self).Do(`mutation($n: String!) { updateUser(id: "`+other+`", input: {username: $n}) { user { id } } }`, vars{"n": name})
				return got
			},
			"signUp": func(name string) gqltest.Answer {
				got := d.Do(signUp, vars{"i": vars{"username": name, "password": secret}})
				return got
			},
		}
		for way, try := range ways {
			for _, name := range []string{"zo\u200bë", "zoë\u200d", "zoë\u00ad", "\u202eëoz", "\ufeffzoë", "zoë\u2063", "zoë\u3164"} {
				got := try(name)
				if got.Code() != "BAD_USER_INPUT" || got.Extension("field") != "input.username" || !strings.Contains(got.Errors[0].Message, "are allowed") {
					t.Errorf("%s %+q: %s, want BAD_USER_INPUT that says what is allowed", way, name, got)
				}
			}
			for _, name := range forms {
				if got := try(name); got.Code() != "CONFLICT" {
					t.Errorf("%s %+q: %s, want CONFLICT with zoë", way, name, got)
				}
			}
		}
		for way, try := range ways {
			for _, name := range []string{"x@y", "x＠y", "\tx＠y", "x﹫y"} {
				if got := try(name); got.Code() != "BAD_USER_INPUT" || !strings.Contains(got.Errors[0].Message, "@") {
					t.Errorf("%s %+q: %s, want no @", way, name, got)
				}
			}
		}
		if row := d.row(id); row.Username != "zoë" || row.Version != 1 {
			t.Errorf("%v has changed", row)
		}
	})
}

// TestSignInByAnyForm signs in with any form of a username. Failures with all forms are counted
// together.
func TestSignInByAnyForm(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		if got := d.signUp("zoe\u0308"); got.Text("m.user.username") != "zoë" {
			t.Fatal(got)
		}
		for i, name := range append([]string{"zoë"}, forms...) {
			got := d.from(fmt.Sprint("192.0.2.", i)).Do(signIn, vars{"i": vars{"login": name, "password": secret}})
			if got.Text("m.user.username") != "zoë" {
				t.Errorf("%+q: %s", name, got)
			}
		}
		for range 3 {
			for _, name := range forms[:2] {
				d.from("198.51.100.1").Do(signIn, vars{"i": vars{"login": name, "password": "incorrect"}})
			}
		}
		if got := d.from("198.51.100.1").Do(signIn, vars{"i": vars{"login": "zoë", "password": secret}}); got.Code() != "RATE_LIMITED" {
			t.Errorf("after failures with other forms of the name: %s", got)
		}
	})
}

// TestUsernamesOld signs in a user whose username would not be allowed any more.
func TestUsernamesOld(t *testing.T) {
	eachDoor(t, func(t *testing.T, d *api) {
		d.signUp("zoë")
		old := d.signUp("old").Text("m.user.id")
		for _, name := range []string{"zoe\u0308", "a\u200bb"} {
			if _, err := d.db.ExecContext(t.Context(), `UPDATE users SET username = $1 WHERE username <> $2`, name, "zoë"); err != nil {
				t.Fatal(err)
			}
			for login, want := range map[string]string{name: old, "zoë": ""} {
				got := d.Do(signIn, vars{"i": vars{"login": login, "password": secret}})
				if is := got.Text("m.user.id"); is == "" || (is == old) != (want == old) {
					t.Errorf("%+q: %s", login, got)
				}
			}
		}
	})
}
