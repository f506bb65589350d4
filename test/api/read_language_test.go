package api_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/order"
	"forge/ent/user"
	"forge/test/gqltest"
)

// smallWorld returns the world that the expected answers in this file are written for. Row n of a
// kind has the ID @kindn.
func smallWorld() *world {
	key := func(n byte) uuid.UUID { return uuid.UUID{15: n} }
	ref := func(n byte) *uuid.UUID { return new(key(n)) }
	at := func(n int) time.Time { return time.Date(2026, 1, 2, 15, 4, 5, n*1000, time.UTC) }
	return &world{
		users: []*ent.User{
			{ID: key(1), CreatedAt: at(100), Version: 3, Username: "ada", Email: new("Ada@x.org"), EmailKey: new("ada@x.org"), Role: user.RoleADMIN, IsActive: true},
			{ID: key(2), CreatedAt: at(123456), Version: 1, Username: `b"o\b`, Role: user.RoleUSER},
			{ID: key(3), CreatedAt: at(2), Version: 1, Username: "gone", Role: user.RoleUSER, DeletedAt: new(at(5))},
		},
		teams: []*ent.Team{
			{ID: key(1), CreatedAt: at(0), Version: 1, Name: "Watch", Headquarters: new("Yard")},
			{ID: key(2), CreatedAt: at(0), Version: 1, Name: "Lancre"},
		},
		heroes: []*ent.Hero{
			{ID: key(1), CreatedAt: at(0), Version: 1, Name: "Sam", Age: new(int32(45)), TeamID: ref(1), OwnerID: ref(1)},
			{ID: key(2), CreatedAt: at(0), Version: 1, Name: "Angua", TeamID: ref(1), OwnerID: ref(1)},
			{ID: key(3), CreatedAt: at(2), Version: 1, Name: "Esme", Age: new(int32(70)), OwnerID: ref(3)},
		},
		products: []*ent.Product{{ID: key(1), CreatedAt: at(0), Version: 1, Sku: "B8", Name: "Boots", PriceCents: 500}},
		stock:    []*ent.Inventory{{ID: key(9), ProductID: key(1), Quantity: 7}},
		orders: []*ent.Order{
			{ID: key(1), CreatedAt: at(0), Version: 1, Status: order.StatusPENDING, TotalCents: 1500, UserID: ref(1)},
			{ID: key(2), CreatedAt: at(1), Version: 1, Status: order.StatusPAID, TotalCents: 0, UserID: ref(3)},
		},
		items: []*ent.OrderItem{
			{ID: key(1), Quantity: 2, UnitPriceCents: 500, OrderID: key(1), ProductID: key(1)},
			{ID: key(2), Quantity: 1, UnitPriceCents: 500, OrderID: key(1), ProductID: key(1)},
		},
	}
}

// withIDs replaces what stands for IDs and cursors in a text: @user1 by the ID of user 1, and
// @user2>hero1 by the cursor of hero 1.
func withIDs(text string, cursors map[string]string) string {
	for name, cursor := range cursors {
		text = strings.ReplaceAll(text, "^"+name, cursor)
	}
	for _, prefix := range []string{"user", "team", "hero", "product", "order", "item"} {
		for n := byte(0); n < 10; n++ {
			text = strings.ReplaceAll(text, fmt.Sprintf("@%s%d", prefix, n), idOf(prefix, uuid.UUID{15: n}))
		}
	}
	return text
}

// execution is one run of an operation: its variables, and the exact data that it must return.
type execution struct {
	vars string // as JSON
	want string
}

// always returns the execution of an operation without variables.
func always(want string) []execution { return []execution{{"{}", want}} }

var languageTests = []struct {
	name, query string
	runs        []execution
}{
	// Response keys.
	{"aliases everywhere",
		`{ a: users(first: 1) { b: edges { c: cursor d: node { e: username f: __typename } g: __typename } h: nodes { i: id } j: pageInfo { k: hasNextPage l: hasPreviousPage m: startCursor n: endCursor o: __typename } p: totalCount q: __typename } r: __typename }`,
		always(`{"a":{"b":[{"c":"^user1","d":{"e":"ada","f":"User"},"g":"UserEdge"}],"h":[{"i":"@user1"}],"j":{"k":true,"l":false,"m":"^user1","n":"^user1","o":"PageInfo"},"p":2,"q":"UserConnection"},"r":"Query"}`)},
	{"aliases everywhere, nested",
		`{ a: users(last: 1, where: {username: "ada"}) { z: nodes { a: heroes(first: 1) { b: edges { c: cursor d: node { e: name } } h: nodes { i: id } j: pageInfo { k: hasNextPage m: startCursor } p: totalCount q: __typename } } } }`,
		always(`{"a":{"z":[{"a":{"b":[{"c":"^hero1","d":{"e":"Sam"}}],"h":[{"i":"@hero1"}],"j":{"k":true,"m":"^hero1"},"p":2,"q":"HeroConnection"}}]}}`)},
	{"aliases that are names of other fields",
		`{ user: team(id: "@team1") { id: name name: id headquarters: __typename } team: user(id: "@user1") { heroes: username username: heroes { nodes: totalCount totalCount: nodes { name: age age: name } } } }`,
		always(`{"user":{"id":"Watch","name":"@team1","headquarters":"Team"},"team":{"heroes":"ada","username":{"nodes":2,"totalCount":[{"name":45,"age":"Sam"},{"name":null,"age":"Angua"}]}}}`)},
	{"keys in the order of their first occurrence",
		`{ users(first: 1) { totalCount nodes { username id username } } users(first: 1) { pageInfo { hasNextPage } nodes { email id } } }`,
		always(`{"users":{"totalCount":2,"nodes":[{"username":"ada","id":"@user1","email":"Ada@x.org"}],"pageInfo":{"hasNextPage":true}}}`)},
	{"all kinds of values",
		`{ users { nodes { id username email role isActive version createdAt updatedAt } } hero(id: "@hero2") { age createdAt team { headquarters } owner { isActive } } product(id: "@product1") { sku name priceCents stock } }`,
		always(`{"users":{"nodes":[{"id":"@user1","username":"ada","email":"Ada@x.org","role":"ADMIN","isActive":true,"version":3,"createdAt":"2026-01-02T15:04:05.0001Z","updatedAt":"2026-01-02T15:04:05.0001Z"},` +
			`{"id":"@user2","username":"b\"o\\b","email":null,"role":"USER","isActive":false,"version":1,"createdAt":"2026-01-02T15:04:05.123456Z","updatedAt":"2026-01-02T15:04:05.123456Z"}]},` +
			`"hero":{"age":null,"createdAt":"2026-01-02T15:04:05Z","team":{"headquarters":"Yard"},"owner":{"isActive":true}},"product":{"sku":"B8","name":"Boots","priceCents":500,"stock":7}}`)},
	{"what is not there",
		`{ viewer { id } user(id: "@user9") { id } gone: user(id: "@user3") { id } node(id: "@hero9") { id } hero(id: "@hero3") { owner { id } team { id } } order(id: "@order2") { user { id } items { id } } team(id: "@team2") { headquarters heroes { nodes { id } pageInfo { startCursor endCursor hasNextPage } totalCount } } }`,
		always(`{"viewer":null,"user":null,"gone":null,"node":null,"hero":{"owner":null,"team":null},"order":{"user":null,"items":[]},"team":{"headquarters":null,"heroes":{"nodes":[],"pageInfo":{"startCursor":null,"endCursor":null,"hasNextPage":false},"totalCount":0}}}`)},

	// The same edge several times.
	{"an edge under two aliases with other arguments",
		`{ user(id: "@user1") { a: heroes(first: 1) { nodes { name } } b: heroes(last: 1) { nodes { name age } } c: heroes(where: {age: 45}, orderBy: {field: NAME}) { totalCount nodes { id } } } }`,
		always(`{"user":{"a":{"nodes":[{"name":"Sam"}]},"b":{"nodes":[{"name":"Angua","age":null}]},"c":{"totalCount":1,"nodes":[{"id":"@hero1"}]}}}`)},
	{"an edge under two aliases with the same arguments",
		`{ user(id: "@user1") { a: heroes(first: 1) { nodes { name owner { username } } } b: heroes(first: 1) { totalCount edges { node { owner { email } age } } } } }`,
		always(`{"user":{"a":{"nodes":[{"name":"Sam","owner":{"username":"ada"}}]},"b":{"totalCount":2,"edges":[{"node":{"owner":{"email":"Ada@x.org"},"age":45}}]}}}`)},
	{"a single row under two aliases",
		`{ heroes(first: 1) { nodes { a: owner { username } b: owner { id heroes(first: 1) { totalCount } } } } }`,
		always(`{"heroes":{"nodes":[{"a":{"username":"ada"},"b":{"id":"@user1","heroes":{"totalCount":2}}}]}}`)},
	{"a root field under two aliases",
		`{ a: heroes(first: 1, orderBy: {field: AGE, direction: DESC}) { nodes { name } } b: heroes(first: 1, orderBy: {field: AGE}) { nodes { name } } c: heroes(last: 1, orderBy: {field: AGE}) { nodes { name } } }`,
		always(`{"a":{"nodes":[{"name":"Esme"}]},"b":{"nodes":[{"name":"Sam"}]},"c":{"nodes":[{"name":"Angua"}]}}`)},
	{"arguments that differ in a variable's name only",
		`query($one: Int, $two: Int) { user(id: "@user1") { a: heroes(first: $one) { nodes { id } } b: heroes(first: $two) { nodes { id } } } }`,
		[]execution{{`{"one":1,"two":2}`, `{"user":{"a":{"nodes":[{"id":"@hero1"}]},"b":{"nodes":[{"id":"@hero1"},{"id":"@hero2"}]}}}`},
			{`{"one":2,"two":0}`, `{"user":{"a":{"nodes":[{"id":"@hero1"},{"id":"@hero2"}]},"b":{"nodes":[]}}}`}}},
	{"arguments that look alike",
		`{ user(id: "@user1") { a: heroes(where: {name: "Sam"}) { totalCount } b: heroes(where: {nameIn: ["Sam", "Angua"]}) { totalCount } c: heroes(where: {nameIn: ["Sam,Angua"]}) { totalCount } d: heroes(where: {nameIn: ["Sam\",\"Angua"]}) { totalCount } } }`,
		always(`{"user":{"a":{"totalCount":1},"b":{"totalCount":2},"c":{"totalCount":0},"d":{"totalCount":0}}}`)},

	// Fragments.
	{"fields merged from fragments",
		`{ users(first: 1) { nodes { id } ...a nodes { ...b } } } fragment a on UserConnection { nodes { username } totalCount } fragment b on User { email id heroes(first: 1) { nodes { name } ...c } } fragment c on HeroConnection { nodes { age name } totalCount }`,
		always(`{"users":{"nodes":[{"id":"@user1","username":"ada","email":"Ada@x.org","heroes":{"nodes":[{"name":"Sam","age":45}],"totalCount":2}}],"totalCount":2}}`)},
	{"a fragment of Node inside a type",
		`{ users(first: 1) { edges { node { ...n username ... on Node { id ... on User { email } ... on Hero { age } } } } } } fragment n on Node { i: id ... on Team { name } __typename }`,
		always(`{"users":{"edges":[{"node":{"i":"@user1","__typename":"User","username":"ada","id":"@user1","email":"Ada@x.org"}}]}}`)},
	{"fragments of types inside node",
		`query($id: ID!) { node(id: $id) { id ... on User { username heroes { totalCount } } ...h ... on Order { total: totalCents items { product { stock } } } ... on OrderItem { quantity } __typename } } fragment h on Hero { name team { name } }`,
		[]execution{
			{`{"id":"@user1"}`, `{"node":{"id":"@user1","username":"ada","heroes":{"totalCount":2},"__typename":"User"}}`},
			{`{"id":"@hero1"}`, `{"node":{"id":"@hero1","name":"Sam","team":{"name":"Watch"},"__typename":"Hero"}}`},
			{`{"id":"@order1"}`, `{"node":{"id":"@order1","total":1500,"items":[{"product":{"stock":7}},{"product":{"stock":7}}],"__typename":"Order"}}`},
			{`{"id":"@item2"}`, `{"node":{"id":"@item2","quantity":1,"__typename":"OrderItem"}}`},
			{`{"id":"@product1"}`, `{"node":{"id":"@product1","__typename":"Product"}}`},
			{`{"id":"@team9"}`, `{"node":null}`},
		}},
	{"a fragment of another type leaves nothing", `{ node(id: "@user1") { ... on Hero { name } } nodes(ids: ["@user1", "@hero1"]) { ... on Hero { name } } }`,
		always(`{"node":{},"nodes":[{},{"name":"Sam"}]}`)},
	{"nodes of several types, some twice, some unknown",
		`{ nodes(ids: ["@hero2", "@user1", "@hero9", "@item1", "@hero2", "@user3", "@team1", "@product1"]) { __typename ... on Hero { name owner { username } } ... on User { heroes(first: 1) { nodes { name } } } ... on OrderItem { unitPriceCents product { sku } } ... on Team { heroes { totalCount } } id } }`,
		always(`{"nodes":[{"__typename":"Hero","name":"Angua","owner":{"username":"ada"},"id":"@hero2"},{"__typename":"User","heroes":{"nodes":[{"name":"Sam"}]},"id":"@user1"},null,` +
			`{"__typename":"OrderItem","unitPriceCents":500,"product":{"sku":"B8"},"id":"@item1"},{"__typename":"Hero","name":"Angua","owner":{"username":"ada"},"id":"@hero2"},null,` +
			`{"__typename":"Team","heroes":{"totalCount":2},"id":"@team1"},{"__typename":"Product","id":"@product1"}]}`)},
	{"no nodes", `{ nodes(ids: []) { id } }`, always(`{"nodes":[]}`)},
	{"fragments inside fragments, one of them twice",
		`{ ...q } fragment q on Query { ...r users(first: 1) { ...s } } fragment r on Query { users(first: 1) { nodes { ...t } } } fragment s on UserConnection { nodes { ...u ...t } } fragment t on User { username ...u } fragment u on User { id orders(first: 1) { nodes { ...v } } } fragment v on Order { items { quantity ...w } } fragment w on OrderItem { product { sku } }`,
		always(`{"users":{"nodes":[{"username":"ada","id":"@user1","orders":{"nodes":[{"items":[{"quantity":2,"product":{"sku":"B8"}},{"quantity":1,"product":{"sku":"B8"}}]}]}}]}}`)},
	{"inline fragments without a type condition",
		`query($yes: Boolean = true) { ... { users(first: 1) { ... { nodes { ... @include(if: $yes) { username ... { id } } ... @skip(if: $yes) { email } } } ... @include(if: false) { totalCount } } } }`,
		[]execution{{`{}`, `{"users":{"nodes":[{"username":"ada","id":"@user1"}]}}`}, {`{"yes":false}`, `{"users":{"nodes":[{"email":"Ada@x.org"}]}}`}}},
	{"inline fragments on every type there is",
		`{ ... on Query { users(first: 1) { ... on UserConnection { edges { ... on UserEdge { cursor node { ... on User { id } } } } pageInfo { ... on PageInfo { hasNextPage } } } } } }`,
		always(`{"users":{"edges":[{"cursor":"^user1","node":{"id":"@user1"}}],"pageInfo":{"hasNextPage":true}}}`)},

	// @skip and @include.
	{"directives with literals",
		`{ users(first: 1) { nodes { id @skip(if: true) username @include(if: true) email @include(if: false) version @skip(if: false) @include(if: true) role @skip(if: true) @include(if: true) } totalCount @skip(if: true) } heroes @include(if: false) { totalCount } }`,
		always(`{"users":{"nodes":[{"username":"ada","version":3}]}}`)},
	{"nothing is left", `{ users @skip(if: true) { totalCount } }`, always(`{}`)},
	{"nothing is left below", `query($no: Boolean!) { users { totalCount @include(if: $no) nodes @include(if: $no) { id } } user(id: "@user1") { id @include(if: $no) } nodes(ids: ["@user1"]) { id @include(if: $no) } }`,
		[]execution{{`{"no":false}`, `{"users":{},"user":{},"nodes":[{}]}`}, {`{"no":true}`, `{"users":{"totalCount":2,"nodes":[{"id":"@user1"},{"id":"@user2"}]},"user":{"id":"@user1"},"nodes":[{"id":"@user1"}]}`}}},
	{"the order of keys depends on a variable",
		`query($a: Boolean!, $b: Boolean! = false) { user(id: "@user1") { username @include(if: $a) ...f @skip(if: $b) id username heroes(first: 1) { totalCount @include(if: $b) nodes { name @skip(if: $a) age name } totalCount } } } fragment f on User { email id @include(if: $a) }`,
		[]execution{
			{`{"a":true}`, `{"user":{"username":"ada","email":"Ada@x.org","id":"@user1","heroes":{"nodes":[{"age":45,"name":"Sam"}],"totalCount":2}}}`},
			{`{"a":false}`, `{"user":{"email":"Ada@x.org","id":"@user1","username":"ada","heroes":{"nodes":[{"name":"Sam","age":45}],"totalCount":2}}}`},
			{`{"a":false,"b":true}`, `{"user":{"id":"@user1","username":"ada","heroes":{"totalCount":2,"nodes":[{"name":"Sam","age":45}]}}}`},
			{`{"a":true,"b":true}`, `{"user":{"username":"ada","id":"@user1","heroes":{"totalCount":2,"nodes":[{"age":45,"name":"Sam"}]}}}`},
			{`{"a":true}`, `{"user":{"username":"ada","email":"Ada@x.org","id":"@user1","heroes":{"nodes":[{"age":45,"name":"Sam"}],"totalCount":2}}}`},
		}},
	{"directives on nested edges and what stands in connections",
		`query($e: Boolean!, $s: Boolean = true) { users(first: 1) { edges @include(if: $e) { cursor @skip(if: $s) node { heroes(first: 1) @include(if: $e) { nodes @skip(if: $s) { name } pageInfo @include(if: $s) { hasNextPage endCursor @skip(if: $e) } } orders @skip(if: $s) { totalCount } } } pageInfo @skip(if: $e) { startCursor } } }`,
		[]execution{
			{`{"e":true}`, `{"users":{"edges":[{"node":{"heroes":{"pageInfo":{"hasNextPage":true}}}}]}}`},
			{`{"e":true,"s":false}`, `{"users":{"edges":[{"cursor":"^user1","node":{"heroes":{"nodes":[{"name":"Sam"}]},"orders":{"totalCount":1}}}]}}`},
			{`{"e":false,"s":false}`, `{"users":{"pageInfo":{"startCursor":"^user1"}}}`},
		}},
	{"directives on fragments, one spread twice",
		`query($a: Boolean!) { user(id: "@user1") { ...f @include(if: $a) ...f @skip(if: $a) ... on User @include(if: $a) { version } } } fragment f on User { username ... on Node @skip(if: $a) { id } }`,
		[]execution{{`{"a":true}`, `{"user":{"username":"ada","version":3}}`}, {`{"a":false}`, `{"user":{"username":"ada","id":"@user1"}}`}}},
	{"many switches",
		`query($a: Boolean = true, $b: Boolean = true, $c: Boolean = true, $d: Boolean = true, $e: Boolean = true, $f: Boolean = true, $g: Boolean = true) { user(id: "@user1") { a: id @include(if: $a) b: id @include(if: $b) c: id @include(if: $c) d: id @include(if: $d) e: id @include(if: $e) f: id @include(if: $f) g: id @include(if: $g) version } }`,
		manySwitches()},

	// Variables.
	{"defaults of variables",
		`query($n: Int = 1, $where: HeroWhereInput = {nameHasPrefix: "S"}, $order: [HeroOrder!] = [{field: NAME, direction: DESC}]) { users(first: $n) { nodes { username heroes(first: $n, where: $where, orderBy: $order) { nodes { name } } } } }`,
		[]execution{
			{`{}`, `{"users":{"nodes":[{"username":"ada","heroes":{"nodes":[{"name":"Sam"}]}}]}}`},
			{`{"n":2,"where":{},"order":[{"field":"NAME"}]}`, `{"users":{"nodes":[{"username":"ada","heroes":{"nodes":[{"name":"Angua"},{"name":"Sam"}]}},{"username":"b\"o\\b","heroes":{"nodes":[]}}]}}`},
			{`{"n":null,"where":null,"order":null}`, `{"users":{"nodes":[{"username":"ada","heroes":{"nodes":[{"name":"Sam"},{"name":"Angua"}]}},{"username":"b\"o\\b","heroes":{"nodes":[]}}]}}`},
			{`{"n":1,"where":null}`, `{"users":{"nodes":[{"username":"ada","heroes":{"nodes":[{"name":"Sam"}]}}]}}`},
		}},
	{"variables that are left out, or null",
		`query($first: Int, $after: Cursor, $last: Int, $before: Cursor, $offset: Int, $where: UserWhereInput, $orderBy: [UserOrder!], $name: String) { users(first: $first, after: $after, last: $last, before: $before, offset: $offset, where: $where, orderBy: $orderBy) { nodes { id } } a: users(where: {username: $name, or: null, idIn: null}) { totalCount } }`,
		[]execution{
			{`{}`, `{"users":{"nodes":[{"id":"@user1"},{"id":"@user2"}]},"a":{"totalCount":2}}`},
			{`{"first":null,"after":null,"last":null,"before":null,"offset":null,"where":null,"orderBy":null,"name":null}`, `{"users":{"nodes":[{"id":"@user1"},{"id":"@user2"}]},"a":{"totalCount":2}}`},
			{`{"first":1,"after":"^user1","name":"ada"}`, `{"users":{"nodes":[{"id":"@user2"}]},"a":{"totalCount":1}}`},
			{`{"where":{"username":null,"not":null,"hasHeroes":null,"hasHeroesWith":null,"and":null}}`, `{"users":{"nodes":[{"id":"@user1"},{"id":"@user2"}]},"a":{"totalCount":2}}`},
		}},
	{"variables inside of arguments",
		`query($name: String!, $names: [String!]!, $f: HeroOrderField!, $d: OrderDirection = DESC, $id: ID!) { heroes(where: {or: [{name: $name}, {nameIn: $names}, {hasOwnerWith: {id: $id}}]}, orderBy: [{field: $f, direction: $d}]) { nodes { name } } }`,
		[]execution{
			{`{"name":"Esme","names":["Sam"],"f":"NAME","id":"@user9"}`, `{"heroes":{"nodes":[{"name":"Sam"},{"name":"Esme"}]}}`},
			{`{"name":"Esme","names":[],"f":"NAME","d":"ASC","id":"@user1"}`, `{"heroes":{"nodes":[{"name":"Angua"},{"name":"Esme"},{"name":"Sam"}]}}`},
			{`{"name":"","names":"Sam","f":"AGE","id":"@user9"}`, `{"heroes":{"nodes":[{"name":"Sam"}]}}`},
		}},
	{"enums",
		`query($s: OrderStatus, $list: [OrderStatus!], $by: OrderOrderField! = TOTAL_CENTS) { a: orders(where: {status: $s}) { nodes { status } } b: orders(where: {statusIn: $list}, orderBy: {field: $by}) { nodes { status } } user(id: "@user1") { orders(where: {status: $s, statusIn: $list}) { totalCount } } c: orders(where: {statusIn: [PENDING]}) { totalCount } }`,
		[]execution{
			{`{"s":"PAID","list":["PAID","PENDING"]}`, `{"a":{"nodes":[{"status":"PAID"}]},"b":{"nodes":[{"status":"PAID"},{"status":"PENDING"}]},"user":{"orders":{"totalCount":0}},"c":{"totalCount":1}}`},
			{`{"s":"PENDING","list":"PENDING","by":"CREATED_AT"}`, `{"a":{"nodes":[{"status":"PENDING"}]},"b":{"nodes":[{"status":"PENDING"}]},"user":{"orders":{"totalCount":1}},"c":{"totalCount":1}}`},
		}},
	{"a single value where a list is wanted",
		`query($ids: [ID!]!, $order: [HeroOrder!], $ages: [Int!], $or: [HeroWhereInput!], $with: [UserWhereInput!], $names: [String!]) { nodes(ids: $ids) { id } one: nodes(ids: "@team1") { id }
			heroes(orderBy: $order, where: {ageIn: $ages, or: $or, hasOwnerWith: $with, nameIn: $names, idIn: $ids, and: {name: "Sam"}}) { nodes { name } }
			user(id: "@user1") { heroes(orderBy: $order, where: {ageIn: $ages, or: $or, hasOwnerWith: $with, nameIn: $names, idIn: "@hero1", and: {nameIn: "Sam"}}) { nodes { name } } } }`,
		[]execution{{`{"ids":"@hero1","order":{"field":"NAME"},"ages":45,"or":{"name":"Sam"},"with":{"username":"ada"},"names":"Sam"}`,
			`{"nodes":[{"id":"@hero1"}],"one":[{"id":"@team1"}],"heroes":{"nodes":[{"name":"Sam"}]},"user":{"heroes":{"nodes":[{"name":"Sam"}]}}}`}}},
	{"a single value where a list is wanted, inside of a variable",
		`query($where: HeroWhereInput) { heroes(where: $where) { nodes { name } } user(id: "@user1") { heroes(where: $where) { nodes { name } } } }`,
		[]execution{
			{`{"where":{"ageIn":45,"or":{"name":"Sam"},"hasOwnerWith":{"usernameIn":"ada"},"nameIn":"Sam","idIn":"@hero1","and":{"nameIn":"Sam"}}}`, `{"heroes":{"nodes":[{"name":"Sam"}]},"user":{"heroes":{"nodes":[{"name":"Sam"}]}}}`},
			{`{"where":{"or":[{"ageIn":[45]},{"name":"Angua"}],"and":[]}}`, `{"heroes":{"nodes":[{"name":"Sam"},{"name":"Angua"}]},"user":{"heroes":{"nodes":[{"name":"Sam"},{"name":"Angua"}]}}}`},
		}},
	{"an ID as a block string, and texts with escapes",
		`{ user(id: """@user1""") { username } users(where: {username: "b\"\u006f\\b"}) { nodes { id } } }`,
		always(`{"user":{"username":"ada"},"users":{"nodes":[{"id":"@user2"}]}}`)},

	// __typename.
	{"__typename everywhere",
		`{ __typename users(first: 1) { __typename edges { __typename node { __typename orders { __typename nodes { __typename items { __typename product { __typename } } } } } } nodes { __typename } pageInfo { __typename } } node(id: "@team1") { __typename ... on Node { again: __typename } } nodes(ids: ["@hero1"]) { __typename ... on Hero { team { __typename } } } }`,
		always(`{"__typename":"Query","users":{"__typename":"UserConnection","edges":[{"__typename":"UserEdge","node":{"__typename":"User","orders":{"__typename":"OrderConnection","nodes":[{"__typename":"Order","items":[{"__typename":"OrderItem","product":{"__typename":"Product"}},{"__typename":"OrderItem","product":{"__typename":"Product"}}]}]}}}],"nodes":[{"__typename":"User"}],"pageInfo":{"__typename":"PageInfo"}},"node":{"__typename":"Team","again":"Team"},"nodes":[{"__typename":"Hero","team":{"__typename":"Team"}}]}`)},
	{"introspection beside reads",
		`{ a: users(first: 1) { nodes { username } } __schema { queryType { name } } __type(name: "PageInfo") { fields { name } } b: hero(id: "@hero1") { name } }`,
		always(`{"a":{"nodes":[{"username":"ada"}]},"__schema":{"queryType":{"name":"Query"}},"__type":{"fields":[{"name":"hasNextPage"},{"name":"hasPreviousPage"},{"name":"startCursor"},{"name":"endCursor"}]},"b":{"name":"Sam"}}`)},
}

// manySwitches returns executions with more combinations of variables than plans are kept for.
func manySwitches() (runs []execution) {
	for i := range 128 {
		var v, want []string
		for j, name := range "abcdefg" {
			on := i>>j&1 == 1
			v = append(v, fmt.Sprintf(`"%c":%t`, name, on))
			if on {
				want = append(want, fmt.Sprintf(`"%c":"@user1"`, name))
			}
		}
		runs = append(runs, execution{"{" + strings.Join(v, ",") + "}", `{"user":{` + strings.Join(append(want, `"version":3`), ",") + `}}`})
	}
	return runs
}

func TestReadLanguage(t *testing.T) {
	t.Parallel()
	both := newTwins(t, smallWorld())
	cursors := smallCursors(t, both)
	for _, tt := range languageTests {
		t.Run(tt.name, func(t *testing.T) {
			for round := range 2 { // the second time with a plan that is there already
				for _, run := range tt.runs {
					var v vars
					if err := json.Unmarshal([]byte(withIDs(run.vars, cursors)), &v); err != nil {
						t.Fatal(err)
					}
					got := both.mustDo(t, withIDs(tt.query, cursors), v)
					if want := withIDs(run.want, cursors); got.RawData() != want {
						t.Errorf("with %s, round %d:\n%s\nwant\n%s", run.vars, round, got.RawData(), want)
					}
				}
			}
		})
	}
}

// smallCursors returns the cursors of users and heroes, in the order of their IDs.
func smallCursors(t *testing.T, both twins) map[string]string {
	t.Helper()
	got := both.mustDo(t, `{ user: users { edges { cursor } } hero: heroes { edges { cursor } } }`, nil)
	cursors := map[string]string{}
	for _, name := range []string{"user", "hero"} {
		for i := range got.Len(name + ".edges") {
			cursors[fmt.Sprintf("%s%d", name, i+1)] = got.Text(fmt.Sprintf("%s.edges.%d.cursor", name, i))
		}
	}
	return cursors
}

func TestReadOperationName(t *testing.T) {
	t.Parallel()
	both := newTwins(t, smallWorld())
	const document = `query One($with: Boolean = false) { users(first: 1) { ...f } } query Two($with: Boolean = true) { users(last: 1) { ...f } }
		mutation Three { updateTeam(id: "@team1", input: {headquarters: "Tower"}) { team { ...g __typename heroes(first: 1) { nodes { ...h } } } again: team { name } } }
		fragment f on UserConnection { nodes { username id @include(if: $with) } } fragment g on Node { id } fragment h on Hero { name owner { username } }`
	for _, tt := range []struct{ name, want string }{
		{"One", `{"users":{"nodes":[{"username":"ada"}]}}`},
		{"Two", `{"users":{"nodes":[{"username":"b\"o\\b","id":"@user2"}]}}`},
		{"Three", `{"updateTeam":{"team":{"id":"@team1","__typename":"Team","heroes":{"nodes":[{"name":"Sam","owner":{"username":"ada"}}]}},"again":{"name":"Watch"}}}`},
		{"One", `{"users":{"nodes":[{"username":"ada"}]}}`},
	} {
		both.each(func(a *api) {
			got := a.SendRequest(t.Context(), gqltest.Request{Query: withIDs(document, nil), OperationName: tt.name})
			if want := withIDs(tt.want, nil); got.RawData() != want || len(got.Errors) > 0 {
				t.Errorf("operation %s: %s\nwant data %s", tt.name, got, want)
			}
		})
	}
}

// TestReadConcurrently sends the same operations from several goroutines, with other variables each
// time. They share plans.
func TestReadConcurrently(t *testing.T) {
	t.Parallel()
	both := newTwins(t, smallWorld())
	cursors := smallCursors(t, both)
	both.each(func(a *api) {
		var wait sync.WaitGroup
		for worker := range 4 {
			wait.Go(func() {
				r := rand.New(rand.NewPCG(uint64(worker), 1))
				for range 150 {
					tt := pick(r, languageTests)
					run := pick(r, tt.runs)
					got := a.SendRequest(t.Context(), gqltest.Request{Query: withIDs(tt.query, cursors), Variables: json.RawMessage(withIDs(run.vars, cursors))})
					if want := withIDs(run.want, cursors); got.RawData() != want {
						t.Errorf("%s with %s:\n%s\nwant\n%s", tt.query, run.vars, got.RawData(), want)
					}
				}
			})
		}
		wait.Wait()
	})
}

// send sends a request of any parameters.
