package read

import (
	"strings"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/bufpool"
	"forge/internal/read/binding"
	"forge/internal/read/load"
	"forge/internal/read/plan"
)

// MaxStates is how many states of its @skip and @include variables an operation is kept for, and
// how many compiled fields in each.
const MaxStates = 64

// document is an operation of a document, with what was prepared for it.
type document struct {
	definition *ast.OperationDefinition
	switches   []string // the variables in @skip and @include

	mu     sync.Mutex
	states map[string]*Operation // by the values of the switches
}

// Operation is an operation prepared for one state of its @skip and @include variables. It is safe
// for concurrent use.
type Operation struct {
	engine     *Engine
	definition *ast.OperationDefinition
	switches   []string
	values     map[string]any // of the switches
	roots      []*plan.Collected
	fields     []*ast.Field // of roots
	compile    func() *compiled
	written    bufpool.Hint // how large the answer is

	mu       sync.Mutex
	loaders  map[string]*loaders // by the response path of the field
	payloads map[string]*payload // by the response key of a mutation's root field
}

// loaders load one field: a connection, or an entity by the type that it turns out to have.
type loaders struct {
	field      *ast.Field
	connection *load.Loader
	types      map[string]*load.Loader
}

// Keep keeps what is prepared for the operations of a document, until Forget.
func (e *Engine) Keep(doc *ast.QueryDocument) {
	for _, definition := range doc.Operations {
		e.documents.Store(definition, sync.OnceValue(func() *document { return newDocument(doc, definition) }))
	}
}

// Forget drops what Keep keeps. Running operations are not disturbed.
func (e *Engine) Forget(doc *ast.QueryDocument) {
	for _, definition := range doc.Operations {
		e.documents.Delete(definition)
	}
}

// Kept returns how many operations are kept.
func (e *Engine) Kept() (operations int) {
	e.documents.Range(func(any, any) bool { operations++; return true })
	return operations
}

func newDocument(doc *ast.QueryDocument, definition *ast.OperationDefinition) *document {
	return &document{definition: definition, switches: plan.Switches(doc, definition), states: map[string]*Operation{}}
}

// preparedKey is the key of an operation that is not kept, among the statistics of its request. It
// ends with them.
const preparedKey = "prepared"

// Prepare returns the prepared operation. Further calls for the same request return the same one.
// The first call must not run concurrently with others.
func (e *Engine) Prepare(op *graphql.OperationContext) *Operation {
	known, kept := e.documents.Load(op.Operation)
	if kept {
		if prepared := known.(func() *document)().prepare(e, op.Variables); prepared != nil {
			return prepared
		}
	}
	if own, ok := op.Stats.GetExtension(preparedKey).(*Operation); ok {
		return own
	}
	own := newDocument(op.Doc, op.Operation).prepare(e, op.Variables)
	op.Stats.SetExtension(preparedKey, own)
	return own
}

// prepare returns the operation for the variables. It returns nil if there is no room for one more
// state.
func (d *document) prepare(e *Engine, variables map[string]any) *Operation {
	state := d.state(variables)
	d.mu.Lock()
	defer d.mu.Unlock()
	known := d.states[state]
	if known == nil && len(d.states) < MaxStates {
		known = newOperation(e, d, variables)
		d.states[state] = known
	}
	return known
}

// state returns a text that tells the values of the switches apart.
func (d *document) state(variables map[string]any) string {
	if len(d.switches) == 0 {
		return ""
	}
	state := make([]byte, len(d.switches))
	for i, name := range d.switches {
		state[i] = '0'
		if on, _ := variables[name].(bool); on {
			state[i] = '1'
		}
	}
	return string(state)
}

func newOperation(e *Engine, d *document, variables map[string]any) *Operation {
	o := &Operation{engine: e, definition: d.definition, switches: d.switches, values: map[string]any{},
		loaders: map[string]*loaders{}, payloads: map[string]*payload{}}
	for _, name := range d.switches {
		o.values[name] = variables[name]
	}
	root := e.binding.Schema.Query
	if d.definition.Operation == ast.Mutation {
		root = e.binding.Schema.Mutation
	}
	o.roots = plan.Collect(o.values, e.binding.TypeConditions(root.Name), d.definition.SelectionSet)
	for _, f := range o.roots {
		o.fields = append(o.fields, f.Field)
	}
	o.compile = sync.OnceValue(o.compileRoots)
	return o
}

// Switches returns the variables of the operation that stand in @skip and @include, there or in a
// fragment.
func (o *Operation) Switches() (names []string) {
	for _, name := range o.switches {
		if o.definition.VariableDefinitions.ForName(name) != nil {
			names = append(names, name)
		}
	}
	return names
}

// Binding returns the binding of the operation's schema.
func (o *Operation) Binding() *binding.Binding { return o.engine.binding }

// RootFields returns the root fields that are run, merged as the specification says.
func (o *Operation) RootFields() []*ast.Field { return o.fields }

// Statements returns how many statements the query runs at most. If that depends on its arguments,
// the number is above 1.
func (o *Operation) Statements() int { return o.compile().statements }

// compiled is what is known of a query once its root fields are compiled.
type compiled struct {
	statements int
	roots      []root // nil if the engine cannot answer the query alone
}

// root is a root field that only refers: to the entity of an ID, or to all entities of a type.
type root struct {
	collected *plan.Collected
	key       string // the alias as JSON writes it, with the colon
	constant  string // of __typename, which refers to nothing
	loaders   *loaders
}

func (o *Operation) compileRoots() *compiled {
	b := o.engine.binding
	c := new(compiled)
	answerable := o.definition.Operation == ast.Query
	for _, f := range o.roots {
		r := root{collected: f, key: plan.Quoted(f.Field.Alias) + ":"}
		switch {
		case f.Field.Name == "__typename":
			r.constant = plan.Quoted(b.Schema.Query.Name)
		case strings.HasPrefix(f.Field.Name, "__"):
			answerable = false
		case !b.Owns(f.Field.Definition.Type):
			answerable = false
			c.statements += 2 // a hand-written resolver: nobody knows
		default:
			r.loaders = o.compiledAt(f.Field.Alias, f.Field, f.Selections)
			c.statements += r.loaders.statements()
			if !b.Refers(f.Field.Name) {
				c.statements++ // its resolver is called, and may look something up first
			}
			answerable = answerable && o.engine.answers(f.Field.Definition)
		}
		c.roots = append(c.roots, r)
	}
	if !answerable {
		c.roots = nil
	}
	return c
}

// at returns the loaders of the field that is being resolved.
func (o *Operation) at(fc *graphql.FieldContext) *loaders {
	return o.compiledAt(responsePath(fc), fc.Field.Field, fc.Field.Selections)
}

func (o *Operation) compiledAt(path string, f *ast.Field, selections ast.SelectionSet) *loaders {
	return memo(&o.mu, o.loaders, path, func() *loaders {
		compiled := plan.Compile(o.engine.binding, o.values, f, selections)
		l := &loaders{field: f, types: map[string]*load.Loader{}}
		if compiled.Connection != nil {
			l.connection = load.New(compiled.Connection)
		}
		for name, p := range compiled.Types {
			l.types[name] = load.New(p)
		}
		return l
	})
}

// statements returns how many statements the field runs at most.
func (l *loaders) statements() (n int) {
	if l.connection != nil {
		return l.connection.Plan.Statements()
	}
	for _, of := range l.types {
		n = max(n, of.Plan.Statements())
	}
	if l.field.Definition.Type.Elem != nil {
		n *= len(l.types) // the list may hold one of each type
	}
	return n
}

// responsePath names a field by the response keys that lead to it: inside one operation they tell
// which selection it has.
func responsePath(fc *graphql.FieldContext) string {
	if fc.Parent == nil || fc.Parent.Field.Field == nil {
		return fc.Field.Alias
	}
	var names []string
	for ; fc != nil; fc = fc.Parent {
		if fc.Field.Field != nil && fc.Index == nil {
			names = append(names, fc.Field.Alias)
		}
	}
	return strings.Join(names, "<")
}

// memo returns the value of a key in a map that mu guards. It makes the value if it is not there,
// and keeps it while there is room.
func memo[T any](mu *sync.Mutex, in map[string]T, key string, make func() T) T {
	mu.Lock()
	value, known := in[key]
	mu.Unlock()
	if known {
		return value
	}
	value = make()
	mu.Lock()
	defer mu.Unlock()
	if other, known := in[key]; known {
		return other
	}
	if len(in) < MaxStates {
		in[key] = value
	}
	return value
}
