package read

import (
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
)

// compiler turns selections into plans.
type compiler struct {
	*Engine
	op    *graphql.OperationContext
	slots int
	// The arguments of fields as they are written: they are compared with those of all fields beside them.
	written map[*ast.Field]string
}

// compile returns the plan for a field and its merged selections.
func compile(e *Engine, op *graphql.OperationContext, f *ast.Field, selections ast.SelectionSet) *plan {
	p := &plan{field: f, slots: map[string]int{}}
	name := f.Definition.Type.Name()
	if o := e.connections[name]; o != nil {
		c := &compiler{Engine: e, op: op}
		root := c.level(o, nil, f)
		p.connection = c.connection(root, selections)
		p.slots[""] = c.slots
		return p
	}
	p.types = map[string]*selection{}
	for _, def := range e.schema.GetPossibleTypes(e.schema.Types[name]) {
		if o := e.objects[def.Name]; o != nil {
			c := &compiler{Engine: e, op: op}
			root := c.level(o, nil, nil)
			root.rows = true
			p.types[def.Name] = c.selection(root, selections)
			p.slots[def.Name] = c.slots
		}
	}
	return p
}

func (c *compiler) level(o *object, via *field, f *ast.Field) *level {
	l := &level{object: o, via: via, field: f, slot: c.slots}
	c.slots++
	return l
}

// selection compiles what to write of the rows of l, and adds to l what must be read for it.
func (c *compiler) selection(l *level, sets ...ast.SelectionSet) *selection {
	s := &selection{level: l}
	for _, f := range c.collect(l.object.is, sets...) {
		out := newOutput(f.field)
		if f.field.Name == "__typename" {
			out.kind, out.text = constant, quoted(l.object.Name)
			s.fields = append(s.fields, out)
			continue
		}
		bound := l.object.fields[f.field.Name]
		out.visible = bound.visible
		switch {
		case bound.visible == entity.ToNobody:
			out.kind = closed
		case bound.column != nil:
			out.column, out.kind, out.prefix = l.column(*bound.column), kinds[bound.column.kind].output, bound.column.prefix
			out.values = bound.values
		case bound.paged:
			out.kind, out.page = pageOfRows, c.connection(c.child(l, bound, f.field), f.selections)
		default:
			child := c.child(l, bound, f.field)
			child.rows = true
			out.kind, out.nested = oneRow, c.selection(child, f.selections)
			if !bound.edge.Unique {
				out.kind = manyRows
			}
		}
		if bound.visible == entity.ToOwners {
			out.owner = l.column(*l.object.owner)
		}
		s.fields = append(s.fields, out)
	}
	return s
}

// conditions returns the type conditions that an object fulfils: its own name, and those of its interfaces and unions.
func (e *Engine) conditions(name string) map[string]bool {
	is := map[string]bool{name: true}
	for _, def := range e.schema.Implements[name] {
		is[def.Name] = true
	}
	return is
}

func newOutput(f *ast.Field) output {
	return output{step: ast.PathName(f.Alias), at: f.Position, key: quoted(f.Alias) + ":", nonNull: f.Definition.Type.NonNull, visible: entity.ToAll}
}

func quoted(s string) string { return string(appendString(nil, []byte(s))) }

// column returns the place of col among what l reads.
func (l *level) column(col column) int {
	if i := slices.Index(l.columns, col); i >= 0 {
		return i
	}
	l.columns = append(l.columns, col)
	return len(l.columns) - 1
}

// key returns the column of an entity's own key.
func (o *object) key() column {
	return column{name: o.Fields[0].Column, kind: entity.ID, prefix: o.Prefix}
}

// child returns the level that an edge leads to. The same edge with the same arguments is read once, whatever its aliases.
func (c *compiler) child(l *level, via *field, f *ast.Field) *level {
	for _, child := range l.children {
		if child.via == via && c.arguments(child.field) == c.arguments(f) {
			return child
		}
	}
	child := c.level(via.to, via, f)
	if via.edge.OwnKey {
		child.from = l.column(column{name: via.edge.Column, kind: entity.ID, prefix: via.to.Prefix})
	} else {
		child.from = l.column(l.object.key())
	}
	l.children = append(l.children, child)
	return child
}

// arguments returns a text that is the same for fields with the same arguments in the same order. It is written once for each
// field: to write it for each comparison takes seconds where many have long texts.
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

// connection compiles what to write of the pages of l.
func (c *compiler) connection(l *level, sets ...ast.SelectionSet) *connection {
	conn := &connection{level: l}
	name := l.object.Name + "Connection"
	for _, f := range c.collect(c.conditions(name), sets...) {
		out := newOutput(f.field)
		switch f.field.Name {
		case "__typename":
			out.kind, out.text = constant, quoted(name)
		case "totalCount":
			out.kind, l.count = pageCount, true
		case "nodes":
			out.kind, out.nested, l.rows = pageNodes, c.selection(l, f.selections), true
		case "edges":
			out.kind, out.fields, l.rows = pageEdges, c.edge(l, f.selections), true
		case "pageInfo":
			out.kind, out.fields, l.rows = pageInfo, c.pageInfo(l, f.selections), true
		}
		conn.fields = append(conn.fields, out)
	}
	return conn
}

func (c *compiler) edge(l *level, selections ast.SelectionSet) (fields []output) {
	name := l.object.Name + "Edge"
	for _, f := range c.collect(c.conditions(name), selections) {
		out := newOutput(f.field)
		switch f.field.Name {
		case "__typename":
			out.kind, out.text = constant, quoted(name)
		case "cursor":
			out.kind, l.cursors = edgeCursor, true
		case "node":
			out.kind, out.nested = edgeNode, c.selection(l, f.selections)
		}
		fields = append(fields, out)
	}
	return fields
}

func (c *compiler) pageInfo(l *level, selections ast.SelectionSet) (fields []output) {
	for _, f := range c.collect(c.conditions("PageInfo"), selections) {
		out := newOutput(f.field)
		switch f.field.Name {
		case "__typename":
			out.kind, out.text = constant, quoted("PageInfo")
		case "hasNextPage":
			out.kind, l.next = hasNextPage, true
		case "hasPreviousPage":
			out.kind, l.previous = hasPreviousPage, true
		case "startCursor":
			out.kind, l.cursors = startCursor, true
		case "endCursor":
			out.kind, l.cursors = endCursor, true
		}
		fields = append(fields, out)
	}
	return fields
}

// collected is a field with the merged selections of all its occurrences under one response key.
type collected struct {
	field      *ast.Field
	selections ast.SelectionSet
	merged     bool // selections are a copy, to which more may be appended
}

// collect merges selection sets as CollectFields of the GraphQL specification does (section 6.3.2), for an object that fulfils the
// type conditions in is.
func (c *compiler) collect(is map[string]bool, sets ...ast.SelectionSet) []*collected {
	g := grouping{compiler: c, is: is}
	for _, set := range sets {
		g.add(set)
	}
	return g.fields
}

type grouping struct {
	*compiler
	is      map[string]bool
	visited []string
	fields  []*collected
}

func (g *grouping) add(set ast.SelectionSet) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			if included(s.Directives, g.op.Variables) {
				g.merge(s)
			}
		case *ast.InlineFragment:
			if included(s.Directives, g.op.Variables) && (s.TypeCondition == "" || g.is[s.TypeCondition]) {
				g.add(s.SelectionSet)
			}
		case *ast.FragmentSpread:
			if !included(s.Directives, g.op.Variables) || slices.Contains(g.visited, s.Name) {
				continue
			}
			g.visited = append(g.visited, s.Name)
			if g.is[s.Definition.TypeCondition] {
				g.add(s.Definition.SelectionSet)
			}
		}
	}
}

func (g *grouping) merge(f *ast.Field) {
	for _, known := range g.fields {
		if known.field.Alias == f.Alias {
			if !known.merged {
				known.selections, known.merged = slices.Clone(known.selections), true
			}
			known.selections = append(known.selections, f.SelectionSet...)
			return
		}
	}
	g.fields = append(g.fields, &collected{field: f, selections: f.SelectionSet})
}

// included evaluates @skip and @include.
func included(directives ast.DirectiveList, vars map[string]any) bool {
	return !holds(directives.ForName("skip"), vars) &&
		(directives.ForName("include") == nil || holds(directives.ForName("include"), vars))
}

func holds(d *ast.Directive, vars map[string]any) bool {
	if d == nil {
		return false
	}
	on, _ := d.ArgumentMap(vars)["if"].(bool)
	return on
}

// switchesOf returns the variables that stand in @skip and @include anywhere in the operation, sorted.
func switchesOf(doc *ast.QueryDocument, op *ast.OperationDefinition) []string {
	var names []string
	var walk func(ast.SelectionSet)
	note := func(directives ast.DirectiveList) {
		for _, d := range directives {
			for _, arg := range d.Arguments {
				if (d.Name == "skip" || d.Name == "include") && arg.Value.Kind == ast.Variable {
					names = append(names, strings.Clone(arg.Value.Raw))
				}
			}
		}
	}
	walk = func(set ast.SelectionSet) {
		for _, s := range set {
			switch s := s.(type) {
			case *ast.Field:
				note(s.Directives)
				walk(s.SelectionSet)
			case *ast.InlineFragment:
				note(s.Directives)
				walk(s.SelectionSet)
			case *ast.FragmentSpread:
				note(s.Directives) // the fragment's own are noted with all others below
			}
		}
	}
	walk(op.SelectionSet)
	for _, fragment := range doc.Fragments {
		walk(fragment.SelectionSet)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
