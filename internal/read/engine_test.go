package read

import (
	"context"
	"database/sql/driver"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"forge/ent"
	"forge/graph/generated"
	"forge/internal/entity"
)

func newTestEngine() *Engine {
	schema := generated.NewExecutableSchema(generated.Config{}).Schema()
	e, err := NewEngine(Contract{Schema: schema, Entities: ent.Entities, Refers: func(string) bool { return true }}, nil)
	if err != nil {
		panic(err)
	}
	return e
}

// parsed is an operation as gqlgen hands it to the engine, of a document that is kept; the variables are as a client sends them.
func parsed(t testing.TB, e *Engine, query string) func(vars map[string]any) *graphql.OperationContext {
	t.Helper()
	doc, err := gqlparser.LoadQueryWithRules(e.schema, query, rules.NewDefaultRules())
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	e.Keep(doc)
	return func(vars map[string]any) *graphql.OperationContext {
		coerced, err := validator.VariableValues(e.schema, doc.Operations[0], vars)
		if err != nil {
			t.Errorf("%s with %v: %v", query, vars, err)
		}
		return &graphql.OperationContext{Doc: doc, Operation: doc.Operations[0], Variables: coerced}
	}
}

// rootPlans returns the plans for the root fields of an operation, as they are found while it is executed.
func rootPlans(e *Engine, op *graphql.OperationContext) (plans []*plan) {
	for _, f := range graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Query"}) {
		plans = append(plans, e.operation(op).plan(e, op, &graphql.FieldContext{Field: f}))
	}
	return plans
}

// keys lists what a plan writes, and in what order.
func (p *plan) keys() string {
	var b strings.Builder
	var object func(*selection)
	var outputs func([]output)
	outputs = func(list []output) {
		b.WriteByte('{')
		for i := range list {
			fmt.Fprint(&b, list[i].step, " ")
			switch {
			case list[i].nested != nil:
				object(list[i].nested)
			case list[i].page != nil:
				outputs(list[i].page.fields)
			case list[i].fields != nil:
				outputs(list[i].fields)
			}
		}
		b.WriteByte('}')
	}
	object = func(s *selection) { outputs(s.fields) }
	if p.connection != nil {
		outputs(p.connection.fields)
	}
	for _, name := range []string{"User", "Hero"} {
		if s := p.types[name]; s != nil {
			object(s)
		}
	}
	return b.String()
}

const switched = `query($a: Boolean = false, $b: Boolean!) {
	users { nodes @include(if: $a) { id } edges { cursor @skip(if: $b) node { username ...f @include(if: $b) heroes(first: 1) @skip(if: $a) { totalCount @include(if: $b) nodes { name } } } } }
	node(id: "x") { ... on User @skip(if: $b) { email } ... on Hero { name @include(if: $a) age owner { id @skip(if: $a) email } } }
} fragment f on User { email role @skip(if: $a) }`

var switchedKeys = map[string]string{
	"false false": `{edges {cursor node {username heroes {nodes {name }}}}} {email }{age owner {id email }}`,
	"false true":  `{edges {node {username email role heroes {totalCount nodes {name }}}}} {}{age owner {id email }}`,
	"true false":  `{nodes {id }edges {cursor node {username }}} {email }{name age owner {email }}`,
	"true true":   `{nodes {id }edges {node {username email }}} {}{name age owner {email }}`,
}

// TestPlansConcurrently has many goroutines ask one engine for plans of one operation with other values of its variables.
func TestPlansConcurrently(t *testing.T) {
	t.Parallel()
	e := newTestEngine()
	op := parsed(t, e, switched)
	var wait sync.WaitGroup
	for worker := range 8 {
		wait.Go(func() {
			r := rand.New(rand.NewPCG(uint64(worker), 0))
			for range 200 {
				a, b := r.IntN(2) == 0, r.IntN(2) == 0
				vars := map[string]any{"b": b}
				if a {
					vars["a"] = a
				}
				ctx := op(vars)
				if r.IntN(10) == 0 {
					e.Forget(ctx.Doc)
				}
				e.Begin(ctx)
				if r.IntN(5) == 0 {
					e.Keep(ctx.Doc) // again, as when another has sent it meanwhile
				}
				// Statements: a level each for users and node, then what stands below; counted at most.
				want := 1 + 2
				if !a {
					want++
					if b {
						want++
					}
				}
				if got := e.Statements(ctx); got != want {
					t.Errorf("a %t, b %t: %d statements, want %d", a, b, got, want)
				}
				var got []string
				for _, p := range rootPlans(e, ctx) {
					got = append(got, p.keys())
				}
				if want := switchedKeys[fmt.Sprint(a, b)]; strings.Join(got, " ") != want {
					t.Errorf("a %t, b %t: %s, want %s", a, b, strings.Join(got, " "), want)
				}
			}
		})
	}
	wait.Wait()
}

// TestPlansGoWithTheirDocument forgets a document: an operation of it that runs, or comes later, has plans of its own.
func TestPlansGoWithTheirDocument(t *testing.T) {
	t.Parallel()
	e := newTestEngine()
	op := parsed(t, e, `query A { users { nodes { id } } } query B { teams { nodes { id } } }`)
	if n := e.Kept(); n != 2 {
		t.Errorf("%d operations are kept of a document with 2", n)
	}
	running := op(nil)
	e.Begin(running)
	known := rootPlans(e, running)[0]
	e.Forget(running.Doc)
	if n := e.Kept(); n != 0 {
		t.Errorf("%d operations are kept once their document is forgotten", n)
	}
	if again := rootPlans(e, running)[0]; again == known || again.keys() != known.keys() {
		t.Errorf("of an operation whose document was forgotten: %s, want %s anew", again.keys(), known.keys())
	}
	later := op(nil)
	e.Begin(later)
	if first := rootPlans(e, later)[0]; first == known || first != rootPlans(e, later)[0] {
		t.Error("an operation whose document is not kept has not one plan of its own")
	}
	if n := e.Kept(); n != 0 {
		t.Errorf("%d operations are kept, and none should be", n)
	}
}

// TestPlansAreBounded gives an operation more states than plans are kept for.
func TestPlansAreBounded(t *testing.T) {
	t.Parallel()
	e := newTestEngine()
	var declared, fields strings.Builder
	for i := range 8 {
		fmt.Fprintf(&declared, "$v%d: Boolean! ", i)
		fmt.Fprintf(&fields, "f%d: username @include(if: $v%d) ", i, i)
	}
	op := parsed(t, e, `query(`+declared.String()+`) { users { nodes { id `+fields.String()+`} } }`)
	for state := range 256 {
		vars, want := map[string]any{}, "{nodes {id "
		for i := range 8 {
			on := state>>i&1 == 1
			vars[fmt.Sprint("v", i)] = on
			if on {
				want += fmt.Sprintf("f%d ", i)
			}
		}
		ctx := op(vars)
		if got := rootPlans(e, ctx)[0].keys(); got != want+"}}" {
			t.Errorf("state %d: %s, want %s", state, got, want)
		}
		if n := e.Statements(ctx); n != 1 {
			t.Errorf("state %d: %d statements, want 1", state, n)
		}
		kept := e.operation(ctx)
		if len(kept.plans) > PlansAnOperation || len(kept.most) > PlansAnOperation {
			t.Fatalf("%d plans and %d counts are kept, %d are allowed", len(kept.plans), len(kept.most), PlansAnOperation)
		}
	}
}

// TestPlansIgnoreOtherVariables wants one plan for all values of variables that stand in arguments alone.
func TestPlansIgnoreOtherVariables(t *testing.T) {
	t.Parallel()
	e := newTestEngine()
	op := parsed(t, e, `query($n: Int, $where: HeroWhereInput, $a: Boolean = true) { heroes(first: $n, where: $where) { nodes { name team { name @include(if: $a) } } } }`)
	first := rootPlans(e, op(nil))[0]
	for _, vars := range []map[string]any{{"n": 1}, {"where": map[string]any{"name": "x"}}, {"n": nil, "a": true}} {
		if rootPlans(e, op(vars))[0] != first {
			t.Errorf("with %v another plan is made", vars)
		}
	}
	if rootPlans(e, op(map[string]any{"a": false}))[0] == first {
		t.Error("a plan does not depend on @include")
	}
	if got := e.operation(op(nil)).switches; !slices.Equal(got, []string{"a"}) {
		t.Errorf("switches %v, want a alone", got)
	}
}

// TestStatements counts what an operation takes at most: it decides whether a transaction is needed.
func TestStatements(t *testing.T) {
	t.Parallel()
	e := newTestEngine()
	for _, tt := range []struct {
		query string
		want  int
	}{
		{`{ __typename }`, 0},
		{`{ __schema { queryType { name } } }`, 0},
		{`{ users { __typename } }`, 0},
		{`{ users { nodes { id } } }`, 1},
		{`{ users { totalCount } }`, 1},
		{`{ users { totalCount nodes { id } } }`, 2},
		{`{ a: users { nodes { id } } b: users { nodes { id } } }`, 2},
		{`{ users { nodes { id } } users { nodes { username } } }`, 1},
		{`{ user(id: "x") { id } }`, 1},
		{`{ user(id: "x") { heroes { nodes { team { name } } } } }`, 3},
		{`{ node(id: "x") { id } }`, 1},
		{`{ node(id: "x") { ... on Order { items { product { sku } } } ... on User { username } } }`, 3},
		{`{ users(offset: 1) { nodes { id } } }`, 1},
		{`{ users(first: 0, last: 1) { nodes { id } pageInfo { hasPreviousPage } } }`, 1},
		{`{ users(offset: 1) { nodes { id } pageInfo { hasPreviousPage } } }`, 2},
		{`{ ... on Query { ...f } } fragment f on Query { users @skip(if: true) { totalCount } orders { totalCount } }`, 1},
	} {
		if got := e.Statements(parsed(t, e, tt.query)(nil)); got != tt.want {
			t.Errorf("%s: %d statements, want %d", tt.query, got, tt.want)
		}
	}
	if got := e.Statements(parsed(t, e, `{ nodes(ids: []) { id } }`)(nil)); got < 2 {
		t.Errorf("nodes: %d statements at most, but there may be one for each type", got)
	}
}

// sample has a value of each kind, as a driver brings it.
var sample = map[entity.Kind]driver.Value{
	entity.ID: make([]byte, 16), entity.Int: int64(42), entity.String: "some text", entity.Enum: "SOME", entity.Bool: true,
	entity.Time: time.Date(2026, 1, 2, 15, 4, 5, 6000, time.UTC),
}

// bench is an operation of two levels with what its statements have brought: 20 users with 10 heroes each.
func bench(b *testing.B) (*run, *plan) {
	e := newTestEngine()
	op := parsed(b, e, `{ users(first: 20) { edges { cursor node { id username email createdAt heroes(first: 10) { nodes { id name age version } pageInfo { hasNextPage endCursor } } } } totalCount } }`)(nil)
	p := rootPlans(e, op)[0]
	r := &run{Engine: e, op: op, results: make([]result, p.slots[""])}
	if err := r.preparePages(context.Background(), p.connection.level); err != nil {
		b.Fatal(err)
	}
	fill := func(l *level, n int) *result {
		res := &r.results[l.slot]
		columns := r.columnsOf(l)
		res.table.width = len(columns)
		for range n {
			values := make([]driver.Value, 0, len(columns))
			for _, c := range columns {
				values = append(values, sample[c.kind])
			}
			if err := res.table.add(values, columns); err != nil {
				b.Fatal(err)
			}
		}
		return res
	}
	users := p.connection.level
	fill(users, 20).groups = groupsOf(make([]int32, 20), 1)
	r.results[users.slot].counts = []int64{20}
	owners := make([]int32, 200)
	for i := range owners {
		owners[i] = int32(i / 10)
	}
	fill(users.children[0], 200).groups = groupsOf(owners, 20)
	return r, p
}

func BenchmarkCompile(b *testing.B) {
	e := newTestEngine()
	op := parsed(b, e, switched)(map[string]any{"b": true})
	fields := graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Query"})
	b.ReportAllocs()
	for b.Loop() {
		for _, f := range fields {
			compile(e, op, f.Field, f.Selections)
		}
	}
}

func BenchmarkFindPlan(b *testing.B) {
	e := newTestEngine()
	op := parsed(b, e, switched)(map[string]any{"b": true})
	f := graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Query"})[0]
	fc := &graphql.FieldContext{Field: f}
	b.ReportAllocs()
	for b.Loop() {
		e.operation(op).plan(e, op, fc)
	}
}

func BenchmarkWrite(b *testing.B) {
	r, p := bench(b)
	b.ReportAllocs()
	for b.Loop() {
		if got := r.write(context.Background(), p, func(w *writer) bool { return w.connection(p.connection, 0) }); got == graphql.Null {
			b.Fatal("nothing was written")
		}
	}
}

func BenchmarkAppendCursor(b *testing.B) {
	tb, columns := rowOf(b, everyTerm, int64(5), "Sam Vimes", "Pseudopolis Yard", "2026-01-02T15:04:05.000006Z", "PAID", someKey)
	space := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		cursors.appendCursor(space, 7, tb, 0, columns)
	}
}

func BenchmarkParseCursor(b *testing.B) {
	tb, columns := rowOf(b, everyTerm, int64(5), "Sam Vimes", "Pseudopolis Yard", "2026-01-02T15:04:05.000006Z", "PAID", someKey)
	text := string(cursors.appendCursor(nil, 7, tb, 0, columns))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := cursors.parseCursor(text, 7, everyTerm); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendString(b *testing.B) {
	text := []byte(`Somebody with a "name" that the world knows, and é`)
	space := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		appendString(space, text)
	}
}
