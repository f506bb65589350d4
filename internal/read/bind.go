package read

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
)

// object is a GraphQL type that stands for an entity.
type object struct {
	*entity.Entity
	fields  map[string]*field
	filters map[string]*filter       // by the name in the where input
	orders  map[string]*entity.Field // by the enum value in orderBy
	is      map[string]bool          // the type conditions that it fulfils
	owner   *column                  // that holds whose row it is; nil if nobody owns any
}

// field is what a GraphQL field shows: a column, a column of a related row, or related rows.
type field struct {
	column  *column
	edge    *entity.Edge
	to      *object // where the edge leads
	paged   bool    // a connection
	nonNull bool
	visible entity.Visibility
}

// column is a column to read: of the entity's own table, or of the one row that an edge reaches.
type column struct {
	name   string
	kind   entity.Kind
	prefix string       // of the IDs that it holds
	shown  *entity.Edge // nil for a column of the own table
	table  string       // that shown leads to
}

// filter is one condition that a where input offers.
type filter struct {
	op     string            // see where.go
	field  *entity.Field     // what it compares
	prefix string            // of the IDs that it compares
	values ast.EnumValueList // that are allowed, of an enum
	edge   *entity.Edge      // or where it leads
	to     *object
	closed bool // it compares what not everybody may see
}

// bind matches the schema's types with the entities. An entity without a policy is not shown at all.
func (e *Engine) bind(entities []*entity.Entity) {
	e.objects, e.connections, e.prefixes = map[string]*object{}, map[string]*object{}, map[string]*object{}
	all := map[string]*entity.Entity{}
	for _, ent := range entities {
		all[ent.Name] = ent
		if def := e.schema.Types[ent.Name]; def != nil && def.Kind == ast.Object {
			if !ent.Ruled {
				panic(fmt.Sprintf("read: nothing in ent/schema says who may see which rows of %s", ent.Name))
			}
			o := &object{Entity: ent, is: map[string]bool{ent.Name: true}}
			for _, name := range def.Interfaces {
				o.is[name] = true
			}
			e.objects[ent.Name], e.connections[ent.Name+"Connection"], e.prefixes[ent.Prefix] = o, o, o
		}
	}
	for name, o := range e.objects {
		e.bindFields(o, e.schema.Types[name], all)
		e.bindFilters(o, e.schema.Types[name+"WhereInput"], all)
		bindOrders(o, e.schema.Types[name+"OrderField"])
	}
}

func (e *Engine) bindFields(o *object, def *ast.Definition, all map[string]*entity.Entity) {
	o.fields = map[string]*field{}
	for i := range o.Fields {
		if o.Owner != "" && o.Fields[i].Column == o.Owner {
			o.owner = columnOf(&o.Fields[i], all)
		}
	}
	for _, d := range def.Fields {
		f := &field{nonNull: d.Type.NonNull, visible: o.Visible[d.Name]}
		if own := o.Field(d.Name); own != nil {
			f.column = columnOf(own, all)
		} else if edge := o.Edge(d.Name); edge != nil && e.objects[edge.To] != nil {
			f.edge, f.to, f.paged = edge, e.objects[edge.To], e.connections[d.Type.Name()] != nil
		} else if edge, name := o.Shown(d.Name); edge != nil {
			f.column = &column{name: name, kind: kindOf(all[edge.To], name), shown: edge, table: all[edge.To].Table}
		} else if !strings.HasPrefix(d.Name, "__") {
			panic(fmt.Sprintf("read: %s.%s is in the schema, but the entity has neither such a field nor such an edge", o.Name, d.Name))
		}
		o.fields[d.Name] = f
	}
}

func columnOf(f *entity.Field, all map[string]*entity.Entity) *column {
	c := &column{name: f.Column, kind: f.Kind}
	if f.Kind == entity.ID {
		c.prefix = all[f.Refers].Prefix
	}
	return c
}

func kindOf(e *entity.Entity, name string) entity.Kind {
	for _, f := range e.Fields {
		if f.Column == name {
			return f.Kind
		}
	}
	panic(fmt.Sprintf("read: %s has no column %s to show", e.Name, name))
}

func (e *Engine) bindFilters(o *object, def *ast.Definition, all map[string]*entity.Entity) {
	o.filters = map[string]*filter{}
	if def == nil {
		return
	}
	for _, d := range def.Fields {
		f := parseFilter(o.Entity, d.Name)
		if f == nil || f.edge != nil && e.objects[f.edge.To] == nil {
			panic(fmt.Sprintf("read: %s.%s compares nothing that the entity has", def.Name, d.Name))
		}
		if f.edge != nil {
			f.to = e.objects[f.edge.To]
		}
		if f.field != nil && f.field.Kind == entity.ID {
			f.prefix = all[f.field.Refers].Prefix
		}
		f.closed = f.hides(o)
		f.values = e.schema.Types[d.Type.Name()].EnumValues
		o.filters[d.Name] = f
	}
}

// hides reports whether not everybody may see what the filter compares. A key of related rows is as visible as the edge.
func (f *filter) hides(o *object) bool {
	switch {
	case f.edge != nil:
		return o.Visible[f.edge.Name] != entity.ToAll
	case f.field != nil:
		name := f.field.Name
		if edge, ok := strings.CutSuffix(name, "Id"); ok {
			name = edge
		}
		return o.Visible[name] != entity.ToAll
	}
	return false
}

// parseFilter reads a condition's name: not, and, or, hasEdge, hasEdgeWith, or a field's name followed by an operator.
func parseFilter(e *entity.Entity, name string) *filter {
	switch name {
	case "not", "and", "or":
		return &filter{op: name}
	}
	for i := range e.Edges {
		title := strings.ToUpper(e.Edges[i].Name[:1]) + e.Edges[i].Name[1:]
		switch name {
		case "has" + title:
			return &filter{op: "has", edge: &e.Edges[i]}
		case "has" + title + "With":
			return &filter{op: "hasWith", edge: &e.Edges[i]}
		}
	}
	for i := range e.Fields {
		if op, ok := strings.CutPrefix(name, e.Fields[i].Name); ok && operators[op] {
			return &filter{op: op, field: &e.Fields[i]}
		}
	}
	return nil
}

func bindOrders(o *object, def *ast.Definition) {
	o.orders = map[string]*entity.Field{}
	if def == nil {
		return
	}
	for _, value := range def.EnumValues {
		for i := range o.Fields {
			if strings.EqualFold(o.Fields[i].Name, strings.ReplaceAll(value.Name, "_", "")) {
				o.orders[value.Name] = &o.Fields[i]
			}
		}
		if o.orders[value.Name] == nil {
			panic(fmt.Sprintf("read: %s.%s is no field of the entity", def.Name, value.Name))
		}
	}
}
