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

	"forge/internal/database"
	"forge/internal/gqlexec"
	"forge/internal/viewer"
	"forge/test/dbtest"
	"forge/test/gqltest"
	"forge/test/kinds/ent"
)

// column is a column with values of its kind, in their order.
type column struct {
	name   string
	values []value
	orders bool
}

// value is a value as a variable holds it, and as answers show it.
type value struct{ sent, shown string }

// of returns values. One that is shown in another form than it is sent in has both forms in it, with
// an arrow between.
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
	{"moment", of(`"0001-01-01T00:00:00Z"`, `"1969-12-31T23:59:59.999999Z"`, `"2026-01-02T17:04:05.000006+02:00" -> "2026-01-02T15:04:05.000006Z"`, `"9999-12-31T23:59:59.999999Z"`), true},
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

// of returns the value that a row has. ok is false if it is NULL, as in every third row of a nullable
// column.
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
	clients []*gqltest.Client
	cursors []string // see pages
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
		if err := ent.NewClient(ent.Driver(entsql.OpenDB(db.Dialect, db.DB))).Schema.Create(t.Context()); err != nil {
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
		handler := gqlexec.New(api, db, gqlexec.Options{Development: true, CursorKey: make([]byte, 32)}, slog.New(slog.DiscardHandler))
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

// TestConditions compares columns of every kind with each value of the table, and with lists of them.
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
			operators := map[string]func(rank, other int) bool{"": func(a, b int) bool { return a == b }}
			if c.orders && c.name != "color" {
				operators["GT"] = func(a, b int) bool { return a > b }
				operators["GTE"] = func(a, b int) bool { return a >= b }
				operators["LT"] = func(a, b int) bool { return a < b }
				operators["LTE"] = func(a, b int) bool { return a <= b }
			}
			if c.name != "flag" {
				operators["In"] = operators[""]
			}
			for i, v := range c.values {
				for op, holds := range operators {
					sent := v.sent
					if op == "In" {
						sent = "[" + sent + ", " + c.values[0].sent + "]"
					}
					want := rowsWhere(func(row int) bool {
						_, rank, ok := c.of(row, nullable)
						return ok && (holds(rank, i) || op == "In" && rank == 0)
					})
					got := b.do(`query($w: SampleWhereInput) { samples(where: $w) { totalCount nodes { story } } }`, `{"w": {"`+name+op+`": `+sent+`}}`)
					if names := stories(got.At("samples.nodes")); names != want || len(got.Errors) > 0 {
						t.Errorf("%s%s %s: %s, want %s", name, op, sent, got, want)
					}
				}
			}
			want := rowsWhere(func(row int) bool { return nullable && row%3 == 2 })
			if got := stories(b.do(`{ samples(where: {`+name+`IsNil: true}) { nodes { story } } }`, `{}`).At("samples.nodes")); got != want {
				t.Errorf("%sIsNil: %s, want %s", name, got, want)
			}
		}
	}
}

// TestOrders reads pages by columns of every kind that has an order: forward and backward, from each
// cursor, in both directions, with NULLs last.
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
