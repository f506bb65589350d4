package api_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"testing"

	"forge/internal/cursorcipher"
)

const (
	badInput = "BAD_USER_INPUT"
	notValid = "GRAPHQL_VALIDATION_FAILED"
)

// refusal is an operation that is refused in whole or in part. If data is "", the answer has no
// data, because nothing was executed.
type refusal struct {
	name, query, vars string
	code, field, path string
	data              string
}

// badReads returns requests for which the contract has an error. @user1 and ^user1 stand for what
// they stand for in smallWorld.
func badReads() []refusal {
	var list []refusal
	add := func(name, query, vars, code, field, path, data string) {
		list = append(list, refusal{name, query, vars, code, field, path, data})
	}
	// page adds queries with a connection's arguments: of a root field, and of nested ones in each
	// way to be nested.
	page := func(name, declared, args, vars, field string) {
		add(name+", root", declared+`{ heroes(`+args+`) { totalCount nodes { id } } }`, vars, badInput, field, "heroes", "null")
		add(name+", nested", declared+`{ team(id: "@team1") { name heroes(`+args+`) { totalCount nodes { id } } } order(id: "@order1") { status } }`, vars,
			badInput, field, "team.heroes", `{"team":null,"order":{"status":"PENDING"}}`)
		add(name+", nested deep", declared+`{ users(first: 2) { edges { node { h: heroes(`+args+`) { totalCount } } } } }`, vars, badInput, field, "users.edges.0.node.h", "null")
		add(name+", where null is allowed", declared+`{ heroes(last: 2) { nodes { name t: team { name heroes(`+args+`) { pageInfo { hasNextPage } } } } } }`, vars,
			badInput, field, "heroes.nodes.0.t.heroes", `{"heroes":{"nodes":[{"name":"Angua","t":null},{"name":"Esme","t":null}]}}`)
		add(name+", node", declared+`{ node(id: "@user1") { id ... on User { heroes(`+args+`) { edges { cursor } } } } nodes(ids: ["@hero1", "@user1"]) { id } }`, vars,
			badInput, field, "node.heroes", `{"node":null,"nodes":[{"id":"@hero1"},{"id":"@user1"}]}`)
		add(name+", nodes", declared+`{ nodes(ids: ["@hero1", "@user1", "@team2"]) { id ... on User { heroes(`+args+`) { edges { cursor } } } } }`, vars,
			badInput, field, "nodes.1.heroes", `{"nodes":[{"id":"@hero1"},null,{"id":"@team2"}]}`)
	}

	// IDs.
	for _, bad := range []struct{ name, id string }{
		{"empty", ""}, {"no prefix", "00000000000000000000000001"}, {"no suffix", "user_"}, {"short", "user_0000000000000000000000001"},
		{"long", "user_000000000000000000000000001"}, {"past 128 bits", "user_80000000000000000000000000"}, {"upper case", "USER_00000000000000000000000001"},
		{"a letter that is none", "user_0000000000000000000000000u"}, {"blanks", " @user1 "}, {"a zero character", "user_0000000000000000000000000\\u0000"},
		{"a UUID", "0f010000-0000-0000-0000-000000000000"}, {"very long", strings.Repeat("x", 5000)}, {"words", `'; DROP TABLE users; --`},
		{"another type", "@team1"}, {"a type that nobody knows", "thing_00000000000000000000000001"}, {"a type that is not shown", "inventory_00000000000000000000000001"},
		{"a prefix with underscores", "user_x_00000000000000000000000001"},
	} {
		v := `{"id":"` + bad.id + `"}`
		add("ID, "+bad.name, `query($id: ID!) { user(id: $id) { id } order(id: "@order1") { status } }`, v, badInput, "id", "user", `{"user":null,"order":{"status":"PENDING"}}`)
		page("ID to filter by, "+bad.name, `query($id: ID!) `, `where: {ownerId: $id}`, v, "where.ownerId")
		page("IDs to filter by, "+bad.name, `query($id: ID!) `, `where: {ownerIdIn: ["@user1", $id]}`, v, "where.ownerIdIn.1")
		if bad.name != "another type" {
			add("ID of a node, "+bad.name, `query($id: ID!) { node(id: $id) { id } }`, v, badInput, "id", "node", `{"node":null}`)
			add("ID among others, "+bad.name, `query($id: ID!) { viewer { id } nodes(ids: ["@user1", $id]) { id } }`, v, badInput, "ids.1", "nodes", "null")
		}
	}
	page("a number for an ID", "", `where: {id: 5}`, "", "where.id")
	page("an ID deep inside", "", `where: {or: [{}, {and: [{hasOwnerWith: [{username: "x"}, {not: {idIn: ["@user1", "@user2", "@hero1"]}}]}]}]}`, "", "where.or.1.and.0.hasOwnerWith.1.not.idIn.2")
	page("an ID in a single value for a list", "", `where: {hasOwnerWith: {id: "@hero1"}}`, "", "where.hasOwnerWith.0.id")
	add("101 IDs", `query($ids: [ID!]!) { nodes(ids: $ids) { id } order(id: "@order1") { id } }`, `{"ids":["@user1"`+strings.Repeat(`,"@user1"`, 100)+`]}`, badInput, "ids", "nodes", "null")

	// Cursors.
	for _, side := range []string{"after", "before"} {
		for _, bad := range []struct{ name, cursor string }{
			{"empty", ""}, {"not base 64", "!!!!"}, {"other base 64", "ab+/"}, {"padded", "^hero1=="}, {"one byte", "AA"}, {"four bytes", "AAAAAA"}, {"cut short", "^short"}, {"too long", "^hero1AAAA"},
			{"of another list", "^user1"}, {"very long", strings.Repeat("A", 5000)}, {"an ID", "@hero1"}, {"with a line break", "^hero1\\n"},
		} {
			page(bad.name+" cursor "+side, `query($c: Cursor) `, side+`: $c`, `{"c":"`+bad.cursor+`"}`, side)
		}
		page("cursor of another order "+side, "", side+`: "^hero1", orderBy: [{field: NAME}]`, "", side)
		page("cursor of the other direction "+side, "", side+`: "^byname", orderBy: [{field: NAME, direction: DESC}]`, "", side)
		page("cursor of more terms "+side, "", side+`: "^byname", orderBy: [{field: NAME}, {field: AGE}]`, "", side)
		add("a number for a cursor "+side, `{ heroes(`+side+`: 5) { totalCount } }`, "", notValid, "", "", "")
	}

	// Sizes.
	for _, size := range []string{"first", "last", "offset"} {
		for _, n := range []string{"-1", "101", "-2147483648", "2147483647"} {
			if size == "offset" && (n == "101" || n == "2147483647") {
				continue
			}
			page(size+" "+n, "", size+`: `+n, "", size)
			page(size+" by a variable "+n, `query($n: Int) `, size+`: $n`, `{"n":`+n+`}`, size)
		}
		page(size+" by a default", `query($n: Int = -5) `, size+`: $n`, "", size)
		for _, n := range []string{"2147483648", "-2147483649", "99999999999"} {
			add(size+" "+n, `{ heroes(`+size+`: `+n+`) { totalCount } }`, "", notValid, "", "", "")
			add(size+" by a default "+n, `query($n: Int = `+n+`) { heroes(`+size+`: $n) { totalCount } }`, "", notValid, "", "", "")
			add(size+" by a variable "+n, `query($n: Int) { heroes(`+size+`: $n) { totalCount } }`, `{"n":`+n+`}`, badInput, size, "", "")
		}
		add(size+" past 64 bits", `{ heroes(`+size+`: 99999999999999999999) { totalCount } }`, "", notValid, "", "", "")
		add(size+" past 64 bits by a variable", `query($n: Int) { heroes(`+size+`: $n) { totalCount } }`, `{"n":99999999999999999999}`, badInput, size, "", "")
		add(size+" with a fraction", `{ heroes(`+size+`: 1.5) { totalCount } }`, "", notValid, "", "", "")
		add(size+" with a fraction by a variable", `query($n: Int) { heroes(`+size+`: $n) { totalCount } }`, `{"n":1.5}`, badInput, size, "", "")
		add(size+" as a text", `{ heroes(`+size+`: "1") { totalCount } }`, "", notValid, "", "", "")
		add(size+" as a text by a variable", `query($n: Int) { heroes(`+size+`: $n) { totalCount } }`, `{"n":"1"}`, badInput, size, "", "")
		add(size+" as a list", `{ heroes(`+size+`: [1]) { totalCount } }`, "", notValid, "", "", "")
	}

	// Values of filters.
	add("a number past 32 bits", `{ heroes(where: {ageGT: 2147483648}) { totalCount } }`, "", notValid, "", "", "")
	add("a number past 32 bits by a variable", `query($n: Int!) { heroes(where: {ageIn: [1, $n]}) { totalCount } }`, `{"n":-2147483649}`, badInput, "where.ageIn.1", "", "")
	add("a number past 32 bits inside of a variable", `query($w: HeroWhereInput) { heroes(where: $w) { totalCount } }`, `{"w":{"not":{"ageLTE":4294967296}}}`,
		badInput, "where.not.ageLTE", "", "")
	for _, bad := range []string{"", "nonsense", "2026-01-02", "2026-01-02T15:04:05", "2026-13-02T15:04:05Z", "2026-02-30T15:04:05Z", "2026-01-02 15:04:05Z", "10000-01-01T00:00:00Z", "1767366245", "2026-01-02T15:04:05Z\\u0000"} {
		page("time "+bad, `query($t: Time!) `, `where: {createdAtGTE: $t}`, `{"t":"`+bad+`"}`, "where.createdAtGTE")
	}
	add("a number for a time in the document", `{ heroes(where: {createdAt: 5}) { totalCount } }`, "", notValid, "", "", "")
	page("zero character", "", `where: {name: "a\u0000"}`, "", "where.name")
	page("zero character in a prefix", "", `where: {nameHasPrefix: "\u0000"}`, "", "where.nameHasPrefix")
	page("zero character in a list", `query($s: [String!]) `, `where: {not: {nameIn: $s}}`, `{"s":["a","a\u0000b"]}`, "where.not.nameIn.1")
	page("zero character below", "", `where: {hasOwnerWith: [{email: "\u0000"}]}`, "", "where.hasOwnerWith.0.email")
	deep := strings.Repeat(`{not: `, 11) + `{age: 1}` + strings.Repeat(`}`, 11)
	page("conditions too deep", "", `where: `+deep, "", "where"+strings.Repeat(".not", 11))
	page("conditions too deep over edges", "", `where: `+strings.Repeat(`{hasOwnerWith: {hasHeroesWith: `, 6)+`{age: 1}`+strings.Repeat(`}}`, 6), "", "where"+strings.Repeat(".hasOwnerWith.0.hasHeroesWith.0", 5)+".hasOwnerWith.0")
	nested := strings.Repeat(`{not: `, 90) + `{age: 1}` + strings.Repeat(`}`, 90)
	page("conditions far too deep", "", `where: `+nested, "", "where"+strings.Repeat(".not", 11))

	// Enums, and values of other types.
	add("enum, unknown", `{ heroes(orderBy: [{field: SECRET_NAME}]) { totalCount } }`, "", notValid, "", "", "")
	add("enum, in lower case", `{ user(id: "@user1") { heroes(orderBy: {field: name}) { totalCount } } }`, "", notValid, "", "", "")
	add("enum, as a text", `{ orders(where: {status: "PAID"}) { totalCount } }`, "", notValid, "", "", "")
	add("direction, unknown", `{ heroes(orderBy: [{field: NAME, direction: UP}]) { totalCount } }`, "", notValid, "", "", "")
	add("direction null", `{ heroes(orderBy: [{field: NAME, direction: null}]) { totalCount } }`, "", notValid, "", "", "")
	add("no field to order by", `{ heroes(orderBy: [{direction: ASC}]) { totalCount } }`, "", notValid, "", "", "")
	add("enum by a variable, unknown", `query($o: [HeroOrder!]) { heroes(orderBy: $o) { totalCount } }`, `{"o":[{"field":"SECRET_NAME"}]}`, badInput, "orderBy.0.field", "", "")
	add("enum by a variable, a number", `query($s: OrderStatus) { orders(where: {status: $s}) { totalCount } }`, `{"s":1}`, badInput, "where.status", "", "")
	add("enum in lower case by a variable", `query($o: [HeroOrder!]) { heroes(orderBy: $o) { totalCount } }`, `{"o":[{"field":"AGE"},{"field":"name"}]}`, badInput, "orderBy.1.field", "", "")
	add("direction in lower case by a variable", `query($o: [HeroOrder!]) { heroes(orderBy: $o) { totalCount } }`, `{"o":{"field":"NAME","direction":"desc"}}`, badInput, "orderBy.0.direction", "", "")
	add("direction null by a variable", `query($d: OrderDirection) { heroes(orderBy: [{field: NAME, direction: $d}]) { totalCount } }`, `{"d":null}`, badInput, "orderBy.0.direction", "", "")
	add("enum in lower case by a variable, root", `query($s: OrderStatus) { orders(where: {statusIn: [PAID, $s]}) { totalCount } }`, `{"s":"PAID"}`, notValid, "", "", "")
	add("enum in lower case in a condition, root", `query($w: OrderWhereInput) { orders(where: $w) { totalCount } }`, `{"w":{"statusIn":["PAID","pending"]}}`, badInput, "where.statusIn.1", "", "")
	add("enum in lower case in a condition, nested", `query($w: OrderWhereInput) { user(id: "@user1") { orders(where: $w) { totalCount } } }`, `{"w":{"statusIn":["PAID","pending"]}}`, badInput, "where.statusIn.1", "", "")
	add("enum in lower case in a condition over an edge", `query($w: [OrderWhereInput!]) { users(where: {hasOrdersWith: $w}) { totalCount } }`, `{"w":[{"status":"paid"}]}`, badInput, "where.hasOrdersWith.0.status", "", "")
	for _, language := range []string{"", "DE", "de-x-icu", "da", "C", "klingon", `de\" DESC; DROP TABLE users --`, strings.Repeat("x", 5000), "de\\u0000"} {
		page(fmt.Sprintf("collation %.20q", language), `query($l: String) `, `orderBy: [{field: AGE}, {field: NAME, collation: $l}]`, `{"l":"`+language+`"}`, "orderBy.1.collation")
	}
	for _, field := range []string{"AGE", "CREATED_AT"} {
		page("collation of "+field, "", `orderBy: {field: `+field+`, collation: "de"}`, "", "orderBy.0.collation")
	}
	add("collation of a number of rows", `{ teams(orderBy: [{field: HEROES_COUNT, collation: "und"}]) { totalCount } }`, "", badInput, "orderBy.0.collation", "teams", "null")
	add("collation as a number", `{ heroes(orderBy: [{field: NAME, collation: 5}]) { totalCount } }`, "", notValid, "", "", "")
	page("cursor of another collation", "", `after: "^byname", orderBy: [{field: NAME, collation: "de"}]`, "", "after")
	page("cursor of an order by related rows", "", `before: "^byname", orderBy: [{field: TEAM_NAME}]`, "", "before")
	page("too many terms", "", `orderBy: [`+strings.Repeat(`{field: NAME}, `, 21)+`]`, "", "orderBy")
	add("unknown condition", `{ users(where: {hashedPassword: "x"}) { totalCount } }`, "", notValid, "", "", "")
	add("unknown condition in a variable", `query($w: UserWhereInput) { users(where: $w) { totalCount } }`, `{"w":{"hashedPassword":"x"}}`, badInput, "where.hashedPassword", "", "")
	add("null in a list", `{ users(where: {usernameIn: ["a", null]}) { totalCount } }`, "", notValid, "", "", "")
	add("null in a list by a variable", `query($w: UserWhereInput) { users(where: $w) { totalCount } }`, `{"w":{"and":[null]}}`, badInput, "where.and.0", "", "")
	add("a text for a condition", `query($w: UserWhereInput) { users(where: $w) { totalCount } }`, `{"w":"x"}`, badInput, "where", "", "")
	add("a text for a truth value", `query($w: UserWhereInput) { user(id: "@user1") { heroes(where: {hasOwnerWith: [$w]}) { totalCount } } }`, `{"w":{"emailIsNil":"yes"}}`, notValid, "", "?", "")
	add("an object for a text", `query($w: UserWhereInput) { users(where: $w) { totalCount } }`, `{"w":{"username":{"like":"x"}}}`, badInput, "where.username", "", "")
	add("no ID", `{ user { id } }`, "", notValid, "", "", "")
	add("a number for a text", `mutation($i: CreateTeamInput!) { createTeam(input: $i) { team { id } } }`, `{"i":{"name":7}}`, badInput, "input.name", "", "")
	add("a text for a number", `mutation($i: [CreateHeroInput!]!) { createHeroes(input: $i) { heroes { id } } }`, `{"i":[{"name":"a"},{"name":"b","age":"41"}]}`, badInput, "input.1.age", "", "")
	add("a number for a time", `query($t: Time) { heroes(where: {createdAtGT: $t}) { totalCount } }`, `{"t":1}`, badInput, "where.createdAtGT", "", "")
	many := strings.Repeat(`{age: 1}, `, 600)
	page("too many conditions", "", `where: {or: [`+many+`]}`, "", "where.or.499")
	page("too many conditions over edges", "", `where: {and: [`+strings.Repeat(`{hasTeamWith: {hasHeroesWith: {age: 1}}}, `, 12)+`]}`, "", "where.and.10.hasTeamWith")
	add("a switch that is null", `query($v: Boolean = true) { users @include(if: $v) { totalCount } }`, `{"v":null}`, badInput, "v", "", "")
	add("a switch that is null, in a fragment", `query($v: Boolean! = true) { users { ...f } } fragment f on UserConnection { totalCount @skip(if: $v) }`, `{"v":null}`, badInput, "v", "", "")
	add("brackets too deep", `{ users(where: `+strings.Repeat(`{not: `, 3000)+`{}`+strings.Repeat(`}`, 3000)+`) { totalCount } }`, "", "QUERY_TOO_DEEP", "", "", "")
	add("null for an ID", `query($id: ID!) { user(id: $id) { id } }`, `{"id":null}`, badInput, "id", "", "")
	add("no operation", `fragment f on User { id }`, "", notValid, "", "", "")
	add("unknown field", `{ users { nodes { hashedPassword } } }`, "", notValid, "", "", "")
	add("a fragment that spreads itself", `{ users { nodes { ...f } } } fragment f on User { heroes { nodes { owner { ...f } } } }`, "", notValid, "", "", "")
	add("not a document", `{ users { nodes { id }`, "", "GRAPHQL_PARSE_FAILED", "", "", "")
	return list
}

func TestReadBad(t *testing.T) {
	t.Parallel()
	both := newTwins(t, smallWorld())
	cursors := smallCursors(t, both)
	cursors["short"] = cursors["hero1"][:len(cursors["hero1"])-2]
	cursors["byname"] = both.mustDo(t, `{ heroes(orderBy: {field: NAME}) { pageInfo { endCursor } } }`, nil).Text("heroes.pageInfo.endCursor")
	for _, tt := range badReads() {
		t.Run(tt.name, func(t *testing.T) {
			var v vars
			if tt.vars != "" {
				if err := json.Unmarshal([]byte(withIDs(tt.vars, cursors)), &v); err != nil {
					t.Fatal(err)
				}
			}
			query := withIDs(tt.query, cursors)
			both.each(func(a *api) {
				got := a.Do(query, v)
				if got.Status >= 500 {
					t.Error(got)
				}
				if len(got.Errors) == 0 {
					t.Fatalf("%s with %s is not refused: %s", query, tt.vars, got)
				}
				code, _ := got.Extension("code").(string)
				field, _ := got.Extension("field").(string)
				if code != tt.code || field != tt.field {
					t.Errorf("code %q, field %q, want %q and %q: %s", code, field, tt.code, tt.field, got)
				}
				if path := dotted(got.Errors[0].Path); path != tt.path && tt.path != "?" {
					t.Errorf("path %q, want %q: %s", path, tt.path, got)
				}
				if message := got.Errors[0].Message; len(message) > 300 || message == "" || strings.Contains(message, "sql") {
					t.Errorf("the message is of no help: %s", message)
				}
				if want := withIDs(tt.data, cursors); got.RawData() != want && (want != "" || got.RawData() != "null") {
					t.Errorf("data %s, want %s", got.RawData(), want)
				}
				if tt.data == "null" || tt.data == "" && tt.code != notValid {
					if len(got.Errors) != 1 {
						t.Errorf("%d errors where one tells it all: %s", len(got.Errors), got)
					}
				}
			})
			both.do(t, query, v)
		})
	}
	// Both still answer, and nothing that was refused has left a connection behind: there are not
	// so many.
	if n := both.mustDo(t, `{ users { totalCount } }`, nil).Number("users.totalCount"); n != 2 {
		t.Errorf("%d users after all that, want 2", n)
	}
	both.each(func(a *api) {
		if used := a.db.Stats().InUse; used != 0 {
			t.Errorf("%d connections are still in use", used)
		}
	})
}

// TestReadForgedCursors sends cursors that were changed. It also sends cursors with all kinds of
// contents that are encrypted for the list, which nobody can make without the key.
func TestReadForgedCursors(t *testing.T) {
	t.Parallel()
	both := newTwins(t, smallWorld())
	sealed := cursorcipher.New(nil)
	for order, terms := range map[string]string{"NAME": "Hero|namefalse|idfalse", "AGE": "Hero|agefalse|nametrue|idtrue", "CREATED_AT": "Hero|created_atfalse|nametrue|idtrue"} {
		h := fnv.New32a()
		_, _ = h.Write([]byte(terms))
		root := `query($c: Cursor) { heroes(orderBy: [{field: ` + order + `}, {field: NAME, direction: DESC}], %s: $c) { nodes { id } } }`
		nested := `query($c: Cursor) { user(id: "` + idOf("user", smallWorld().users[0].ID) + `") { heroes(orderBy: [{field: ` + order + `}, {field: NAME, direction: DESC}], %s: $c) { nodes { id } } } }`
		first := both.mustDo(t, `{ heroes(orderBy: [{field: `+order+`}, {field: NAME, direction: DESC}], first: 1) { pageInfo { endCursor } } }`, nil).Text("heroes.pageInfo.endCursor")
		changed, err := base64.RawURLEncoding.DecodeString(first)
		if err != nil {
			t.Fatal(err)
		}
		for i := range changed {
			changed[i] ^= 0x10
			got := both.do(t, fmt.Sprintf(root, "after"), vars{"c": base64.RawURLEncoding.EncodeToString(changed)})
			if got.Code() != badInput || got.Extension("field") != "after" {
				t.Fatalf("%s when byte %d of the cursor is changed: %s", order, i, got)
			}
			changed[i] ^= 0x10
		}
		raw, err := sealed.Open(first, h.Sum32())
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(raw); i++ {
			for _, change := range []byte{0, 1, 0x7f, 0x80, 0xff, raw[i] + 1} {
				forged := bytes.Clone(raw)
				forged[i] = change
				for _, sent := range [][]byte{forged, forged[:i], append(forged, change)} {
					c := string(sealed.Append(nil, h.Sum32(), sent))
					for _, side := range []string{"after", "before"} {
						for _, query := range []string{root, nested} {
							got := both.do(t, fmt.Sprintf(query, side), vars{"c": c})
							if len(got.Errors) > 0 && (got.Code() != badInput || got.Extension("field") != side) {
								t.Fatalf("%s with %q: %s", query, sent, got)
							}
						}
						if i > 4 {
							break // the rest is alike
						}
					}
				}
			}
		}
	}
}

// TestReadMissing removes a row that a field relies on and that may not be null. The null moves up
// to the next place where it is allowed (GraphQL specification, section 6.4.4). Each such place has
// one error, at the path of the field.
func TestReadMissing(t *testing.T) {
	t.Parallel()
	w := smallWorld()
	w.stock = nil
	both := newTwins(t, w)
	for _, tt := range []struct {
		query, data string
		paths       []string
	}{
		{`{ product(id: "@product1") { sku stock } order(id: "@order1") { status } }`, `{"product":null,"order":{"status":"PENDING"}}`, []string{"product.stock"}},
		{`{ a: product(id: "@product1") { sku s: stock t: stock } }`, `{"a":null}`, []string{"a.s"}},
		{`{ products { nodes { sku stock } } order(id: "@order1") { status } }`, `null`, []string{"products.nodes.0.stock"}},
		{`{ products { edges { cursor node { s: stock } } } }`, `null`, []string{"products.edges.0.node.s"}},
		{`{ order(id: "@order1") { status items { quantity product { sku stock } } } }`, `{"order":null}`, []string{"order.items.0.product.stock"}},
		{`{ orders { totalCount nodes { items { product { stock } } } } }`, `null`, []string{"orders.nodes.0.items.0.product.stock"}},
		{`{ user(id: "@user1") { username o: orders { e: edges { n: node { i: items { p: product { s: stock } } } } } } team(id: "@team1") { name } }`,
			`{"user":null,"team":{"name":"Watch"}}`, []string{"user.o.e.0.n.i.0.p.s"}},
		{`{ heroes { nodes { name owner { orders { nodes { items { product { stock } } } } } } } }`,
			`{"heroes":{"nodes":[{"name":"Sam","owner":null},{"name":"Angua","owner":null},{"name":"Esme","owner":null}]}}`,
			[]string{"heroes.nodes.0.owner.orders.nodes.0.items.0.product.stock", "heroes.nodes.1.owner.orders.nodes.0.items.0.product.stock"}},
		{`{ nodes(ids: ["@product1", "@user1", "@product1"]) { id ... on Product { stock } } }`, `{"nodes":[null,{"id":"@user1"},null]}`, []string{"nodes.0.stock", "nodes.2.stock"}},
		{`{ node(id: "@item2") { id ... on OrderItem { product { stock } } } }`, `{"node":null}`, []string{"node.product.stock"}},
		{`mutation { updateProduct(id: "@product1", input: {name: "Shoes"}) { product { name stock } } }`, `null`, []string{"updateProduct.product.stock"}},
		{`{ product(id: "@product1") { name } }`, `{"product":{"name":"Boots"}}`, nil},
	} {
		both.each(func(a *api) {
			got := a.Do(withIDs(tt.query, nil), nil)
			if got.RawData() != withIDs(tt.data, nil) {
				t.Errorf("%s: %s\nwant data %s", tt.query, got, tt.data)
			}
			var paths []string
			for _, e := range got.Errors {
				paths = append(paths, dotted(e.Path))
				if e.Extensions["code"] != "INTERNAL" {
					t.Errorf("%s: code %v, want INTERNAL", tt.query, e.Extensions["code"])
				}
			}
			if !slices.Equal(paths, tt.paths) {
				t.Errorf("%s: errors at %q, want them at %q: %s", tt.query, paths, tt.paths, got)
			}
		})
	}
}

func dotted(path []any) string {
	var b strings.Builder
	for i, step := range path {
		if i > 0 {
			b.WriteByte('.')
		}
		fmt.Fprint(&b, step)
	}
	return b.String()
}
