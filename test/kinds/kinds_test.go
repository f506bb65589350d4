package kinds

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"forge/internal/cursorcipher"
	"forge/internal/database"
	"forge/internal/entity"
	"forge/internal/gqlexec"
	"forge/internal/schema/entschema"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/gqltest"
	"forge/test/kinds/ent/migrate"
)

// column is a column with values of its kind, in their order.
type column struct {
	name   string
	values []value
	orders bool
}

// value is a value as a variable holds it, and as answers show it.
type value struct{ sent, shown string }

// of returns values. One that is shown in another form than it is sent in has both forms in it,
// with an arrow between.
func of(texts ...string) []value {
	values := make([]value, len(texts))
	for i, text := range texts {
		sent, shown, other := strings.Cut(text, " -> ")
		if !other {
			shown = sent
		}
		values[i] = value{sent, shown}
	}
	return values
}

const long = "123456789012345678901234567890.123456789012345678901234567891"

// columns are those of Sample, but for the nullable ones beside them.
var columns = []column{
	{"flag", of("false", "true"), false},
	{"whole", of("-2147483648", "-1", "0", "7", "2147483647"), true},
	{"big", of(`"-9223372036854775808"`, `-1 -> "-1"`, `"0"`, `9007199254740993 -> "9007199254740993"`, `"9223372036854775807"`), true},
	{"huge", of(`0 -> "0"`, `"9007199254740992"`, `9007199254740993 -> "9007199254740993"`, `"9223372036854775807"`), true},
	{"real", of("-1.7976931348623157e308 -> -1.7976931348623157e+308", "-0.0 -> 0", "5e-324", "0.1", "0.30000000000000004", "1000000 -> 1e+06", "1.7976931348623157e+308"), true},
	{"near", of("-3.4028235e38 -> -3.4028235e+38", "-0.0 -> 0", "1e-45", "0.1", "0.3", "16777217 -> 1.6777216e+07"), true},
	{"price", of(`"-9999999999.99"`, `-0.1 -> "-0.10"`, `0 -> "0.00"`, `"0.01"`, `9.5 -> "9.50"`, `"10" -> "10.00"`, `9999999999.99 -> "9999999999.99"`), true},
	{"measure", of(`-1e400 -> "-1`+strings.Repeat("0", 400)+`"`, `"-`+long+`"`, `"1e-400" -> "0.`+strings.Repeat("0", 399)+`1"`, `1.500 -> "1.5"`, `"9"`, `"10"`,
		long+` -> "`+long+`"`, `"1e400" -> "1`+strings.Repeat("0", 400)+`"`), true},
	{"moment", of(`"0001-01-01T00:00:00Z"`, `"1969-12-31T23:59:59.999999Z"`, `"2026-01-02T17:04:05.0000069+02:00" -> "2026-01-02T15:04:05.000006Z"`, `"9999-12-31T23:59:59.999999Z"`), true},
	{"day", of(`"0001-01-01"`, `"1969-12-31"`, `"2024-02-29"`, `"9999-12-31"`), true},
	{"clock", of(`"00:00" -> "00:00:00"`, `"00:00:00.000001"`, `"15:04:05.120000" -> "15:04:05.12"`, `"23:59:59.999999"`), true},
	{"span", of(`"-P106751DT23H47M16.854775808S" -> "-PT2562047H47M16.854775808S"`, `"-PT0.000000001S"`, `"PT0S"`, `"P1DT1H" -> "PT25H"`, `"P2W" -> "PT336H"`), true},
	{"word", of(`""`, `"A"`, `"a"`, `"a\"\\\n"`, `"é"`, "\"\uFFFD\"", `"🦸"`), true},
	{"color", of(`"GREEN"`, `"RED"`), true},
	{"token", of(`"00000000-0000-0000-0000-000000000000"`, `"01890A5D-AC96-774B-BCCE-B302099A8057" -> "01890a5d-ac96-774b-bcce-b302099a8057"`), false},
	{"data", of(`""`, `"AA=="`, `"/wAB"`), false},
	{"document", of(`{"b":[1.50,1e2,{}],"a":{"é":null,"a\"b":"\u0001"}} -> {"a":{"a\"b":"\u0001","é":null},"b":[1.5,100,{}]}`, `[]`, `{}`, `"text"`, `12345678901234567890.12345678901234567890 -> 12345678901234567890.1234567890123456789`,
		`1e+300 -> 1e300`, `-0.0 -> 0`, `true`, `[[],[null]]`), false},
	{"words", of(`[]`, `["a","é\"",""]`, `["a"]`), false},
	{"numbers", of(`[2147483647,-1,-1]`, `[]`), false},
	{"reals", of(`[0.1,-0.0,1e+300] -> [0.1,0,1e+300]`, `[]`), false},
	{"bigs", of(`["9223372036854775807",-1] -> ["9223372036854775807","-1"]`, `[]`), false},
	{"nears", of(`[0.1,16777217] -> [0.1,1.6777216e+07]`), false},
	{"flags", of(`[true,false]`, `[]`), false},
	{"tokens", of(`["01890a5d-ac96-774b-bcce-b302099a8057"]`, `[]`), false},
	{"prices", of(`["1.50",2] -> ["1.5","2"]`, `[]`), false},
}

// rows is how many samples there are: every value is in one of them.
const rows = 9

// maybe returns the name of the nullable column beside a column.
func maybe(name string) string { return "maybe" + strings.ToUpper(name[:1]) + name[1:] }

// of returns the value that a row has. ok is false if it is NULL, as in every third row of a
// nullable column.
func (c *column) of(row int, nullable bool) (v value, rank int, ok bool) {
	if nullable && row%3 == 2 {
		return value{"null", "null"}, len(c.values), false
	}
	rank = row % len(c.values)
	return c.values[rank], rank, true
}

// both is the application on both databases, with the same rows.
type both struct {
	*testing.T
	databases []*database.DB
	clients   []*gqltest.Client
	cursors   []string // see pages
}

func newBoth(t *testing.T) *both {
	t.Helper()
	b := &both{T: t}
	urls := []string{dbtest.EmptySQLite(t)}
	if !testing.Short() {
		urls = append(urls, dbtest.EmptyPostgres(t))
	}
	for _, url := range urls {
		db, err := database.Open(url, database.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		if err := entschema.Create(t.Context(), entsql.OpenDB(db.Dialect, db.DB), migrate.Tables); err != nil {
			t.Fatal(err)
		}
		if db.Dialect == dialect.Postgres { // as migrations do
			for _, name := range []string{"word", "maybe_word", "story", "maybe_story"} {
				if _, err := db.ExecContext(t.Context(), `ALTER TABLE samples ALTER COLUMN `+name+` TYPE text COLLATE "C"`); err != nil {
					t.Fatal(err)
				}
			}
		}
		api := new(Resolver).API()
		if err := api.Check(); err != nil {
			t.Fatal(err)
		}
		handler := gqlexec.New(api, db, gqlexec.Options{Development: true, Cursors: cursorcipher.New(make([]byte, 32))}, slog.New(slog.DiscardHandler))
		b.databases = append(b.databases, db)
		b.clients = append(b.clients, gqltest.NewHandler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			handler.ServeHTTP(w, r.WithContext(viewer.NewContext(r.Context(), viewer.System)))
		})))
	}
	return b
}

// filled returns the application with rows.
func filled(t *testing.T) *both {
	b := newBoth(t)
	for row := range rows {
		got := b.do(`mutation($input: CreateSampleInput!) { createSample(input: $input) { sample { `+all+` } } }`, `{"input": `+input(row)+`}`)
		if want := `{"createSample":{"sample":` + shown(row) + `}}`; got.RawData() != want {
			t.Fatalf("row %d:%s", row, difference(got, want))
		}
	}
	return b
}

// do sends an operation to both databases, with variables in JSON. The answers must be the same to
// the byte, but for what they say of statements.
func (b *both) do(query, variables string) gqltest.Answer {
	b.Helper()
	var answers []gqltest.Answer
	for _, c := range b.clients {
		got := c.SendRequest(b.Context(), gqltest.Request{Query: query, Variables: json.RawMessage(variables)})
		if got.Err != nil {
			b.Fatal(got.Err)
		}
		answers = append(answers, got)
	}
	last := answers[len(answers)-1]
	if first := answers[0]; first.RawData() != last.RawData() || fmt.Sprint(first.Errors) != fmt.Sprint(last.Errors) {
		b.Fatalf("%s\nwith %.300s\nSQLite and PostgreSQL differ: %s, %v, %v", query, variables, difference(first, last.RawData()), first.Errors, last.Errors)
	}
	return last
}

// all are all fields but the key.
var all = func() string {
	var names []string
	for _, c := range columns {
		names = append(names, c.name, maybe(c.name))
	}
	return "story " + strings.Join(names, " ")
}()

func input(row int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"story": "%d"`, row)
	for _, c := range columns {
		v, _, _ := c.of(row, false)
		m, _, _ := c.of(row, true)
		fmt.Fprintf(&b, `, "%s": %s, "%s": %s`, c.name, v.sent, maybe(c.name), m.sent)
	}
	return b.String() + "}"
}

func shown(row int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"story":"%d"`, row)
	for _, c := range columns {
		v, _, _ := c.of(row, false)
		m, _, _ := c.of(row, true)
		fmt.Fprintf(&b, `,"%s":%s,"%s":%s`, c.name, v.shown, maybe(c.name), m.shown)
	}
	return b.String() + "}"
}

// difference returns where the data of an answer is not what is wanted.
func difference(got gqltest.Answer, want string) string {
	data := got.RawData()
	if len(got.Errors) > 0 {
		return got.String()
	}
	i := 0
	for i < min(len(data), len(want)) && data[i] == want[i] {
		i++
	}
	cut := func(text string) string { return text[max(0, i-40):min(len(text), i+80)] }
	return fmt.Sprintf("\n…%s…\nwant\n…%s…", cut(data), cut(want))
}

// stories returns the names of the rows in a list, such as "0 3 8".
func stories(list any) string {
	var names []string
	nodes, _ := list.([]any)
	for _, node := range nodes {
		names = append(names, fmt.Sprint(node.(map[string]any)["story"]))
	}
	return strings.Join(names, " ")
}

// rowsWhere returns the names of the rows for which a condition holds.
func rowsWhere(holds func(row int) bool) string {
	var names []string
	for row := range rows {
		if holds(row) {
			names = append(names, fmt.Sprint(row))
		}
	}
	return strings.Join(names, " ")
}

// TestKinds reads columns of every kind: in payloads (which filled compares), in lists, by key, and
// below other rows with one statement.
func TestKinds(t *testing.T) {
	t.Parallel()
	b := filled(t)
	var want []string
	for row := range rows {
		want = append(want, shown(row))
	}
	if got := b.do(`{ samples { nodes { `+all+` } } }`, `{}`).RawData(); got != `{"samples":{"nodes":[`+strings.Join(want, ",")+`]}}` {
		t.Errorf("the list is\n%s", got)
	}
	for _, c := range b.clients {
		id := c.Must(`{ samples(first: 1) { nodes { id } } }`, nil).Text("samples.nodes.0.id")
		part := input(1)
		created := c.SendRequest(t.Context(), gqltest.Request{Query: `mutation($input: CreateSampleInput!) { createSample(input: $input) { sample { of { ` + all + ` } } } }`,
			Variables: json.RawMessage(`{"input": {"ofId": "` + id + `", ` + part[1:] + `}`)})
		if got := created.RawData(); got != `{"createSample":{"sample":{"of":`+shown(0)+`}}}` {
			t.Errorf("below a new row: %s", created)
		}
		for query, want := range map[string]string{
			`{ sample(id: "` + id + `") { ` + all + ` } }`:                                    `{"sample":` + shown(0) + `}`,
			`{ node(id: "` + id + `") { ... on Sample { ` + all + ` } } }`:                    `{"node":` + shown(0) + `}`,
			`{ sample(id: "` + id + `") { parts { nodes { ` + all + ` of { big } } } big } }`: `{"sample":{"parts":{"nodes":[` + strings.TrimSuffix(shown(1), "}") + `,"of":{"big":"-9223372036854775808"}}]},"big":"-9223372036854775808"}}`,
		} {
			if got := c.Do(query, nil); got.RawData() != want {
				t.Errorf("%s: %s, want %s", query, got, want)
			}
		}
	}
}

// TestConditions compares columns of every kind with each value of the table, and with lists of
// them.
func TestConditions(t *testing.T) {
	t.Parallel()
	b := filled(t)
	for _, c := range columns {
		if c.name == "document" || strings.HasSuffix(c.name, "s") {
			continue
		}
		for _, nullable := range []bool{false, true} {
			name := c.name
			if nullable {
				name = maybe(name)
			}
			operators := map[string]func(rank, other int) bool{"": func(a, b int) bool { return a == b }, "NEQ": func(a, b int) bool { return a != b }}
			if c.orders && c.name != "color" {
				operators["GT"] = func(a, b int) bool { return a > b }
				operators["GTE"] = func(a, b int) bool { return a >= b }
				operators["LT"] = func(a, b int) bool { return a < b }
				operators["LTE"] = func(a, b int) bool { return a <= b }
			}
			if c.name != "flag" {
				operators["In"], operators["NotIn"] = operators[""], operators["NEQ"]
			}
			for i, v := range c.values {
				for op, holds := range operators {
					sent := v.sent
					if op == "In" || op == "NotIn" {
						sent = "[" + sent + ", " + c.values[0].sent + "]"
					}
					want := rowsWhere(func(row int) bool {
						_, rank, ok := c.of(row, nullable)
						return ok && (holds(rank, i) && (op != "NotIn" || rank != 0) || op == "In" && rank == 0)
					})
					got := b.do(`query($w: SampleWhereInput) { samples(where: $w) { totalCount nodes { story } } }`, `{"w": {"`+name+op+`": `+sent+`}}`)
					if names := stories(got.At("samples.nodes")); names != want || len(got.Errors) > 0 {
						t.Errorf("%s%s %s: %s, want %s", name, op, sent, got, want)
					}
				}
			}
			null := func(row int) bool { return nullable && row%3 == 2 }
			for where, want := range map[string]string{
				name + "IsNil: true":  rowsWhere(null),
				name + "NotNil: true": rowsWhere(func(row int) bool { return !null(row) }),
				name + "In: []":       "",
				name + "NotIn: []":    "0 1 2 3 4 5 6 7 8",
			} {
				if c.name == "flag" && strings.Contains(where, "In:") {
					continue
				}
				if got := stories(b.do(`{ samples(where: {`+where+`}) { nodes { story } } }`, `{}`).At("samples.nodes")); got != want {
					t.Errorf("%s: %s, want %s", where, got, want)
				}
			}
		}
	}
}

// TestOrders reads pages by columns of every kind that has an order: forward and backward, from
// each cursor, in both directions, with NULLs last.
func TestOrders(t *testing.T) {
	t.Parallel()
	b := filled(t)
	for _, c := range columns {
		if !c.orders {
			continue
		}
		for _, order := range []string{"%", "% DESC", "MAYBE_%", "MAYBE_% DESC", "MAYBE_% DESC, %", "COLOR DESC, MAYBE_%"} {
			var terms []string
			rank := func(row int) (ranks []int) {
				for term := range strings.SplitSeq(order, ", ") {
					of, desc := &c, strings.HasSuffix(term, " DESC")
					if strings.HasPrefix(term, "COLOR") {
						of = &columns[slices.IndexFunc(columns, func(c column) bool { return c.name == "color" })]
					}
					_, rank, ok := of.of(row, strings.HasPrefix(term, "MAYBE_"))
					if desc && ok {
						rank = -rank
					}
					ranks = append(ranks, rank)
				}
				return append(ranks, row*map[bool]int{true: -1, false: 1}[strings.HasSuffix(order, " DESC")])
			}
			for term := range strings.SplitSeq(strings.ReplaceAll(order, "%", strings.ToUpper(c.name)), ", ") {
				field, direction, _ := strings.Cut(term, " ")
				if direction == "" {
					direction = "ASC"
				}
				terms = append(terms, "{field: "+field+", direction: "+direction+"}")
			}
			sorted := make([]int, rows)
			for row := range sorted {
				sorted[row] = row
			}
			slices.SortFunc(sorted, func(a, b int) int { return slices.Compare(rank(a), rank(b)) })
			want := strings.Trim(fmt.Sprint(sorted), "[]")
			for _, page := range []string{"first: 4, after", "last: 4, before"} {
				var got []string
				cursor, query := "null", `query($c: Cursor) { samples(orderBy: [`+strings.Join(terms, ", ")+`], `+page+`: $c) { nodes { story } pageInfo { startCursor endCursor } } }`
				for range 4 {
					answer := b.pages(query, cursor)
					if names := stories(answer.At("samples.nodes")); names != "" {
						got = append(got, names)
					}
					cursor = fmt.Sprintf("%q", answer.Text("samples.pageInfo.endCursor"))
					if strings.HasPrefix(page, "last") {
						cursor = fmt.Sprintf("%q", answer.Text("samples.pageInfo.startCursor"))
					}
					if cursor == `""` {
						break
					}
				}
				if strings.HasPrefix(page, "last") {
					slices.Reverse(got)
				}
				if strings.Join(got, " ") != want {
					t.Errorf("%s by %s, %s: %v, want %s", c.name, order, page, got, want)
				}
			}
		}
	}
}

// pages is do for a query whose answer has cursors. Those differ from one database to the other, as
// keys do, so each database gets its own.
func (b *both) pages(query, cursor string) gqltest.Answer {
	b.Helper()
	if b.cursors == nil || cursor == "null" {
		b.cursors = make([]string, len(b.clients))
		for i := range b.cursors {
			b.cursors[i] = "null"
		}
	}
	var answers []gqltest.Answer
	for i, c := range b.clients {
		got := c.SendRequest(b.Context(), gqltest.Request{Query: query, Variables: json.RawMessage(`{"c": ` + b.cursors[i] + `}`)})
		if !got.OK() {
			b.Fatalf("%s: %s", query, got)
		}
		end := "endCursor"
		if strings.Contains(query, "last:") {
			end = "startCursor"
		}
		b.cursors[i] = fmt.Sprintf("%q", got.Text("samples.pageInfo."+end))
		answers = append(answers, got)
	}
	last := answers[len(answers)-1]
	if first := answers[0]; stories(first.At("samples.nodes")) != stories(last.At("samples.nodes")) {
		b.Fatalf("%s\non SQLite:\n%s\non PostgreSQL:\n%s", query, first, last)
	}
	return last
}

// TestDocumentConditions compares documents and lists.
func TestDocumentConditions(t *testing.T) {
	t.Parallel()
	b := filled(t)
	for _, tt := range []struct{ where, want string }{
		{`{"document": {"b": [1.5, 100.0, {}], "a": {"a\"b": "\u0001", "é": null}}}`, "0"},
		{`{"document": 12345678901234567890.1234567890123456789}`, "4"},
		{`{"document": 12345678901234567890.1234567890123456788}`, ""},
		{`{"document": 0}`, "6"}, {`{"document": true}`, "7"}, {`{"document": "text"}`, "3"}, {`{"document": []}`, "1"}, {`{"document": {}}`, "2"},
		{`{"documentHasKey": "a"}`, "0"}, {`{"documentHasKey": "é"}`, ""}, {`{"documentHasKey": "text"}`, ""}, {`{"not": {"documentHasKey": "a"}}`, "1 2 3 4 5 6 7 8"},
		{`{"documentContains": {}}`, "0 2"}, {`{"documentContains": []}`, "1 8"}, {`{"documentContains": {"b": [1e2]}}`, "0"}, {`{"documentContains": {"b": 100}}`, ""},
		{`{"documentContains": {"a": {"é": null}}}`, "0"}, {`{"documentContains": [[]]}`, "8"}, {`{"documentContains": [[null]]}`, "8"}, {`{"documentContains": "text"}`, "3"},
		{`{"documentPathEquals": {"path": ["b", "0"], "value": 1.50}}`, "0"}, {`{"documentPathEquals": {"path": ["b", "-1"], "value": {}}}`, "0"},
		{`{"documentPathEquals": {"path": ["a", "é"], "value": null}}`, "0"}, {`{"documentPathEquals": {"path": ["a", "é"]}}`, "0"}, {`{"documentPathEquals": {"path": ["1", "0"], "value": null}}`, "8"},
		{`{"documentPathEquals": {"path": ["b", "3"], "value": null}}`, ""}, {`{"documentPathEquals": {"path": ["b", "x"], "value": null}}`, ""},
		{`{"documentNEQ": {}}`, "0 1 3 4 5 6 7 8"}, {`{"documentNEQ": 0}`, "0 1 2 3 4 5 7 8"}, {`{"maybeDocumentNEQ": {}}`, "0 1 3 4 6 7"}, {`{"not": {"maybeDocumentNEQ": "x"}}`, ""},
		{`{"maybeDocumentNotNil": true}`, "0 1 3 4 6 7"}, {`{"maybeDocumentNotNil": false}`, "2 5 8"}, {`{"maybeWordsNotNil": true}`, "0 1 3 4 6 7"},
		{`{"maybeDocumentIsNil": true}`, "2 5 8"}, {`{"maybeDocumentIsNil": false}`, "0 1 3 4 6 7"}, {`{"maybeDocument": {}}`, ""},

		{`{"wordsHas": "a"}`, "1 2 4 5 7 8"}, {`{"wordsHas": "é\""}`, "1 4 7"}, {`{"wordsHas": ""}`, "1 4 7"}, {`{"wordsHas": "A"}`, ""},
		{`{"wordsHasEvery": ["", "a", "a"]}`, "1 4 7"}, {`{"wordsHasEvery": []}`, "0 1 2 3 4 5 6 7 8"}, {`{"wordsHasSome": ["x", "a"]}`, "1 2 4 5 7 8"}, {`{"wordsHasSome": []}`, ""},
		{`{"wordsIsEmpty": true}`, "0 3 6"}, {`{"wordsIsEmpty": false}`, "1 2 4 5 7 8"}, {`{"maybeWordsIsEmpty": false}`, "1 4 7"}, {`{"maybeWordsIsNil": true}`, "2 5 8"},
		{`{"not": {"maybeWordsHas": "x"}}`, "0 1 3 4 6 7"}, {`{"maybeWordsHasEvery": []}`, "0 1 3 4 6 7"},
		{`{"numbersHas": -1}`, "0 2 4 6 8"}, {`{"realsHas": 0.1}`, "0 2 4 6 8"}, {`{"realsHas": 1e300}`, "0 2 4 6 8"}, {`{"realsHas": 0}`, "0 2 4 6 8"}, {`{"realsHas": 0.10000000000000002}`, ""},
		{`{"bigsHasSome": ["9223372036854775807", 5]}`, "0 2 4 6 8"}, {`{"bigsHas": 9223372036854775806}`, ""}, {`{"nearsHas": 0.1}`, "0 1 2 3 4 5 6 7 8"}, {`{"nearsHas": 16777217}`, "0 1 2 3 4 5 6 7 8"},
		{`{"flagsHas": true}`, "0 2 4 6 8"}, {`{"tokensHas": "01890A5D-AC96-774B-BCCE-B302099A8057"}`, "0 2 4 6 8"}, {`{"pricesHasEvery": [1.50, "2.00"]}`, "0 2 4 6 8"}, {`{"pricesHas": "1.51"}`, ""},
		{`{"wordHasPrefix": "a"}`, "2 3"}, {`{"bigIn": []}`, ""}, {`{"dataIn": []}`, ""}, {`{"tokenIn": []}`, ""}, {`{"priceIn": ["10", -0.1]}`, "1 5 8"},
	} {
		got := b.do(`query($w: SampleWhereInput) { samples(where: $w) { totalCount nodes { story } } }`, `{"w": `+tt.where+`}`)
		if names := stories(got.At("samples.nodes")); names != tt.want || len(got.Errors) > 0 {
			t.Errorf("%s: %s, want %s", tt.where, got, tt.want)
		}
	}
}

// TestTexts looks for texts in texts.
func TestTexts(t *testing.T) {
	t.Parallel()
	b := newBoth(t)
	words := []string{"", "Straße", "STRASSE", "50%", "50_", `a\b`, "ΑΣ", "ας", "İi", "ıI", "é", "e\u0301", "🦸x", "ﬁn"}
	for i, word := range words {
		var row map[string]any
		if err := json.Unmarshal([]byte(input(2)), &row); err != nil { // its nullable columns are NULL
			t.Fatal(err)
		}
		row["story"], row["word"] = fmt.Sprint(i), word
		sent, _ := json.Marshal(map[string]any{"input": row})
		if got := b.do(`mutation($input: CreateSampleInput!) { createSample(input: $input) { sample { story } } }`, string(sent)); len(got.Errors) > 0 {
			t.Fatal(got)
		}
	}
	for _, tt := range []struct{ operator, sought, want string }{
		{"Contains", "", "0 1 2 3 4 5 6 7 8 9 10 11 12 13"}, {"Contains", "%", "3"}, {"Contains", "_", "4"}, {"Contains", `\`, "5"}, {"Contains", "0_", "4"}, {"Contains", "ß", "1"},
		{"Contains", "s", ""}, {"Contains", "STRASSEN", ""}, {"Contains", "🦸", "12"}, {"Contains", "e", "1 11"},
		{"HasSuffix", "", "0 1 2 3 4 5 6 7 8 9 10 11 12 13"}, {"HasSuffix", "%", "3"}, {"HasSuffix", "_", "4"}, {"HasSuffix", "x", "12"}, {"HasSuffix", "🦸x", "12"}, {"HasSuffix", "x🦸x", ""},
		{"HasSuffix", `\b`, "5"}, {"HasSuffix", "E", "2"},
		{"EqualFold", "", "0"}, {"EqualFold", "strasse", "1 2"}, {"EqualFold", "straße", "1 2"}, {"EqualFold", "ασ", "6 7"}, {"EqualFold", "50%", "3"}, {"EqualFold", "É", "10"}, {"EqualFold", "FIN", "13"},
		{"EqualFold", "II", "9"}, {"ContainsFold", "i", "8 9 13"}, {"ContainsFold", "Σ", "6 7"}, {"ContainsFold", "S", "1 2"}, {"ContainsFold", "_", "4"}, {"ContainsFold", "%", "3"}, {"ContainsFold", `\B`, "5"},
		{"ContainsFold", "", "0 1 2 3 4 5 6 7 8 9 10 11 12 13"},
	} {
		sought, _ := json.Marshal(tt.sought)
		got := b.do(`query($w: SampleWhereInput) { samples(where: $w) { nodes { story } } }`, fmt.Sprintf(`{"w": {"word%s": %s}}`, tt.operator, sought))
		if names := stories(got.At("samples.nodes")); names != tt.want || len(got.Errors) > 0 {
			t.Errorf("%s %q: %s, want %s", tt.operator, tt.sought, got, tt.want)
		}
		for _, where := range []string{`{"maybeWord%s": %s}`, `{"not": {"maybeWord%s": %s}}`} {
			got := b.do(`query($w: SampleWhereInput) { samples(where: $w) { nodes { story } } }`, fmt.Sprintf(`{"w": `+where+`}`, tt.operator, sought))
			if names := stories(got.At("samples.nodes")); names != "" || len(got.Errors) > 0 {
				t.Errorf("%s %q holds of NULL: %s", tt.operator, tt.sought, got)
			}
		}
	}
}

// TestCapitals compares what both databases make of each character. Texts in capitals are made
// character by character, so this shows that the databases fold all texts alike.
func TestCapitals(t *testing.T) {
	t.Parallel()
	b := newBoth(t)
	if len(b.databases) < 2 {
		t.Skip("-short: there is no PostgreSQL to compare with")
	}
	rows, err := b.databases[1].QueryContext(t.Context(), `SELECT i, upper(chr(i) COLLATE "und-x-icu") FROM generate_series(1, 131071) AS i WHERE i NOT BETWEEN 55296 AND 57343`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var i rune
		var upper string
		if err := rows.Scan(&i, &upper); err != nil {
			t.Fatal(err)
		}
		if got := entity.Capitals(string(i)); got != upper {
			t.Errorf("%U %c: SQLite makes %q of it, and PostgreSQL %q", i, i, got, upper)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// TestLiterals writes values into the document itself, where gqlparser would round numbers.
func TestLiterals(t *testing.T) {
	t.Parallel()
	b := filled(t)
	for _, tt := range []struct{ where, want string }{
		{`{big: 9007199254740993}`, "3 8"}, {`{bigIn: [9007199254740993, -1]}`, "1 3 6 8"}, {`{measure: ` + long + `}`, "6"}, {`{measureGT: ` + long[:len(long)-1] + `0}`, "6 7"}, {`{measure: -1e400}`, "0 8"},
		{`{document: {b: [1.5, 1e2, {}], a: {é: null}}}`, "?"}, {`{documentContains: {b: [1.5, 1e2, {}], a: {}}}`, "0"}, {`{documentContains: {b: [[]]}}`, ""},
		{`{price: "9.5"}`, "4"}, {`{day: "2024-02-29"}`, "2 6"}, {`{documentPathEquals: {path: ["b", "0"], value: 1.5}}`, "0"}, {`{wordsHas: "a", realsHas: 0.1}`, "2 4 8"},
		{`{document: 12345678901234567890.1234567890123456789}`, "?"}, {`{documentContains: [99999999999999999999]}`, "?"},
	} {
		got := b.do(`{ samples(where: `+tt.where+`) { nodes { story } } }`, `{}`)
		if names := stories(got.At("samples.nodes")); tt.want != "?" && (names != tt.want || len(got.Errors) > 0) || tt.want == "?" && len(got.Errors) == 0 {
			t.Errorf("%s: %s, want %s", tt.where, got, tt.want)
		}
	}
	got := b.do(`query($x: JSON, $y: Decimal = 9999999999.99) { samples(where: {document: {a: [$x]}, or: {price: $y}}) { nodes { story } } }`, `{"x": null}`)
	if len(got.Errors) > 0 {
		t.Errorf("a variable in a document: %s", got)
	}
}

// TestBadValues sends values that a kind does not have: in a condition, and in the input of a
// mutation. Both are refused with the same message, which names the argument.
func TestBadValues(t *testing.T) {
	t.Parallel()
	b := newBoth(t)
	digits := func(n int) string { return strings.Repeat("7", n) }
	for _, tt := range []struct{ name, value, message string }{
		{"big", `9223372036854775808`, `"9223372036854775808" is not a whole number from -9223372036854775808 to 9223372036854775807`},
		{"big", `"-9223372036854775809"`, "is not a whole number"}, {"big", `1.5`, "is not a whole number"}, {"big", `"1e999999999"`, "is not a whole number"}, {"big", `""`, "is not a whole number"},
		{"big", `" 1"`, "is not a whole number"}, {"big", `"` + digits(900) + `"`, digits(40) + `…" is not a whole number`},
		{"real", `1e400`, `"1e400" is not a number that a Float can have`},
		{"price", `"1e1001"`, "it has more than 1000 digits before or after its point"}, {"price", `1e999999999`, "it has more than 1000 digits"}, {"price", `1e99999999999`, "is not a Decimal"},
		{"price", `"1e-1001"`, "it has more than 1000 digits"}, {"price", `"` + digits(5000) + `"`, "it has more than 1000 digits"}, {"price", `"NaN"`, `"NaN" is not a Decimal: one looks like "12.50"`},
		{"price", `"0x10"`, "is not a Decimal"}, {"price", `"1,5"`, "is not a Decimal"}, {"price", `""`, "is not a Decimal"}, {"price", `".5"`, "is not a Decimal"}, {"price", `"Infinity"`, "is not a Decimal"},
		{"day", `"2026-02-30"`, `"2026-02-30" is not a Date: one looks like 2026-01-02, of a day that there is`}, {"day", `"0000-01-01"`, "is not a Date"}, {"day", `"10000-01-01"`, "is not a Date"},
		{"day", `"2026-01-02T00:00:00Z"`, "is not a Date"}, {"day", `"2026-1-2"`, "is not a Date"},
		{"clock", `"24:00"`, `"24:00" is not a LocalTime: one looks like 15:04:05`}, {"clock", `"15:04:60"`, "is not a LocalTime"}, {"clock", `"15:04:05.1234567"`, "is not a LocalTime"}, {"clock", `"15:04Z"`, "is not a LocalTime"},
		{"span", `"P1Y"`, `"P1Y" is not a Duration: one looks like PT1H30M`}, {"span", `"PT"`, "is not a Duration"}, {"span", `"P"`, "is not a Duration"}, {"span", `"PT1H30"`, "is not a Duration"},
		{"span", `"P106752D"`, "is too long for a Duration"}, {"span", `"PT9999999999999999999H"`, "is too long for a Duration"}, {"span", `"1h"`, "is not a Duration"},
		{"token", `"01890a5dac96774bbcceb302099a8057"`, `"01890a5dac96774bbcceb302099a8057" is not a UUID`}, {"token", `"{01890a5d-ac96-774b-bcce-b302099a8057}"`, "is not a UUID"}, {"token", `"x"`, "is not a UUID"},
		{"data", `"AA="`, `"AA=" is not base64`}, {"data", `"AB=="`, "is not base64"}, {"data", `"A\nA=="`, "is not base64"}, {"data", `"_w=="`, "is not base64"},
		{"document", `{"a": "\u0000"}`, "a text holds a zero character"}, {"document", `{"\u0000": 1}`, "a text holds a zero character"}, {"document", `[1e1001]`, "has more than 1000 digits"},
		{"document", strings.Repeat("[", 65) + strings.Repeat("]", 65), "lists and objects stand more than 64 deep inside each other"},
	} {
		where := b.do(`query($w: SampleWhereInput) { samples(where: $w) { nodes { story } } }`, `{"w": {"`+tt.name+`": `+tt.value+`}}`)
		v, _, _ := columns[slices.IndexFunc(columns, func(c column) bool { return c.name == tt.name })].of(0, false)
		create := b.do(`mutation($input: CreateSampleInput!) { createSample(input: $input) { sample { story } } }`,
			`{"input": `+strings.Replace(input(0), `"`+tt.name+`": `+v.sent, `"`+tt.name+`": `+tt.value, 1)+`}`)
		for argument, got := range map[string]gqltest.Answer{"where." + tt.name: where, "input." + tt.name: create} {
			if len(got.Errors) != 1 || got.Code() != "BAD_USER_INPUT" || got.Extension("field") != argument || !strings.Contains(got.Errors[0].Message, tt.message) {
				t.Errorf("%s %.100s: %.300s, want %s", argument, tt.value, got, tt.message)
			}
		}
	}
	for where, field := range map[string]string{
		`{"near": 1e39}`: "where.near", `{"bigIn": [1, "x"]}`: "where.bigIn.1", `{"wordsHasSome": ["a", "\u0000"]}`: "where.wordsHasSome.1", `{"wordsHas": "\u0000"}`: "where.wordsHas",
		`{"documentHasKey": "\u0000"}`: "where.documentHasKey", `{"documentPathEquals": {"path": [], "value": 1}}`: "where.documentPathEquals.path",
		`{"documentPathEquals": {"path": ["a"], "value": "\u0000"}}`: "where.documentPathEquals.value", `{"document": "` + strings.Repeat("x", 5000) + `"}`: "where.document",
		`{"wordNEQ": "a\u0000"}`: "where.wordNEQ", `{"wordNotIn": ["a", "\u0000"]}`: "where.wordNotIn.1", `{"wordContains": "\u0000"}`: "where.wordContains",
		`{"wordContains": "` + strings.Repeat("x", 1025) + `"}`: "where.wordContains", `{"wordContainsFold": "` + strings.Repeat("ß", 513) + `"}`: "where.wordContainsFold",
		`{"wordHasSuffix": "` + strings.Repeat("%", 1025) + `"}`: "where.wordHasSuffix", `{"wordEqualFold": "\u0000"}`: "where.wordEqualFold",
		`{"bigNotIn": [1, "x"]}`: "where.bigNotIn.1", `{"priceNEQ": "1,5"}`: "where.priceNEQ", `{"not": {"partsCountGTE": 2147483648}}`: "",
		`{"or": [` + strings.Repeat(`{"partsCount": 1},`, 20) + `{"partsCount": 1}]}`: "where.or.20.partsCount",
		`{"numbersHas": 2147483648}`: "", `{"day": 5}`: "where.day", `{"price": true}`: "where.price", `{"price": {}}`: "where.price",
	} {
		got := b.do(`query($w: SampleWhereInput) { samples(where: $w) { nodes { story } } }`, `{"w": `+where+`}`)
		if got.Code() != "BAD_USER_INPUT" && field != "" || field != "" && got.Extension("field") != field || len(got.Errors) == 0 {
			t.Errorf("%.100s: %.300s, want an error at %s", where, got, field)
		}
	}
}
