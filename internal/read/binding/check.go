package binding

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
	"forge/internal/read/kind"
)

// Contract is the API that an engine answers: the schema, the entities behind it, and the
// resolvers.
type Contract struct {
	Schema   *ast.Schema
	Entities []*entity.Entity
	// Resolvers is the type of gqlgen's ResolverRoot. Its methods tell which fields have a
	// resolver. If it is nil, no field has one.
	Resolvers reflect.Type
	// Refers reports whether the resolver of a root field of Query only returns a reference to what
	// the field means: to the connection, or to the entity of the argument id. The engine answers
	// such a field without calling its resolver. If Refers is nil, there are no such fields.
	Refers func(field string) bool
}

// MismatchError holds everything in a contract that does not fit together. Each finding is a
// sentence that begins with its place in the schema.
type MismatchError struct{ Findings []string }

// Error returns the findings, one for each line.
func (e *MismatchError) Error() string {
	what := fmt.Sprintf("schema.graphqls, ent/schema and the resolvers do not fit together in %d places", len(e.Findings))
	if len(e.Findings) == 1 {
		what = "schema.graphqls, ent/schema and the resolvers do not fit together in one place"
	}
	return what + ":\n" + strings.Join(e.Findings, "\n")
}

// prefixForm is the form that the TypeID specification (version 0.3) gives to prefixes.
var prefixForm = regexp.MustCompile(`^[a-z]([a-z_]{0,61}[a-z])?$`)

// checkColumn compares a field's type with the column that the field shows.
func (b *binder) checkColumn(at string, d *ast.FieldDefinition, e *entity.Entity, f *entity.Field, nullable bool) {
	if !b.readable(at, e, f) {
		return
	}
	if wanted := b.scalarOf(d.Type.Name(), f); strings.TrimSuffix(d.Type.String(), "!") != wanted {
		b.refuse(at, "its type is %s, but the column %s of %s is of type %s in ent/schema; allowed: %s", d.Type, f.Column, e.Name, f.Type, wanted)
		return
	}
	b.checkEnum(at, e, f, d.Type.Name())
	if nullable && d.Type.NonNull {
		b.refuse(at, "its type is %s, but the column %s of %s may be NULL; take the ! out, or Optional() in ent/schema", d.Type, f.Column, e.Name)
	}
}

// readable reports whether the engine can read a column. It adds a finding if the column's kind, or
// its type in the database, cannot be read.
func (b *binder) readable(at string, e *entity.Entity, f *entity.Field) bool {
	if _, ok := kind.Of(f.Kind); !ok {
		b.refuse(at, "the column %s of %s is of type %s in ent/schema, which cannot be read; allowed: %s", f.Column, e.Name, f.Type, kind.Types())
		return false
	}
	if f.Sensitive {
		b.refuse(at, "the column %s of %s is Sensitive() in ent/schema, so it is never shown or compared; take one of the two out", f.Column, e.Name)
		return false
	}
	if f.Kind == entity.ID && b.all[f.Refers] == nil {
		b.refuse(at, "the column %s of %s is the key of nothing that ent/schema has; make it an edge's", f.Column, e.Name)
		return false
	}
	if to := b.all[f.Refers]; f.Kind == entity.ID && b.Objects[f.Refers] == nil && !prefixForm.MatchString(to.Prefix) {
		b.refuse(at, "the column %s of %s holds IDs of %s, whose prefix is %q; it must be lower-case letters", f.Column, e.Name, to.Name, to.Prefix)
		return false
	}
	return b.storedRight(at, e, f)
}

// storedRight reports whether the column's database type fits its kind. It checks only database
// types that ent/schema names.
func (b *binder) storedRight(at string, e *entity.Entity, f *entity.Field) bool {
	k := b.storedKind(f)
	ok := true
	for _, dialect := range slices.Sorted(maps.Keys(f.Stored)) {
		if stored := f.Stored[dialect]; !k.Stores(f, dialect) {
			b.refuse(at, "the column %s of %s is stored as %s on %s, which cannot be read as %s; allowed: %s", f.Column, e.Name, stored, dialect, f.Type,
				strings.Join(k.Stored[dialect], ", "))
			ok = false
		}
	}
	return ok
}

// storedKind returns the kind whose database types are those of the column.
func (b *binder) storedKind(f *entity.Field) *kind.Kind {
	if to := b.all[f.Refers]; f.Kind == entity.ID && to != nil {
		return kind.OfKey(to.Keys)
	}
	k, _ := kind.Of(f.Kind)
	return k
}

// scalarOf returns the GraphQL type that shows the column. For a column of an enum, any enum of the
// schema will do: if named is one, it is returned.
func (b *binder) scalarOf(named string, f *entity.Field) string {
	if f.Kind != entity.Enum {
		k, _ := kind.Of(f.Kind)
		return k.Scalar(f)
	}
	if def := b.Schema.Types[named]; def != nil && def.Kind == ast.Enum {
		return named
	}
	return "an enum of the values " + strings.Join(f.ValueNames(), ", ")
}

// checkEnum compares the values of a GraphQL enum with those that the column can have.
func (b *binder) checkEnum(at string, e *entity.Entity, f *entity.Field, name string) {
	if f.Kind != entity.Enum {
		return
	}
	def := b.Schema.Types[name]
	b.checkDirectives(name, def.Directives)
	for _, value := range f.ValueNames() {
		if def.EnumValues.ForName(value) == nil {
			b.refuse(at, "the column %s of %s can hold %s, which %s does not have; values are the same in both, as they are written", f.Column, e.Name, value, name)
		}
	}
	for _, value := range def.EnumValues {
		b.checkDirectives(name+"."+value.Name, value.Directives)
		if !slices.Contains(f.ValueNames(), value.Name) {
			b.refuse(name+"."+value.Name, "the column %s of %s, which has this type, cannot hold it; take it out, or add it in ent/schema", f.Column, e.Name)
		}
	}
}

// checkEdge compares a field's type with the edge that the field follows.
func (b *binder) checkEdge(at string, d *ast.FieldDefinition, o *Object, f *Field) {
	edge := f.Edge
	one, list, pages := edge.To, "["+edge.To+"!]", edge.To+"Connection"
	if own := linkType(o.Entity, edge); b.Links[own] != nil && f.Paged {
		pages = own
	}
	typed := strings.TrimSuffix(d.Type.String(), "!")
	switch {
	case f.Join != nil && !f.Join.Ruled:
		b.refuse(at, noRules, edge.Name, o.Entity.Name, f.Join.Name)
	case f.To == nil:
		b.refuse(at, "the edge %s of %s leads to %s, which the schema has no type for", edge.Name, o.Entity.Name, edge.To)
	case edge.Unique && typed != one:
		b.refuse(at, "its type is %s, but the edge %s of %s leads to one %s; allowed: %s", d.Type, edge.Name, o.Entity.Name, one, one)
	case !edge.Unique && typed != list && typed != pages:
		b.refuse(at, "its type is %s, but the edge %s of %s leads to many of %s; allowed: %s! or %s!", d.Type, edge.Name, o.Entity.Name, one, pages, list)
	case edge.Unique && d.Type.NonNull && (!edge.OwnKey || edge.Nullable):
		b.refuse(at, "its type is %s, but the edge %s of %s may lead to nothing; take the ! out, or make it Required() in ent/schema on the side of the key",
			d.Type, edge.Name, o.Entity.Name)
	case edge.Unique && d.Type.NonNull && f.To.Entity.Filtered:
		b.refuse(at, "its type is %s, but interceptors of %s hide some rows, such as deleted ones; take the ! out", d.Type, one)
	}
	if f.Paged && f.To != nil {
		b.checkArguments(at, d.Arguments, f.To, false)
	} else {
		b.noArguments(at, d.Arguments)
	}
}

// noRules is the finding about an edge through an entity without a policy.
const noRules = "the edge %s of %s leads through rows of %[3]s, and nothing in ent/schema says who may see which of these; give %[3]s a Policy"

// noArguments adds a finding for each argument of a field that must not have any.
func (b *binder) noArguments(at string, args ast.ArgumentDefinitionList) {
	for _, arg := range args {
		b.refuse(at+"("+arg.Name+":)", "nothing reads this argument; only connections have arguments in an entity")
	}
}

// checkArguments compares the arguments of a connection with those that the engine reads. Other
// arguments are allowed only if the connection's resolver is called.
func (b *binder) checkArguments(at string, args ast.ArgumentDefinitionList, o *Object, called bool) {
	allowed := map[string][]string{
		"first": {"Int"}, "last": {"Int"}, "offset": {"Int"}, "after": cursorTypes, "before": cursorTypes,
		"where": {o.ListName() + "WhereInput"}, "orderBy": {"[" + o.ListName() + "Order!]"},
	}
	if len(o.Entity.Search) > 0 && o.Of == "" {
		allowed["search"] = []string{"String"}
	}
	if o.ListsDeleted() {
		allowed["deleted"] = []string{"Boolean"}
	}
	if o.Of != "" {
		delete(allowed, "offset") // all rows before the page would have to be read
	}
	for _, arg := range args {
		place := at + "(" + arg.Name + ":)"
		types, known := allowed[arg.Name]
		switch {
		case arg.Name == "search" && !known && !called && o.Of != "":
			b.refuse(place, "rows of several entities cannot be searched; take it out")
			continue
		case arg.Name == "search" && !known && !called:
			b.refuse(place, "it looks for words; "+noSearch, o.Entity.Name)
			continue
		case arg.Name == "deleted" && !known && !called && o.Of == "":
			b.refuse(place, "rows of %s are deleted for good; add the mixin SoftDeleted in ent/schema, or take it out", o.Entity.Name)
			continue
		case !known && !called:
			b.refuse(place, "nothing reads this argument; a connection has %s", strings.Join(slices.Sorted(maps.Keys(allowed)), ", "))
			continue
		case !known:
			continue
		case !slices.Contains(types, strings.TrimSuffix(arg.Type.String(), "!")):
			b.refuse(place, "its type is %s; allowed: %s", arg.Type, strings.Join(types, " or "))
		}
		b.checkDirectives(place, arg.Directives)
	}
}

var cursorTypes = []string{"Cursor", "String"}

// checkFilter compares the type of a field in a where input with the column or edge that it
// compares.
func (b *binder) checkFilter(at string, d *ast.FieldDefinition, o *Object, f *Filter) {
	var wanted string
	switch {
	case f.Op == "not":
		wanted = o.ListName() + "WhereInput"
	case f.Op == "and" || f.Op == "or":
		wanted = "[" + o.ListName() + "WhereInput!]"
	case f.Join != nil && !f.Join.Ruled:
		b.refuse(at, noRules, f.Edge.Name, o.Entity.Name, f.Join.Name)
		return
	case f.Edge != nil && f.To == nil:
		b.refuse(at, "the edge %s of %s leads to %s, which ent/schema does not have", f.Edge.Name, o.Entity.Name, f.Edge.To)
		return
	case f.Op == "hasWith":
		wanted = "[" + f.Edge.To + "WhereInput!]"
	case f.Op == "has":
		wanted = "Boolean"
	case f.Counts:
		wanted = "Int"
	case f.Shown != "":
		o = f.To
		if f.Field == nil {
			b.refuse(at, "the edge %s is to show the column %s, which %s does not have", f.Edge.Name, f.Edge.Shows[f.Shown], o.Entity.Name)
			return
		}
		if f.Field.Nullable {
			b.refuse(at, "the column %s of %s may be NULL; conditions on a column of a related row are allowed only if it is never NULL", f.Field.Column, o.Entity.Name)
			return
		}
	}
	if f.Field != nil {
		if !b.comparable(at, o, f) {
			return
		}
		scalar := b.scalarOf(d.Type.Name(), f.Field)
		if d.Type.Name() == scalar {
			b.checkEnum(at, o.Entity, f.Field, scalar)
		}
		if f.Field.Kind == entity.List {
			k, _ := kind.Of(f.Field.Kind)
			scalar = k.Element(f.Field)
		}
		wanted = kind.ArgumentType(f.Op, scalar)
		b.shape(kind.PathInput, map[string][]string{"path": {"[String!]!"}, "value": {"JSON", "JSON!"}}, nil)
	}
	if strings.TrimSuffix(d.Type.String(), "!") != wanted {
		b.refuse(at, "its type is %s; allowed: %s", d.Type, wanted)
	}
}

// comparable reports whether the filter's operator can compare its column. It adds a finding if
// not.
func (b *binder) comparable(at string, o *Object, f *Filter) bool {
	by := f.Field
	if by.MatchBy != "" {
		if match := o.columnNamed(by.MatchBy); match == nil || match.Kind != entity.String || by.Kind != entity.String {
			b.refuse(at, "ent/schema has the column %s of %s compared by %s; both have to be columns of texts", by.Column, o.Entity.Name, by.MatchBy)
			return false
		}
	}
	if !b.readable(at, o.Entity, by) {
		return false
	}
	if k, _ := kind.Of(by.Kind); !slices.Contains(k.Operators, f.Op) {
		what := "nothing behind the name, or "
		if !slices.Contains(k.Operators, "") {
			what = ""
		}
		b.refuse(at, "columns of type %s cannot be compared by %s; allowed: %s%s", by.Type, cmp.Or(f.Op, "equality"), what, strings.Join(named(k.Operators), ", "))
		return false
	}
	return true
}

func sortedOperators() []string { return named(slices.Sorted(maps.Keys(kind.Operators()))) }

// named returns the operators that have a name.
func named(operators []string) []string {
	return slices.DeleteFunc(slices.Clone(operators), func(op string) bool { return op == "" })
}

// checkPages checks the types that belong to a connection of the object: its edges, its pageInfo,
// and its order.
func (b *binder) checkPages(o *Object) {
	name := o.ListName()
	b.checkPage(name, o, nil)
	b.shape("PageInfo", map[string][]string{
		"hasNextPage": {"Boolean!", "Boolean"}, "hasPreviousPage": {"Boolean!", "Boolean"}, "startCursor": cursorTypes, "endCursor": cursorTypes,
	}, nil)
	order := map[string][]string{"field": {name + "OrderField!"}, "direction": {"OrderDirection", "OrderDirection!"}}
	if o.Of == "" { // rows of several entities are put in order outside of the databases
		order["collation"] = []string{"String"}
	}
	b.shape(name+"Order", order, nil)
	b.checkDefaults(name + "Order")
	if def := b.Schema.Types["OrderDirection"]; def != nil {
		for _, value := range def.EnumValues {
			if value.Name != "ASC" && value.Name != "DESC" {
				b.refuse("OrderDirection."+value.Name, "the directions of an order are ASC and DESC")
			}
		}
	}
}

// checkDefaults checks the defaults of an order's fields.
func (b *binder) checkDefaults(name string) {
	if def := b.Schema.Types[name]; def != nil {
		for _, d := range def.Fields {
			if d.DefaultValue != nil && d.DefaultValue.Raw != "ASC" {
				b.refuse(name+"."+d.Name, "its default is %s; allowed is none, or ASC for the direction of an order", d.DefaultValue.Raw)
			}
		}
	}
}

// checkPage checks the types of a connection of the entity, and of its edges, whose names begin
// with name. The edges may have more fields, which were checked already.
func (b *binder) checkPage(name string, o *Object, more map[string]*Field) {
	b.shape(name+"Connection", map[string][]string{
		"edges": {"[" + name + "Edge!]!"}, "nodes": {"[" + o.ListName() + "!]!"}, "pageInfo": {"PageInfo", "PageInfo!"}, "totalCount": {"Int", "Int!"},
	}, b.bindQuestions(name+"Connection", o))
	b.shape(name+"Edge", map[string][]string{"cursor": {"Cursor!", "Cursor", "String!", "String"}, "node": {o.ListName() + "!"}}, more)
}

// shape checks that a type has only fields that the engine writes or reads, and that their types
// are allowed.
func (b *binder) shape(name string, allowed map[string][]string, more map[string]*Field) {
	def := b.Schema.Types[name]
	if def == nil || def.Kind != ast.Object && def.Kind != ast.InputObject {
		return
	}
	b.checkDirectives(name, def.Directives)
	for _, d := range def.Fields {
		at := name + "." + d.Name
		if strings.HasPrefix(d.Name, "__") {
			continue
		}
		types, known := allowed[d.Name]
		switch {
		case more[d.Name] != nil:
		case !known:
			b.refuse(at, "nothing answers this field; %s has %s", name, strings.Join(slices.Sorted(maps.Keys(allowed)), ", "))
		case !slices.Contains(types, d.Type.String()):
			b.refuse(at, "its type is %s; allowed: %s", d.Type, strings.Join(types, " or "))
		}
		b.checkDirectives(at, d.Directives)
		if def.Kind == ast.Object && more[d.Name] == nil {
			b.noArguments(at, d.Arguments)
		}
	}
}

// forTools lists directives that only tools read. They change no answer.
var forTools = []string{"deprecated", "specifiedBy", "goField", "goModel", "goTag", "goEnum", "goExtraField"}

// checkDirectives adds a finding for each directive in a part of the schema that the engine
// answers. The code of such a directive would never be called.
func (b *binder) checkDirectives(at string, list ast.DirectiveList) {
	for _, d := range list {
		if !slices.Contains(forTools, d.Name) {
			b.refuse(at, "the directive @%s has no effect here, as the field is read together with all around it", d.Name)
		}
	}
}

// checkOthers checks the types that show no entity, where they lead to entities.
func (b *binder) checkOthers() {
	for _, name := range slices.Sorted(maps.Keys(b.Schema.Types)) {
		def := b.Schema.Types[name]
		if strings.HasPrefix(name, "__") || b.reads(name) || def == b.Schema.Subscription {
			continue
		}
		if b.IsNode(name) {
			b.checkNode(def)
		}
		if def.Kind == ast.Object {
			for _, d := range def.Fields {
				if b.Changes == nil || def != b.Schema.Query || !IsOfChanges(d.Name) {
					b.checkReference(name+"."+d.Name, def, d)
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.Schema.Directives)) {
		if inOperations(b.Schema.Directives[name]) && !slices.Contains([]string{"skip", "include", "defer"}, name) {
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

// reads reports whether only the engine writes objects of the type.
func (b *binder) reads(name string) bool {
	edge, isEdge := strings.CutSuffix(name, "Edge")
	return b.Objects[name] != nil || b.Connections[name] != nil || b.written[name] || isEdge && b.Connections[edge+"Connection"] != nil || name == "PageInfo" && len(b.Objects) > 0
}

// checkNode checks that every type of an interface with an ID is an entity.
func (b *binder) checkNode(def *ast.Definition) {
	for _, member := range b.Schema.GetPossibleTypes(def) {
		if b.Objects[member.Name] == nil {
			b.refuse(def.Name, "%s implements it, but ent/schema has no entity of that name; an interface with an id is of entities alone, or of none", member.Name)
		}
	}
}

// checkReference checks a field that gqlgen answers, if the field's type is one that the engine
// reads.
func (b *binder) checkReference(at string, of *ast.Definition, d *ast.FieldDefinition) {
	name := d.Type.Name()
	def := b.Schema.Types[name]
	switch o := b.Connections[name]; {
	case b.Links[name] != nil:
		b.refuse(at, "its type is %s, which is that of one edge of an entity alone; allowed: %sConnection", d.Type, o.Entity.Name)
	case o != nil && d.Type.Elem != nil:
		b.refuse(at, "its type is %s; a list of connections cannot be answered", d.Type)
	case o != nil:
		b.checkArguments(at, d.Arguments, o, of != b.Schema.Query || !b.Refers(d.Name))
	case b.Owns(d.Type) && d.Type.Elem != nil && d.Type.Elem.Elem != nil:
		b.refuse(at, "its type is %s; a list of lists of entities cannot be answered", d.Type)
	case b.Owns(d.Type):
	case b.reads(name) && name != "PageInfo":
		b.refuse(at, "its type is %s, which is answered inside of a connection alone", d.Type)
	case def != nil && def.IsAbstractType():
		var members []string
		for _, member := range b.Schema.GetPossibleTypes(def) {
			if b.reads(member.Name) {
				members = append(members, member.Name)
			}
		}
		if slices.Sort(members); len(members) > 0 {
			b.refuse(at, "its type is %s, which %s belong to, and types that are no entities; a union or an interface is of entities alone, or of none",
				d.Type, strings.Join(members, ", "))
		}
	}
}

// checkComputed checks a field that a resolver computes. Its arguments and directives are gqlgen's.
func (b *binder) checkComputed(at string, o *Object, d *ast.FieldDefinition) {
	if !slices.ContainsFunc(b.resolversOf(o.Entity.Name), func(name string) bool { return GoName(name) == GoName(d.Name) }) {
		b.refuse(at, "it is computed, but has no resolver; write resolver: true for it in gqlgen.yml, and run go generate ./...")
	}
	b.checkReference(at, b.Schema.Types[o.Entity.Name], d)
}

// checkResolvers adds a finding for each resolver of a field that the engine answers. Nobody would
// call it.
func (b *binder) checkResolvers() {
	for _, name := range slices.Sorted(maps.Keys(b.Schema.Types)) {
		def := b.Schema.Types[name]
		input := strings.TrimSuffix(strings.TrimSuffix(name, "WhereInput"), "Order")
		if !b.reads(name) && (def.Kind != ast.InputObject || b.Objects[input] == nil && b.Members[input+"Connection"] == nil && b.hidden[input] == nil) {
			continue
		}
		for _, resolver := range b.resolversOf(name) {
			at, computed := name+"."+resolver, false
			for _, d := range def.Fields {
				if GoName(d.Name) == GoName(resolver) {
					at = name + "." + d.Name
					computed = b.Objects[name] != nil && b.Objects[name].Fields[d.Name] != nil && b.Objects[name].Fields[d.Name].Computed != nil
				}
			}
			if !computed {
				b.refuse(at, "it has a resolver, which is never called: it shows a column or an edge, or is not declared as Computed in ent/schema; "+
					"take forceResolver out of schema.graphqls or gqlgen.yml, and fields out of a model of one's own")
			}
		}
	}
}

// resolversOf returns the Go names of the resolvers that a type's fields have.
func (b *binder) resolversOf(name string) []string { return ResolversOf(b.resolvers, name) }

// ResolversOf returns the Go names of the resolvers that a type's fields have, by the type of
// gqlgen's ResolverRoot, which may be nil.
func ResolversOf(root reflect.Type, name string) (fields []string) {
	if root == nil {
		return nil
	}
	for method := range root.Methods() {
		if GoName(strings.TrimSuffix(method.Name, "Resolver")) != GoName(name) || method.Type.NumOut() != 1 || method.Type.Out(0).Kind() != reflect.Interface {
			continue
		}
		for resolver := range method.Type.Out(0).Methods() {
			fields = append(fields, resolver.Name)
		}
	}
	return fields
}

// GoName returns a form of a name that is the same for its spelling in Go and in GraphQL.
func GoName(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }
