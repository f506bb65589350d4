package api_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"entgo.io/ent/dialect"

	"forge/ent"
	"forge/ent/hero"
	"forge/ent/schema"
	"forge/internal/ids"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// secret returns the secret name that is stored for a hero, or "".
func (a *api) secret(id string) (secret string) {
	a.t.Helper()
	parsed, err := ids.Parse(id)
	if err != nil {
		a.t.Fatal(err)
	}
	a.stored(func(ctx context.Context, db *ent.Client) {
		h, err := db.Hero.Query().Where(hero.ID(parsed.UUID)).Only(ctx)
		if err != nil {
			a.t.Fatal(err)
		}
		if h.SecretName != nil {
			secret = *h.SecretName
		}
	})
	return secret
}

func TestCreateHero(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		m := a.make()
		for _, tt := range []struct {
			name       string
			input      vars
			want       vars
			wantSecret string
		}{
			{"name alone", vars{"name": "Nobby"}, vars{"name": "Nobby", "age": nil, "team": nil, "owner": nil, "version": 1.0}, ""},
			{"all", vars{"name": " Angua ", "secretName": " Delphine ", "age": 0, "teamId": m.team, "ownerId": m.user},
				vars{"name": "Angua", "age": 0.0, "team.id": m.team, "owner.id": m.user}, "Delphine"},
			{"nulls", vars{"name": "Fred", "secretName": nil, "age": nil, "teamId": nil, "ownerId": nil},
				vars{"name": "Fred", "age": nil, "team": nil, "owner": nil}, ""},
			{"blank secret name", vars{"name": "Cheery", "secretName": "\u00a0"}, vars{"name": "Cheery"}, ""},
			{"as long as can be", vars{"name": strings.Repeat("ö", schema.HeroNameLength), "secretName": strings.Repeat("ö", schema.HeroSecretNameLength), "age": 1<<31 - 1},
				vars{"name": strings.Repeat("ö", schema.HeroNameLength), "age": float64(1<<31 - 1)}, strings.Repeat("ö", schema.HeroSecretNameLength)},
		} {
			t.Run(tt.name, func(t *testing.T) {
				got := a.shows(t, "createHero.hero", vars{"input": tt.input}, tt.want)
				if is := a.secret(got.Text("createHero.hero.id")); is != tt.wantSecret {
					t.Errorf("createHero(%v): the secret name stored is %q, want %q", tt.input, is, tt.wantSecret)
				}
			})
		}
	})
}

func TestUpdateHero(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		m := a.make()
		other := a.mustCall("createTeam", vars{"input": vars{"name": "Lancre"}}).Text("createTeam.team.id")
		for _, tt := range []struct {
			name       string
			input      vars
			want       vars
			wantSecret string
		}{
			{"name", vars{"name": " Sam Vimes"}, vars{"name": "Sam Vimes", "age": 45.0, "team.id": m.team, "owner.id": m.user}, "Blackboard"},
			{"no age", vars{"age": nil}, vars{"name": "Sam Vimes", "age": nil, "team.id": m.team}, "Blackboard"},
			{"age", vars{"age": 46}, vars{"age": 46.0}, "Blackboard"},
			{"another team", vars{"teamId": other}, vars{"team.id": other, "owner.id": m.user}, "Blackboard"},
			{"no team", vars{"teamId": nil}, vars{"team": nil, "owner.id": m.user}, "Blackboard"},
			{"no owner", vars{"ownerId": nil}, vars{"team": nil, "owner": nil}, "Blackboard"},
			{"both again", vars{"teamId": m.team, "ownerId": m.user}, vars{"team.id": m.team, "owner.id": m.user}, "Blackboard"},
			{"another secret name", vars{"secretName": "Stoneface"}, vars{"name": "Sam Vimes"}, "Stoneface"},
			{"no secret name", vars{"secretName": nil}, vars{"name": "Sam Vimes", "age": 46.0}, ""},
		} {
			t.Run(tt.name, func(t *testing.T) {
				a.shows(t, "updateHero.hero", vars{"id": m.hero, "input": tt.input}, tt.want)
				if is := a.secret(m.hero); is != tt.wantSecret {
					t.Errorf("updateHero(%v): the secret name stored is %q, want %q", tt.input, is, tt.wantSecret)
				}
			})
		}
	})
}

func TestDeleteHero(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		m := a.make()
		if id := a.mustCall("deleteHero", vars{"id": m.hero}).Text("deleteHero.deletedId"); id != m.hero {
			t.Errorf("deletedId is %s, want %s", id, m.hero)
		}
		found := a.Must(`query($id: ID!) { hero(id: $id) { id } heroes { totalCount } }`, vars{"id": m.hero})
		if found.At("hero") != nil || found.Number("heroes.totalCount") != 0 {
			t.Errorf("%s\nwant no hero", found)
		}
		a.refused(t, "deleteHero", vars{"id": m.hero}, "NOT_FOUND", vars{"id": m.hero})
	})
}

// TestHeroTeamRemovedMeanwhile removes a team while a hero joins it. The mutation waits until the
// removal is committed, and then answers that the team does not exist.
func TestHeroTeamRemovedMeanwhile(t *testing.T) {
	t.Parallel()
	for _, mutation := range []string{"createHero", "createHeroes", "updateHero"} {
		t.Run(mutation, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t, dbtest.Postgres(t))
			m := a.make()
			team := a.mustCall("createTeam", vars{"input": vars{"name": "Lancre"}}).Text("createTeam.team.id")
			tx, err := a.db.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer tx.Rollback()
			if _, err := tx.Exec("DELETE FROM teams WHERE name = 'Lancre'"); err != nil {
				t.Fatal(err)
			}
			v := map[string]vars{
				"createHero":   {"input": vars{"name": "Magrat", "teamId": team}},
				"createHeroes": {"input": []vars{{"name": "Magrat", "teamId": team}}},
				"updateHero":   {"id": m.hero, "input": vars{"teamId": team}},
			}[mutation]
			answers := make(chan gqltest.Answer, 1)
			go func() { answers <- a.call(mutation, v) }()
			a.awaitLock(answers)
			if err := tx.Commit(); err != nil {
				t.Fatal(err)
			}
			if got := <-answers; got.Code() != "NOT_FOUND" || got.Extension("id") != team {
				t.Errorf("%s: %s\nwant NOT_FOUND about %s", mutation, got, team)
			}
		})
	}
}

// awaitLock returns when a statement waits for a lock of another transaction. It stops the test if
// an answer comes before that.
func (a *api) awaitLock(answers chan gqltest.Answer) {
	a.t.Helper()
	gqltest.Eventually(a.t, "a statement waits for a lock", func() error {
		if len(answers) > 0 {
			a.t.Fatalf("answered without waiting: %s", <-answers)
		}
		var waiting int
		err := a.db.QueryRowContext(a.t.Context(),
			"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&waiting)
		if err == nil && waiting == 0 {
			err = errors.New("none does")
		}
		return err
	})
}

func manyHeroes(n int) []vars {
	list := make([]vars, n)
	for i := range list {
		list[i] = vars{"name": fmt.Sprintf("Hero %04d", i)}
	}
	return list
}

func TestCreateHeroes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		m := a.make()
		for _, onError := range []string{"ABORT", "SKIP"} {
			statements := map[int]int{}
			for _, n := range []int{0, 1, 100, 1000} {
				list := manyHeroes(n)
				for i := range list {
					list[i]["age"] = i
					list[i]["teamId"], list[i]["ownerId"] = m.team, m.user
				}
				got := a.mustCall("createHeroes", vars{"input": list, "onError": onError})
				if made, errors := got.Len("createHeroes.heroes"), got.Len("createHeroes.errors"); made != n || errors != 0 {
					t.Errorf("%s of %d: %d heroes and %d errors", onError, n, made, errors)
				}
				for i := range list {
					h := fmt.Sprintf("createHeroes.heroes.%d.", i)
					if got.At(h+"name") != list[i]["name"] || got.Number(h+"age") != i || got.At(h+"team.id") != m.team || got.At(h+"owner.id") != m.user {
						t.Fatalf("%s of %d: hero %d is %v, want %v", onError, n, i, got.At(h[:len(h)-1]), list[i])
					}
				}
				statements[n] = got.Statements()
			}
			if statements[1000] != statements[1] || statements[100] != statements[1] {
				t.Errorf("%s: statements by the number of heroes: %v, want the same for 1, 100 and 1000", onError, statements)
			}
		}
	})
}

// TestCreateHeroesOfManyTeams checks that heroes sort in the order of the input. Their teams and
// owners are looked up at once, however many there are.
func TestCreateHeroesOfManyTeams(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		const n = 20
		list := manyHeroes(n)
		for i := range list {
			list[i]["teamId"] = a.mustCall("createTeam", vars{"input": vars{"name": fmt.Sprint("Team ", i)}}).Text("createTeam.team.id")
			list[i]["ownerId"] = a.mustCall("createUser", vars{"input": vars{"username": fmt.Sprint("user ", i)}}).Text("createUser.user.id")
		}
		one := a.mustCall("createHeroes", vars{"input": list[:1]}).Statements()
		got := a.mustCall("createHeroes", vars{"input": list[1:]})
		if many := got.Statements(); many != one {
			t.Errorf("%d statements for %d heroes, %d for one", many, n-1, one)
		}
		found := a.Must(`{ heroes(first: 100) { nodes { name team { id } owner { id } } } }`, nil)
		for i, want := range list {
			h := fmt.Sprintf("heroes.nodes.%d.", i)
			if found.At(h+"name") != want["name"] || found.At(h+"team.id") != want["teamId"] || found.At(h+"owner.id") != want["ownerId"] {
				t.Errorf("hero %d is %v, want %v", i, found.At(h[:len(h)-1]), want)
			}
		}
	})
}

func TestCreateHeroesSkips(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		m := a.make()
		list := []vars{
			{"name": "Carrot", "teamId": m.team},
			{"name": " "},
			{"name": "Cheery", "teamId": noTeam},
			{"name": "Detritus", "age": -1},
			{"name": "Angua", "ownerId": m.user, "secretName": "Delphine"},
			{"name": "Nobby", "teamId": m.user},
			{"name": "Fred", "ownerId": noUser},
			{"name": "Reg"},
		}
		got := a.mustCall("createHeroes", vars{"input": list, "onError": "SKIP"})
		for i, name := range []string{"Carrot", "Angua", "Reg"} {
			if is := got.Text(fmt.Sprintf("createHeroes.heroes.%d.name", i)); is != name {
				t.Errorf("hero %d is %q, want %s", i, is, name)
			}
		}
		wantErrors := []struct {
			index       int
			code, field string
		}{
			{1, "BAD_USER_INPUT", "input.1.name"},
			{2, "NOT_FOUND", "input.2.teamId"},
			{3, "BAD_USER_INPUT", "input.3.age"},
			{5, "BAD_USER_INPUT", "input.5.teamId"},
			{6, "NOT_FOUND", "input.6.ownerId"},
		}
		if heroes, errors := got.Len("createHeroes.heroes"), got.Len("createHeroes.errors"); heroes != 3 || errors != len(wantErrors) {
			t.Errorf("%d heroes and %d errors, want 3 and %d: %s", heroes, errors, len(wantErrors), got)
		}
		for i, want := range wantErrors {
			e := fmt.Sprintf("createHeroes.errors.%d.", i)
			if got.Number(e+"index") != want.index || got.Text(e+"code") != want.code || got.Text(e+"field") != want.field || got.Text(e+"message") == "" {
				t.Errorf("error %d is %v, want %+v and a message", i, got.At(e[:len(e)-1]), want)
			}
		}
		if is := a.secret(got.Text("createHeroes.heroes.1.id")); is != "Delphine" {
			t.Errorf("the secret name stored is %q, want Delphine", is)
		}
		if total := a.Must(`{ heroes { totalCount } }`, nil).Number("heroes.totalCount"); total != 4 {
			t.Errorf("%d heroes are stored, want 4: the three and the one before", total)
		}
		a.refused(t, "createHeroes", vars{"input": list, "onError": "ABORT"}, "BAD_USER_INPUT", vars{"field": "input.1.name", "errors": 3})
	})
}

// TestCreateHeroesSkipsWhatTheDatabaseRefuses adds a rule to the database that the server does not
// know. A hero that the database refuses is skipped like any other, and the rest are stored.
func TestCreateHeroesSkipsWhatTheDatabaseRefuses(t *testing.T) {
	t.Parallel()
	rules := map[string]string{
		dialect.SQLite: `CREATE TRIGGER no_villains BEFORE INSERT ON heroes WHEN NEW.name = 'Villain'
			BEGIN SELECT RAISE(ABORT, 'no villains'); END`,
		dialect.Postgres: `ALTER TABLE heroes ADD CHECK (name <> 'Villain')`,
	}
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		if _, err := a.db.Exec(rules[a.db.Dialect]); err != nil {
			t.Fatal(err)
		}
		list := manyHeroes(1000)
		villains := []int{0, 1, 123, 500, 999}
		for _, i := range villains {
			list[i]["name"] = "Villain"
		}
		got := a.Do(`mutation($input: [CreateHeroInput!]!) {
			before: createTeam(input: { name: "Before" }) { team { id } }
			createHeroes(input: $input, onError: SKIP) { heroes { name } errors { index code field } }
			after: createTeam(input: { name: "After" }) { team { id } }
		}`, vars{"input": list})
		if heroes, errors := got.Len("createHeroes.heroes"), got.Len("createHeroes.errors"); heroes != 995 || errors != len(villains) {
			t.Fatalf("%d heroes and %d errors, want 995 and %d: %.1000s", heroes, errors, len(villains), got)
		}
		for i, index := range villains {
			e := fmt.Sprintf("createHeroes.errors.%d.", i)
			if got.Number(e+"index") != index || got.Text(e+"field") != fmt.Sprint("input.", index) {
				t.Errorf("error %d is %v, want index %d", i, got.At(e[:len(e)-1]), index)
			}
		}
		for i, want := range []string{"Hero 0002", "Hero 0003"} {
			if is := got.Text(fmt.Sprintf("createHeroes.heroes.%d.name", i)); is != want {
				t.Errorf("hero %d is %s, want %s", i, is, want)
			}
		}
		found := a.Must(`{ heroes { totalCount } teams { totalCount } }`, nil)
		if found.Number("heroes.totalCount") != 995 || found.Number("teams.totalCount") != 2 {
			t.Errorf("%s\nwant 995 heroes and both teams", found)
		}
	})
}
