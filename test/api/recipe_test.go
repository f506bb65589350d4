package api_test

import (
	"testing"

	"forge/internal/ids"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// TestRecipe shows how rules, errors and statements are tested.
func TestRecipe(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		made := a.Must(`mutation {
			createUser(input: {username: "ada"}) { user { id } }
			createTeam(input: {name: "The Dawn"}) { team { id version } }
		}`, nil)
		ada, team := made.Text("createUser.user.id"), made.Text("createTeam.team.id")

		// A rule: only administrators change teams.
		parsed, err := ids.Parse(ada)
		if err != nil {
			t.Fatal(err)
		}
		asAda := a.as(viewer.Viewer{ID: parsed.UUID, Role: viewer.User})
		asAda.WantCode("FORBIDDEN", `mutation($team: ID!) { deleteTeam(id: $team) { deletedId } }`, gqltest.Vars{"team": team})

		// An error: it has a code, and the path of the argument.
		got := a.WantCode("BAD_USER_INPUT", `mutation { createHero(input: {name: ""}) { hero { id } } }`, nil)
		if got.Extension("field") != "input.name" {
			t.Errorf("the field is %v", got.Extension("field"))
		}

		// A conflict: the row has another version than the client has seen.
		a.WantCode("CONFLICT", `mutation($team: ID!) { updateTeam(id: $team, expectedVersion: 9, input: {headquarters: "x"}) { team { id } } }`,
			gqltest.Vars{"team": team})

		// Statements: as many for ten rows as for one.
		const nested = `{ teams { nodes { name heroes { nodes { name owner { username } } } } } }`
		add := func() {
			a.Must(`mutation($team: ID!, $owner: ID!) { createHero(input: {name: "Night Owl", teamId: $team, ownerId: $owner}) { hero { id } } }`,
				gqltest.Vars{"team": team, "owner": ada})
		}
		add()
		ofOne := a.Statements(nested, nil)
		for range 9 {
			add()
		}
		a.WantStatements(ofOne, nested, nil)
	})
}
