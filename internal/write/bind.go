package write

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/read"
	"forge/internal/read/binding"
	"forge/internal/read/kind"
	"forge/internal/rule"
	"forge/internal/schema"
)

// Contract is what the standard mutations of an API are bound from.
type Contract struct {
	Schema   *ast.Schema
	Entities []*entity.Entity
	Tables   []*schema.Table // whose CHECKs say what values are allowed
	// Resolvers is the type of gqlgen's ResolverRoot. A mutation with a resolver is not a standard
	// one, whatever its name. If it is nil, no mutation has one.
	Resolvers reflect.Type
	Functions map[string]Functions // by the names of the entities
	Query     read.Query
}

// Names returns the operation and the name of the type that a root field of Mutation is named
// after, if it has the name of a standard mutation. If it is named after several rows, such as
// createHeroes after the field heroes of Query, many is true.
func Names(s *ast.Schema, field string) (op Op, of string, many, ok bool) {
	for op, verb := range [...]string{"create", "update", "delete", "restore"} {
		rest, ok := strings.CutPrefix(field, verb)
		if !ok || rest == "" {
			continue
		}
		if of := s.Types[rest]; of != nil && of.Kind == ast.Object || s.Query == nil {
			return Op(op), rest, false, true
		}
		list := s.Query.Fields.ForName(strings.ToLower(rest[:1]) + rest[1:])
		if of, ok := listed(s, list); ok && Op(op) != Restore {
			return Op(op), of, true, true
		}
		return Op(op), rest, false, true
	}
	return 0, "", false, false
}

// listed returns the name of the type whose rows a field of Query lists.
func listed(s *ast.Schema, list *ast.FieldDefinition) (of string, ok bool) {
	if list == nil {
		return "", false
	}
	name, ok := strings.CutSuffix(list.Type.Name(), "Connection")
	return name, ok && s.Types[name] != nil
}

// Bind returns the standard mutations of a schema, by the names of their fields. The findings are
// sentences about what does not fit together, each of which begins with its place in the schema.
func Bind(c Contract) (_ map[string]*Mutation, findings []string) {
	b := &binder{Contract: c, mutations: map[string]*Mutation{}, used: map[string]bool{}, inputs: map[inputKey]*inputObject{}}
	if c.Schema.Mutation == nil {
		return b.mutations, nil
	}
	resolved := map[string]bool{}
	for _, name := range binding.ResolversOf(c.Resolvers, c.Schema.Mutation.Name) {
		resolved[binding.GoName(name)] = true
	}
	for _, d := range c.Schema.Mutation.Fields {
		if !resolved[binding.GoName(d.Name)] && !strings.HasPrefix(d.Name, "__") {
			b.bind(d)
		}
	}
	b.checkFunctions()
	return b.mutations, b.findings
}

type binder struct {
	Contract
	mutations map[string]*Mutation
	inputs    map[inputKey]*inputObject
	used      map[string]bool // the functions that are called, such as "User" and "User.email"
	findings  []string
}

func (b *binder) refuse(at, format string, args ...any) {
	b.findings = append(b.findings, at+": "+fmt.Sprintf(format, args...))
}

// named returns the entity of a name, or nil.
func (b *binder) named(name string) *entity.Entity {
	i := slices.IndexFunc(b.Entities, func(e *entity.Entity) bool { return e.Name == name })
	if i < 0 {
		return nil
	}
	return b.Entities[i]
}

// bind binds a root field that has no resolver.
func (b *binder) bind(d *ast.FieldDefinition) {
	at := b.Schema.Mutation.Name + "." + d.Name
	op, name, many, ok := Names(b.Schema, d.Name)
	e := b.named(name)
	switch {
	case !ok || e == nil || b.Schema.Types[name] == nil:
		b.refuse(at, "nothing carries it out; name it createX, updateX, deleteX or restoreX, with X a type that shows an entity, or createXs, updateXs or deleteXs after the field xs of Query that lists it, or give it a resolver: write resolver: true for it in gqlgen.yml, and run go generate ./...")
		return
	case e.Writer == nil:
		b.refuse(at, "rows of %s have no ID, so nothing carries it out; give the entity a key of one column, or the mutation a resolver", name)
		return
	case op == Restore && e.Deleted == "":
		b.refuse(at, "rows of %s are deleted for good; add the mixin SoftDeleted in ent/schema, or give the mutation a resolver", name)
		return
	}
	_, rest, _ := strings.Cut(d.Name, [...]string{"create", "update", "delete", "restore"}[op])
	m := &Mutation{op: op, many: many, name: strings.ToLower(rest[:1]) + rest[1:], query: b.Query, schema: b.Schema, input: &inputObject{op: op, entity: e, added: b.Functions[name]}}
	b.used[name] = true
	b.bindArguments(at, m, d)
	b.checkPayload(at, m, d)
	b.mutations[d.Name] = m
}

// argumentsOf returns the arguments that a mutation needs, and those that it may have as well.
func argumentsOf(op Op, many bool) (wanted, optional []string) {
	switch {
	case many && op == Create:
		return []string{"input"}, []string{"onError"}
	case many && op == Update:
		return []string{"where", "input", "atMost"}, nil
	case many:
		return []string{"where", "atMost"}, nil
	case op == Create:
		return []string{"input"}, []string{"onConflict"}
	case op == Update:
		return []string{"id", "input"}, []string{"expectedVersion"}
	case op == Delete:
		return []string{"id"}, []string{"expectedVersion"}
	}
	return []string{"id"}, nil
}

// bindArguments checks the arguments, and binds the fields of the input.
func (b *binder) bindArguments(at string, m *Mutation, d *ast.FieldDefinition) {
	wanted, optional := argumentsOf(m.op, m.many)
	allowed := append(slices.Clip(wanted), optional...)
	for _, name := range wanted {
		if d.Arguments.ForName(name) == nil {
			b.refuse(at, "it needs the argument %s", name)
		}
	}
	for _, a := range d.Arguments {
		if place := at + "(" + a.Name + ":)"; !slices.Contains(allowed, a.Name) {
			b.refuse(place, "nothing reads this argument; allowed: %s", strings.Join(allowed, ", "))
		} else {
			b.bindArgument(place, m, a)
		}
	}
	if a := d.Arguments.ForName("onConflict"); a != nil && m.op == Create && !m.many {
		b.bindUpsert(at+"(onConflict:)", m, a)
	}
}

func (b *binder) bindArgument(at string, m *Mutation, a *ast.ArgumentDefinition) {
	def, e := b.Schema.Types[a.Type.Name()], m.input.entity
	want := func(types ...string) {
		if !slices.Contains(types, a.Type.String()) {
			b.refuse(at, "its type is %s; allowed: %s", a.Type, strings.Join(types, ", "))
		}
	}
	switch a.Name {
	case "id":
		want("ID!")
	case "expectedVersion":
		want("Int", "Int!")
		if e.Field("version") == nil {
			b.refuse(at, "rows of %s have no version; add the mixin Versioned in ent/schema, or take the argument out", e.Name)
		}
	case "where":
		want(e.Name + "WhereInput!")
		m.where = def
	case "atMost":
		want("Int!")
		if a.Type.NonNull && a.DefaultValue == nil {
			b.refuse(at, "it needs a default; write atMost: Int! = 100")
		}
	case "onError":
		b.wantEnum(at, a.Type, "ABORT", "SKIP")
	case "input":
		switch list := a.Type.Elem != nil && a.Type.Elem.Elem == nil && a.Type.Elem.NonNull; {
		case m.many && m.op == Create && !(a.Type.NonNull && list && def.Kind == ast.InputObject):
			b.refuse(at, "its type is %s; allowed is a list of input objects, such as [Create%sInput!]!", a.Type, e.Name)
		case !(m.many && m.op == Create) && (!a.Type.NonNull || a.Type.Elem != nil || def.Kind != ast.InputObject):
			b.refuse(at, "its type is %s; allowed is one input object, with !", a.Type)
		default:
			m.input = b.bindInput(inputKey{m.op, e.Name, def.Name, nil, m.many && m.op == Update})
		}
	}
}

// wantEnum adds a finding unless a type is an enum of the values, which may leave some out.
func (b *binder) wantEnum(at string, of *ast.Type, values ...string) {
	def := b.Schema.Types[of.Name()]
	if of.Elem != nil || def.Kind != ast.Enum || slices.ContainsFunc(def.EnumValues, func(v *ast.EnumValueDefinition) bool { return !slices.Contains(values, v.Name) }) {
		b.refuse(at, "its type is %s; allowed is an enum of the values %s", of, strings.Join(values, ", "))
	}
}

// inputKey says which rows an input object is bound for.
type inputKey struct {
	op        Op
	of, input string
	within    *entity.Edge // that the rows are created through, or nil
	many      bool         // the same is set in several rows
}

// bindInput binds the fields of an input object. An input object may hold others of its own type.
func (b *binder) bindInput(k inputKey) *inputObject {
	if o := b.inputs[k]; o != nil {
		return o
	}
	o := &inputObject{op: k.op, entity: b.named(k.of), added: b.Functions[k.of]}
	o.grouped = b.hasDefaults(o.entity)
	b.inputs[k], b.used[k.of] = o, true
	def := b.Schema.Types[k.input]
	for _, d := range def.Fields {
		at := k.input + "." + d.Name
		if f := b.bindField(k, o, at, d); f != nil {
			o.fields = append(o.fields, f)
			f.mutual = mutual(o.entity, f)
			o.mutual = o.mutual || f.mutual
			if k.many && f.fileEdge(o.entity) != nil {
				b.refuse(at, "a file belongs to one row, so it cannot be set in several; take the field out")
			}
			if k.many && (f.nested != nil || o.mutual) {
				b.refuse(at, "it cannot be set in several rows with one statement; take the field out")
			}
		}
	}
	if k.op == Create && o.added.Before == nil {
		b.checkRequired(o, def, k.within)
	}
	return o
}

// hasDefaults reports whether the database has a value for a column that new rows need not set.
func (b *binder) hasDefaults(e *entity.Entity) bool {
	for _, t := range b.Tables {
		if t.Name == e.Table && slices.ContainsFunc(t.Columns, func(c *schema.Column) bool {
			return c.Default != nil && !slices.ContainsFunc(e.Fields, func(f entity.Field) bool { return f.Column == c.Name && f.Default })
		}) {
			return true
		}
	}
	return false
}

// bindField returns what a field of an input sets. It returns nil, and adds a finding, if it cannot
// be set.
func (b *binder) bindField(k inputKey, o *inputObject, at string, d *ast.FieldDefinition) *field {
	e := o.entity
	f := &field{name: d.Name, added: o.added.Fields[d.Name], holdsID: d.Type.String() == "ID" || d.Type.String() == "ID!",
		nullable: !d.Type.NonNull, defaults: d.DefaultValue != nil}
	if f.added != nil {
		b.used[e.Name+"."+d.Name] = true
	}
	if f.defaults {
		f.standard, _ = d.DefaultValue.Value(nil) // the schema was validated
	}
	column, related := e.Field(d.Name), e.Edge(d.Name)
	switch {
	case column != nil && e.Writer.Set[column.Column] != nil:
		f.column, f.to, f.nullable = column, b.named(column.Refers), column.Nullable
		return b.bindColumn(k, o, at, d, f)
	case related != nil && b.Schema.Types[d.Type.Name()].Kind == ast.InputObject && f.added == nil:
		if f.nested = b.bindNested(o, at, related, d); f.nested == nil {
			return nil
		}
		return f
	}
	edge := e.Edge(strings.TrimSuffix(d.Name, "Id"))
	switch {
	case edge != nil && strings.HasSuffix(d.Name, "Id") && edge.Unique && edge.OwnKey && e.Writer.Link[edge.Name] != nil:
		f.edge, f.to, f.nullable = edge, b.named(edge.To), edge.Nullable
		b.checkType(at, d, "ID")
		b.checkReference(at, f.to)
		b.checkImmutable(o, at, edge)
		return f
	case f.added != nil:
		return f
	case column != nil:
		b.refuse(at, "the column %s of %s is of type %s in ent/schema, which cannot be written from an input; allowed: %s, or a function that takes the field: write.Functions{Fields: …}",
			column.Column, e.Name, column.Type, kind.Types())
	default:
		line := "it"
		if source := entity.FieldSource(d.Name, d.Type.String()); source != "" {
			line = "`" + source + "`"
		}
		b.refuse(at, "%s has neither a column nor an edge of this name in ent/schema; name the one that it sets (for the edge parent it is parentId), add %s there, "+
			"or have a function take the field: write.Functions{Fields: map[string]write.Check{%q: …}, Before: …}", e.Name, line, d.Name)
	}
	return nil
}

// mutual reports whether a field sets an edge to one row of the own entity that has no other name
// from there: if a is the partner of b, b is that of a. ent then changes both rows.
func mutual(e *entity.Entity, f *field) bool {
	if f.nested != nil {
		return f.nested.own != nil && mutual(e, f.nested.own)
	}
	var of []*entity.Edge
	for i := range e.Edges {
		edge := &e.Edges[i]
		if edge.To == e.Name && (edge == f.edge || f.column != nil && edge.Column == f.column.Column) {
			of = append(of, edge)
		}
	}
	return len(of) == 1 && of[0].Unique && of[0].OwnKey && !slices.ContainsFunc(e.Edges, func(other entity.Edge) bool {
		return other.Column == of[0].Column && other.Name != of[0].Name
	})
}

func (b *binder) bindColumn(k inputKey, o *inputObject, at string, d *ast.FieldDefinition, f *field) *field {
	e, column := o.entity, f.column
	wanted := "ID"
	if of, ok := kind.Of(column.Kind); ok && column.Kind != entity.ID {
		wanted = of.Scalar(column)
	}
	if column.Kind == entity.Enum {
		wanted = b.enumOf(d.Type.Name(), column)
	}
	switch {
	case o.op == Update && column.Immutable:
		b.refuse(at, "the column %s of %s is Immutable() in ent/schema; take one of the two out", column.Column, e.Name)
	case o.op == Update && column == &e.Fields[0]:
		b.refuse(at, "an update cannot change the key; take the field out")
	case column.Column == e.Deleted:
		b.refuse(at, "delete%[1]s and restore%[1]s set the column %[2]s; take the field out", e.Name, column.Column)
	case o.op == Create && !column.Nullable && !column.Default && !d.Type.NonNull && !f.defaults && column != &e.Fields[0] && !b.setOtherwise(k, column.Column):
		b.refuse(at, "the column %s of %s must have a value; write %s!, or add Optional() or a default in ent/schema", column.Column, e.Name, d.Type)
	}
	if f.clients = column == &e.Fields[0] && e.Keys == ids.UUID && e.ClientIDs; column == &e.Fields[0] {
		b.checkKey(at, e)
	}
	b.checkType(at, d, wanted)
	b.checkReference(at, f.to)
	f.limits = b.limitsOf(e, column)
	return f
}

// checkKey adds a finding if clients may not make the keys of an entity, which an input sets.
func (b *binder) checkKey(at string, e *entity.Entity) {
	switch {
	case e.Keys == ids.UUID && !e.ClientIDs && e.Fields[0].Default:
		b.refuse(at, "the server makes the keys of %s; take the field out, or allow clients to make them: entity.Annotation{ClientIDs: true}", e.Name)
	case e.ClientIDs && e.Keys != ids.UUID:
		b.refuse(at, "the keys of %s are no UUIDs, for which alone ClientIDs is; take ClientIDs out", e.Name)
	case e.ClientIDs && ruledByKey(e):
		b.refuse(at, "the policy of %s says by the key who may do what, so that a client cannot make it; take ClientIDs out", e.Name)
	}
}

// TakesIDs reports whether clients may make the IDs of new rows of an entity, as its annotation
// says.
func TakesIDs(e *entity.Entity) bool { return e.ClientIDs && e.Keys == ids.UUID && !ruledByKey(e) }

// ruledByKey reports whether the policy of an entity says by the key whose a row is.
func ruledByKey(e *entity.Entity) bool {
	key := e.Fields[0].Column
	return rule.Tenant(e) == key || slices.ContainsFunc(rule.Of(e), func(p rule.Policy) bool { return p.Owner.Path == "" && p.Owner.Column == key })
}

// checkImmutable adds a finding if an update would set an edge that only new rows have set.
func (b *binder) checkImmutable(o *inputObject, at string, edge *entity.Edge) {
	if o.op == Update && edge.Immutable {
		b.refuse(at, "the edge %s of %s is Immutable() in ent/schema; take one of the two out", edge.Name, o.entity.Name)
	}
}

// setOtherwise reports whether something else than the field of a column sets it in new rows: the
// row around them, the policy, or a field of the input that writes the row to which the column
// refers.
func (b *binder) setOtherwise(k inputKey, column string) bool {
	if holdsKey(k.within, column) || column == rule.Tenant(b.named(k.of)) {
		return true
	}
	return slices.ContainsFunc(b.Schema.Types[k.input].Fields, func(d *ast.FieldDefinition) bool {
		edge := b.named(k.of).Edge(d.Name)
		return edge != nil && edge.OwnKey && edge.Column == column && b.Schema.Types[d.Type.Name()].Kind == ast.InputObject
	})
}

// checkReference adds a finding if clients cannot name rows of an entity that the field refers to.
func (b *binder) checkReference(at string, to *entity.Entity) {
	if to != nil && to.Prefix == "" {
		b.refuse(at, "it holds IDs of %s, which have no prefix; give the entity one, as in entity.Annotation{Prefix: %q}", to.Name, strings.ToLower(to.Name))
	}
}

func (b *binder) checkType(at string, d *ast.FieldDefinition, wanted string) {
	if strings.TrimSuffix(d.Type.String(), "!") != wanted {
		b.refuse(at, "its type is %s; allowed: %s", d.Type, wanted)
	}
}

// enumOf returns the name of the type if it is an enum whose values the column can hold, and
// otherwise which it has to be.
func (b *binder) enumOf(name string, column *entity.Field) string {
	def := b.Schema.Types[name]
	if def.Kind == ast.Enum && !slices.ContainsFunc(def.EnumValues, func(v *ast.EnumValueDefinition) bool { return !slices.Contains(column.ValueNames(), v.Name) }) {
		return name
	}
	return "an enum of the values " + strings.Join(column.ValueNames(), ", ")
}

// checkRequired adds a finding for each column that new rows need and the input does not have. What
// hooks of an entity set is not known. A function Before may set columns as well.
func (b *binder) checkRequired(o *inputObject, def *ast.Definition, within *entity.Edge) {
	e := o.entity
	set := func(column string) bool {
		return holdsKey(within, column) || slices.ContainsFunc(o.fields, func(f *field) bool {
			return f.key() == column || f.nested != nil && f.nested.own != nil && f.nested.own.key() == column
		})
	}
	for i := range e.Fields {
		c := &e.Fields[i]
		match := slices.ContainsFunc(e.Fields, func(f entity.Field) bool { return f.MatchBy == c.Column })
		numbered := i == 0 && e.Keys == ids.Number // the database counts
		if !set(c.Column) && !match && !numbered && !c.Nullable && !c.Default && !e.Hooked && c.Column != e.Owner && c.Column != rule.Tenant(e) {
			b.refuse(def.Name, "the column %s of %s must have a value, and nothing sets it; add the field %s, or Optional() or a default in ent/schema, or set it in write.Functions{Before: …}",
				c.Column, e.Name, c.Name)
		}
	}
	for i := range e.Edges {
		edge := &e.Edges[i]
		column := slices.ContainsFunc(e.Fields, func(f entity.Field) bool { return f.Column == edge.Column })
		if edge.OwnKey && !edge.Nullable && !column && !set(edge.Column) && !e.Hooked {
			b.refuse(def.Name, "the edge %s of %s must lead to a row, and nothing sets it; add the field %[1]sId, or take Required() out in ent/schema", edge.Name, e.Name)
		}
	}
}

// holdsKey reports whether rows hold the key of the row around them in a column. They are created
// through the edge, which may be nil.
func holdsKey(within *entity.Edge, column string) bool {
	return within != nil && within.Through == "" && !within.OwnKey && within.Column == column
}

// checkPayload checks the type of the root field.
func (b *binder) checkPayload(at string, m *Mutation, d *ast.FieldDefinition) {
	def := b.Schema.Types[d.Type.Name()]
	if d.Type.Elem != nil || def.Kind != ast.Object || b.named(def.Name) != nil {
		b.refuse(at, "its type is %s; allowed is one object, such as %sPayload!", d.Type, strings.ToUpper(d.Name[:1])+d.Name[1:])
		return
	}
	e := m.input.entity
	allowed := map[string][]string{} // types by names, and the type of a row by ""
	switch {
	case m.op == Delete && m.many:
		allowed["deletedIds"], allowed["affected"] = []string{"[ID!]!"}, []string{"Int!"}
	case m.op == Delete:
		allowed["deletedId"] = []string{"ID!", "ID"}
	case m.many:
		allowed[""], allowed["affected"] = []string{"[" + e.Name + "!]!"}, []string{"Int!"}
	default:
		allowed[""] = []string{e.Name, e.Name + "!"}
	}
	switch {
	case m.op == Create && m.many:
		allowed["errors"] = nil
	case m.op == Create:
		allowed["created"] = []string{"Boolean!"}
	}
	for _, f := range def.Fields {
		types, named := allowed[f.Name]
		if !named {
			types = allowed[""]
		}
		switch place := def.Name + "." + f.Name; {
		case strings.HasPrefix(f.Name, "__"), slices.Contains(types, f.Type.String()):
		case named && f.Name == "errors":
			b.checkErrors(place, f)
		default:
			b.refuse(place, "nothing answers this field; allowed: %s", sentence(allowed))
		}
	}
}

// checkErrors checks the type of the field that says which entries of the input were left out.
func (b *binder) checkErrors(at string, d *ast.FieldDefinition) {
	def := b.Schema.Types[d.Type.Name()]
	if !strings.HasPrefix(d.Type.String(), "[") || !d.Type.Elem.NonNull || !d.Type.NonNull || def.Kind != ast.Object {
		b.refuse(at, "its type is %s; allowed is a list of objects, such as [CreateError!]!", d.Type)
		return
	}
	types := map[string]string{"index": "Int!", "code": "String!", "message": "String!", "field": "String"}
	for _, f := range def.Fields {
		if !strings.HasPrefix(f.Name, "__") && types[f.Name] != f.Type.String() {
			b.refuse(def.Name+"."+f.Name, "nothing answers this field; allowed: index: Int!, code: String!, message: String!, field: String")
		}
	}
}

// sentence lists fields with their types.
func sentence(fields map[string][]string) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		switch {
		case name == "":
			list = append(list, "one of the type "+fields[name][0])
		case len(fields[name]) > 0:
			list = append(list, name+": "+fields[name][0])
		default:
			list = append(list, name)
		}
	}
	return strings.Join(list, ", ")
}

// checkFunctions adds a finding for each function that no mutation calls.
func (b *binder) checkFunctions() {
	for _, name := range slices.Sorted(maps.Keys(b.Functions)) {
		if !b.used[name] {
			b.refuse(name, "it has write.Functions, but no standard mutation; take them out")
			continue
		}
		for _, f := range slices.Sorted(maps.Keys(b.Functions[name].Fields)) {
			if !b.used[name+"."+f] {
				b.refuse(name, "write.Functions has a function for the field %s, which no input of a standard mutation has; take it out", f)
			}
		}
	}
}
