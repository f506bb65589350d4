package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"forge/internal/gqlexec"
	"forge/internal/ids"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/gqltest"
)

// fields returns code and extensions.field of each error.
func fields(got gqltest.Answer) (list []string) {
	for _, err := range got.Errors {
		field, _ := err.Extensions["field"].(string)
		list = append(list, field)
	}
	return list
}

// wantFields checks of which arguments an answer without data complains, all with one code.
func wantFields(t *testing.T, got gqltest.Answer, code string, want ...string) {
	t.Helper()
	if !slices.Equal(fields(got), want) || got.Data != nil || len(got.Errors) > 20 {
		t.Errorf("%q, want %q\n%.3000s", fields(got), want, got)
	}
	for _, err := range got.Errors {
		if err.Extensions["code"] != code || err.Message == "" || len(err.Path) > 1 {
			t.Errorf("%v at %v %q, want %s", err.Extensions, err.Path, err.Message, code)
		}
	}
}

// TestFormsFaults sends inputs with several faults. The answer has all of them, and nothing is
// stored.
func TestFormsFaults(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		m := a.make()
		before := a.contents()
		for _, tt := range []struct {
			mutation string
			vars     vars
			code     string
			fields   []string
		}{
			{"createUser", vars{"input": vars{"username": " ", "email": "no", "password": "x"}}, badInput,
				[]string{"input.username", "input.email", "input.password"}},
			{"updateHero", vars{"id": "hero_x", "input": vars{"name": nil, "age": -1, "teamId": m.user, "ownerId": "zzz"}}, badInput,
				[]string{"id", "input.ownerId", "input.name", "input.age", "input.teamId"}},
			{"createHero", vars{"input": vars{"name": "a", "teamId": noTeam, "ownerId": noUser}}, "NOT_FOUND", []string{"input.teamId", "input.ownerId"}},
			{"createHeroes", vars{"input": []vars{{"name": "a"}, {"name": "b", "age": -1}, {"name": " "}}}, badInput, []string{"input.1.age", "input.2.name"}},
			{"createOrder", vars{"input": vars{"userId": m.hero, "items": []vars{{"productId": m.user, "quantity": 0}, {"productId": m.product, "quantity": -1}}}}, badInput,
				[]string{"input.userId", "input.items.0.productId", "input.items.0.quantity", "input.items.1.quantity"}},
			{"createOrder", vars{"input": vars{"userId": "x", "items": []vars{{"productId": "y", "quantity": 1}, {"productId": "z", "quantity": 1}}}}, badInput,
				[]string{"input.userId", "input.items.0.productId", "input.items.1.productId"}},
			{"createOrder", vars{"input": vars{"userId": m.user, "items": []vars{{"productId": noProduct, "quantity": 1}, {"productId": m.product, "quantity": 1}, {"productId": noProduct, "quantity": 1}}}},
				"NOT_FOUND", []string{"input.items.0.productId", "input.items.2.productId"}},
			{"createOrder", vars{"input": vars{"userId": m.user, "items": []vars{{"productId": m.product, "quantity": 9}, {"productId": m.product, "quantity": 1}, {"productId": m.product, "quantity": 5}}}},
				"INSUFFICIENT_STOCK", []string{"input.items.1.quantity", "input.items.2.quantity"}},
			// Of values that are not of their types, nothing is begun.
			{"createHero", vars{"input": vars{"name": nil, "age": "x", "teamId": 1.5, "<b>": 1}}, badInput, []string{"input.name", "input.age", "input.teamId", "input.<b>"}},
			{"createOrder", vars{"input": vars{"items": []any{vars{"productId": true, "quantity": 1 << 40}, nil, vars{}, 7}}}, badInput,
				[]string{"input.items.0.productId", "input.items.0.quantity", "input.items.1", "input.items.2.productId", "input.items.2.quantity", "input.items.3"}},
			{"updateUser", vars{"id": nil, "input": vars{"isActive": "yes"}}, badInput, []string{"id", "input.isActive"}},
		} {
			t.Run(tt.mutation, func(t *testing.T) { wantFields(t, a.call(tt.mutation, tt.vars), tt.code, tt.fields...) })
		}
		const parts = `mutation($n: String!, $a: Int, $o: OnError!) { createHeroes(input: [{name: $n, age: $a}, {name: "b", age: $a}], onError: $o) { heroes { id } } }`
		wantFields(t, a.Do(parts, vars{"n": 7, "a": "old", "o": "NEVER"}), badInput, "input.0.name", "input.0.age", "onError")
		if after := a.contents(); after != before {
			t.Errorf("something was stored: %s\nwas %s", after, before)
		}
	})
}

// TestFormsMany sends a thousand faulty heroes, and values that are not of their types. The answer
// has 20 errors and says how many there are beside them.
func TestFormsMany(t *testing.T) { // not in parallel, as it measures
	a := newAPI(t, dbtest.SQLite(t))
	heroes, odd := make([]vars, 1000), make([]vars, 1000)
	for i := range heroes {
		heroes[i] = vars{"name": " ", "age": -1, "secretName": strings.Repeat("s", 500), "teamId": noUser, "ownerId": noTeam}
		odd[i] = vars{"name": 1, "age": "x"}
		for n := range 5 {
			odd[i][fmt.Sprint("member", n)] = n
		}
	}
	for name, list := range map[string][]vars{"values": heroes, "types": odd} {
		text, err := json.Marshal(vars{"input": list, "onError": "ABORT"})
		if err != nil {
			t.Fatal(err)
		}
		got, allocated := a.measure(gqltest.Request{Query: mutations["createHeroes"], Variables: json.RawMessage(text)})
		per := 5
		if name == "types" {
			per = 7
		}
		if len(got.Errors) != 20 || got.Errors[0].Extensions["more"] != nil || got.Errors[19].Extensions["more"] != float64(1000*per-20) || len(got.Body) > 8000 {
			t.Errorf("%s: %d errors, the last with %v: %.2000s", name, len(got.Errors), got.Errors[len(got.Errors)-1].Extensions, got)
		}
		if limit := uint64(32 << 20); allocated > limit {
			t.Errorf("%s: %d KiB were allocated", name, allocated>>10)
		}
	}
	got := a.call("createHeroes", vars{"input": heroes, "onError": "SKIP"})
	if n := got.Len("createHeroes.errors"); n != 1100 {
		t.Errorf("%d errors of heroes that were left out, want one for each, and 100 more: %.300s", n, got)
	}
}

// TestFormsLanguages asks in several languages. A message that has no translation is in English.
func TestFormsLanguages(t *testing.T) {
	t.Parallel()
	cfg := usual()
	cfg.adapt = func(app *gqlexec.API) {
		app.Messages = fstest.MapFS{"messages/pt-BR.json": {Data: []byte(`{"%s must not be blank": "%s: preencha", "there are only %d of %s": "%[2]s: só %[1]d"}`)}}
	}
	a := newConfiguredAPI(t, dbtest.SQLite(t), cfg)
	for _, tt := range []struct{ accept, tag, message string }{
		{"", "en", "name must not be blank"},
		{"en-GB,de;q=0.5", "en", "name must not be blank"},
		{"de-CH, en;q=0.1", "de", "name darf nicht leer sein"},
		{"pt", "pt-BR", "name: preencha"},
		{"tlh, x-nobody, *;q=0.1", "en", "name must not be blank"},
		{"\x01;;;q=", "en", "name must not be blank"},
		{"de," + strings.Repeat("tlh-x-aaaaaaaa,", 550), "de", "name darf nicht leer sein"},
		{strings.Repeat("tlh-x-aaaaaaaa,", 550) + "de", "en", "name must not be blank"},
		{strings.Repeat("a-", 4000), "en", "name must not be blank"},
	} {
		got := a.With("Accept-Language", tt.accept).Do(mutations["createHero"], vars{"input": vars{"name": ""}})
		if len(got.Errors) != 1 || got.Errors[0].Message != tt.message || got.Header.Get("Content-Language") != tt.tag || !slices.Contains(got.Header.Values("Vary"), "Accept-Language") {
			t.Errorf("%.40q: %s in %q, want %q", tt.accept, got, got.Header.Get("Content-Language"), tt.message)
		}
	}
	if got := a.With("Accept-Language", "pt").Do(mutations["createHero"], vars{"input": vars{"name": "x", "age": -1}}); got.Errors[0].Message != "age is -1; it must be from 0 to 2147483647" {
		t.Errorf("%s, want English", got)
	}
	if got := a.With("Accept-Language", "de").Must(`{ heroes { totalCount } }`, nil); got.Header.Get("Content-Language") != "" || len(got.Header.Values("Vary")) > 0 {
		t.Errorf("an answer without errors has a language: %v", got.Header)
	}
}

// TestFormsMessages sends names with markup and control characters. The messages have no control
// characters, and are cut.
func TestFormsMessages(t *testing.T) {
	t.Parallel()
	a := newAPI(t, dbtest.SQLite(t))
	for _, name := range []string{"<script>\x00\x1b[31m", "\u202egnp.exe", strings.Repeat("x", 5000)} {
		got := a.call("createHero", vars{"input": vars{"name": "a", name: 1, "teamId": "team_" + name}})
		if len(got.Errors) != 1 || len(got.Errors[0].Message) > 600 || len(got.Body) > 1500 || strings.ContainsAny(got.Errors[0].Message, "\x00\x1b\u202e") || strings.Contains(got.Body, "<") {
			t.Errorf("%.2000s", got)
		}
		got = a.call("createHero", vars{"input": vars{"name": "a", "teamId": "team_" + name}})
		if len(got.Errors) != 1 || strings.ContainsAny(got.Errors[0].Message, "\x00\x1b\u202e") || len(got.Body) > 1500 {
			t.Errorf("%.2000s", got)
		}
	}
}

// TestFormsConflict changes rows that have another version by now. The error has the present values
// of the input's fields that differ, as far as the viewer may see them.
func TestFormsConflict(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newAPI(t, url)
		m := a.make()
		a.mustCall("updateHero", vars{"id": m.hero, "input": vars{"age": 46, "secretName": "Duke"}})
		owner := a.signedIn(m.user)
		for _, tt := range []struct {
			mutation, id string
			input        vars
			current      any
		}{
			{"updateHero", m.hero, vars{"name": "Samuel", "age": 50}, vars{"name": "Sam", "age": 46.0}},
			{"updateHero", m.hero, vars{"name": " Sam ", "age": 47}, vars{"age": 46.0}},
			{"updateHero", m.hero, vars{"teamId": nil, "name": "Sam"}, vars{"teamId": m.team}},
			{"updateHero", m.hero, vars{"teamId": m.team, "age": 46}, nil},
			{"updateHero", m.hero, vars{"secretName": "His Grace"}, nil},
			{"updateTeam", m.team, vars{"headquarters": nil}, vars{"headquarters": "Pseudopolis Yard"}},
			{"updateUser", m.user, vars{"username": "eve", "email": "eve@example.com", "password": "correct horse"}, vars{"username": "ada", "email": "ada@example.com"}},
		} {
			got := a.Do(expecting(tt.mutation), vars{"id": tt.id, "input": tt.input, "version": 7})
			if want, _ := json.Marshal(tt.current); got.Code() != "CONFLICT" || string(want) != jsonOf(got.Extension("current")) || got.Extension("currentVersion") == nil {
				t.Errorf("%s: %s, want current %s", tt.mutation, got, want)
			}
		}
		got := owner.Do(expecting("updateHero"), vars{"id": m.hero, "input": vars{"name": "x", "secretName": "y"}, "version": 7})
		if got.Code() != "CONFLICT" || jsonOf(got.Extension("current")) != `{"name":"Sam"}` || strings.Contains(got.Body, "Duke") {
			t.Errorf("%s, want the name alone", got)
		}
		other := a.signedIn(a.mustCall("createUser", vars{"input": vars{"username": "eve"}}).Text("createUser.user.id"))
		if got := other.Do(expecting("updateHero"), vars{"id": m.hero, "input": vars{"name": "x"}, "version": 7}); got.Code() != "FORBIDDEN" || got.Extension("current") != nil {
			t.Errorf("%s, want FORBIDDEN", got)
		}
	})
}

// signedIn returns a client of a user.
func (a *api) signedIn(id string) *gqltest.Client {
	of, err := ids.Parse(id)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.as(viewer.Viewer{ID: of.UUID, Role: viewer.User})
}

// expecting returns the mutation with an expected version.
func expecting(mutation string) string {
	of := strings.ToLower(mutation[len("update"):])
	return `mutation($id: ID!, $input: ` + strings.ToUpper(mutation[:1]) + mutation[1:] + `Input!, $version: Int) { ` +
		mutation + `(id: $id, input: $input, expectedVersion: $version) { ` + of + ` { id } } }`
}

func jsonOf(value any) string {
	text, _ := json.Marshal(value)
	return string(text)
}
