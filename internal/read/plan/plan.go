// Package plan compiles selections of entities into plans. A plan says what to read, as a tree of
// nodes, and what to write, as outputs. A plan does not change after it is compiled. It depends on
// an operation's variables only through @skip and @include.
package plan

import (
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/read/binding"
)

// Field is the compiled selection of one field. A connection has one plan. Any other field has a
// plan for each type that its value may turn out to have.
type Field struct {
	Field      *ast.Field
	Connection *Plan
	Types      map[string]*Plan // by the name of the type
}

// Plan says which rows to read, beginning with rows of one entity and going on along edges, and
// what to write of these rows. The plan of a connection of an interface or a union begins with a
// node for each of its types, which have no Parent; Root is the first of them.
type Plan struct {
	Root       *Node
	Nodes      []*Node     // root and all nodes below, each after its parent; see Node.Index
	Connection *Connection // what to write, if the field is a connection
	Object     *Selection  // what to write, if the field is not a connection
	Computed   []*Computed // the fields that resolvers compute for the rows; see Output.Column
}

// Later returns how many statements may follow those of the plan, because of its computed fields. A
// resolver that uses the database counts as two.
func (p *Plan) Later() (count int) {
	for _, c := range p.Computed {
		if !c.Bound.Computed.Outside {
			count += 2
		}
		if c.Refers {
			count++
		}
	}
	return count
}

// Computed is a field that a resolver computes, at one place in the selection.
type Computed struct {
	Node   *Node
	Output *Output
	Bound  *binding.Field
	Field  graphql.CollectedField
	Place  []string // the response keys between the field that the plan is of and this one
	Needs  []Output // the columns that the resolver needs, the ID among them
	Refers bool     // entities are selected in what the resolver returns
}

// Statements returns how many statements the plan runs at most.
func (p *Plan) Statements() (count int) {
	for _, n := range p.Nodes {
		count += n.statements()
	}
	return count
}

// Node stands for the rows of one entity at one place in the selection: all rows that an edge leads
// to from the rows of the parent node. At the root, they are the rows that the field asks for. With
// Of, a row of the node stands for a group of such rows.
type Node struct {
	Object   *binding.Object
	Field    *ast.Field       // the field of these rows; nil for an entity at the root
	Edge     *binding.Field   // the edge from the parent node; nil at the root
	EdgeName string           // the name of the edge; "" at the root
	Parent   *Node            // nil at the root
	From     int              // the index of the parent node's column that holds the keys
	Columns  []binding.Column // the columns to read; the key alone if no other is needed
	// Unwritten holds the indexes of columns that only lead to other nodes. Other parts of an
	// answer, such as cursors, may need them too.
	Unwritten []int
	Children  []*Node
	Index     int // the place in Plan.Nodes

	// These are the parts of a connection that the selection asks for. Next and Previous stand for
	// hasNextPage and hasPreviousPage.
	Rows, Cursors, Next, Previous bool

	// Of is the node of the pages whose rows are grouped, and nil if the node stands for rows. The
	// node is one of Of.Beside. Its columns are measures, and those that rows are grouped by.
	Of       *Node
	Beside   []*Node
	Groups   *ast.Field // the field groups; nil if all rows are one group
	Distinct []Distinct // what is known of columns when the request is
}

func (n *Node) statements() (count int) {
	if n.Rows {
		count++
	}
	if (n.Next || n.Previous) && n.Field != nil && n.Field.Arguments.ForName("offset") != nil {
		count++ // a statement may be needed to find out whether the offset has skipped rows
	}
	return count
}

// Selection is what to write of a row.
type Selection struct {
	Node   *Node
	Fields []Output
}

// Connection is what to write of a page. If rows of several entities make up the page, Others holds
// what to write of the rows of the others. It has the same fields for all of them.
type Connection struct {
	Node   *Node
	Totals *Node // the aggregates over all rows; nil if there are none
	Fields []Output
	Others []*Connection
}

// Part returns the connection for the entity with an index: that of c is 0.
func (c *Connection) Part(i int) *Connection {
	if i == 0 {
		return c
	}
	return c.Others[i-1]
}

// Output is one entry of a JSON object.
type Output struct {
	Step    ast.PathElement // the alias, as an element of an error's path
	At      *ast.Position
	Key     string // the alias as a JSON string, and a colon
	Kind    OutputKind
	NonNull bool
	Text    string // the JSON of a constant
	Column  int    // the index in Node.Columns, or for a computed field in Plan.Computed
	Prefix  string
	Form    ids.Form // of the keys in the column
	Visible entity.Visibility
	Shows   *entity.Field                                        // the field of ent/schema that a column holds
	Write   func(f *entity.Field, b, cell []byte) ([]byte, bool) // see kind.Kind
	// Owner is the column that tells whether the viewer may see the field of a row: it holds the
	// owner's ID, or whether the policy says so. -1: no column does.
	Owner   int
	Nested  *Selection
	Members []*Selection // for OneOf and ManyOf, what to write of the rows of each edge
	Page    *Connection
	Fields  []Output // the fields of an edge or of a pageInfo
}

// OutputKind says how an output is written.
type OutputKind int

// These are the kinds of outputs.
const (
	Unknown OutputKind = iota // the engine cannot write the field
	Closed                    // nobody may see the field
	Constant
	IDColumn
	ValueColumn // of any kind but a key
	OneRow
	ManyRows
	OneOf  // the row that the first of several edges leads to
	ManyOf // the rows that several edges lead to
	PageOfRows
	OfResolver // a computed field
	SameRow    // an object with more of the same row
	// The following stand only inside of a connection.
	PageNodes
	PageEdges
	PageCount
	PageAggregate
	PageGroups
	PageInfo
	EdgeCursor
	EdgeNode
	HasNextPage
	HasPreviousPage
	StartCursor
	EndCursor
)
