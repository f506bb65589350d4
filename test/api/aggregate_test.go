package api_test

import (
	"fmt"
	"strings"
	"testing"

	"forge/test/dbtest"
)

// aggregated asks for all aggregates of heroes.
const aggregated = `{ heroes(first: 2) { totalCount aggregate { count teams: countDistinct(field: TEAM_ID) ages: countDistinct(field: AGE)
	sum { age } avg { age } min { name age } max { name age } } } }`

// withAges makes a team for each list, whose heroes have these ages. It returns the teams' IDs.
func (a *api) withAges(lists ...[]any) (teams []string) {
	for i, ages := range lists {
		team := a.Must(fmt.Sprintf(`mutation { createTeam(input: {name: "team %d"}) { team { id } } }`, i), nil).Text("createTeam.team.id")
		teams = append(teams, team)
		for j, age := range ages {
			a.Must(`mutation($in: CreateHeroInput!) { createHero(input: $in) { hero { id } } }`,
				vars{"in": vars{"name": fmt.Sprintf("hero %d.%d", i, j), "age": age, "teamId": team}})
		}
	}
	return teams
}

func TestAggregate(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		one := func(query, want string) {
			t.Helper()
			got := a.Must(query, nil)
			if data := got.RawData(); data != want {
				t.Errorf("%s:\n%s\nwant\n%s", query, data, want)
			}
		}
		one(aggregated, `{"heroes":{"totalCount":0,"aggregate":{"count":0,"teams":0,"ages":0,"sum":{"age":null},"avg":{"age":null},"min":{"name":null,"age":null},"max":{"name":null,"age":null}}}}`)
		a.withAges([]any{3, 4, 4}, []any{nil}, []any{})
		one(aggregated, `{"heroes":{"totalCount":4,"aggregate":{"count":4,"teams":2,"ages":2,"sum":{"age":"11"},"avg":{"age":3.6666666666666665},"min":{"name":"hero 0.0","age":3},"max":{"name":"hero 1.0","age":4}}}}`)
		const nested = `{ teams { nodes { heroes(first: 1, where: {ageIsNil: false}) { totalCount nodes { age } aggregate { count countDistinct(field: AGE) sum { age } max { age } } } } } }`
		one(nested, `{"teams":{"nodes":[`+
			`{"heroes":{"totalCount":3,"nodes":[{"age":3}],"aggregate":{"count":3,"countDistinct":2,"sum":{"age":"11"},"max":{"age":4}}}},`+
			`{"heroes":{"totalCount":0,"nodes":[],"aggregate":{"count":0,"countDistinct":0,"sum":{"age":null},"max":{"age":null}}}},`+
			`{"heroes":{"totalCount":0,"nodes":[],"aggregate":{"count":0,"countDistinct":0,"sum":{"age":null},"max":{"age":null}}}}]}}`)
		// Aliases, fragments, @skip and @include, and __typename alone.
		got := a.Must(`query($f: HeroGroupField!, $no: Boolean!) { heroes { ...f aggregate { __typename max { __typename } countDistinct(field: $f) } x: aggregate { count @skip(if: $no) y: countDistinct(field: TEAM) } } }
			fragment f on HeroConnection { aggregate { n: count min { older: age } } }`, vars{"f": "AGE", "no": true})
		if data := got.RawData(); data != `{"heroes":{"aggregate":{"n":4,"min":{"older":3},"__typename":"HeroAggregate","max":{"__typename":"HeroExtremes"},"countDistinct":2},"x":{"y":2}}}` {
			t.Error(data)
		}
		for query, nodes := range map[string]int{aggregated: 1, nested: 3, `{ heroes { aggregate { __typename } } }`: 1} {
			want := 1
			if !strings.HasPrefix(url, "postgres") {
				want = nodes
				if query == aggregated {
					want = 1 // no row is selected
				}
			}
			if got := a.Must(query, nil).Statements(); got != want {
				t.Errorf("%s takes %d statements, want %d", query, got, want)
			}
		}
	})
}
