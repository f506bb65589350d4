package plan

import (
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
	"forge/internal/read/binding"
	"forge/internal/read/kind"
	"forge/internal/syntax"
)

// compiler turns selections into plans.
type compiler struct {
	*binding.Binding
	variables map[string]any
	nodes     int      // the number of nodes so far
	place     []string // the response keys from the field that is compiled to the selection
	computed  []*Computed
	// written holds the arguments of fields as texts; see arguments.
	written map[*ast.Field]string
}

// Compile returns the plans for a field and its merged selections. The plans depend only on those
// variables that stand in @skip and @include.
func Compile(b *binding.Binding, variables map[string]any, f *ast.Field, selections ast.SelectionSet) *Field {
	name := f.Definition.Type.Name()
	if pages := b.PagesOf(name); pages != nil {
		c := &compiler{Binding: b, variables: variables}
		var roots []*Node
		for _, o := range pages {
			roots = append(roots, c.node(o, nil, f))
		}
		written := c.pages(roots, selections)
		return &Field{Field: f, Connection: &Plan{Root: roots[0], Nodes: c.all(roots...), Connection: written, Computed: c.computed}}
	}
	compiled := &Field{Field: f, Types: map[string]*Plan{}}
	for _, def := range b.Schema.GetPossibleTypes(b.Schema.Types[name]) {
		if o := b.Objects[def.Name]; o != nil {
			c := &compiler{Binding: b, variables: variables}
			root := c.node(o, nil, nil)
			root.Rows = true
			written := c.selection(root, selections)
			compiled.Types[def.Name] = &Plan{Root: root, Nodes: c.all(root), Object: written, Computed: c.computed}
		}
	}
	return compiled
}

func (c *compiler) node(o *binding.Object, edge *binding.Field, f *ast.Field) *Node {
	n := &Node{Object: o, Edge: edge, Field: f}
	c.nodes++
	if edge != nil {
		n.EdgeName = edge.Edge.Name
	}
	return n
}

// selection compiles what to write for each row of n. It adds to n the columns and child nodes that
// must be read for this.
func (c *compiler) selection(n *Node, sets ...ast.SelectionSet) *Selection {
	collected := Collect(c.variables, n.Object.TypeConditions, sets...)
	s := &Selection{Node: n, Fields: make([]Output, 0, len(collected))} // which does not move: see compute
	for _, f := range collected {
		s.Fields = append(s.Fields, newOutput(f.Field))
		out := &s.Fields[len(s.Fields)-1]
		if f.Field.Name == "__typename" {
			out.Kind, out.Text = Constant, Quoted(n.Object.Entity.Name)
			continue
		}
		bound := n.Object.Fields[f.Field.Name]
		out.Visible = bound.Visible
		switch {
		case bound.Visible == entity.ToNobody:
			out.Kind = Closed
		case bound.Column != nil:
			n.show(out, bound)
		case bound.Computed != nil:
			c.compute(n, bound, f, out)
		case bound.Members != nil:
			c.enter(f)
			c.united(n, bound, f, out)
			c.leave()
		case bound.Paged:
			c.enter(f)
			out.Kind, out.Page = PageOfRows, c.connection(c.child(n, bound, f.Field), f.Selections)
			c.leave()
		default:
			child := c.child(n, bound, f.Field)
			child.Rows = true
			c.enter(f)
			out.Kind, out.Nested = OneRow, c.selection(child, f.Selections)
			c.leave()
			if !bound.Edge.Unique {
				out.Kind = ManyRows
			}
		}
		switch bound.Visible {
		case entity.ToOwners:
			out.Owner = n.column(*n.Object.Owner)
		case entity.ToSome:
			out.Owner = n.column(binding.Column{Kind: entity.Bool, Rule: f.Field.Name})
		}
	}
	return s
}

// united compiles a field that unites several edges.
func (c *compiler) united(n *Node, bound *binding.Field, f *Collected, out *Output) {
	children := make([]*Node, len(bound.Members))
	for i, edge := range bound.Members {
		children[i] = c.child(n, edge, f.Field)
	}
	if bound.Paged {
		out.Kind, out.Page = PageOfRows, c.pages(children, f.Selections)
		return
	}
	out.Kind = OneOf
	for i, child := range children {
		child.Rows = true
		if !bound.Members[i].Edge.Unique {
			out.Kind, child.Cursors = ManyOf, true // the rows of all edges are ordered by their keys
		}
		out.Members = append(out.Members, c.selection(child, f.Selections))
	}
}

// pages compiles what to write of pages that rows of several nodes make up, or of one node.
func (c *compiler) pages(nodes []*Node, selections ast.SelectionSet) *Connection {
	first := c.connection(nodes[0], selections)
	for _, n := range nodes[1:] {
		first.Others = append(first.Others, c.connection(n, selections))
	}
	if len(nodes) > 1 {
		for _, n := range nodes {
			n.Cursors = n.Rows // the rows are put in one order by the values that cursors hold
		}
	}
	return first
}

// show has an output show the column of a field.
func (n *Node) show(out *Output, bound *binding.Field) {
	out.Column, out.Kind, out.Prefix, out.Form = n.column(*bound.Column), IDColumn, bound.Column.Prefix, bound.Column.Form
	if k, ok := kind.Of(bound.Column.Kind); ok && bound.Column.Kind != entity.ID {
		out.Kind, out.Shows, out.Write = ValueColumn, bound.Shows, k.Write
	}
}

// enter notes that what follows is compiled for the selection of a field, until leave is called.
func (c *compiler) enter(f *Collected) { c.place = append(c.place, f.Field.Alias) }
func (c *compiler) leave()             { c.place = c.place[:len(c.place)-1] }

// compute compiles a field that a resolver computes.
func (c *compiler) compute(n *Node, bound *binding.Field, f *Collected, out *Output) {
	out.Kind, out.Column = OfResolver, len(c.computed)
	of := &Computed{Node: n, Output: out, Bound: bound, Place: slices.Clone(c.place),
		Field: graphql.CollectedField{Field: f.Field, Selections: f.Selections}, Refers: c.refers(f)}
	of.Needs = []Output{{Step: ast.PathName("id"), Kind: IDColumn, Column: n.column(n.Object.Key), Prefix: n.Object.Entity.Prefix, Form: n.Object.Key.Form}}
	for _, need := range bound.Needs {
		if need.Name != "id" {
			shown := Output{Step: ast.PathName(need.Name)}
			n.show(&shown, need.Field)
			of.Needs = append(of.Needs, shown)
		}
	}
	c.computed = append(c.computed, of)
}

// refers reports whether entities are selected in what the resolver of a field returns.
func (c *compiler) refers(f *Collected) bool {
	found := c.Owns(f.Field.Definition.Type)
	w := syntax.Walker{Fragment: syntax.Definition, Visit: func(selection ast.Selection) syntax.Step {
		if field, ok := selection.(*ast.Field); ok && field.Definition != nil && c.Owns(field.Definition.Type) {
			found = true
			return syntax.End
		}
		return syntax.Into
	}}
	w.Walk(f.Selections)
	return found
}

func newOutput(f *ast.Field) Output {
	return Output{Step: ast.PathName(f.Alias), At: f.Position, Key: Quoted(f.Alias) + ":", NonNull: f.Definition.Type.NonNull, Visible: entity.ToAll}
}

// Quoted returns a GraphQL name as a JSON string. A name contains no character that needs an
// escape.
func Quoted(name string) string { return `"` + name + `"` }

// column returns the index of col in n.Columns. It adds col if n does not have it yet.
func (n *Node) column(col binding.Column) int {
	if i := slices.Index(n.Columns, col); i >= 0 {
		n.Unwritten = slices.DeleteFunc(n.Unwritten, func(column int) bool { return column == i })
		return i
	}
	n.Columns = append(n.Columns, col)
	return len(n.Columns) - 1
}

// unwritten is like column, for a column that leads to a child node and may not be written.
func (n *Node) unwritten(col binding.Column) int {
	if i := slices.Index(n.Columns, col); i >= 0 {
		return i
	}
	n.Columns = append(n.Columns, col)
	n.Unwritten = append(n.Unwritten, len(n.Columns)-1)
	return len(n.Columns) - 1
}

// all returns the roots and all nodes below them, and sets their Index and Parent. A node without
// columns gets the key of its entity, or the number of rows, because a statement must read
// something.
func (c *compiler) all(roots ...*Node) []*Node {
	nodes := make([]*Node, 0, c.nodes)
	for _, root := range roots {
		nodes = root.appendTo(nodes, nil)
	}
	return nodes
}

func (n *Node) appendTo(nodes []*Node, parent *Node) []*Node {
	n.Index, n.Parent = len(nodes), parent
	nodes = append(nodes, n)
	switch {
	case len(n.Columns) > 0:
	case n.Of != nil:
		n.column(*binding.TotalCount.Column)
	default:
		n.column(n.Object.Key)
	}
	for _, child := range n.Children {
		nodes = child.appendTo(nodes, n)
	}
	for _, of := range n.Beside {
		nodes = of.appendTo(nodes, parent)
	}
	return nodes
}

// child returns the child node of n for an edge. Fields that follow the same edge with the same
// arguments share one node, whatever their aliases.
func (c *compiler) child(n *Node, edge *binding.Field, f *ast.Field) *Node {
	for _, child := range n.Children {
		if child.Edge == edge && c.arguments(child.Field) == c.arguments(f) {
			return child
		}
	}
	child := c.node(edge.To, edge, f)
	if edge.Edge.OwnKey {
		child.From = n.unwritten(binding.Column{Name: edge.Edge.Column, Kind: entity.ID, Prefix: edge.To.Entity.Prefix, Form: edge.To.Entity.Keys})
	} else {
		child.From = n.unwritten(n.Object.Key)
	}
	n.Children = append(n.Children, child)
	return child
}

// arguments returns the arguments of a field as a text. Fields with the same arguments in the same
// order have the same text. The text is kept, because child compares the arguments of a field with
// those of many others: writing long texts anew for each comparison took seconds.
func (c *compiler) arguments(f *ast.Field) string {
	if len(f.Arguments) == 0 {
		return ""
	}
	text, known := c.written[f]
	if !known {
		var b strings.Builder
		for _, argument := range f.Arguments {
			b.WriteString(argument.Name)
			b.WriteByte(':')
			b.WriteString(argument.Value.String())
			b.WriteByte(' ')
		}
		text = b.String()
		if c.written == nil {
			c.written = map[*ast.Field]string{}
		}
		c.written[f] = text
	}
	return text
}

// connection compiles what to write of the pages of n.
func (c *compiler) connection(n *Node, sets ...ast.SelectionSet) *Connection {
	conn := &Connection{Node: n}
	name := n.Field.Definition.Type.Name()
	for _, f := range Collect(c.variables, c.TypeConditions(name), sets...) {
		out := newOutput(f.Field)
		switch f.Field.Name {
		case "__typename":
			out.Kind, out.Text = Constant, Quoted(name)
		case "totalCount":
			conn.Totals = c.summary(n, nil)
			conn.Totals.measure(&out, binding.TotalCount)
			out.Kind = PageCount
		case "aggregate":
			conn.Totals = c.summary(n, nil)
			c.enter(f)
			out.Kind, out.Nested = PageAggregate, c.aggregate(conn.Totals, f)
			c.leave()
		case "groups":
			c.enter(f)
			out.Kind, out.Nested = PageGroups, c.group(c.summary(n, f.Field), f)
			c.leave()
		case "nodes":
			c.enter(f)
			out.Kind, out.Nested, n.Rows = PageNodes, c.selection(n, f.Selections), true
			c.leave()
		case "edges":
			c.enter(f)
			out.Kind, out.Fields, n.Rows = PageEdges, c.edge(n, f.Selections), true
			c.leave()
		case "pageInfo":
			out.Kind, out.Fields, n.Rows = PageInfo, c.pageInfo(n, f.Selections), true
		}
		conn.Fields = append(conn.Fields, out)
	}
	return conn
}

func (c *compiler) edge(n *Node, selections ast.SelectionSet) (fields []Output) {
	connection := n.Field.Definition.Type.Name()
	name := strings.TrimSuffix(connection, "Connection") + "Edge"
	for _, f := range Collect(c.variables, c.TypeConditions(name), selections) {
		out := newOutput(f.Field)
		switch f.Field.Name {
		case "__typename":
			out.Kind, out.Text = Constant, Quoted(name)
		case "cursor":
			out.Kind, n.Cursors = EdgeCursor, true
		case "node":
			c.enter(f)
			out.Kind, out.Nested = EdgeNode, c.selection(n, f.Selections)
			c.leave()
		default:
			n.link(&out, c.Links[connection], f.Field.Name)
		}
		fields = append(fields, out)
	}
	return fields
}

// link has an output show a column of the join table's row that leads to a node.
func (n *Node) link(out *Output, l *binding.Link, name string) {
	bound := l.Fields[name]
	if out.Visible = bound.Visible; bound.Visible == entity.ToNobody {
		out.Kind = Closed
		return
	}
	n.show(out, bound)
	if bound.Visible == entity.ToOwners {
		out.Owner = n.column(*l.Owner)
	}
}

func (c *compiler) pageInfo(n *Node, selections ast.SelectionSet) (fields []Output) {
	for _, f := range Collect(c.variables, c.TypeConditions("PageInfo"), selections) {
		out := newOutput(f.Field)
		switch f.Field.Name {
		case "__typename":
			out.Kind, out.Text = Constant, Quoted("PageInfo")
		case "hasNextPage":
			out.Kind, n.Next = HasNextPage, true
		case "hasPreviousPage":
			out.Kind, n.Previous = HasPreviousPage, true
		case "startCursor":
			out.Kind, n.Cursors = StartCursor, true
		case "endCursor":
			out.Kind, n.Cursors = EndCursor, true
		}
		fields = append(fields, out)
	}
	return fields
}
