package api_test

import (
	"strings"
	"testing"

	"forge/ent/schema"
	"forge/test/dbtest"
)

func TestCreateTeam(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		for _, tt := range []struct {
			name             string
			input            vars
			wantName         string
			wantHeadquarters any
		}{
			{"name alone", vars{"name": "Watch"}, "Watch", nil},
			{"all", vars{"name": " Guild ", "headquarters": "\u2003Filigree Street "}, "Guild", "Filigree Street"},
			{"null headquarters", vars{"name": "Null", "headquarters": nil}, "Null", nil},
			{"blank headquarters", vars{"name": "Blank", "headquarters": " \t "}, "Blank", nil},
			{"as long as can be", vars{"name": strings.Repeat("ü", schema.TeamNameLength), "headquarters": strings.Repeat("ü", schema.TeamHeadquartersLength)},
				strings.Repeat("ü", schema.TeamNameLength), strings.Repeat("ü", schema.TeamHeadquartersLength)},
		} {
			t.Run(tt.name, func(t *testing.T) {
				a.shows(t, "createTeam.team", vars{"input": tt.input}, vars{"name": tt.wantName, "headquarters": tt.wantHeadquarters})
			})
		}
	})
}

func TestUpdateTeam(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		m := a.make()
		for _, tt := range []struct {
			name             string
			input            vars
			wantName         string
			wantHeadquarters any
		}{
			{"name", vars{"name": " Guild "}, "Guild", "Pseudopolis Yard"},
			{"no headquarters", vars{"headquarters": nil}, "Guild", nil},
			{"headquarters", vars{"headquarters": "Scoone Avenue"}, "Guild", "Scoone Avenue"},
			{"blank headquarters", vars{"headquarters": ""}, "Guild", nil},
		} {
			t.Run(tt.name, func(t *testing.T) {
				a.shows(t, "updateTeam.team", vars{"id": m.team, "input": tt.input}, vars{"name": tt.wantName, "headquarters": tt.wantHeadquarters})
			})
		}
	})
}

func TestTeamDeletedLeavesHeroes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		m := a.make()
		got := a.mustCall("deleteTeam", vars{"id": m.team})
		if id := got.Text("deleteTeam.deletedId"); id != m.team {
			t.Errorf("deletedId is %s, want %s", id, m.team)
		}
		found := a.Must(`query($hero: ID!, $team: ID!) {
			team(id: $team) { id }
			hero(id: $hero) { name team { id } version }
		}`, vars{"hero": m.hero, "team": m.team})
		if found.At("team") != nil || found.At("hero.team") != nil || found.Text("hero.name") != "Sam" || found.Number("hero.version") != 1 {
			t.Errorf("%s\nwant no team, and the hero as it was, without one", found)
		}
		a.mustCall("createTeam", vars{"input": vars{"name": "The Watch"}})
	})
}
