package read

import (
	"slices"
	"strings"
	"sync"

	"entgo.io/ent/dialect"
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/bufpool"
	"forge/internal/read/binding"
	"forge/internal/read/load"
	"forge/internal/read/plan"
)

// MaxStates bounds two things: for how many combinations of its @skip and @include variables an
// operation is kept, and how many compiled fields are kept for each combination.
const MaxStates = 64

// document is one operation of a document, with the forms in which it was prepared.
type document struct {
	definition *ast.OperationDefinition
	switches   []string // the variables that stand in @skip and @include

	mu     sync.Mutex
	states map[string]*Operation // by the values of the switches, as state writes them
}

// Operation is an operation prepared for one combination of values of its @skip and @include
// variables. It is safe for concurrent use.
type Operation struct {
	engine     *Engine
	definition *ast.OperationDefinition
	switches   []string
	values     map[string]any // the values of the switches
	roots      []*plan.Collected
	fields     []*ast.Field // the fields of roots
	compile    func() *compiled
	written    bufpool.Hint // how large the last answers were

	mu       sync.Mutex
	loaders  map[string]*loaders // by the response path of the field
	payloads map[string]*payload // by the response key of the mutation's root field
}

// loaders are the loaders of one field. A connection has one loader. A field of an entity has one
// loader for each type that its value may turn out to have.
type loaders struct {
	field      *ast.Field
	place      []string // the response keys from the root of the operation to the field
	connection *load.Loader
	types      map[string]*load.Loader
}

// Keep has the engine keep what it prepares for the operations of a document, until Forget is
// called. Nothing is prepared yet.
func (e *Engine) Keep(doc *ast.QueryDocument) {
	for _, definition := range doc.Operations {
		e.documents.Store(definition, sync.OnceValue(func() *document { return newDocument(doc, definition) }))
	}
}

// Forget drops what the engine has prepared for the operations of a document. Running operations
// continue with what they hold.
func (e *Engine) Forget(doc *ast.QueryDocument) {
	for _, definition := range doc.Operations {
		e.documents.Delete(definition)
	}
}

// Kept returns the number of operations that Keep was called for and Forget was not.
func (e *Engine) Kept() (operations int) {
	e.documents.Range(func(any, any) bool { operations++; return true })
	return operations
}

func newDocument(doc *ast.QueryDocument, definition *ast.OperationDefinition) *document {
	return &document{definition: definition, switches: plan.Switches(doc, definition), states: map[string]*Operation{}}
}

// preparedKey is the key under which the statistics of a request hold a prepared operation, if the
// engine does not keep it. The prepared operation ends with the request.
const preparedKey = "prepared"

// Prepare returns the prepared operation of a request. Further calls for the same request return
// the same one. The first call for a request must not run concurrently with another.
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

// prepare returns the operation prepared for these variables. It returns nil if the operation is
// not prepared for them and already has MaxStates states.
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

// state returns a text of one digit for each switch: 1 for true, 0 for anything else.
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
	root := e.rootOf(d.definition.Operation)
	o.roots = plan.Collect(o.values, e.binding.TypeConditions(root.Name), d.definition.SelectionSet)
	for _, f := range o.roots {
		o.fields = append(o.fields, f.Field)
	}
	o.compile = sync.OnceValue(o.compileRoots)
	return o
}

// rootOf returns the root type of operations of a kind.
func (e *Engine) rootOf(of ast.Operation) *ast.Definition {
	switch of {
	case ast.Mutation:
		return e.binding.Schema.Mutation
	case ast.Subscription:
		return e.binding.Schema.Subscription
	}
	return e.binding.Schema.Query
}

// Switches returns the variables that the operation declares and that stand in @skip or @include,
// in the operation or in a fragment of its document.
func (o *Operation) Switches() (names []string) {
	for _, name := range o.switches {
		if o.definition.VariableDefinitions.ForName(name) != nil {
			names = append(names, name)
		}
	}
	return names
}

// Binding returns the binding of the schema that the operation was prepared for.
func (o *Operation) Binding() *binding.Binding { return o.engine.binding }

// RootFields returns the root fields that @skip and @include leave. Fields with the same response
// key are merged into one, as the GraphQL specification says.
func (o *Operation) RootFields() []*ast.Field { return o.fields }

// LiveFields returns the fields of Query inside of a subscription to live, merged as RootFields are.
// It returns nil for any other operation.
func (o *Operation) LiveFields() (fields []*ast.Field) {
	if o.definition.Operation != ast.Subscription || len(o.roots) != 1 || o.roots[0].Field.Name != binding.Live {
		return nil
	}
	for _, f := range plan.Collect(o.values, o.engine.binding.TypeConditions(o.engine.binding.Schema.Query.Name), o.roots[0].Selections) {
		fields = append(fields, f.Field)
	}
	return fields
}

// Root returns the type of the root fields.
func (o *Operation) Root() *ast.Definition { return o.engine.rootOf(o.definition.Operation) }

// Roots returns the root fields with their merged selections.
func (o *Operation) Roots() []*plan.Collected { return o.roots }

// Statements returns how many statements the query runs at most on a database. If that depends on
// its arguments, the number is above 1.
func (o *Operation) Statements(db string) int {
	c := o.compile()
	switch {
	case db != dialect.Postgres:
		return c.statements + c.later
	case c.together():
		return min(c.statements, 1) + c.later
	}
	return c.trees + c.later
}

// compiled is what is known of a query after its root fields are compiled.
type compiled struct {
	statements int    // at most, if each node takes its own
	trees      int    // at most, if each field takes one
	later      int    // at most, after those: because of computed fields
	computes   bool   // there are computed fields
	roots      []root // nil if the engine cannot answer the query alone
}

// together reports whether all root fields may be read by one statement, on PostgreSQL.
func (c *compiled) together() bool { return c.roots != nil && c.statements <= load.MaxTree }

// root is a root field that only refers: to the entity of an ID, or to all entities of a type.
type root struct {
	collected *plan.Collected
	key       string // the field's alias as a JSON string, and a colon
	constant  string // the JSON of __typename, which reads no rows
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
			c.trees += 2
		default:
			r.loaders = o.compiledAt(f.Field.Alias, f.Field, f.Selections)
			r.loaders.count(c)
			if !b.Refers(f.Field.Name) {
				c.statements++ // its resolver is called, and may look something up first
				c.trees++
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

// at returns the loaders of the field that gqlgen resolves at the moment.
func (o *Operation) at(fc *graphql.FieldContext) *loaders {
	return o.compiledAt(responsePath(fc), fc.Field.Field, fc.Field.Selections)
}

func (o *Operation) compiledAt(path string, f *ast.Field, selections ast.SelectionSet) *loaders {
	return memo(&o.mu, o.loaders, path, func() *loaders {
		compiled := plan.Compile(o.engine.binding, o.values, f, selections)
		l := &loaders{field: f, place: strings.Split(path, "<"), types: map[string]*load.Loader{}}
		slices.Reverse(l.place)
		if compiled.Connection != nil {
			l.connection = load.New(compiled.Connection)
		}
		for name, p := range compiled.Types {
			l.types[name] = load.New(p)
		}
		return l
	})
}

// count adds the statements of the field to those of c.
func (l *loaders) count(c *compiled) {
	if l.connection != nil {
		c.add(l.connection.Plan.Statements(), l.connection.Trees(), l.connection.Plan)
		return
	}
	statements, trees := 0, 0
	for _, of := range l.types {
		c.add(0, 0, of.Plan)
		if l.field.Definition.Type.Elem != nil { // the list may hold one of each type
			statements, trees = statements+of.Plan.Statements(), trees+of.Trees()
		} else {
			statements, trees = max(statements, of.Plan.Statements()), max(trees, of.Trees())
		}
	}
	if statements <= load.MaxTree {
		trees = min(trees, 1)
	}
	c.add(statements, trees, nil)
}

// add adds numbers of statements, and those that the computed fields of a plan may take.
func (c *compiled) add(statements, trees int, of *plan.Plan) {
	later := 0
	if of != nil {
		later, c.computes = of.Later(), c.computes || len(of.Computed) > 0
	}
	c.statements, c.trees, c.later = c.statements+statements, c.trees+trees, c.later+later
}

// responsePath returns the response keys of a field and of the fields around it, as one text.
// Within an operation, fields with the same text have the same selection.
func responsePath(fc *graphql.FieldContext) string {
	if fc.Parent == nil || fc.Parent.Field.Field == nil && fc.Parent.Index == nil {
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

// memo returns the value of a key in the map in, which mu guards. If the key has no value, memo
// calls make, and adds the value to the map unless the map is full.
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
