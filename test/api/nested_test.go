package api_test

import (
	"fmt"
	"strings"
	"testing"

	"forge/internal/ids"
	"forge/internal/viewer"
	"forge/test/dbtest"
)

// theUser returns the viewer with the ID of a user.
func theUser(t *testing.T, id string) viewer.Viewer {
	t.Helper()
	parsed, err := ids.Parse(id)
	if err != nil {
		t.Fatal(err)
	}
	return viewer.Viewer{ID: parsed.UUID, Role: viewer.User}
}

// TestNestedWrites writes heroes in the inputs of teams, and teams in those of heroes, as viewers
// who may do only some of it.
func TestNestedWrites(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		m := a.make()
		const team = ` { team { name heroes { nodes { name age owner { username } version } } version } } }`
		got := a.Must(`mutation { createTeam(input: {name: "Lancre", heroes: {create: [{name: "Esme", age: 80, ownerId: "`+m.user+`"}, {name: "Gytha"}], connect: ["`+m.hero+`"]}})`+team, nil)
		if want := `{"createTeam":{"team":{"name":"Lancre","heroes":{"nodes":[{"name":"Sam","age":45,"owner":{"username":"ada"},"version":2},{"name":"Esme","age":80,"owner":{"username":"ada"},"version":1},{"name":"Gytha","age":null,"owner":null,"version":1}]},"version":1}}}`; got.RawData() != want {
			t.Errorf("a team with heroes: %s, want %s", got, want)
		}
		lancre := a.Must(`{ teams(where: {name: "Lancre"}) { nodes { id heroes { nodes { id } } } } }`, nil)
		id, esme, gytha := lancre.Text("teams.nodes.0.id"), lancre.Text("teams.nodes.0.heroes.nodes.1.id"), lancre.Text("teams.nodes.0.heroes.nodes.2.id")
		got = a.Must(`mutation { updateTeam(id: "`+id+`", expectedVersion: 1, input: {heroes: {disconnect: ["`+m.hero+`"], delete: ["`+gytha+`"], update: [{id: "`+esme+`", input: {age: 81}}], create: [{name: "Magrat"}]}})`+team, nil)
		if want := `{"updateTeam":{"team":{"name":"Lancre","heroes":{"nodes":[{"name":"Esme","age":81,"owner":{"username":"ada"},"version":2},{"name":"Magrat","age":null,"owner":null,"version":1}]},"version":1}}}`; got.RawData() != want {
			t.Errorf("a team with changed heroes: %s, want %s", got, want)
		}
		refused := func(who viewer.Viewer, code, field, query string) {
			t.Helper()
			before := a.contents()
			got := a.as(who).Do("mutation { "+query+" }", nil)
			if at, _ := got.Extension("field").(string); got.Code() != code || at != field {
				t.Errorf("%s as %v: %s, want %s at %q", query, who, got, code, field)
			}
			if after := a.contents(); after != before {
				t.Errorf("%s as %v has changed something. Before:\n%s\nafter:\n%s", query, who, before, after)
			}
		}
		ada := theUser(t, m.user)
		bob := theUser(t, a.mustCall("createUser", vars{"input": vars{"username": "bob"}}).Text("createUser.user.id"))
		refused(ada, "FORBIDDEN", "input.team.create", `createHero(input: {name: "x", team: {create: {name: "x"}}}) { hero { id } }`)
		refused(ada, "FORBIDDEN", "input.team.create", `updateHero(id: "`+m.hero+`", input: {team: {create: {name: "x", heroes: {create: [{name: "y"}]}}}}) { hero { id } }`)
		refused(bob, "FORBIDDEN", "", `updateHero(id: "`+m.hero+`", input: {team: {connect: "`+id+`"}}) { hero { id } }`)
		refused(viewer.System, "CONFLICT", "", `updateTeam(id: "`+id+`", expectedVersion: 7, input: {heroes: {set: []}}) { team { id } }`)
		refused(viewer.System, "BAD_USER_INPUT", "input.heroes.create.1.age", `updateTeam(id: "`+id+`", input: {heroes: {create: [{name: "x"}, {name: "y", age: -1}]}}) { team { id } }`)
		refused(viewer.System, "NOT_FOUND", "input.heroes.create.1.ownerId", `updateTeam(id: "`+id+`", input: {heroes: {create: [{name: "x"}, {name: "y", ownerId: "`+noUser+`"}]}}) { team { id } }`)
		refused(viewer.System, "CONFLICT", "input.team.create.name", `createHero(input: {name: "x", team: {create: {name: "Lancre"}}}) { hero { id } }`)
		got = a.as(ada).Must(`mutation { updateHero(id: "`+m.hero+`", input: {team: {connect: "`+id+`"}}) { hero { team { name } } } }`, nil)
		if want := `{"updateHero":{"hero":{"team":{"name":"Lancre"}}}}`; got.RawData() != want {
			t.Errorf("a hero's new team: %s, want %s", got, want)
		}
	})
}

// TestUpsert creates teams and products that may be there.
func TestUpsert(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		m := a.make()
		for _, tt := range []struct{ query, want string }{
			{`createTeam(input: {name: "The Watch", headquarters: "Treacle Mine Road"}, onConflict: {on: NAME, do: UPDATE}) { created team { id headquarters version } }`,
				`{"createTeam":{"created":false,"team":{"id":"` + m.team + `","headquarters":"Treacle Mine Road","version":2}}}`},
			{`createTeam(input: {name: " The Watch ", headquarters: "x"}, onConflict: {on: NAME, do: NOTHING}) { created team { id headquarters version } }`,
				`{"createTeam":{"created":false,"team":{"id":"` + m.team + `","headquarters":"Treacle Mine Road","version":2}}}`},
			{`createTeam(input: {name: "New"}, onConflict: {on: NAME, do: UPDATE}) { created team { name version } }`,
				`{"createTeam":{"created":true,"team":{"name":"New","version":1}}}`},
			{`createProduct(input: {sku: "BOOTS-8", name: "Better boots", priceCents: 6000, stock: 99}, onConflict: {on: SKU, do: UPDATE}) { created product { name priceCents stock version } }`,
				`{"createProduct":{"created":false,"product":{"name":"Better boots","priceCents":6000,"stock":9,"version":2}}}`},
			{`createProduct(input: {sku: "HAT", name: "Hat", priceCents: 1, stock: 3}, onConflict: {on: SKU, do: UPDATE}) { created product { name stock version } }`,
				`{"createProduct":{"created":true,"product":{"name":"Hat","stock":3,"version":1}}}`},
		} {
			if got := a.Do("mutation { "+tt.query+" }", nil); got.RawData() != tt.want {
				t.Errorf("%s: %s, want %s", tt.query, got, tt.want)
			}
		}
	})
}

// TestManyHeroes changes and removes heroes by a condition. Only those that the viewer may change
// count.
func TestManyHeroes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		m := a.make()
		var list []vars
		for i := range 150 {
			h := vars{"name": fmt.Sprintf("h%03d", i)}
			if i < 120 {
				h["ownerId"] = m.user
			}
			list = append(list, h)
		}
		a.mustCall("createHeroes", vars{"input": list})
		ada := a.as(theUser(t, m.user))
		got := ada.Do(`mutation { updateHeroes(where: {nameHasPrefix: "h"}, input: {age: 5}) { affected } }`, nil)
		if got.Code() != "BAD_USER_INPUT" || got.Extension("field") != "atMost" || !strings.Contains(got.Errors[0].Message, "more than 100 rows") {
			t.Errorf("120 heroes, of 100 at most: %s", got)
		}
		for _, tt := range []struct{ query, want string }{
			{`mutation { updateHeroes(where: {nameHasPrefix: "h"}, input: {age: 5}, atMost: 120) { affected } }`, `{"updateHeroes":{"affected":120}}`},
			{`{ heroes(where: {age: 5}) { totalCount } }`, `{"heroes":{"totalCount":120}}`},
			{`mutation { updateHeroes(where: {name: "h007"}, input: {teamId: "` + m.team + `"}) { affected heroes { name version team { name } } } }`,
				`{"updateHeroes":{"affected":1,"heroes":[{"name":"h007","version":3,"team":{"name":"The Watch"}}]}}`},
			{`mutation { updateHeroes(where: {hasTeamWith: [{name: "The Watch"}]}, input: {}) { affected } }`, `{"updateHeroes":{"affected":2}}`},
			{`mutation { deleteHeroes(where: {nameHasPrefix: "h"}, atMost: 1000) { affected } }`, `{"deleteHeroes":{"affected":120}}`},
			{`{ heroes(where: {nameHasPrefix: "h"}) { totalCount } }`, `{"heroes":{"totalCount":30}}`},
		} {
			if got := ada.Do(tt.query, nil); got.RawData() != tt.want {
				t.Errorf("%s: %s, want %s", tt.query, got, tt.want)
			}
		}
		got = ada.Do(`mutation { updateHeroes(where: {}, input: {ownerId: null}) { affected } }`, nil)
		if got.Code() != "FORBIDDEN" {
			t.Errorf("heroes are to be nobody's: %s", got)
		}
	})
}
