package read

import (
	"fmt"
	"slices"
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
	values  []string // that a column of an enum can have
	visible entity.Visibility
}

// column is a column to read: of the entity's own table, or of the one row that an edge reaches.
type column struct {
	name   string
	kind   entity.Kind
	prefix string       // of the IDs that it holds
	shown  *entity.Edge // nil for a column of the own table
	table  string       // that shown leads to
	key    string       // of the own table, which shown starts from
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

// binder matches the schema's types with the entities, and takes note of all that does not fit.
type binder struct {
	*Engine
	all      map[string]*entity.Entity
	findings []string
}

// refuse notes a finding about a part of the schema. It is noted once.
func (b *binder) refuse(at, format string, args ...any) {
	finding := at + ": " + fmt.Sprintf(format, args...)
	if !slices.Contains(b.findings, finding) {
		b.findings = append(b.findings, finding)
	}
}

// bind binds each type of an entity's name to the entity.
func (b *binder) bind(entities []*entity.Entity) {
	b.objects, b.connections, b.prefixes = map[string]*object{}, map[string]*object{}, map[string]*object{}
	b.all = map[string]*entity.Entity{}
	var bound []*object
	for _, e := range entities {
		b.all[e.Name] = e
		if def := b.schema.Types[e.Name]; def != nil && def.Kind == ast.Object && def != b.schema.Query && def != b.schema.Mutation {
			o := &object{Entity: e, is: b.conditions(e.Name)}
			bound = append(bound, o)
			b.objects[e.Name], b.connections[e.Name+"Connection"] = o, o
		}
	}
	for _, o := range bound {
		b.bindObject(o)
	}
	for _, o := range bound {
		if !b.bindKey(o) {
			continue // nothing else of it can be looked at
		}
		b.bindFields(o, b.schema.Types[o.Name])
		b.bindFilters(o, b.schema.Types[o.Name+"WhereInput"])
		b.bindOrders(o, b.schema.Types[o.Name+"OrderField"])
		b.checkPages(o)
	}
}

// bindObject looks at what an entity needs to be shown at all.
func (b *binder) bindObject(o *object) {
	if !o.Ruled {
		b.refuse(o.Name, "nothing in ent/schema says who may see which rows of %s; give it a Policy", o.Name)
	}
	switch other := b.prefixes[o.Prefix]; {
	case !prefixForm.MatchString(o.Prefix):
		b.refuse(o.Name, "the prefix of its IDs is %q; it must be lower-case letters, as in Identified{Prefix: %q}", o.Prefix, strings.ToLower(o.Name))
	case other != nil:
		b.refuse(o.Name, "the prefix of its IDs, %s, is that of %s as well; each entity needs one of its own", o.Prefix, other.Name)
	}
	b.prefixes[o.Prefix] = o
	b.heeds(o.Name, b.schema.Types[o.Name].Directives)
	if id := b.schema.Types[o.Name].Fields.ForName("id"); id == nil || !b.identifies(o.Name) {
		b.refuse(o.Name, "an entity needs the field id: ID!, and an interface that has it: write `type %s implements Node`", o.Name)
	}
}

// identifies reports whether objects of the type have an interface with an ID, so that resolvers can refer to them by it.
func (b *binder) identifies(name string) bool {
	return slices.ContainsFunc(b.schema.Implements[name], func(def *ast.Definition) bool {
		return def.Kind == ast.Interface && def.Fields.ForName("id") != nil
	})
}

// bindKey reports whether the entity has a key by which the engine can read it.
func (b *binder) bindKey(o *object) bool {
	if len(o.Fields) == 0 || o.Fields[0].Refers != o.Name {
		b.refuse(o.Name, "its key consists of several columns in ent/schema, which cannot be read; allowed is one UUID, as Identified gives it")
		return false
	}
	if key := o.Fields[0]; key.Kind != entity.ID {
		b.refuse(o.Name, "its key is of type %s in ent/schema, which cannot be read; allowed is a UUID, as Identified gives it", key.Type)
		return false
	}
	return true
}

func (b *binder) bindFields(o *object, def *ast.Definition) {
	o.fields = map[string]*field{}
	if o.Owner != "" {
		if own := o.columnNamed(o.Owner); own != nil && own.Kind == entity.ID {
			o.owner = b.columnOf(own)
		} else {
			b.refuse(o.Name, "its Owner in ent/schema, %s, is no column that holds the ID of a user", o.Owner)
		}
	}
	for _, d := range def.Fields {
		if strings.HasPrefix(d.Name, "__") {
			continue
		}
		b.heeds(o.Name+"."+d.Name, d.Directives)
		o.fields[d.Name] = b.bindField(o, d)
	}
}

// bindField returns what a field shows.
func (b *binder) bindField(o *object, d *ast.FieldDefinition) *field {
	at := o.Name + "." + d.Name
	f := &field{nonNull: d.Type.NonNull, visible: o.Visible[d.Name]}
	if f.visible == entity.ToOwners && o.owner == nil {
		b.refuse(at, "it is shown to owners, but ent/schema does not say who owns a row of %s; name the column as Owner", o.Name)
	}
	if own := o.Field(d.Name); own != nil {
		f.column = b.columnOf(own)
		f.values = own.Values
		b.checkColumn(at, d, o.Entity, own, own.Nullable)
		b.noArguments(at, d.Arguments)
	} else if edge := o.Edge(d.Name); edge != nil {
		f.edge, f.to, f.paged = edge, b.objects[edge.To], b.connections[d.Type.Name()] != nil
		b.checkEdge(at, d, o, f)
	} else if edge, name := o.Shown(d.Name); edge != nil {
		b.bindShown(at, d, o, f, edge, name)
		b.noArguments(at, d.Arguments)
	} else {
		b.refuse(at, "%s has neither a column nor an edge of this name in ent/schema; name the one that it shows, or add it there", o.Name)
	}
	return f
}

// bindShown binds a field that shows a column of the one row that an edge reaches.
func (b *binder) bindShown(at string, d *ast.FieldDefinition, o *object, f *field, edge *entity.Edge, name string) {
	to := b.all[edge.To]
	if !edge.Unique || edge.OwnKey || edge.Through != "" {
		b.refuse(at, "the edge %s cannot show a column: allowed is one to the one row that has the key of %s", edge.Name, o.Name)
		return
	}
	if to.Filtered {
		b.refuse(at, "the edge %s cannot show a column of %s, whose interceptors hide some rows", edge.Name, to.Name)
	}
	shown := (&object{Entity: to}).columnNamed(name)
	if shown == nil {
		b.refuse(at, "the edge %s is to show the column %s, which %s does not have", edge.Name, name, to.Name)
		return
	}
	b.checkColumn(at, d, to, shown, shown.Nullable)
	f.column, f.values = b.columnOf(shown), shown.Values
	f.column.shown, f.column.table, f.column.key = edge, to.Table, o.key().name
}

// columnNamed returns the field that is stored in the column, or nil.
func (o *object) columnNamed(column string) *entity.Field {
	for i := range o.Fields {
		if o.Fields[i].Column == column {
			return &o.Fields[i]
		}
	}
	return nil
}

func (b *binder) columnOf(f *entity.Field) *column {
	c := &column{name: f.Column, kind: f.Kind}
	if to := b.all[f.Refers]; f.Kind == entity.ID && to != nil {
		c.prefix = to.Prefix
	}
	return c
}

func (b *binder) bindFilters(o *object, def *ast.Definition) {
	o.filters = map[string]*filter{}
	if def == nil {
		return
	}
	b.heeds(def.Name, def.Directives)
	for _, d := range def.Fields {
		at := def.Name + "." + d.Name
		b.heeds(at, d.Directives)
		f := b.filterOf(at, o, d.Name)
		if f == nil {
			continue
		}
		if d.DefaultValue != nil {
			b.refuse(at, "a condition cannot have a default; take it out")
		}
		if f.edge != nil {
			f.to = b.objects[f.edge.To]
		}
		if f.field != nil {
			f.prefix = b.columnOf(f.field).prefix
		}
		f.closed = f.hides(o)
		f.values = b.schema.Types[d.Type.Name()].EnumValues
		b.checkFilter(at, d, o, f)
		o.filters[d.Name] = f
	}
}

// filterOf returns the condition that a name stands for, or nil after a finding.
func (b *binder) filterOf(at string, o *object, name string) *filter {
	switch all := parseFilter(o.Entity, name); len(all) {
	case 1:
		return all[0]
	case 0:
		b.refuse(at, "it compares nothing that %s has; a condition is named not, and, or, has followed by an edge and perhaps With, or a column followed by nothing or one of %s",
			o.Name, strings.Join(sortedOperators(), ", "))
	default:
		b.refuse(at, "it can be read in two ways, as %s has several columns that it may be about; rename one of them", o.Name)
	}
	return nil
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

// parseFilter returns the conditions that a name can stand for: not, and, or, hasEdge, hasEdgeWith, or a field's name followed by
// an operator. There should be one.
func parseFilter(e *entity.Entity, name string) (all []*filter) {
	switch name {
	case "not", "and", "or":
		return []*filter{{op: name}}
	}
	for i := range e.Edges {
		title := strings.ToUpper(e.Edges[i].Name[:1]) + e.Edges[i].Name[1:]
		switch name {
		case "has" + title:
			all = append(all, &filter{op: "has", edge: &e.Edges[i]})
		case "has" + title + "With":
			all = append(all, &filter{op: "hasWith", edge: &e.Edges[i]})
		}
	}
	for i := range e.Fields {
		if op, ok := strings.CutPrefix(name, e.Fields[i].Name); ok && operators[op] {
			all = append(all, &filter{op: op, field: &e.Fields[i]})
		}
	}
	return all
}

func (b *binder) bindOrders(o *object, def *ast.Definition) {
	o.orders = map[string]*entity.Field{}
	if def == nil {
		return
	}
	b.heeds(def.Name, def.Directives)
	for _, value := range def.EnumValues {
		at := def.Name + "." + value.Name
		b.heeds(at, value.Directives)
		for i := range o.Fields {
			if strings.EqualFold(o.Fields[i].Name, strings.ReplaceAll(value.Name, "_", "")) {
				o.orders[value.Name] = &o.Fields[i]
			}
		}
		switch by := o.orders[value.Name]; {
		case by == nil:
			b.refuse(at, "%s has no column of this name in ent/schema to order by", o.Name)
		case !kinds[by.Kind].orders:
			b.refuse(at, "pages cannot be ordered by the column %s, which is of type %s in ent/schema", by.Column, by.Type)
		default:
			b.storedRight(at, o.Entity, by)
		}
	}
}
