package api_test

import (
	"fmt"
	"strings"
	"testing"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"

	"forge/internal/viewer"
	"forge/test/dbtest"
)

// TestDeletedUsers lists users who were deleted, and those who were not, by one document.
func TestDeletedUsers(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		ids := map[string]string{}
		for i := range 12 {
			name := fmt.Sprintf("u%02d", i)
			ids[name] = a.mustCall("createUser", vars{"input": vars{"username": name, "email": name + "@example.com"}}).Text("createUser.user.id")
			a.mustCall("createHero", vars{"input": vars{"name": "of " + name, "ownerId": ids[name]}})
			if i%2 == 1 {
				a.mustCall("deleteUser", vars{"id": ids[name]})
			}
		}
		list := func(arguments string, v vars) string {
			t.Helper()
			got := a.Must(`query($deleted: Boolean, $after: Cursor, $before: Cursor) { users(deleted: $deleted, after: $after, before: $before, `+arguments+`) {
				nodes { username email heroes { nodes { name owner { id } } } } totalCount pageInfo { hasNextPage hasPreviousPage } aggregate { count countDistinct(field: CREATED_AT) }
			} }`, v)
			var names []string
			for i := range got.Len("users.nodes") {
				of := fmt.Sprintf("users.nodes.%d.", i)
				name := got.Text(of + "username")
				names = append(names, name)
				owned := got.Text(of+"heroes.nodes.0.name") == "of "+name
				if there := got.At(of+"heroes.nodes.0.owner") != nil; !owned || got.Text(of+"email") != name+"@example.com" || there == (v["deleted"] == true) {
					t.Errorf("%s: %s, want an email, a hero, and its owner unless deleted", arguments, got)
				}
			}
			if got.Number("users.totalCount") != got.Number("users.aggregate.count") {
				t.Errorf("%s: %s, want one count", arguments, got)
			}
			if a.db.Dialect == dialect.Postgres && got.Statements() != 1 {
				t.Errorf("%s: %d statements, want 1", arguments, got.Statements())
			}
			return fmt.Sprint(strings.Join(names, " "), " of ", got.Number("users.totalCount"),
				" ", got.At("users.pageInfo.hasPreviousPage"), " ", got.At("users.pageInfo.hasNextPage"))
		}
		for range 3 { // which uses statements again that are kept
			for _, tt := range []struct {
				arguments     string
				deleted, kept string
			}{
				{`first: 2`, "u01 u03 of 6 false true", "u00 u02 of 6 false true"},
				{`last: 2`, "u09 u11 of 6 true false", "u08 u10 of 6 true false"},
				{`first: 2, offset: 3`, "u07 u09 of 6 true true", "u06 u08 of 6 true true"},
				{`first: 2, offset: 6`, " of 6 true false", " of 6 true false"},
				{`first: 1, orderBy: [{field: USERNAME, direction: DESC}]`, "u11 of 6 false true", "u10 of 6 false true"},
				{`first: 1, orderBy: [{field: HEROES_COUNT}, {field: CREATED_AT, direction: DESC}]`, "u11 of 6 false true", "u10 of 6 false true"},
				{`where: {usernameLT: "u04"}`, "u01 u03 of 2 false false", "u00 u02 of 2 false false"},
				{`where: {hasHeroesWith: [{name: "of u05"}]}`, "u05 of 1 false false", " of 0 false false"},
				{`search: "u07"`, "u07 of 1 false false", " of 0 false false"},
			} {
				for _, other := range []any{nil, false} {
					if got := list(tt.arguments, vars{"deleted": other}); got != tt.kept {
						t.Errorf("%s with deleted: %v: %q, want %q", tt.arguments, other, got, tt.kept)
					}
				}
				if got := list(tt.arguments, vars{"deleted": true}); got != tt.deleted {
					t.Errorf("%s of those deleted: %q, want %q", tt.arguments, got, tt.deleted)
				}
			}
		}
		// Cursors, groups, and several lists at once.
		got := a.Must(`{ gone: users(deleted: true, first: 4) { edges { cursor } groups(by: [{field: IS_ACTIVE}]) { aggregate { count } } } users(first: 1) { nodes { username } totalCount } }`, nil)
		if got.Number("gone.groups.0.aggregate.count") != 6 || got.Text("users.nodes.0.username") != "u00" {
			t.Errorf("%s, want one group of 6, and u00", got)
		}
		cursor := got.Text("gone.edges.3.cursor")
		if rest := list(`first: 3`, vars{"deleted": true, "after": cursor}); rest != "u09 u11 of 6 true false" {
			t.Errorf("after the 4th: %q", rest)
		}
		if rest := list(`last: 2`, vars{"deleted": true, "before": cursor}); rest != "u03 u05 of 6 true true" {
			t.Errorf("before the 4th: %q", rest)
		}
		// What is deleted is found nowhere else, and may come back.
		if got := a.Must(`query($id: ID!) { user(id: $id) { id } users(deleted: true, where: {id: $id}) { nodes { id } } }`, vars{"id": ids["u01"]}); got.At("user") != nil || got.Text("users.nodes.0.id") != ids["u01"] {
			t.Errorf("%s, want the user in the list alone", got)
		}
		a.mustCall("restoreUser", vars{"id": ids["u01"]})
		if got := list(`first: 1`, vars{"deleted": true}); got != "u03 of 5 false true" {
			t.Errorf("after one was restored: %q", got)
		}
	})
}

// TestDeletedUsersOfOthers asks for deleted users as viewers who may not see them.
func TestDeletedUsersOfOthers(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		m := a.make()
		a.mustCall("deleteUser", vars{"id": m.user})
		for range 3 {
			for _, v := range []viewer.Viewer{{}, {ID: uuid.New(), Role: viewer.User}} {
				for _, selection := range []string{`nodes { id }`, `totalCount`, `aggregate { count }`, `groups(by: [{field: CREATED_AT}]) { aggregate { count } }`, `pageInfo { hasNextPage }`} {
					query := `query($deleted: Boolean) { users(deleted: $deleted) { ` + selection + ` } }`
					got := a.as(v).Do(query, vars{"deleted": true})
					if got.Code() != "FORBIDDEN" || got.Extension("field") != "deleted" || got.Data != nil {
						t.Errorf("%s as %v: %s, want FORBIDDEN", selection, v, got)
					}
					if got := a.as(v).Do(query, vars{"deleted": false}); len(got.Errors) > 0 || strings.Contains(got.Body, m.user) {
						t.Errorf("%s of those who are there, as %v: %s", selection, v, got)
					}
				}
			}
			if got := a.Must(`{ users(deleted: true) { totalCount } }`, nil); got.Number("users.totalCount") != 1 {
				t.Errorf("as an administrator: %s, want one", got)
			}
		}
	})
}
