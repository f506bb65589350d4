package read

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"entgo.io/ent/dialect"
	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"forge/internal/ids"
	"forge/internal/read/binding"
	"forge/internal/read/plan"
)

func newEngine() *Engine {
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: catalogue})
	e, err := New(binding.Contract{Schema: schema, Entities: catalogueEntities(), Refers: func(string) bool { return true }}, Options{})
	if err != nil {
		panic(err)
	}
	return e
}

// parsed keeps the document of a query. It returns a function that makes the query's operation for
// variables, as gqlgen hands it to the engine.
func parsed(t testing.TB, e *Engine, query string) func(vars map[string]any) *graphql.OperationContext {
	t.Helper()
	doc, err := gqlparser.LoadQueryWithRules(e.binding.Schema, query, rules.NewDefaultRules())
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	e.Keep(doc)
	return func(vars map[string]any) *graphql.OperationContext {
		coerced, err := validator.VariableValues(e.binding.Schema, doc.Operations[0], vars)
		if err != nil {
			t.Errorf("%s with %v: %v", query, vars, err)
		}
		return &graphql.OperationContext{Doc: doc, Operation: doc.Operations[0], Variables: coerced}
	}
}

// rootPlans returns the loaders of an operation's root fields.
func rootPlans(e *Engine, op *graphql.OperationContext) (plans []*loaders) {
	for _, f := range graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Query"}) {
		plans = append(plans, e.Prepare(op).at(&graphql.FieldContext{Field: f}))
	}
	return plans
}

// keys returns the keys of everything that the loaders write, in the order of the answer.
func (l *loaders) keys() string {
	var b strings.Builder
	var object func(*plan.Selection)
	var outputs func([]plan.Output)
	outputs = func(list []plan.Output) {
		b.WriteByte('{')
		for i := range list {
			fmt.Fprint(&b, list[i].Step, " ")
			switch {
			case list[i].Nested != nil:
				object(list[i].Nested)
			case list[i].Page != nil:
				outputs(list[i].Page.Fields)
			case list[i].Fields != nil:
				outputs(list[i].Fields)
			}
		}
		b.WriteByte('}')
	}
	object = func(s *plan.Selection) { outputs(s.Fields) }
	if l.connection != nil {
		outputs(l.connection.Plan.Connection.Fields)
	}
	for _, name := range []string{"Artist", "Track"} {
		if of := l.types[name]; of != nil {
			object(of.Plan.Object)
		}
	}
	return b.String()
}

const switched = `query($a: Boolean = false, $b: Boolean!) {
	artists { nodes @include(if: $a) { id } edges { cursor @skip(if: $b) node { title ...f @include(if: $b) tracks(first: 1) @skip(if: $a) { totalCount @include(if: $b) nodes { name } } } } }
	node(id: "x") { ... on Artist @skip(if: $b) { mail } ... on Track { name @include(if: $a) length artist { id @skip(if: $a) mail } } }
} fragment f on Artist { mail rank @skip(if: $a) }`

var switchedKeys = map[string]string{
	"false false": `{edges {cursor node {title tracks {nodes {name }}}}} {mail }{length artist {id mail }}`,
	"false true":  `{edges {node {title mail rank tracks {totalCount nodes {name }}}}} {}{length artist {id mail }}`,
	"true false":  `{nodes {id }edges {cursor node {title }}} {mail }{name length artist {mail }}`,
	"true true":   `{nodes {id }edges {node {title mail }}} {}{name length artist {mail }}`,
}

// TestPrepareConcurrently prepares one operation in many goroutines, with different values of its
// variables.
func TestPrepareConcurrently(t *testing.T) {
	t.Parallel()
	e := newEngine()
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
				e.Prepare(ctx)
				if r.IntN(5) == 0 {
					e.Keep(ctx.Doc) // as when another request has sent the document again
				}
				// One for artists, two for node, and those below artists.
				want := 1 + 2
				if !a {
					want++
					if b {
						want++
					}
				}
				if got := e.Prepare(ctx).Statements(dialect.SQLite); got != want {
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

// TestForget forgets a document. An operation of the document that runs at that time, or comes
// later, is prepared anew.
func TestForget(t *testing.T) {
	t.Parallel()
	e := newEngine()
	op := parsed(t, e, `query A { artists { nodes { id } } } query B { labels { nodes { id } } }`)
	if n := e.Kept(); n != 2 {
		t.Errorf("%d operations are kept of a document with 2", n)
	}
	running := op(nil)
	e.Prepare(running)
	known := rootPlans(e, running)[0]
	e.Forget(running.Doc)
	if n := e.Kept(); n != 0 {
		t.Errorf("%d operations are kept once their document is forgotten", n)
	}
	if again := rootPlans(e, running)[0]; again == known || again.keys() != known.keys() {
		t.Errorf("of an operation whose document was forgotten: %s, want %s anew", again.keys(), known.keys())
	}
	later := op(nil)
	e.Prepare(later)
	if first := rootPlans(e, later)[0]; first == known || first != rootPlans(e, later)[0] {
		t.Error("an operation whose document is not kept has not one plan of its own")
	}
	if n := e.Kept(); n != 0 {
		t.Errorf("%d operations are kept, and none should be", n)
	}
}

// TestPrepareKeepsAtMost prepares an operation for more states than are kept.
func TestPrepareKeepsAtMost(t *testing.T) {
	t.Parallel()
	e := newEngine()
	var declared, fields strings.Builder
	for i := range 8 {
		fmt.Fprintf(&declared, "$v%d: Boolean! ", i)
		fmt.Fprintf(&fields, "f%d: title @include(if: $v%d) ", i, i)
	}
	op := parsed(t, e, `query(`+declared.String()+`) { artists { nodes { id `+fields.String()+`} } }`)
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
		if n := e.Prepare(ctx).Statements(dialect.SQLite); n != 1 {
			t.Errorf("state %d: %d statements, want 1", state, n)
		}
		known, _ := e.documents.Load(ctx.Operation)
		if kept := known.(func() *document)(); len(kept.states) > MaxStates {
			t.Fatalf("%d states are kept, %d are allowed", len(kept.states), MaxStates)
		}
	}
}

// TestPrepareIgnoresOtherVariables expects one plan for all values of variables that stand only in
// arguments.
func TestPrepareIgnoresOtherVariables(t *testing.T) {
	t.Parallel()
	e := newEngine()
	op := parsed(t, e, `query($n: Int, $where: TrackWhereInput, $a: Boolean = true) { tracks(first: $n, where: $where) { nodes { name label { name @include(if: $a) } } } }`)
	first := rootPlans(e, op(nil))[0]
	for _, vars := range []map[string]any{{"n": 1}, {"where": map[string]any{"name": "x"}}, {"n": nil, "a": true}} {
		if rootPlans(e, op(vars))[0] != first {
			t.Errorf("with %v another plan is made", vars)
		}
	}
	if rootPlans(e, op(map[string]any{"a": false}))[0] == first {
		t.Error("a plan does not depend on @include")
	}
	if got := e.Prepare(op(nil)).switches; !slices.Equal(got, []string{"a"}) {
		t.Errorf("switches %v, want a alone", got)
	}
}

// TestOperationStatements checks how many statements an operation runs at most. An operation that
// runs several needs a transaction.
func TestOperationStatements(t *testing.T) {
	t.Parallel()
	e := newEngine()
	for _, tt := range []struct {
		query string
		want  int
	}{
		{`{ __typename }`, 0},
		{`{ __schema { queryType { name } } }`, 0},
		{`{ artists { __typename } }`, 0},
		{`{ artists { nodes { id } } }`, 1},
		{`{ artists { totalCount } }`, 1},
		{`{ artists { totalCount nodes { id } } }`, 2},
		{`{ a: artists { nodes { id } } b: artists { nodes { id } } }`, 2},
		{`{ artists { nodes { id } } artists { nodes { title } } }`, 1},
		{`{ artist(id: "x") { id } }`, 1},
		{`{ artist(id: "x") { tracks { nodes { label { name } } } } }`, 3},
		{`{ node(id: "x") { id } }`, 1},
		{`{ node(id: "x") { ... on Album { credits { studio { code } } } ... on Artist { title } } }`, 3},
		{`{ artists(offset: 1) { nodes { id } } }`, 1},
		{`{ artists(first: 0, last: 1) { nodes { id } pageInfo { hasPreviousPage } } }`, 1},
		{`{ artists(offset: 1) { nodes { id } pageInfo { hasPreviousPage } } }`, 2},
		{`{ ... on Query { ...f } } fragment f on Query { artists @skip(if: true) { totalCount } albums { totalCount } }`, 1},
	} {
		if got := e.Prepare(parsed(t, e, tt.query)(nil)).Statements(dialect.SQLite); got != tt.want {
			t.Errorf("%s: %d statements, want %d", tt.query, got, tt.want)
		}
	}
	if got := e.Prepare(parsed(t, e, `{ nodes(ids: []) { id } }`)(nil)).Statements(dialect.SQLite); got < 2 {
		t.Errorf("nodes: %d statements at most, but there may be one for each type", got)
	}
}

func BenchmarkCompile(b *testing.B) {
	e := newEngine()
	op := parsed(b, e, switched)(map[string]any{"b": true})
	fields := graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Query"})
	b.ReportAllocs()
	for b.Loop() {
		for _, f := range fields {
			plan.Compile(e.binding, op.Variables, f.Field, f.Selections)
		}
	}
}

func BenchmarkFindPlan(b *testing.B) {
	e := newEngine()
	op := parsed(b, e, switched)(map[string]any{"b": true})
	f := graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Query"})[0]
	fc := &graphql.FieldContext{Field: f}
	b.ReportAllocs()
	for b.Loop() {
		e.Prepare(op).at(fc)
	}
}

// TestReadOfForgottenDocument has resolvers return references while the document of their operation
// is forgotten, in many goroutines, as gqlgen resolves fields. Rows of one field share its loaders,
// also those of an operation with more fields than it keeps loaders for.
func TestReadOfForgottenDocument(t *testing.T) {
	t.Parallel()
	e := newEngine()
	var fields strings.Builder
	for i := range MaxStates + 2 {
		fmt.Fprintf(&fields, "a%d: artist(id: \"x\") { id } ", i)
	}
	op := parsed(t, e, `{ `+fields.String()+`}`)(nil)
	e.Prepare(op)
	ctx, r := e.begin(graphql.WithOperationContext(t.Context(), op), op, e.Prepare(op))
	e.Forget(op.Doc)
	for _, f := range graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Query"}) {
		ctx := graphql.WithFieldContext(ctx, &graphql.FieldContext{Field: f})
		var wait sync.WaitGroup
		for range 2 {
			wait.Go(func() {
				if _, err := e.Read(ctx, func(context.Context) (any, error) { return reference{}, nil }); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
	}
	if op.Stats.GetExtension(preparedKey) != nil {
		t.Error("the operation was prepared anew while its fields were resolved")
	}
	for i := 0; i+1 < len(r.pending); i += 2 {
		if r.pending[i].loaders != r.pending[i+1].loaders {
			t.Errorf("field %d: each of its references has loaders of its own", i/2)
		}
	}
}

// reference refers to an artist.
type reference struct{}

func (reference) GetID() ids.ID { return ids.ID{Prefix: "artist", UUID: uuid.Max} }
