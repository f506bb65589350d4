package api_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"forge/internal/ids"
	"forge/internal/viewer"
	"forge/test/dbtest"
)

// heroAt returns an ID of a hero with the version and the time of its UUID.
func heroAt(version byte, made time.Time) string {
	key := uuid.New()
	ms := made.UnixMilli()
	for i := range 6 {
		key[i] = byte(ms >> (8 * (5 - i)))
	}
	key[6] = version<<4 | key[6]&0x0f
	return ids.ID{Prefix: "hero", UUID: key}.String()
}

func newHeroID() string { return ids.ID{Prefix: "hero", UUID: uuid.Must(uuid.NewV7())}.String() }

const createHeroByID = `mutation($id: ID!, $name: String!) { createHero(input: {id: $id, name: $name}) { created hero { id name version } } }`

// TestClientIDs creates heroes whose IDs the client has made: single ones, nested ones, several,
// and with onConflict.
func TestClientIDs(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		id := newHeroID()
		got := a.Must(createHeroByID, vars{"id": id, "name": "Ada"})
		if got.Text("createHero.hero.id") != id || got.At("createHero.created") != true {
			t.Errorf("got %s", got)
		}
		a.WantStatements(1, createHeroByID, vars{"id": newHeroID(), "name": "Alan"})

		taken := a.WantCode("CONFLICT", createHeroByID, vars{"id": id, "name": "Grace"})
		if taken.Extension("field") != "input.id" || taken.Errors[0].Message != "this id is taken" {
			t.Errorf("a taken ID: %s", taken)
		}
		again := a.Must(`mutation($id: ID!) { createHero(input: {id: $id, name: "Grace"}, onConflict: {on: ID, do: NOTHING}) { created hero { name } } }`, vars{"id": id})
		if again.At("createHero.created") != false || again.Text("createHero.hero.name") != "Ada" {
			t.Errorf("do: NOTHING: %s", again)
		}
		again = a.Must(`mutation($id: ID!) { createHero(input: {id: $id, name: "Grace"}, onConflict: {on: ID, do: UPDATE}) { created hero { name version } } }`, vars{"id": id})
		if again.At("createHero.created") != false || again.Text("createHero.hero.name") != "Grace" || again.Number("createHero.hero.version") != 2 {
			t.Errorf("do: UPDATE: %s", again)
		}

		one, two := newHeroID(), newHeroID()
		nested := a.Must(`mutation($a: ID!, $b: ID!) { createTeam(input: {name: "Pair", heroes: {create: [{id: $a, name: "a"}, {id: $b, name: "b"}]}}) { team { heroes { nodes { id } } } } }`, vars{"a": one, "b": two})
		if nested.Text("createTeam.team.heroes.nodes.0.id") != one || nested.Text("createTeam.team.heroes.nodes.1.id") != two {
			t.Errorf("nested: %s", nested)
		}
		taken = a.WantCode("CONFLICT", `mutation($a: ID!, $b: ID!) { createTeam(input: {name: "Second pair", heroes: {create: [{id: $a, name: "a"}, {id: $b, name: "b"}]}}) { team { id } } }`, vars{"a": newHeroID(), "b": two})
		if taken.Extension("field") != "input.heroes.create.1.id" {
			t.Errorf("a taken ID of a nested row: %s", taken)
		}

		const several = `mutation($i: [CreateHeroInput!]!, $e: OnError!) { createHeroes(input: $i, onError: $e) { affected heroes { id } errors { index code field } } }`
		fresh := newHeroID()
		input := []vars{{"id": fresh, "name": "c"}, {"name": "without"}, {"id": one, "name": "taken"}, {"id": fresh, "name": "twice"}}
		some := a.Must(several, vars{"i": input, "e": "SKIP"})
		if some.Number("createHeroes.affected") != 2 || some.Text("createHeroes.heroes.0.id") != fresh ||
			some.Number("createHeroes.errors.0.index") != 2 || some.Text("createHeroes.errors.0.field") != "input.2.id" || some.Text("createHeroes.errors.0.code") != "CONFLICT" ||
			some.Number("createHeroes.errors.1.index") != 3 {
			t.Errorf("several: %s", some)
		}
		a.WantCode("CONFLICT", several, vars{"i": []vars{{"id": newHeroID(), "name": "d"}, {"id": one, "name": "taken"}}, "e": "ABORT"})
	})
}

// TestClientIDsRefused sends IDs that a client cannot make.
func TestClientIDsRefused(t *testing.T) {
	t.Parallel()
	now := time.Now()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		for name, id := range map[string]string{
			"of another type": ids.ID{Prefix: "team", UUID: uuid.Must(uuid.NewV7())}.String(),
			"no ID":           "hero_1",
			"of version 4":    ids.ID{Prefix: "hero", UUID: uuid.New()}.String(),
			"of version 6":    heroAt(6, now),
			"of another variant": func() string {
				key := uuid.Must(uuid.NewV7())
				key[8] = 0xff
				return ids.ID{Prefix: "hero", UUID: key}.String()
			}(),
			"far ahead":   heroAt(7, now.Add(25*time.Hour)),
			"of 1970":     heroAt(7, time.UnixMilli(0)),
			"the largest": "hero_7zzzzzzzzzzzzzzzzzzzzzzzzz",
			"zero":        "hero_00000000000000000000000000",
		} {
			if got := a.WantCode("BAD_USER_INPUT", createHeroByID, vars{"id": id, "name": "Ada"}); got.Extension("field") != "input.id" {
				t.Errorf("%s: %s", name, got)
			}
		}
		a.Must(createHeroByID, vars{"id": heroAt(7, now.Add(23*time.Hour)), "name": "from a fast clock"})
		a.Must(createHeroByID, vars{"id": heroAt(7, now.AddDate(-1, 0, 0)), "name": "long offline"})
		a.WantCode("BAD_USER_INPUT", `mutation { createHero(input: {id: null, name: "Ada"}) { hero { id } } }`, nil)
		a.WantCode("GRAPHQL_VALIDATION_FAILED", `mutation($id: ID!) { createTeam(input: {id: $id, name: "no"}) { team { id } } }`, vars{"id": newHeroID()})
		a.WantCode("GRAPHQL_VALIDATION_FAILED", `mutation($id: ID!) { updateHero(id: $id, input: {id: $id}) { hero { id } } }`, vars{"id": newHeroID()})
	})
}

// TestClientIDsOfOthers tries to change or take over heroes of another user by their IDs.
func TestClientIDsOfOthers(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		ada, eve := a.as(a.newUser("ada")), a.as(a.newUser("eve"))
		id := newHeroID()
		ada.Must(createHeroByID, vars{"id": id, "name": "Ada's"})
		if got := eve.WantCode("CONFLICT", createHeroByID, vars{"id": id, "name": "Eve's"}); got.Extension("current") != nil {
			t.Errorf("got %s", got)
		}
		eve.WantCode("FORBIDDEN", `mutation($id: ID!) { createHero(input: {id: $id, name: "Eve's"}, onConflict: {on: ID, do: UPDATE}) { hero { id } } }`, vars{"id": id})
		a.as(viewer.Viewer{}).WantCode("UNAUTHENTICATED", createHeroByID, vars{"id": newHeroID(), "name": "nobody's"})
		if got := a.Must(`query($id: ID!) { hero(id: $id) { name owner { username } version } }`, vars{"id": id}); got.Text("hero.name") != "Ada's" || got.Text("hero.owner.username") != "ada" || got.Number("hero.version") != 1 {
			t.Errorf("got %s", got)
		}
	})
}

// newUser creates a user, and returns the viewer.
func (a *api) newUser(name string) viewer.Viewer {
	a.t.Helper()
	id, err := ids.Parse(a.Must(`mutation($n: String!) { createUser(input: {username: $n}) { user { id } } }`, vars{"n": name}).Text("createUser.user.id"))
	if err != nil {
		a.t.Fatal(err)
	}
	return viewer.Viewer{ID: id.UUID, Role: viewer.User}
}
