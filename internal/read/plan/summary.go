package plan

import (
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/read/binding"
	"forge/internal/read/kind"
)

// Distinct is a column that counts the different values of a column, which an argument names.
type Distinct struct {
	Column int
	Field  *ast.Field
}

// summary returns the node beside n for aggregates over all rows of its pages, or for the groups
// that a field asks for. Fields with the same arguments share one node.
func (c *compiler) summary(n *Node, groups *ast.Field) *Node {
	for _, of := range n.Beside {
		if (of.Groups == nil) == (groups == nil) && (groups == nil || c.arguments(of.Groups) == c.arguments(groups)) {
			return of
		}
	}
	of := c.node(n.Object, n.Edge, n.Field)
	of.Of, of.Groups, of.From, of.Rows = n, groups, n.From, true
	n.Beside = append(n.Beside, of)
	return of
}

// aggregate compiles a selection of aggregates over the rows that a row of n stands for.
func (c *compiler) aggregate(n *Node, f *Collected) *Selection {
	s := &Selection{Node: n}
	name := f.Field.Definition.Type.Name()
	for _, f := range Collect(c.variables, c.TypeConditions(name), f.Selections) {
		out := newOutput(f.Field)
		switch function := kind.Function(f.Field.Name); function {
		case "__typename":
			out.Kind, out.Text = Constant, Quoted(name)
		case kind.Count:
			n.measure(&out, binding.TotalCount)
		case kind.CountDistinct:
			c.distinct(n, f.Field, &out)
		default:
			out.Kind, out.Nested = SameRow, c.results(n, function, f)
		}
		s.Fields = append(s.Fields, out)
	}
	return s
}

// results compiles a selection of the results that a function has for several columns.
func (c *compiler) results(n *Node, function kind.Function, f *Collected) *Selection {
	s := &Selection{Node: n}
	name := f.Field.Definition.Type.Name()
	for _, f := range Collect(c.variables, c.TypeConditions(name), f.Selections) {
		out := newOutput(f.Field)
		if f.Field.Name == "__typename" {
			out.Kind, out.Text = Constant, Quoted(name)
		} else {
			n.measure(&out, n.Object.Summary.Measures[binding.MeasureName(function, f.Field.Name)])
		}
		s.Fields = append(s.Fields, out)
	}
	return s
}

// measure has an output show a result. Those of columns that not everybody may see are for
// administrators.
func (n *Node) measure(out *Output, result *binding.Field) {
	n.show(out, result)
	out.Visible, out.Owner = result.Visible, -1
}

// distinct has an output show the number of different values of the column that the argument names.
func (c *compiler) distinct(n *Node, f *ast.Field, out *Output) {
	for _, known := range n.Distinct {
		if c.arguments(known.Field) == c.arguments(f) {
			n.show(out, &binding.Field{Column: &n.Columns[known.Column], Shows: binding.TotalCount.Shows})
			return
		}
	}
	column := *binding.TotalCount.Column
	column.Measure = &binding.Measure{Function: kind.CountDistinct}
	n.show(out, &binding.Field{Column: &column, Shows: binding.TotalCount.Shows})
	n.Distinct = append(n.Distinct, Distinct{out.Column, f})
}

// group compiles the selection of a group.
func (c *compiler) group(n *Node, f *Collected) *Selection {
	s := &Selection{Node: n}
	name := f.Field.Definition.Type.Name()
	for _, f := range Collect(c.variables, c.TypeConditions(name), f.Selections) {
		out := newOutput(f.Field)
		out.Kind = SameRow
		c.enter(f)
		switch f.Field.Name {
		case "__typename":
			out.Kind, out.Text = Constant, Quoted(name)
		case "key":
			out.Nested = c.groupKey(n, f)
		case "aggregate":
			out.Nested = c.aggregate(n, f)
		}
		c.leave()
		s.Fields = append(s.Fields, out)
	}
	return s
}

// groupKey compiles the selection of what the rows of a group have in common.
func (c *compiler) groupKey(n *Node, f *Collected) *Selection {
	s := &Selection{Node: n}
	name := f.Field.Definition.Type.Name()
	for _, f := range Collect(c.variables, c.TypeConditions(name), f.Selections) {
		out := newOutput(f.Field)
		switch key := n.Object.Summary.Keys[f.Field.Name]; {
		case f.Field.Name == "__typename":
			out.Kind, out.Text = Constant, Quoted(name)
		case key.Edge != nil:
			child := c.child(n, key, f.Field)
			child.Rows = true
			c.enter(f)
			out.Kind, out.Column, out.Nested = OneRow, child.From, c.selection(child, f.Selections)
			c.leave()
		default:
			n.show(&out, key)
		}
		s.Fields = append(s.Fields, out)
	}
	return s
}
