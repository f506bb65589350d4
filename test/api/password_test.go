package api_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"forge/internal/ids"
	"forge/internal/viewer"
	"forge/test/dbtest"
)

// TestPasswordHashedFirst checks at each statement that stores something that no password still has
// to be hashed.
func TestPasswordHashedFirst(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		d := newSessionAPI(t, url)
		id := d.rule(`mutation { createUser(input: {username: "ada"}) { user { id } } }`, nil).Text("createUser.user.id")
		var mu sync.Mutex
		var made []int64 // before each statement
		var before int64
		d.db.Watch = func(context.Context, string, time.Duration, error) {
			mu.Lock()
			defer mu.Unlock()
			made = append(made, d.passwords.Made()-before)
		}
		for i, tt := range []struct {
			name, query string
			hashes      int64
		}{
			{"second", `mutation { createTeam(input: {name: "#"}) { team { id } } createUser(input: {username: "#", password: "correct horse"}) { user { id } } }`, 1},
			{"update", `mutation { createTeam(input: {name: "#"}) { team { id } } updateUser(id: "ID", input: {password: "correct horse"}) { user { id } } }`, 1},
			{"several", `mutation($p: String, $i: UpdateUserInput!, $no: Boolean = false) {
				a: createUser(input: {username: "a#", password: $p}) { user { id } }
				...F
				c: createUser(input: {username: "c#"}) { user { id } }
				d: createUser(input: {username: "d#", password: $p}) @include(if: $no) { user { id } }
				e: updateUser(id: "ID", input: $i) { user { id } }
			}
			fragment F on Mutation { b: createUser(input: {username: "b#", password: "battery staple"}) { user { id } } }`, 3},
			{"none", `mutation { createTeam(input: {name: "#"}) { team { id } } updateUser(id: "ID", input: {password: null}) { user { id } } }`, 0},
		} {
			for _, key := range []string{"", "key"} {
				t.Run(tt.name+key, func(t *testing.T) {
					mu.Lock()
					made, before = nil, d.passwords.Made()
					mu.Unlock()
					client := d.as(viewer.System)
					if key != "" {
						client = client.With("Idempotency-Key", fmt.Sprint(i))
					}
					query := strings.NewReplacer("ID", id, "#", fmt.Sprint(i)+key).Replace(tt.query)
					if got := client.Do(query, vars{"p": secret, "i": vars{"password": "a horse is a horse"}}); len(got.Errors) > 0 {
						t.Fatal(got)
					}
					for n, hashes := range made {
						if hashes != tt.hashes {
							t.Errorf("%d hashes before statement %d, want %d", hashes, n+1, tt.hashes)
						}
					}
					if len(made) < 2 || d.passwords.Made()-before != tt.hashes {
						t.Errorf("%d statements, %d hashes in all, want some and %d", len(made), d.passwords.Made()-before, tt.hashes)
					}
				})
			}
		}
		for _, name := range []string{"a2", "b2"} {
			with := map[string]string{"a2": secret, "b2": "battery staple"}[name]
			if got := d.signIn(name, with); len(got.Errors) > 0 {
				t.Errorf("%s with the password that was set: %s", name, got)
			}
		}
		if got := d.signIn("a2", "battery staple"); got.Code() != "UNAUTHENTICATED" {
			t.Errorf("one with another's password: %s", got)
		}
	})
}

// TestPasswordHashedForAdmins checks that a password is not hashed if it will not be stored.
func TestPasswordHashedForAdmins(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		d := newSessionAPI(t, url)
		id := d.rule(`mutation { createUser(input: {username: "ada"}) { user { id } } }`, nil).Text("createUser.user.id")
		parsed, err := ids.Parse(id)
		if err != nil {
			t.Fatal(err)
		}
		user := viewer.Viewer{ID: parsed.UUID, Role: viewer.User, Issued: time.Now().UTC().Truncate(time.Microsecond)}
		for query, who := range map[string]viewer.Viewer{
			`mutation { createUser(input: {username: "x", password: "correct horse"}) { user { id } } }`:                    {},
			`mutation { createUser(input: {username: "y", password: "correct horse"}) { user { id } } }`:                    user,
			`mutation { updateUser(id: "ID", input: {password: "correct horse"}) { user { id } } }`:                         user,
			`mutation { createUser(input: {username: "z", password: "SuperMan"}) { user { id } } }`:                         viewer.System,
			`mutation { createUser(input: {username: "z", password: "` + strings.Repeat("x", 129) + `"}) { user { id } } }`: viewer.System,
		} {
			made := d.passwords.Made()
			got := d.as(who).Do(strings.ReplaceAll(query, "ID", id), nil)
			if len(got.Errors) == 0 || d.passwords.Made() != made {
				t.Errorf("%s: %d hashes, want none and an error\n%s", query, d.passwords.Made()-made, got)
			}
		}
	})
}
