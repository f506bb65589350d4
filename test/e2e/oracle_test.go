package e2e

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/test/dbtest"
	"forge/test/gqltest"
)

// TestOracle makes this many operations of three kinds: to be executed, with mistakes in their
// values, and with mistakes in their text.
const (
	executions = 1500
	coercions  = 1500
	mutations  = 2500
)

// difference is an intended difference between Forge and the reference implementation.
type difference struct {
	name    string // the text in docs/http.md, which also gives the reason
	is      func(c compared) bool
	example request
}

// compared is an operation and both answers to it.
type compared struct {
	request
	data          bool // whether the data must be the same as well
	forge, oracle verdict
}

// verdict says how an operation ended. Its Outcome is "parse", "validation" or "variables" if it
// was refused for that, else "executed". The oracle also has "argument": a variable was null where
// null is not allowed, and only its field failed.
type verdict struct {
	Outcome string
	Data    json.RawMessage
	Failed  bool // whether fields have errors
	Message string
}

// differences lists all intended differences. docs/http.md gives the reasons.
var differences = []difference{
	{"A variable that is null where null is not allowed", func(c compared) bool {
		return c.forge.Outcome == "variables" && (c.oracle.Outcome == "argument" || nullVariable.MatchString(c.forge.Message))
	}, request{Query: `query($d: OrderDirection) { users(orderBy: {field: USERNAME, direction: $d}) { totalCount } }`, Variables: map[string]any{"d": nil}}},
	{"Definitions of types", func(c compared) bool {
		return c.forge.Outcome == "parse" && c.oracle.Outcome == "validation" && strings.HasSuffix(c.oracle.Message, "definition is not executable.")
	}, request{Query: `{ viewer { id } } type X { a: Int }`}},
	{"Variables in the directives of a variable's definition", func(c compared) bool {
		return c.forge.Outcome == "validation" && c.oracle.Outcome == "parse" && strings.HasSuffix(c.oracle.Message, "in constant value.")
	}, request{Query: `query($a: Boolean!, $b: Int @include(if: $a)) { users(first: $b) { totalCount } }`, Variables: map[string]any{"a": true}}},
	{"Whole numbers past 64 bits", func(c compared) bool {
		return c.forge.Outcome == "validation" && longNumber.MatchString(c.Query)
	}, request{Query: `{ node(id: 9223372036854775808) { id } }`}},
	{"Control characters", func(c compared) bool {
		return c.forge.Outcome == "parse" && control.MatchString(c.Query)
	}, request{Query: "{ viewer { id } } # \a"}},
	{"Mutations of sessions", func(c compared) bool {
		return c.forge.Outcome == "variables" && strings.HasSuffix(c.forge.Message, " stands alone in its operation: it is the only root field")
	}, request{Query: `mutation { a: signOut(input: {refreshToken: ""}) { ok } b: signOut(input: {refreshToken: ""}) { ok } }`}},
	{"Limits", func(c compared) bool {
		return strings.HasPrefix(c.forge.Outcome, "QUERY_TOO_") || c.forge.Outcome == "TOO_MANY_ALIASES"
	}, request{Query: `{ viewer` + strings.Repeat(" { ... ", 100) + ` { id }` + strings.Repeat(" }", 101)}},
}

var (
	nullVariable = regexp.MustCompile(`^the variable \$\w+ is null|^\w+ cannot be null; leave it out or send a value$`)
	longNumber   = regexp.MustCompile(`[0-9]{19}`)
	control      = regexp.MustCompile(`[\x00-\x08\x0b\x0c\x0e-\x1f]`)
)

// TestOracle sends thousands of operations to Forge and to the reference implementation of GraphQL,
// graphql-js, which executes them on data that Forge returned before. The test fails on a
// difference that is not in the list, and on an entry of the list that is no difference.
func TestOracle(t *testing.T) {
	o := newOracle(t)
	counts := map[string]int{}
	for _, part := range []struct {
		name string
		n    int
		make func(m *operationMaker) request
	}{
		{"executions", executions, func(m *operationMaker) request { m.data = true; return m.make() }},
		{"values", coercions, func(m *operationMaker) request { m.data = false; return m.make() }},
		{"texts", mutations, func(m *operationMaker) request {
			m.data = m.one(2)
			r := m.make()
			r.Query = m.mutate(r.Query)
			return r
		}},
	} {
		m := &operationMaker{Rand: rand.New(rand.NewPCG(1, uint64(part.n))), schema: o.schema, ids: o.ids, names: o.names}
		for i := range part.n {
			c := o.compare(part.make(m))
			c.data = part.name == "executions"
			meant := slices.IndexFunc(differences, func(d difference) bool { return d.is(c) })
			switch wrong := c.difference(); {
			case wrong == "":
				counts[part.name+": "+c.oracle.Outcome]++
			case meant >= 0:
				counts["meant: "+differences[meant].name]++
			default:
				counts["not meant"]++
				if counts["not meant"] <= 30 {
					variables, _ := json.Marshal(c.Variables)
					t.Errorf("%s %d: %s\n%.3000s\n%.1000s\nForge: %s %s %s\noracle: %s %s %s", part.name, i, wrong, c.Query, variables,
						c.forge.Outcome, c.forge.Message, shorten(c.forge.Data), c.oracle.Outcome, c.oracle.Message, shorten(c.oracle.Data))
				}
			}
		}
	}
	t.Logf("%v", counts)
	page, err := os.ReadFile("../../docs/http.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range differences {
		if c := o.compare(d.example); c.difference() == "" || !d.is(c) {
			t.Errorf("%q is no difference any more: Forge: %s %s, oracle: %s %s", d.name, c.forge.Outcome, c.forge.Message, c.oracle.Outcome, c.oracle.Message)
		}
		if !strings.Contains(string(page), "| "+d.name+" |") {
			t.Errorf("docs/http.md does not list %q", d.name)
		}
	}
	if n := counts["executions: executed"]; n < 1000 {
		t.Errorf("%d operations were executed, want 1000 or more", n)
	}
	for _, outcome := range []string{"parse", "validation", "executed"} {
		if n := counts["texts: "+outcome]; n < 50 {
			t.Errorf("%d texts end with %s, want 50 or more", n, outcome)
		}
	}
}

func shorten(data []byte) []byte { return data[:min(len(data), 600)] }

// difference describes how the answers differ, or returns "".
func (c compared) difference() string {
	switch {
	case c.forge.Outcome != c.oracle.Outcome:
		return "other outcomes"
	case c.oracle.Outcome != "executed" || !c.data:
		return ""
	case c.forge.Failed != c.oracle.Failed:
		return "errors in one alone"
	case !c.sameData():
		return "other data: " + apart(decoded(c.forge.Data), decoded(c.oracle.Data))
	}
	return ""
}

// apart describes the first difference of two values, or returns "".
func apart(a, b any) string {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			break
		}
		for _, name := range slices.Sorted(maps.Keys(a)) {
			if at := apart(a[name], b[name]); at != "" {
				return "." + name + at
			}
		}
		return ""
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			break
		}
		for i := range a {
			if at := apart(a[i], b[i]); at != "" {
				return fmt.Sprintf(".%d%s", i, at)
			}
		}
		return ""
	}
	if reflect.DeepEqual(a, b) {
		return ""
	}
	return fmt.Sprintf(": %.100s and %.100s", fmt.Sprint(a), fmt.Sprint(b))
}

// sameData reports whether the data are the same, in the same order of fields. For introspection,
// the order makes no difference.
func (c compared) sameData() bool {
	if strings.Contains(c.Query, "__schema") || strings.Contains(c.Query, "__type(") {
		return apart(decoded(c.forge.Data), decoded(c.oracle.Data)) == ""
	}
	var forge, oracle bytes.Buffer
	return json.Compact(&forge, c.forge.Data) == nil && json.Compact(&oracle, c.oracle.Data) == nil && forge.String() == oracle.String()
}

// decoded returns data with all lists of objects sorted.
func decoded(data []byte) any {
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		return err
	}
	sortLists(value)
	return value
}

func sortLists(value any) {
	switch value := value.(type) {
	case map[string]any:
		for _, member := range value {
			sortLists(member)
		}
	case []any:
		for _, element := range value {
			sortLists(element)
		}
		slices.SortFunc(value, func(a, b any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	}
}

// oracle holds both servers.
type oracle struct {
	t      *testing.T
	client *gqltest.Client
	schema *ast.Schema
	ids    map[string][]string // of some rows, by type
	names  []string            // of some
	in     io.Writer
	out    *bufio.Reader
}

// newOracle starts a Forge with demo data, reads all rows, and starts the reference implementation
// on them.
func newOracle(t *testing.T) *oracle {
	t.Helper()
	const dir = "oracle"
	install(t, dir)
	url := serve(t, dbtest.EmptySQLite(t), "LOG_LEVEL=error", "MAX_COST=1000000", "MAX_ALIASES=1000", "MAX_DEPTH=50", "MAX_ROOT_FIELDS=1000")
	o := &oracle{t: t, ids: map[string][]string{}, client: gqltest.New(t, url).With("Accept", "application/graphql-response+json")}
	folder := t.TempDir()
	path := filepath.Join(folder, "schema.graphqls")
	printSchema(t, path)
	sdl, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if o.schema, err = gqlparser.LoadSchema(&ast.Source{Input: string(sdl)}); err != nil {
		t.Fatal(err)
	}
	world, err := json.Marshal(map[string]any{"schema": string(sdl), "world": o.world()})
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(folder, "world.json")
	if err := os.WriteFile(path, world, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "oracle.mjs")
	cmd.Dir, cmd.Env, cmd.Stderr = dir, append(os.Environ(), "ORACLE_WORLD="+path), os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	o.in, o.out = in, bufio.NewReader(out)
	return o
}

// rows lists the fields of each entity that the oracle has to know.
var rows = []struct{ entity, connection, fields string }{
	{"User", "users", "id username email role isActive version createdAt updatedAt"},
	{"Team", "teams", "id name headquarters version createdAt updatedAt"},
	{"Hero", "heroes", "id name age version createdAt updatedAt team { id } owner { id }"},
	{"Product", "products", "id sku name priceCents stock version createdAt updatedAt"},
	{"Order", "orders", "id status totalCents version createdAt updatedAt user { id } items { id quantity unitPriceCents product { id } }"},
}

// world reads all rows, in their order.
func (o *oracle) world() map[string][]any {
	// This text needs every kind of escape.
	o.ask(request{Query: `mutation { createTeam(input: {name: "\uD83D\uDE00 \"\\ é\u{1F680}"}) { team { id } } }`})
	world := map[string][]any{}
	for _, r := range rows {
		for full := true; full; {
			query := fmt.Sprintf("{ page: %s(first: 100, offset: %d) { nodes { %s } } }", r.connection, len(world[r.entity]), r.fields)
			var data struct {
				Page struct{ Nodes []map[string]any }
			}
			if err := json.Unmarshal(o.ask(request{Query: query}).Data, &data); err != nil {
				o.t.Fatal(err)
			}
			for i, row := range data.Page.Nodes {
				world[r.entity] = append(world[r.entity], row)
				if i%5 == 0 {
					o.ids[r.entity] = append(o.ids[r.entity], row["id"].(string))
				}
				if name, ok := row["name"].(string); ok && (i%20 == 0 || r.entity == "Team") {
					o.names = append(o.names, name)
				}
				items, _ := row["items"].([]any)
				world["OrderItem"] = append(world["OrderItem"], items...)
				for _, item := range items {
					o.ids["OrderItem"] = append(o.ids["OrderItem"], item.(map[string]any)["id"].(string))
				}
			}
			full = len(data.Page.Nodes) == 100
		}
	}
	return world
}

// compare sends an operation to both servers.
func (o *oracle) compare(r request) compared {
	o.t.Helper()
	sent, err := json.Marshal(r)
	if err != nil {
		o.t.Fatal(err)
	}
	if _, err := o.in.Write(append(sent, '\n')); err != nil {
		o.t.Fatal(err)
	}
	c := compared{request: r, forge: o.ask(r)}
	line, err := o.out.ReadBytes('\n')
	if err != nil {
		o.t.Fatal(err)
	}
	if err := json.Unmarshal(line, &c.oracle); err != nil {
		o.t.Fatal(err)
	}
	return c
}

// outcomes names the outcome for each code of a refusal.
var outcomes = map[string]string{"GRAPHQL_PARSE_FAILED": "parse", "GRAPHQL_VALIDATION_FAILED": "validation", "BAD_USER_INPUT": "variables"}

// ask sends an operation to Forge.
func (o *oracle) ask(r request) verdict {
	o.t.Helper()
	answer := o.client.SendRequest(o.t.Context(), r)
	if answer.Err != nil {
		o.t.Fatal(answer.Err)
	}
	v := verdict{Outcome: "executed", Data: json.RawMessage(answer.RawData()), Failed: len(answer.Errors) > 0}
	if v.Failed {
		v.Message = answer.Errors[0].Message
	}
	if len(v.Data) == 0 {
		v.Outcome = cmp.Or(outcomes[answer.Code()], answer.Code())
	}
	return v
}
