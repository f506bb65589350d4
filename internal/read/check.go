package read

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
	"forge/internal/unit"
)

// Contract is what an engine answers, and what stands behind it.
type Contract struct {
	Schema   *ast.Schema
	Entities []*entity.Entity
	// Query runs an ent query for rows of an entity, with the statement that shape makes.
	Query func(ctx context.Context, u *unit.Unit, e *entity.Entity, shape func(*sql.Selector)) error
	// Resolvers is gqlgen's ResolverRoot: it tells which types have fields with code of their own. It may be nil, for none.
	Resolvers reflect.Type
	// Refers reports whether the resolver of a root field of queries is known to do nothing but refer to what the field means: to the
	// connection, or to the entity of the argument id. The engine answers such fields without calling it. It may be nil: then none is.
	Refers func(field string) bool
}

// MismatchError says what of a contract cannot be answered rightly: all of it, in sentences for people. Each begins with the place in the
// schema.
type MismatchError struct{ Findings []string }

// Error returns all of the findings, a line for each.
func (e *MismatchError) Error() string {
	what := fmt.Sprintf("schema.graphqls, ent/schema and the resolvers do not fit together in %d places", len(e.Findings))
	if len(e.Findings) == 1 {
		what = "schema.graphqls, ent/schema and the resolvers do not fit together in one place"
	}
	return what + ":\n" + strings.Join(e.Findings, "\n")
}

// prefixForm is that of TypeID (version 0.3).
var prefixForm = regexp.MustCompile(`^[a-z]([a-z_]{0,61}[a-z])?$`)

// checkColumn compares a field's type with the column that it shows.
func (b *binder) checkColumn(at string, d *ast.FieldDefinition, e *entity.Entity, f *entity.Field, nullable bool) {
	if !b.held(at, e, f) {
		return
	}
	if wanted := b.scalarOf(d.Type.Name(), f); d.Type.Elem != nil || d.Type.Name() != wanted {
		b.refuse(at, "its type is %s, but the column %s of %s is of type %s in ent/schema; allowed: %s", d.Type, f.Column, e.Name, f.Type, wanted)
		return
	}
	b.checkEnum(at, e, f, d.Type.Name())
	if nullable && d.Type.NonNull {
		b.refuse(at, "its type is %s, but the column %s of %s may be NULL; take the ! out, or Optional() in ent/schema", d.Type, f.Column, e.Name)
	}
}

// held reports whether the engine holds a column's kind as it is stored.
func (b *binder) held(at string, e *entity.Entity, f *entity.Field) bool {
	if _, ok := kinds[f.Kind]; !ok {
		b.refuse(at, "the column %s of %s is of type %s in ent/schema, which cannot be read; allowed: %s", f.Column, e.Name, f.Type, typesHeld())
		return false
	}
	if f.Kind == entity.ID && b.all[f.Refers] == nil {
		b.refuse(at, "the column %s of %s is the key of nothing that ent/schema has; make it an edge's", f.Column, e.Name)
		return false
	}
	return b.storedRight(at, e, f)
}

// storedRight reports whether the type in the database, where ent/schema asks for one, can be that of such a column.
func (b *binder) storedRight(at string, e *entity.Entity, f *entity.Field) bool {
	ok := true
	for _, dialect := range slices.Sorted(maps.Keys(f.Stored)) {
		if stored := f.Stored[dialect]; !kinds[f.Kind].takes(dialect, stored) {
			b.refuse(at, "the column %s of %s is stored as %s on %s, which cannot be read as %s; allowed: %s", f.Column, e.Name, stored, dialect, f.Type,
				strings.Join(kinds[f.Kind].stored[dialect], ", "))
			ok = false
		}
	}
	return ok
}

// scalarOf returns the type that shows the column: of an enum's the name that is there, if it is that of an enum.
func (b *binder) scalarOf(named string, f *entity.Field) string {
	if f.Kind != entity.Enum {
		return kinds[f.Kind].scalar
	}
	if def := b.schema.Types[named]; def != nil && def.Kind == ast.Enum {
		return named
	}
	return "an enum of the values " + strings.Join(f.Values, ", ")
}

// checkEnum compares the values of an enum with those that the column can have.
func (b *binder) checkEnum(at string, e *entity.Entity, f *entity.Field, name string) {
	if f.Kind != entity.Enum {
		return
	}
	def := b.schema.Types[name]
	b.heeds(name, def.Directives)
	for _, value := range f.Values {
		if def.EnumValues.ForName(value) == nil {
			b.refuse(at, "the column %s of %s can hold %s, which %s does not have; values are the same in both, as they are written", f.Column, e.Name, value, name)
		}
	}
	for _, value := range def.EnumValues {
		b.heeds(name+"."+value.Name, value.Directives)
		if !slices.Contains(f.Values, value.Name) {
			b.refuse(name+"."+value.Name, "the column %s of %s, which has this type, cannot hold it; take it out, or add it in ent/schema", f.Column, e.Name)
		}
	}
}

// checkEdge compares a field's type with the edge that it follows.
func (b *binder) checkEdge(at string, d *ast.FieldDefinition, o *object, f *field) {
	edge := f.edge
	one, list, pages := edge.To, "["+edge.To+"!]", edge.To+"Connection"
	typed := strings.TrimSuffix(d.Type.String(), "!")
	switch {
	case edge.Through != "":
		b.refuse(at, "the edge %s of %s is many-to-many, through the table %s, which cannot be read; allowed are edges with a key on one side: "+
			"give the table an entity of its own, with an edge to each of the two", edge.Name, o.Name, edge.Through)
	case f.to == nil:
		b.refuse(at, "the edge %s of %s leads to %s, which the schema has no type for", edge.Name, o.Name, edge.To)
	case edge.Unique && typed != one:
		b.refuse(at, "its type is %s, but the edge %s of %s leads to one %s; allowed: %s", d.Type, edge.Name, o.Name, one, one)
	case !edge.Unique && typed != list && typed != pages:
		b.refuse(at, "its type is %s, but the edge %s of %s leads to many of %s; allowed: %s! or %s!", d.Type, edge.Name, o.Name, one, pages, list)
	case edge.Unique && d.Type.NonNull && (!edge.OwnKey || edge.Nullable):
		b.refuse(at, "its type is %s, but the edge %s of %s may lead to nothing; take the ! out, or make it Required() in ent/schema on the side of the key",
			d.Type, edge.Name, o.Name)
	case edge.Unique && d.Type.NonNull && f.to.Filtered:
		b.refuse(at, "its type is %s, but interceptors of %s hide some rows, such as deleted ones; take the ! out", d.Type, one)
	}
	if f.paged && f.to != nil {
		b.checkArguments(at, d.Arguments, f.to, false)
	} else {
		b.noArguments(at, d.Arguments)
	}
}

// noArguments refuses arguments of a field that is read as it is.
func (b *binder) noArguments(at string, args ast.ArgumentDefinitionList) {
	for _, arg := range args {
		b.refuse(at+"("+arg.Name+":)", "nothing reads this argument; only connections have arguments in an entity")
	}
}

// checkArguments compares the arguments of a connection with those that the engine reads. A resolver that is called may read others.
func (b *binder) checkArguments(at string, args ast.ArgumentDefinitionList, o *object, called bool) {
	allowed := map[string][]string{
		"first": {"Int"}, "last": {"Int"}, "offset": {"Int"}, "after": cursorTypes, "before": cursorTypes,
		"where": {o.Name + "WhereInput"}, "orderBy": {"[" + o.Name + "Order!]"},
	}
	for _, arg := range args {
		place := at + "(" + arg.Name + ":)"
		types, known := allowed[arg.Name]
		switch {
		case !known && !called:
			b.refuse(place, "nothing reads this argument; a connection has %s", strings.Join(slices.Sorted(maps.Keys(allowed)), ", "))
			continue
		case !known:
			continue
		case !slices.Contains(types, strings.TrimSuffix(arg.Type.String(), "!")):
			b.refuse(place, "its type is %s; allowed: %s", arg.Type, strings.Join(types, " or "))
		}
		b.heeds(place, arg.Directives)
	}
}

var cursorTypes = []string{"Cursor", "String"}

// checkFilter compares the type of a condition with what it compares.
func (b *binder) checkFilter(at string, d *ast.FieldDefinition, o *object, f *filter) {
	var wanted string
	switch {
	case f.op == "not":
		wanted = o.Name + "WhereInput"
	case f.op == "and" || f.op == "or":
		wanted = "[" + o.Name + "WhereInput!]"
	case f.edge != nil && f.edge.Through != "":
		b.refuse(at, "the edge %s of %s is many-to-many, through the table %s, which cannot be filtered by", f.edge.Name, o.Name, f.edge.Through)
		return
	case f.edge != nil && f.to == nil:
		b.refuse(at, "the edge %s of %s leads to %s, which the schema has no type for", f.edge.Name, o.Name, f.edge.To)
		return
	case f.op == "hasWith":
		wanted = "[" + f.edge.To + "WhereInput!]"
	case f.op == "has" || f.op == "IsNil":
		wanted = "Boolean"
	}
	if f.field != nil {
		if !b.comparable(at, o, f) {
			return
		}
		scalar := b.scalarOf(d.Type.Name(), f.field)
		if d.Type.Name() == scalar {
			b.checkEnum(at, o.Entity, f.field, scalar)
		}
		switch f.op {
		case "IsNil":
		case "In":
			wanted = "[" + scalar + "!]"
		default:
			wanted = scalar
		}
	}
	if strings.TrimSuffix(d.Type.String(), "!") != wanted {
		b.refuse(at, "its type is %s; allowed: %s", d.Type, wanted)
	}
}

// comparable reports whether the engine can compare the column as the condition's operator says.
func (b *binder) comparable(at string, o *object, f *filter) bool {
	by := f.field
	if by.MatchBy != "" {
		if match := o.columnNamed(by.MatchBy); match == nil || match.Kind != entity.String || by.Kind != entity.String {
			b.refuse(at, "ent/schema has the column %s of %s compared by %s; both have to be columns of texts", by.Column, o.Name, by.MatchBy)
			return false
		}
	}
	if !b.held(at, o.Entity, by) {
		return false
	}
	if !slices.Contains(kinds[by.Kind].operators, f.op) {
		b.refuse(at, "columns of type %s cannot be compared by %s; allowed: nothing behind the name, or %s", by.Type, f.op,
			strings.Join(slices.DeleteFunc(slices.Clone(kinds[by.Kind].operators), func(op string) bool { return op == "" }), ", "))
		return false
	}
	return true
}

func sortedOperators() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(operators)), func(op string) bool { return op == "" })
}

// checkPages compares the types that pages of an entity are made of with what the engine writes.
func (b *binder) checkPages(o *object) {
	b.shape(o.Name+"Connection", map[string][]string{
		"edges": {"[" + o.Name + "Edge!]!"}, "nodes": {"[" + o.Name + "!]!"}, "pageInfo": {"PageInfo", "PageInfo!"}, "totalCount": {"Int", "Int!"},
	})
	b.shape(o.Name+"Edge", map[string][]string{"cursor": {"Cursor!", "Cursor", "String!", "String"}, "node": {o.Name + "!"}})
	b.shape("PageInfo", map[string][]string{
		"hasNextPage": {"Boolean!", "Boolean"}, "hasPreviousPage": {"Boolean!", "Boolean"}, "startCursor": cursorTypes, "endCursor": cursorTypes,
	})
	b.shape(o.Name+"Order", map[string][]string{"field": {o.Name + "OrderField!"}, "direction": {"OrderDirection", "OrderDirection!"}})
	if def := b.schema.Types[o.Name+"Order"]; def != nil {
		for _, d := range def.Fields {
			if d.DefaultValue != nil && d.DefaultValue.Raw != "ASC" {
				b.refuse(def.Name+"."+d.Name, "its default is %s; allowed: ASC for direction, and none for field", d.DefaultValue.Raw)
			}
		}
	}
	if def := b.schema.Types["OrderDirection"]; def != nil {
		for _, value := range def.EnumValues {
			if value.Name != "ASC" && value.Name != "DESC" {
				b.refuse("OrderDirection."+value.Name, "the directions of an order are ASC and DESC")
			}
		}
	}
}

// shape compares a type's fields with those that the engine knows, and their types with those that it can write.
func (b *binder) shape(name string, allowed map[string][]string) {
	def := b.schema.Types[name]
	if def == nil || def.Kind != ast.Object && def.Kind != ast.InputObject {
		return
	}
	b.heeds(name, def.Directives)
	for _, d := range def.Fields {
		at := name + "." + d.Name
		if strings.HasPrefix(d.Name, "__") {
			continue
		}
		types, known := allowed[d.Name]
		switch {
		case !known:
			b.refuse(at, "nothing answers this field; %s has %s", name, strings.Join(slices.Sorted(maps.Keys(allowed)), ", "))
		case !slices.Contains(types, d.Type.String()):
			b.refuse(at, "its type is %s; allowed: %s", d.Type, strings.Join(types, " or "))
		}
		b.heeds(at, d.Directives)
		if def.Kind == ast.Object {
			b.noArguments(at, d.Arguments)
		}
	}
}

// forTools are the directives that tell tools something, and change no answer.
var forTools = []string{"deprecated", "specifiedBy", "goField", "goModel", "goTag", "goEnum", "goExtraField"}

// heeds refuses directives of a part of the schema that the engine answers: the code of a directive is never called there.
func (b *binder) heeds(at string, list ast.DirectiveList) {
	for _, d := range list {
		if !slices.Contains(forTools, d.Name) {
			b.refuse(at, "the directive @%s has no effect here, as the field is read together with all around it", d.Name)
		}
	}
}

// checkOthers looks at the types that are no entities, as far as they lead to entities.
func (b *binder) checkOthers() {
	for _, name := range slices.Sorted(maps.Keys(b.schema.Types)) {
		def := b.schema.Types[name]
		if strings.HasPrefix(name, "__") || b.reads(name) {
			continue
		}
		if b.isNode(name) {
			b.checkNode(def)
		}
		if def.Kind == ast.Object {
			for _, d := range def.Fields {
				b.checkReference(name+"."+d.Name, def, d)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.schema.Directives)) {
		if inOperations(b.schema.Directives[name]) && !slices.Contains([]string{"skip", "include", "defer"}, name) {
			b.refuse("@"+name, "the directive may stand in an operation, where its code is not always called; allowed are @skip and @include")
		}
	}
}

// inOperations reports whether the directive may stand in an operation.
func inOperations(def *ast.DirectiveDefinition) bool {
	for _, location := range []ast.DirectiveLocation{ast.LocationQuery, ast.LocationMutation, ast.LocationField, ast.LocationFragmentDefinition,
		ast.LocationFragmentSpread, ast.LocationInlineFragment, ast.LocationVariableDefinition} {
		if slices.Contains(def.Locations, location) {
			return true
		}
	}
	return false
}

// reads reports whether objects of the type are written by the engine alone.
func (b *binder) reads(name string) bool {
	edge, isEdge := strings.CutSuffix(name, "Edge")
	return b.objects[name] != nil || b.connections[name] != nil || isEdge && b.objects[edge] != nil || name == "PageInfo" && len(b.objects) > 0
}

// checkNode looks at an interface of entities.
func (b *binder) checkNode(def *ast.Definition) {
	for _, member := range b.schema.GetPossibleTypes(def) {
		if b.objects[member.Name] == nil {
			b.refuse(def.Name, "%s implements it, but ent/schema has no entity of that name; an interface with an id is of entities alone, or of none", member.Name)
		}
	}
}

// checkReference looks at a field that gqlgen answers, and whose type may be one of the engine's.
func (b *binder) checkReference(at string, of *ast.Definition, d *ast.FieldDefinition) {
	name := d.Type.Name()
	def := b.schema.Types[name]
	switch o := b.connections[name]; {
	case o != nil && d.Type.Elem != nil:
		b.refuse(at, "its type is %s; a list of connections cannot be answered", d.Type)
	case o != nil:
		b.checkArguments(at, d.Arguments, o, of != b.schema.Query || !b.plainly(d.Name))
	case b.owns(d.Type) && d.Type.Elem != nil && d.Type.Elem.Elem != nil:
		b.refuse(at, "its type is %s; a list of lists of entities cannot be answered", d.Type)
	case b.owns(d.Type):
	case b.reads(name) && name != "PageInfo":
		b.refuse(at, "its type is %s, which is answered inside of a connection alone", d.Type)
	case def != nil && def.IsAbstractType():
		var members []string
		for _, member := range b.schema.GetPossibleTypes(def) {
			if b.reads(member.Name) {
				members = append(members, member.Name)
			}
		}
		if slices.Sort(members); len(members) > 0 {
			b.refuse(at, "its type is %s, which %s belong to; of unions and interfaces of entities, those with the field id: ID! can be read, such as Node",
				d.Type, strings.Join(members, ", "))
		}
	}
}

// checkResolvers refuses resolvers for fields that the engine answers by itself.
func (b *binder) checkResolvers(root reflect.Type) {
	if root == nil {
		return
	}
	byGoName := map[string]*ast.Definition{}
	for name, def := range b.schema.Types {
		input := strings.TrimSuffix(strings.TrimSuffix(name, "WhereInput"), "Order")
		if b.reads(name) || def.Kind == ast.InputObject && b.objects[input] != nil {
			byGoName[goName(name)] = def
		}
	}
	for method := range root.Methods() {
		def := byGoName[goName(strings.TrimSuffix(method.Name, "Resolver"))]
		if def == nil || method.Type.NumOut() != 1 || method.Type.Out(0).Kind() != reflect.Interface {
			continue
		}
		for resolver := range method.Type.Out(0).Methods() {
			at := def.Name + "." + resolver.Name
			for _, d := range def.Fields {
				if goName(d.Name) == goName(resolver.Name) {
					at = def.Name + "." + d.Name
				}
			}
			b.refuse(at, "it has a resolver, which is never called: a field of an entity shows a column or an edge; "+
				"take forceResolver out of schema.graphqls or gqlgen.yml, and fields out of a model of one's own")
		}
	}
}

// goName returns what Go's name and GraphQL's name of one thing have in common.
func goName(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }
