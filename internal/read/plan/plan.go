// Package plan compiles selections of entities into plans: what to read, as a tree of nodes, and
// what to write of it, as outputs. A plan does not change once it is compiled, and depends on an
// operation's variables only through @skip and @include.
package plan

import (
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
	"forge/internal/read/binding"
)

// Field is the compiled selection of one field. A connection has one plan. Any other field has a
// plan for each type that its value may turn out to have.
type Field struct {
	Field      *ast.Field
	Connection *Plan
	Types      map[string]*Plan // by the name of the type
}

// Plan says what to read of the rows of one entity and of all that they lead to, and what to write.
type Plan struct {
	Root       *Node
	Nodes      []*Node     // all of them, each after its parent; see Node.Index
	Connection *Connection // what to write, if the field is a connection
	Object     *Selection  // and if it is not
}

// Statements returns how many statements the plan takes at most.
func (p *Plan) Statements() int { return p.Root.statements() }

// Node is the rows of an entity that all rows of the parent node lead to.
type Node struct {
	Object   *binding.Object
	Field    *ast.Field       // whose arguments the node reads; nil if it has none
	Edge     *binding.Field   // that leads here from the parent node; nil at the root
	EdgeName string           // "" at the root
	Parent   *Node            // nil at the root
	From     int              // the column of the parent node that holds the keys
	Columns  []binding.Column // of rows that only count, the key
	Children []*Node
	Index    int // among the plan's nodes

	// What of a connection is asked for. Next and Previous stand for whether there are rows on that
	// side of the page.
	Rows, Count, Cursors, Next, Previous bool
}

func (n *Node) statements() (count int) {
	if n.Rows {
		count++
	}
	if n.Count {
		count++
	}
	if (n.Next || n.Previous) && n.Field != nil && n.Field.Arguments.ForName("offset") != nil {
		count++ // whether the offset has skipped rows may need one
	}
	for _, child := range n.Children {
		count += child.statements()
	}
	return count
}

// Selection is what to write of a row.
type Selection struct {
	Node   *Node
	Fields []Output
}

// Connection is what to write of a page.
type Connection struct {
	Node   *Node
	Fields []Output
}

// Output is one entry of a JSON object.
type Output struct {
	Step    ast.PathElement // the alias, as a path has it
	At      *ast.Position
	Key     string // the alias as JSON writes it, with the colon
	Kind    OutputKind
	NonNull bool
	Text    string // of a constant
	Column  int
	Prefix  string
	Visible entity.Visibility
	Values  []string // that a column of an enum can have
	Owner   int      // the column that tells whose row it is, if only owners see the field
	Nested  *Selection
	Page    *Connection
	Fields  []Output // of an edge or a pageInfo
}

// OutputKind says how an output is written.
type OutputKind int

// The kinds of outputs.
const (
	Unknown OutputKind = iota // nothing says how to write it
	Closed                    // shown to nobody
	Constant
	IDColumn
	TextColumn
	NumberColumn
	BoolColumn
	TimeColumn
	EnumColumn
	OneRow
	ManyRows
	PageOfRows
	// Inside a connection:
	PageNodes
	PageEdges
	PageCount
	PageInfo
	EdgeCursor
	EdgeNode
	HasNextPage
	HasPreviousPage
	StartCursor
	EndCursor
)

// columnOutputs are the outputs that show columns of each kind.
var columnOutputs = map[entity.Kind]OutputKind{
	entity.ID: IDColumn, entity.String: TextColumn, entity.Int: NumberColumn, entity.Bool: BoolColumn, entity.Time: TimeColumn, entity.Enum: EnumColumn,
}

// OutputOf returns how columns of a kind are written, Unknown if they are not.
func OutputOf(kind entity.Kind) OutputKind { return columnOutputs[kind] }
