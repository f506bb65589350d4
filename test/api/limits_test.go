package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"forge/internal/gqlexec"
	"forge/test/dbtest"
)

func TestLimits(t *testing.T) {
	limits := gqlexec.Limits{Depth: 12, Aliases: 5, RootFields: 4, Directives: 3, Cost: 10_000, Tokens: 600}
	a := newConfiguredAPI(t, dbtest.SQLite(t), config{Options: gqlexec.Options{Development: true, Limits: limits}})

	doubling := func(times int) string {
		document := `query { ...F0 }`
		for i := range times {
			document += fmt.Sprintf(" fragment F%d on Query { ...F%d ...F%d }", i, i+1, i+1)
		}
		return document + fmt.Sprintf(" fragment F%d on Query { users { totalCount } }", times)
	}
	// A row costs a point, a row that an edge to one leads to a tenth, and a field a fiftieth.
	points := func(parts int) int { return (parts + 49) / 50 }
	pages := points(1 + 100*(50+1+(1+100*(50+1+1))))
	tests := []struct {
		name, query   string
		vars          vars
		code          string
		limit, actual int
	}{
		{name: "W4", query: `{ users(first: 20) { edges { node { id orders(first: 5) { edges { node { id totalCents items { quantity product { name priceCents } } } } } } } } }`},
		{name: "pages of pages", query: `{ users(first: 100) { nodes { heroes(first: 100) { nodes { id } } } } }`,
			code: "QUERY_TOO_COMPLEX", limit: 10_000, actual: pages},
		{name: "pages of pages by variables", query: `query($n: Int) { users(first: $n) { nodes { heroes(last: $n) { nodes { id } } } } }`,
			vars: vars{"n": 100}, code: "QUERY_TOO_COMPLEX", limit: 10_000, actual: pages},
		{name: "a page of an application", query: `{ users(first: 50) { nodes { username heroes(first: 100) { nodes { id name age version createdAt updatedAt team { name } owner { username } } } } } }`},
		{name: "small pages by variables", query: `query($n: Int) { users(first: $n) { nodes { heroes(last: $n) { nodes { id } } } } }`, vars: vars{"n": 3}},
		{name: "introspection", query: `{ __schema { types { fields { type { ofType { ofType { ofType { ofType { ofType { ofType { ofType { ofType { name } } } } } } } } } } } } }`},
		{name: "deep", query: `{ heroes(first: 1) { nodes { team { heroes(first: 1) { nodes { team { heroes(first: 1) { nodes { team { heroes(first: 1) { nodes { team { id } } } } } } } } } } } } }`,
			code: "QUERY_TOO_DEEP", limit: 12, actual: 13},
		{name: "aliases", query: `{ users(first: 1) { nodes { a: id b: id c: id d: id e: id f: id } } }`, code: "TOO_MANY_ALIASES", limit: 5, actual: 6},
		{name: "aliases of introspection", query: `{ __schema { types { a: name b: name c: name d: name e: name f: name } } }`, code: "TOO_MANY_ALIASES", limit: 5, actual: 6},
		{name: "root fields", query: `{ users { totalCount } teams { totalCount } heroes { totalCount } products { totalCount } orders { totalCount } }`,
			code: "QUERY_TOO_COMPLEX", limit: 4, actual: 5},
		{name: "long names", query: `{ users(first: 100) { nodes { heroes(first: 60) { nodes { ` + longNames("id", 4) + ` } } } } }`,
			code: "QUERY_TOO_COMPLEX", limit: 10_000, actual: points(1 + 100*(50+1+(1+60*(50+1+4*29))))},
		{name: "long names of types", query: `{ users(first: 100) { nodes { heroes(first: 60) { nodes { ... on Hero { ` + longNames("__typename", 4) + ` } } } } } }`,
			code: "QUERY_TOO_COMPLEX", limit: 10_000, actual: points(1 + 100*(50+1+(1+60*(50+1+4*29))))},
		{name: "directives", query: `{ users { totalCount @include(if: true) nodes @skip(if: false) { id @include(if: true) username @skip(if: true) } } }`,
			code: "QUERY_TOO_COMPLEX", limit: 3, actual: 4},
		{name: "root fields in a fragment", query: `{ ...f } fragment f on Query { a: viewer { id } b: viewer { id } c: viewer { id } d: viewer { id } e: viewer { id } }`,
			code: "QUERY_TOO_COMPLEX", limit: 4, actual: 5},
		{name: "the same root field again", query: `{ viewer { id } viewer { id } viewer { id } viewer { id } viewer { id } viewer { id } }`},
		{name: "a payload for each input", query: `mutation($i: [CreateHeroInput!]!) { createHeroes(input: $i) { heroes { owner { heroes(first: 20) { nodes { id } } } } } }`,
			vars: vars{"i": slices.Repeat([]vars{{"name": "x"}}, 500)}, code: "QUERY_TOO_COMPLEX", limit: 10_000, actual: points(1 + 5 + 500*50 + (1 + 500*(50+(1+5+(1+20*(50+1+1))))))},
		{name: "fragments that double", query: doubling(13), code: "QUERY_TOO_COMPLEX", limit: 10_000, actual: points((1 + 40*50 + 20*(50+1)) << 13)},
		{name: "fragments that double too often to be checked", query: doubling(30), code: "QUERY_TOO_COMPLEX", limit: 100_000, actual: 100_001},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := a.Do(tt.query, tt.vars)
			if got.Code() != tt.code {
				t.Fatalf("code %q, want %q: %s", got.Code(), tt.code, got)
			}
			if tt.code == "" {
				return
			}
			if got.Extension("limit") != float64(tt.limit) || got.Extension("actual") != float64(tt.actual) {
				t.Errorf("limit %v, actual %v; want %d and %d", got.Extension("limit"), got.Extension("actual"), tt.limit, tt.actual)
			}
			if got.Data != nil {
				t.Errorf("there is data: %s", got)
			}
		})
	}
	if got := a.Do("{ "+strings.Repeat("__typename ", 700)+"}", nil); got.Code() != "QUERY_TOO_COMPLEX" || got.Extension("limit") != 600.0 {
		t.Errorf("a document of 700 tokens: %s", got)
	}
	if got := a.Must(`{ users(first: 3) { nodes { id } } }`, nil); got.Extensions["cost"] == nil {
		t.Errorf("the answer does not tell the cost: %s", got)
	}
}
