package read

import (
	"strings"
	"sync"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
)

// level is one statement: the rows of an entity that all rows of the level above lead to.
type level struct {
	object   *object
	field    *ast.Field // whose arguments the level reads; nil if it has none
	via      *field     // nil at the root
	from     int        // the column of the level above that holds the keys
	columns  []column
	children []*level
	slot     int // where its result is kept

	rows, count, cursors, next, previous bool // what of a connection was asked for; next, previous: whether there are rows on that side of the page

	texts       statements
	cells, data room // of its table
}

// selection is what to write of a row.
type selection struct {
	level  *level
	fields []output
}

// connection is what to write of a page.
type connection struct {
	level  *level
	fields []output
}

// output is one entry of a JSON object.
type output struct {
	step    ast.PathElement // the alias, as a path has it
	at      *ast.Position
	key     string // the alias as JSON writes it, with the colon
	kind    outputKind
	nonNull bool
	text    string // of a constant
	column  int
	prefix  string
	visible entity.Visibility
	values  []string // that a column of an enum can have
	owner   int      // the column that tells whose row it is, if only owners see the field
	nested  *selection
	page    *connection
	fields  []output // of an edge or a pageInfo
}

type outputKind int

const (
	unknown outputKind = iota // nothing says how to write it
	closed                    // shown to nobody
	constant
	idColumn
	textColumn
	numberColumn
	boolColumn
	timeColumn
	enumColumn
	oneRow
	manyRows
	pageOfRows
	// Inside a connection:
	pageNodes
	pageEdges
	pageCount
	pageInfo
	edgeCursor
	edgeNode
	hasNextPage
	hasPreviousPage
	startCursor
	endCursor
)

// plan is the compiled selection of one field.
type plan struct {
	field      *ast.Field
	connection *connection           // of a field that is a connection
	types      map[string]*selection // of any other: by the name of the type that it turns out to be
	slots      map[string]int        // and how many results there are; "" for a connection
	written    room
	herds      herds
}

// room is how much space something took the last time, and so most likely takes the next.
type room struct{ last atomic.Int64 }

func (r *room) size() int { return int(r.last.Load()) }

// took notes what was needed. What is rare and large must not be made room for ever after.
func (r *room) took(n int) { r.last.Store(int64(min(n+n/8, 64<<10))) }

// operation keeps what was compiled for an operation. A plan depends on the variables only through @skip and @include.
type operation struct {
	switches []string // the variables in @skip and @include

	mu       sync.Mutex
	plans    map[string]*plan
	payloads map[string]*payload // of a mutation's root fields
	most     map[string]int      // statements, by the state of the switches
	queries  map[string]*query   // by the same; nil where the engine cannot answer alone
	roots    map[string][]*ast.Field
}

// PlansAnOperation is for how many states of its switches an operation is kept compiled.
const PlansAnOperation = 64

// state tells apart the values of the switches.
func (o *operation) state(vars map[string]any) string {
	if len(o.switches) == 0 {
		return ""
	}
	state := make([]byte, len(o.switches))
	for i, name := range o.switches {
		state[i] = '0'
		if on, _ := vars[name].(bool); on {
			state[i] = '1'
		}
	}
	return string(state)
}

// plan returns the plan for the field that is being resolved.
func (o *operation) plan(e *Engine, op *graphql.OperationContext, fc *graphql.FieldContext) *plan {
	return o.find(o.state(op.Variables)+" "+responsePath(fc), func() *plan {
		return compile(e, op, fc.Field.Field, fc.Field.Selections)
	})
}

// responsePath names a field by the response keys that lead to it: inside one operation they tell which selection it has.
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

func (o *operation) find(key string, compile func() *plan) *plan {
	return kept(o, o.plans, key, compile)
}

// kept returns what one of the operation's maps has for the key, or else makes it.
func kept[T any](o *operation, in map[string]T, key string, make func() T) T {
	o.mu.Lock()
	value, known := in[key]
	o.mu.Unlock()
	if known {
		return value
	}
	value = make()
	o.mu.Lock()
	defer o.mu.Unlock()
	if other, known := in[key]; known {
		return other
	}
	if len(in) < PlansAnOperation {
		in[key] = value
	}
	return value
}

// statements returns how many statements the operation runs at most.
func (o *operation) statements(e *Engine, op *graphql.OperationContext) int {
	state := o.state(op.Variables)
	return kept(o, o.most, state, func() int { return e.countStatements(o, op, state) })
}

func (e *Engine) countStatements(o *operation, op *graphql.OperationContext, state string) (n int) {
	c := &compiler{Engine: e, op: op}
	for _, root := range c.collect(c.conditions("Query"), op.Operation.SelectionSet) {
		switch {
		case strings.HasPrefix(root.field.Name, "__"):
		case !e.owns(root.field.Definition.Type):
			n += 2 // a hand-written resolver: nobody knows
		default:
			p := o.find(state+" "+root.field.Alias, func() *plan { return compile(e, op, root.field, root.selections) })
			n += p.statements()
			if !e.plainly(root.field.Name) {
				n++ // its resolver is called, and may look something up first
			}
		}
	}
	return n
}

// statements returns how many statements the plan runs at most.
func (p *plan) statements() (n int) {
	if p.connection != nil {
		return p.connection.level.statements()
	}
	for _, s := range p.types {
		n = max(n, s.level.statements())
	}
	if p.field.Definition.Type.Elem != nil {
		n *= len(p.types) // the list may hold one of each type
	}
	return n
}

func (l *level) statements() (n int) {
	if l.rows {
		n++
	}
	if l.count {
		n++
	}
	if (l.next || l.previous) && l.field != nil && l.field.Arguments.ForName("offset") != nil {
		n++ // see loadSkipped
	}
	for _, child := range l.children {
		n += child.statements()
	}
	return n
}
