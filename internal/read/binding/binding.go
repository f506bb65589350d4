// Package binding compares a GraphQL schema with the entities that it shows. A Binding says which
// type shows which entity, and which field shows which column or edge. Where the schema, the
// entities and the resolvers do not fit together, there is a finding. With any finding, the server
// does not start.
package binding

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"entgo.io/ent/dialect"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/read/kind"
	"forge/internal/rule"
)

// Binding says what the types of a schema show of the entities. It does not change after Bind.
type Binding struct {
	Schema      *ast.Schema
	Objects     map[string]*Object // by the name of the GraphQL type
	Connections map[string]*Object // by the name of the connection type; see Members
	// Members holds the objects of an interface or a union, by the name of its connection type.
	// They differ from those of Objects in Of, Filters and Orders. Connections has the first of
	// them.
	Members  map[string][]*Object
	Prefixes map[string]*Object // by the prefix of IDs
	Links    map[string]*Link   // by the name of the connection type
	// Changes is what Query and Subscription show of the log of changes; nil if nothing.
	Changes *Changes
	// Folding are the places in the schema of the conditions for which Filter.Folds.
	Folding []string

	refers func(field string) bool // see Contract.Refers
}

// Bind binds the contract's schema to its entities. If there are findings, it returns a
// *MismatchError with all of them.
func Bind(c Contract) (*Binding, error) {
	b := &binder{Binding: &Binding{Schema: c.Schema, refers: c.Refers}, resolvers: c.Resolvers}
	b.bind(c.Entities)
	b.checkOthers()
	b.checkResolvers()
	if len(b.findings) > 0 {
		return nil, &MismatchError{b.findings}
	}
	return b.Binding, nil
}

// Owns reports whether the engine reads fields of type t.
func (b *Binding) Owns(t *ast.Type) bool {
	name := t.Name()
	return b.Objects[name] != nil || b.Connections[name] != nil || b.IsAbstract(name)
}

// IsAbstract reports whether the name is that of an interface or a union to which only entities
// belong.
func (b *Binding) IsAbstract(name string) bool {
	def := b.Schema.Types[name]
	if def == nil || !def.IsAbstractType() {
		return false
	}
	members := b.Schema.GetPossibleTypes(def)
	return len(members) > 0 && !slices.ContainsFunc(members, func(member *ast.Definition) bool { return b.Objects[member.Name] == nil }) || b.IsNode(name)
}

// PagesOf returns the objects of which a connection type has pages, and nil for any other type.
func (b *Binding) PagesOf(connection string) []*Object {
	if o := b.Connections[connection]; o != nil && o.Of == "" {
		return []*Object{o}
	}
	return b.Members[connection]
}

// IsNode reports whether the name is that of an interface with an ID, such as Node, to which at
// least one entity belongs.
func (b *Binding) IsNode(name string) bool {
	def := b.Schema.Types[name]
	if def == nil || def.Kind != ast.Interface || def.Fields.ForName("id") == nil {
		return false
	}
	return slices.ContainsFunc(b.Schema.GetPossibleTypes(def), func(member *ast.Definition) bool { return b.Objects[member.Name] != nil })
}

// Refers reports whether a root field of Query can be answered without its resolver; see
// Contract.Refers.
func (b *Binding) Refers(field string) bool { return b.refers != nil && b.refers(field) }

// TypeConditions returns the type conditions that objects of the type fulfil: the name of the type,
// and those of its interfaces and unions.
func (b *Binding) TypeConditions(name string) map[string]bool {
	is := map[string]bool{name: true}
	for _, def := range b.Schema.Implements[name] {
		is[def.Name] = true
	}
	return is
}

// Object is a GraphQL type that shows an entity.
type Object struct {
	Entity         *entity.Entity
	Of             string   // the interface or union of whose connection this is one object; see Members
	Among          []string // the names of all entities of the connection, in order; nil if Of is ""
	Fields         map[string]*Field
	Filters        map[string]*Filter // by the field's name in the where input
	Orders         map[string]*Order  // by the enum value in orderBy
	TypeConditions map[string]bool    // the type conditions that objects of the type fulfil
	Key            Column             // the column of the entity's own key
	Owner          *Column            // holds the owner's ID; nil if rows have no owner
	Summary        *Summary           // nil if no connection has aggregates or groups
}

// ListName returns the name with which the names of the connection and of its inputs begin.
func (o *Object) ListName() string { return cmp.Or(o.Of, o.Entity.Name) }

// ListsDeleted reports whether a connection of the object may list the rows that are marked as
// deleted.
func (o *Object) ListsDeleted() bool { return o.Entity.Deleted != "" && o.Of == "" }

// Nullable reports whether a column of the entity may be NULL.
func (o *Object) Nullable(column string) bool {
	return slices.ContainsFunc(o.Entity.Fields, func(f entity.Field) bool { return f.Column == column && f.Nullable })
}

// Computes reports whether a field of the object is computed.
func (o *Object) Computes() bool {
	for _, f := range o.Fields {
		if f.Computed != nil {
			return true
		}
	}
	return false
}

// Field is what a GraphQL field shows: a column, a column of a related row, or related rows.
type Field struct {
	Column  *Column
	Edge    *entity.Edge
	To      *Object        // the object that the edge leads to
	Join    *entity.Entity // the entity of a many-to-many edge's join table, if it has one
	Paged   bool           // the field is a connection
	Members []*Field       // the edges that the field follows, if it unites several; see entity.Entity.Unites
	Shows   *entity.Field  // the field of ent/schema that Column holds
	Visible entity.Visibility

	Computed *entity.Computed // how a resolver computes the field; nil for others
	Needs    []Need           // what the resolver needs
}

// Need is a field that a resolver needs of the row.
type Need struct {
	Name  string
	Field *Field // a column
}

// Column is a column to read: of the entity's own table, or of the one related row that an edge
// leads to.
type Column struct {
	Name   string
	Kind   entity.Kind
	Prefix string       // the prefix of the IDs in the column
	Form   ids.Form     // of the keys in the column
	Linked bool         // it is a column of the join table of the edge that leads to the row
	Shown  *entity.Edge // the edge to the related row; nil for a column of the own table
	Table  string       // the table that Shown leads to
	Key    string       // the column of the own table that Shown starts from
	Orders *Order       // the order by related rows whose value it is, for cursors; nil for others
	// Rule is a field that the viewer may see if the column is true; "" for other columns. The
	// policy of the entity says so, by rule.Policy.ShownTo.
	Rule string
	// Postgres and SQLite are the expressions with which a database returns the value, if they are
	// not those of the kind; see kind.Conversion.
	Postgres, SQLite string
	// Measure says what a query over groups of rows computes with the column; nil for its value.
	Measure *Measure
}

// Filter is one field of a where input.
type Filter struct {
	Op     string        // the operator, such as GTE; or not, and, or, has, hasWith
	Field  *entity.Field // the field that is compared; nil if none is
	Prefix string        // the prefix of the IDs that are compared
	Form   ids.Form      // of the keys that are compared
	Edge   *entity.Edge  // the edge that has or hasWith follows, or that leads to Field
	To     *Object
	Join   *entity.Entity // as of Field
	Counts bool           // Op compares the number of rows that Edge leads to
	Shown  string         // the API field that shows Field of the row that Edge leads to, or ""
	Closed bool           // only administrators may use the filter
	// Indexed says that an index of the database begins with the column of the rows themselves that
	// is compared. IndexedBelow are the columns with keys of other rows that begin an index in
	// which the column is the next. Package index sets both.
	Indexed      bool
	IndexedBelow []string
}

// Folds reports whether the filter compares texts regardless of case, and has no column that holds
// Fold of them.
func (f *Filter) Folds() bool {
	return (f.Op == "EqualFold" || f.Op == "ContainsFold") && f.Field.MatchBy == ""
}

// binder makes a Binding, and collects findings.
type binder struct {
	*Binding
	entities  []*entity.Entity
	all       map[string]*entity.Entity // by their names
	hidden    map[string]*Object        // of entities without a type; see related
	written   map[string]bool           // the types that aggregates and groups consist of
	resolvers reflect.Type
	findings  []string
}

// refuse adds a finding about a place in the schema, unless it was added before.
func (b *binder) refuse(at, format string, args ...any) {
	finding := at + ": " + fmt.Sprintf(format, args...)
	if !slices.Contains(b.findings, finding) {
		b.findings = append(b.findings, finding)
	}
}

// reservedTable matches the names that package sql gives to rows in statements.
var reservedTable = regexp.MustCompile(`^_([pcslofh]|[ndmj][0-9]+)$`)

// bind finds the types that are named after entities, and binds each to its entity.
func (b *binder) bind(entities []*entity.Entity) {
	b.Objects, b.Connections, b.Prefixes = map[string]*Object{}, map[string]*Object{}, map[string]*Object{}
	b.all, b.hidden, b.Links, b.written = map[string]*entity.Entity{}, map[string]*Object{}, map[string]*Link{}, map[string]bool{}
	b.entities = entities
	var bound []*Object
	for _, e := range entities {
		b.all[e.Name] = e
		for _, finding := range rule.Check(e, entities) {
			b.refuse(e.Name, "%s", finding)
		}
		if reservedTable.MatchString(e.Table) {
			b.refuse(e.Name, "its table is called %s in ent/schema, a name that statements use for themselves; give it another one", e.Table)
		}
		b.checkSearch(e)
		for _, edge := range e.Edges {
			if reservedTable.MatchString(edge.Through) {
				b.refuse(e.Name, "the table of its edge %s is called %s in ent/schema, a name that statements use for themselves; give it another one", edge.Name, edge.Through)
			}
		}
		if def := b.Schema.Types[e.Name]; def != nil && def.Kind == ast.Object && def != b.Schema.Query && def != b.Schema.Mutation && def != b.Schema.Subscription {
			o := &Object{Entity: e, TypeConditions: b.TypeConditions(e.Name)}
			bound = append(bound, o)
			b.Objects[e.Name], b.Connections[e.Name+"Connection"] = o, o
		}
	}
	b.findMembers()
	for _, o := range bound {
		b.bindObject(o)
	}
	for _, o := range bound {
		b.bindLinks(o)
	}
	for _, o := range bound {
		if !b.bindKey(o) {
			continue // without a key, nothing else can be checked
		}
		b.bindFields(o, b.Schema.Types[o.Entity.Name])
		b.bindFilters(o, b.Schema.Types[o.Entity.Name+"WhereInput"])
		b.bindOrders(o, b.Schema.Types[o.Entity.Name+"OrderField"])
		b.checkPages(o)
	}
	b.bindChanges(entities)
	b.bindMembers()
	b.bindHidden()
}

// bindObject checks that an entity has all that a shown entity needs: a policy, an ID prefix of its
// own, and the field id.
func (b *binder) bindObject(o *Object) {
	if !o.Entity.Ruled {
		b.refuse(o.Entity.Name, "nothing in ent/schema says who may see which rows of %s; give it a Policy", o.Entity.Name)
	}
	switch other := b.Prefixes[o.Entity.Prefix]; {
	case !prefixForm.MatchString(o.Entity.Prefix):
		b.refuse(o.Entity.Name, "the prefix of its IDs is %q; it must be lower-case letters, as in entity.Annotation{Prefix: %q}", o.Entity.Prefix, strings.ToLower(o.Entity.Name))
	case other != nil:
		b.refuse(o.Entity.Name, "the prefix of its IDs, %s, is that of %s as well; each entity needs one of its own", o.Entity.Prefix, other.Entity.Name)
	}
	b.Prefixes[o.Entity.Prefix] = o
	b.checkDirectives(o.Entity.Name, b.Schema.Types[o.Entity.Name].Directives)
	if id := b.Schema.Types[o.Entity.Name].Fields.ForName("id"); id == nil || !o.Entity.Files && !b.identifies(o.Entity.Name) {
		b.refuse(o.Entity.Name, "an entity needs the field id: ID!, and an interface that has it: write `type %s implements Node`", o.Entity.Name)
	}
}

// identifies reports whether the type implements an interface with the field id. Resolvers refer to
// objects of the type through such an interface.
func (b *binder) identifies(name string) bool {
	return slices.ContainsFunc(b.Schema.Implements[name], func(def *ast.Definition) bool {
		return def.Kind == ast.Interface && def.Fields.ForName("id") != nil
	})
}

// allowedKeys says which types of keys can be read.
const allowedKeys = "a UUID, as Identified gives it, a whole number, or a String"

// bindKey sets the object's key. It returns false, and adds a finding, if the key is not one column
// of keys: the engine cannot read such an entity.
func (b *binder) bindKey(o *Object) bool {
	key := b.keyOf(o.Entity)
	if key == nil {
		b.refuse(o.Entity.Name, "its key consists of several columns in ent/schema, so its rows have no IDs; allowed is one column: "+allowedKeys+
			". Without a type, it can be filtered by, and a many-to-many edge can go through it")
		return false
	}
	if key.Kind != entity.ID {
		b.refuse(o.Entity.Name, "its key is of type %s in ent/schema, which cannot be read; allowed: "+allowedKeys, key.Type)
		return false
	}
	o.Key = *b.columnOf(key)
	return true
}

func (b *binder) bindFields(o *Object, def *ast.Definition) {
	o.Fields = map[string]*Field{}
	o.Owner = b.ownerOf(o)
	for _, d := range def.Fields {
		if strings.HasPrefix(d.Name, "__") {
			continue
		}
		o.Fields[d.Name] = b.bindField(o, d)
		if o.Fields[d.Name].Computed == nil {
			b.checkDirectives(o.Entity.Name+"."+d.Name, d.Directives)
		}
	}
	b.bindNeeds(o, def)
}

// ownerOf returns the column with the owner's ID, or nil if rows have no owner.
func (b *binder) ownerOf(o *Object) *Column {
	if o.Entity.Owner == "" {
		return nil
	}
	if own := o.columnNamed(o.Entity.Owner); own != nil && own.Kind == entity.ID && b.columnOf(own).Form == ids.UUID {
		return b.columnOf(own)
	}
	b.refuse(o.Entity.Name, "its Owner in ent/schema, %s, is no column that holds the UUID of a user", o.Entity.Owner)
	return nil
}

// noOwner is the finding about a field that owners see of rows without one.
const noOwner = "it is shown to owners, but ent/schema does not say who owns a row of %s; name the column as Owner"

// bindField returns the column or edge that a field shows.
func (b *binder) bindField(o *Object, d *ast.FieldDefinition) *Field {
	at := o.Entity.Name + "." + d.Name
	f := &Field{Visible: rule.Visible(o.Entity, d.Name)}
	if f.Visible == entity.ToOwners && o.Owner == nil {
		b.refuse(at, noOwner, o.Entity.Name)
	}
	if own := o.Entity.Field(d.Name); own != nil {
		f.Column, f.Shows = b.columnOf(own), own
		b.checkColumn(at, d, o.Entity, own, own.Nullable)
		b.noArguments(at, d.Arguments)
	} else if edge := o.Entity.Edge(d.Name); edge != nil {
		f.Edge, f.To, f.Join, f.Paged = edge, b.Objects[edge.To], b.all[edge.Join], b.Connections[d.Type.Name()] != nil
		b.checkEdge(at, d, o, f)
	} else if edges := o.Entity.Unites[d.Name]; edges != nil {
		b.bindUnited(at, d, o, f, edges)
	} else if edge, name := o.Entity.Shown(d.Name); edge != nil {
		b.bindShown(at, d, o, f, edge, name)
		b.noArguments(at, d.Arguments)
	} else if computed, ok := o.Entity.Computed[d.Name]; ok {
		f.Computed = &computed
		b.checkComputed(at, o, d)
	} else {
		b.refuse(at, "%s has neither a column nor an edge of this name in ent/schema; name the one that it shows, add %s there, or give it a resolver and declare it there: "+
			"entity.Annotation{Computed: map[string]entity.Computed{%q: {Needs: []string{…}}}}", o.Entity.Name, b.missingLine(o, d), d.Name)
	}
	return f
}

// missingLine returns the line that ent/schema needs for a field: a column, or an edge to a type
// that shows an entity.
func (b *binder) missingLine(o *Object, d *ast.FieldDefinition) string {
	if line := entity.FieldSource(d.Name, d.Type.String()); line != "" {
		return "`" + line + "` to the Fields of " + o.Entity.Name + ", and its name to ShownToAll,"
	}
	named, many := strings.CutSuffix(d.Type.Name(), "Connection")
	switch {
	case b.all[named] == nil:
		return "it"
	case many || d.Type.Elem != nil:
		return fmt.Sprintf("`edge.To(%q, %s.Type)` to the Edges of %s, and its name to ShownToAll,", entity.Snake(d.Name), named, o.Entity.Name)
	}
	return fmt.Sprintf("`edge.To(%q, %s.Type).Unique()` to the Edges of %s, and its name to ShownToAll,", entity.Snake(d.Name), named, o.Entity.Name)
}

// bindNeeds finds the columns that the object's computed fields need. There is a finding for each
// that the object does not show, and for each computed field that it does not have.
func (b *binder) bindNeeds(o *Object, def *ast.Definition) {
	for _, name := range slices.Sorted(maps.Keys(o.Entity.Computed)) {
		f := o.Fields[name]
		switch {
		case f == nil:
			b.refuse(o.Entity.Name+"."+name, "ent/schema declares it as Computed, but the schema has no such field; add it, or take it out there")
			continue
		case f.Computed == nil:
			b.refuse(o.Entity.Name+"."+name, "ent/schema declares it as Computed, but it is a column or an edge; name it otherwise, or take it out there")
			continue
		}
		for _, need := range f.Computed.Needs {
			needed := o.Fields[need]
			if needed == nil || needed.Column == nil {
				b.refuse(o.Entity.Name+"."+name, "it needs %s, which %s does not show as a column; allowed: %s", need, o.Entity.Name, strings.Join(columnsShown(o, def), ", "))
				continue
			}
			f.Needs = append(f.Needs, Need{need, needed})
		}
	}
}

// columnsShown returns the names of the fields that show a column.
func columnsShown(o *Object, def *ast.Definition) (names []string) {
	for _, d := range def.Fields {
		if f := o.Fields[d.Name]; f != nil && f.Column != nil {
			names = append(names, d.Name)
		}
	}
	return names
}

// bindShown binds a field that shows a column of the one related row that an edge leads to.
func (b *binder) bindShown(at string, d *ast.FieldDefinition, o *Object, f *Field, edge *entity.Edge, name string) {
	to := b.all[edge.To]
	if !edge.Unique || edge.OwnKey || edge.Through != "" {
		b.refuse(at, "the edge %s cannot show a column: allowed is one to the one row that has the key of %s", edge.Name, o.Entity.Name)
		return
	}
	if to.Filtered {
		b.refuse(at, "the edge %s cannot show a column of %s, whose interceptors hide some rows", edge.Name, to.Name)
	}
	shown := (&Object{Entity: to}).columnNamed(name)
	if shown == nil {
		b.refuse(at, "the edge %s is to show the column %s, which %s does not have", edge.Name, name, to.Name)
		return
	}
	b.checkColumn(at, d, to, shown, shown.Nullable)
	f.Column, f.Shows = b.columnOf(shown), shown
	f.Column.Shown, f.Column.Table, f.Column.Key = edge, to.Table, o.Key.Name
}

// columnNamed returns the field that is stored in the column. It returns nil if there is none.
func (o *Object) columnNamed(column string) *entity.Field {
	for i := range o.Entity.Fields {
		if o.Entity.Fields[i].Column == column {
			return &o.Entity.Fields[i]
		}
	}
	return nil
}

func (b *binder) columnOf(f *entity.Field) *Column {
	c := &Column{Name: f.Column, Kind: f.Kind, Postgres: kind.Conversion(f, dialect.Postgres), SQLite: kind.Conversion(f, dialect.SQLite)}
	if to := b.all[f.Refers]; f.Kind == entity.ID && to != nil {
		c.Prefix, c.Form = to.Prefix, to.Keys
	}
	return c
}

func (b *binder) bindFilters(o *Object, def *ast.Definition) {
	o.Filters = map[string]*Filter{}
	if def == nil || def.Kind != ast.InputObject {
		return
	}
	b.checkDirectives(def.Name, def.Directives)
	for _, d := range def.Fields {
		at := def.Name + "." + d.Name
		b.checkDirectives(at, d.Directives)
		f := b.filterOf(at, o, d.Name)
		if f == nil {
			continue
		}
		if d.DefaultValue != nil {
			b.refuse(at, "a condition cannot have a default; take it out")
		}
		if f.Edge != nil {
			f.To, f.Join = b.related(f.Edge.To), b.all[f.Edge.Join]
		}
		if f.Shown != "" && f.To != nil {
			f.Field = f.To.columnNamed(f.Edge.Shows[f.Shown])
		}
		if f.Field != nil {
			of := b.columnOf(f.Field)
			f.Prefix, f.Form = of.Prefix, of.Form
			if o.Of != "" && f.Field.Refers == o.Entity.Name {
				b.refuse(at, "rows of several entities cannot be found by their IDs; use node or nodes")
			}
		}
		f.Closed = f.hides(o)
		b.checkFilter(at, d, o, f)
		if f.Field != nil && f.Folds() {
			b.Folding = append(b.Folding, at)
		}
		o.Filters[d.Name] = f
	}
}

// filterOf returns the filter that a name stands for. If the name stands for none, or for more than
// one, filterOf adds a finding and returns nil.
func (b *binder) filterOf(at string, o *Object, name string) *Filter {
	switch all := parseFilter(o.Entity, name); len(all) {
	case 1:
		return all[0]
	case 0:
		b.refuse(at, "it compares nothing that %s has; a condition is named not, and, or, has followed by an edge and perhaps With, an edge to many rows followed by Count, or a column; the last two are followed by nothing or one of %s",
			o.Entity.Name, strings.Join(sortedOperators(), ", "))
	default:
		b.refuse(at, "it can be read in two ways, as %s has several columns that it may be about; rename one of them", o.Entity.Name)
	}
	return nil
}

// hides reports whether the filter compares something that not everybody may see.
func (f *Filter) hides(o *Object) bool {
	switch {
	case f.Shown != "":
		return rule.Visible(o.Entity, f.Shown) != entity.ToAll
	case f.Edge != nil:
		return rule.Visible(o.Entity, f.Edge.Name) != entity.ToAll
	case f.Field != nil:
		return o.hides(f.Field.Name)
	}
	return false
}

// CountOperators are what may follow the name of an edge and Count in a where input.
var CountOperators = []string{"", "NEQ", "GT", "GTE", "LT", "LTE"}

// parseFilter returns all filters that a name can stand for: not, and, or, hasEdge, hasEdgeWith, or
// a field's name followed by an operator. If it stands for none of them, it may be an edge's name
// followed by Count and an operator. In a valid schema there is exactly one.
func parseFilter(e *entity.Entity, name string) (all []*Filter) {
	switch name {
	case "not", "and", "or":
		return []*Filter{{Op: name}}
	}
	for i := range e.Edges {
		title := strings.ToUpper(e.Edges[i].Name[:1]) + e.Edges[i].Name[1:]
		switch name {
		case "has" + title:
			all = append(all, &Filter{Op: "has", Edge: &e.Edges[i]})
		case "has" + title + "With":
			all = append(all, &Filter{Op: "hasWith", Edge: &e.Edges[i]})
		}
	}
	for i := range e.Fields {
		if op, ok := strings.CutPrefix(name, e.Fields[i].Name); ok && kind.Operators()[op] {
			all = append(all, &Filter{Op: op, Field: &e.Fields[i]})
		}
	}
	for i := range e.Edges {
		for shown := range e.Edges[i].Shows {
			if op, ok := strings.CutPrefix(name, shown); ok && kind.Operators()[op] {
				all = append(all, &Filter{Op: op, Edge: &e.Edges[i], Shown: shown})
			}
		}
	}
	for i := range e.Edges {
		if op, ok := strings.CutPrefix(name, e.Edges[i].Name+"Count"); ok && len(all) == 0 && !e.Edges[i].Unique && slices.Contains(CountOperators, op) {
			return []*Filter{{Op: op, Edge: &e.Edges[i], Counts: true}}
		}
	}
	return all
}
