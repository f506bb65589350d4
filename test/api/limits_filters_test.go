package api_test

import (
	"fmt"
	"strings"
	"testing"

	"forge/internal/gqlexec"
	"forge/test/dbtest"
)

// TestLimitsFilterCost compares the cost of operations with and without conditions.
func TestLimitsFilterCost(t *testing.T) {
	a := newConfiguredAPI(t, dbtest.SQLite(t), config{Options: gqlexec.Options{Development: true}})
	cost := func(query string, v vars) int {
		t.Helper()
		cost := a.Must(query, v).Extensions["cost"].(map[string]any)
		return int(cost["actual"].(float64))
	}
	related := map[string]any{"hasHeroesWith": []any{map[string]any{"hasTeam": false}}}
	many := make([]any, 400)
	for i := range many {
		many[i] = fmt.Sprint("user", i)
	}
	page := func(arguments string) string {
		declared := `$n: Int = 20`
		if strings.Contains(arguments, "$w") {
			declared += ` $w: UserWhereInput`
		}
		if strings.Contains(arguments, "$o") {
			declared += ` $o: Int`
		}
		return `query(` + declared + `) { users(first: $n, ` + arguments + `) { nodes { id } } }`
	}
	base := cost(page(`offset: 0`), nil)
	for _, tt := range []struct {
		name, arguments string
		vars            vars
		more            int
	}{
		{"nothing said", `where: {}`, nil, 0},
		{"one condition", `where: {username: "x"}`, nil, 40 + 40},
		{"by variable", `where: $w`, vars{"w": map[string]any{"username": "x"}}, 40 + 40},
		{"null", `where: {username: null}`, nil, 40},
		{"branches", `where: {or: [{username: "x"}, {username: "y"}, {}]}`, nil, 40 + 3*40},
		{"one branch without brackets", `where: {or: {username: "x"}}`, nil, 40 + 40},
		{"a long list", `where: $w`, vars{"w": map[string]any{"usernameIn": many}}, 40 + 40 + 40},
		{"has", `where: {hasHeroes: false}`, nil, 40 + 1000},
		{"a part of a text", `where: {usernameContains: "x", emailHasSuffix: "y"}`, nil, 40 + 2*100},
		{"regardless of case", `where: {usernameContainsFold: "x", usernameEqualFold: "y"}`, nil, 40 + 2*600},
		{"not in a long list", `where: $w`, vars{"w": map[string]any{"usernameNotIn": many}}, 40 + 100 + 40},
		{"a number of related rows", `where: {heroesCountGTE: 5, ordersCount: 0}`, nil, 40 + 2*1000},
		{"in not, and, or", `where: {not: {and: [{or: [{hasOrders: true}]}]}}`, nil, 40 + 1000},
		{"has inside of has", `where: {hasHeroesWith: [{hasTeam: false}]}`, nil, 40 + 2*1000},
		{"has inside of has by variable", `where: $w`, vars{"w": related}, 40 + 2*1000},
		{"a second term", `orderBy: [{field: USERNAME}, {field: CREATED_AT}]`, nil, 40},
		{"offset", `offset: 20000`, nil, 200},
		{"offset by variable", `offset: $o`, vars{"o": 20000}, 200},
	} {
		if got := cost(page(tt.arguments), tt.vars); got != base+tt.more {
			t.Errorf("%s: %d; want %d more than %d", tt.name, got, tt.more, base)
		}
	}
	for name, query := range map[string]string{
		"plain":         `{ users(first: 0) { totalCount } }`,
		"in fragments":  `{ users(first: 0) { ...a ... { ...a } } } fragment a on UserConnection { ... { ...b } } fragment b on UserConnection { n: totalCount }`,
		"of no entries": `{ users(first: 0, where: {}) { totalCount } }`,
	} {
		if got := cost(query, nil); got != 1+40 {
			t.Errorf("totalCount, %s: %d, want 41", name, got)
		}
	}
	for query, want := range map[string]int{
		`{ users(first: 0) { aggregate { countDistinct(field: ROLE) } } }`:                                                                                                                    40 + 400,
		`{ users(first: 0) { groups(by: [{field: CREATED_AT, bucket: DAY}], first: 0) { aggregate { count } } } }`:                                                                            200 + 500 + 40,
		`{ users(first: 0) { groups(by: [{field: ROLE}], having: {countGT: 1, countLT: 9, countNEQ: null}, orderBy: [{field: MAX_CREATED_AT}, {field: ROLE}], first: 0) { key { role } } } }`: 200 + 3*40,
		`{ teams(first: 0) { groups(by: [{field: HEADQUARTERS}], having: {countDistinctHeadquartersGT: 1}, first: 0) { key { headquarters } } } }`:                                            200 + 400,
	} {
		if got := cost(query, nil); got != want+1 {
			t.Errorf("%s: %d, want %d", query, got, want+1)
		}
	}
	nested := func(where string) int {
		return cost(`{ teams(first: 30) { nodes { heroes(first: 1, where: {`+where+`}) { nodes { id } } } } }`, nil)
	}
	if plain, has := nested(``), nested(`hasOwner: true`); has != plain+30*(2+50)+40+1000 {
		t.Errorf("a condition below 30 rows: %d, without it %d", has, plain)
	}
	below := func(arguments string) int {
		return cost(`{ user(id: "user_01h455vb4pex5vsknk084sn02q") { heroes(first: 1, `+arguments+`) { nodes { id } } } }`, nil)
	}
	plain := below(`offset: 0`)
	for arguments, more := range map[string]int{
		`where: {name: "x"}`:                      2 + 2 + 40 + 40,
		`where: {hasTeamWith: {hasHeroes: true}}`: 2 + 2*50 + 40 + 2*1000,
		`orderBy: [{field: NAME}, {field: AGE}]`:  2*2 + 2*40,
		`offset: 20000`:                           200,
	} {
		if got := below(arguments); got != plain+more {
			t.Errorf("%s below one row: %d; want %d more than %d", arguments, got, more, plain)
		}
	}
}

// TestLimitsManyFilters sends operations that would keep a processor busy. The default of MAX_COST
// refuses them.
func TestLimitsManyFilters(t *testing.T) {
	a := newConfiguredAPI(t, dbtest.SQLite(t), config{Options: gqlexec.Options{Limits: gqlexec.Limits{Cost: 10_000}}})
	branches := strings.Repeat(`{hasHeroesWith: {ageLT: 0}} `, 20)
	aliases := func(key string, n int, field string) (all string) {
		for i := range n {
			all += fmt.Sprintf("%s%d: %s ", key, i, field)
		}
		return all
	}
	for name, query := range map[string]string{
		"20 branches":         `{ users(where: {or: [` + branches + `]}) { nodes { id } } }`,
		"over several fields": `{ ` + aliases(`a`, 10, `users(first: 0, where: {hasHeroes: false}) { totalCount }`) + `}`,
		"in a fragment":       `{ viewer { id } ...f ...f } fragment f on Query { ` + aliases(`a`, 10, `users(where: $w) { totalCount }`) + `}`,
		"below each row":      `{ teams(first: 100) { nodes { heroes(first: 0, where: {hasOwner: true, hasTeam: true}) { totalCount } } } }`,
		"below one row": `{ user(id: "user_01h455vb4pex5vsknk084sn02q") { ` +
			aliases(`a`, 10, `heroes(where: {hasTeamWith: {name: "x"}}) { totalCount }`) + `} }`,
		"in the order of several below one row": `{ viewer { ` + aliases(`a`, 98, `heroes(orderBy: [{field: NAME}, {field: AGE}]) { totalCount }`) + `} }`,
		"numbers of related rows":               `{ users(where: {or: [` + strings.Repeat(`{heroesCountGT: 5} `, 20) + `]}) { nodes { id } } }`,
		"texts regardless of case":              `{ users(where: {or: [` + strings.Repeat(`{usernameContainsFold: "x"} `, 20) + `]}) { nodes { id } } }`,
		"conditions":                            `{ users(where: {or: [` + strings.Repeat(`{username: "x"} `, 300) + `]}) { nodes { id } } }`,
		"a million rows passed":                 `{ heroes(offset: 1000000) { nodes { id } } }`,
		"counts":                                `{ ` + aliases(`a`, 99, `heroes(first: 100) { totalCount }`) + `}`,
	} {
		if strings.Contains(query, "$w") {
			query = `query($w: UserWhereInput = {hasHeroes: false}) ` + query
		}
		if got := a.Do(query, nil); got.Code() != "QUERY_TOO_COMPLEX" {
			t.Errorf("%s: %.300s", name, got)
		}
	}
	for _, query := range []string{
		`{ users(first: 3, where: {or: [{hasHeroesWith: [{hasTeamWith: [{name: "team 0"}]}]}, {hasOrdersWith: {status: PAID}}], not: {emailIsNil: true}}) { totalCount nodes { username } } }`,
		`{ teams { nodes { name heroes(where: {hasOwner: true, ageGTE: 30}, orderBy: {field: NAME}) { totalCount nodes { name } } } } }`,
		`{ heroes(offset: 10000, orderBy: [{field: AGE, direction: DESC}, {field: NAME}]) { nodes { name } } }`,
	} {
		a.Must(query, nil)
	}
}
