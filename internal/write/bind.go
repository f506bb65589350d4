package write

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql/schema"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/read"
	"forge/internal/read/binding"
	"forge/internal/read/kind"
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
// after, if it has the name of a standard mutation.
func Names(field string) (op Op, of string, ok bool) {
	for op, verb := range [...]string{"create", "update", "delete", "restore"} {
		if of, ok := strings.CutPrefix(field, verb); ok && of != "" {
			return Op(op), of, true
		}
	}
	return 0, "", false
}

// Bind returns the standard mutations of a schema, by the names of their fields. The findings are
// sentences about what does not fit together, each of which begins with its place in the schema.
func Bind(c Contract) (_ map[string]*Mutation, findings []string) {
	b := &binder{Contract: c, mutations: map[string]*Mutation{}, used: map[string]bool{}}
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
	op, name, ok := Names(d.Name)
	e := b.named(name)
	switch {
	case !ok || e == nil || b.Schema.Types[name] == nil:
		b.refuse(at, "nothing carries it out; name it createX, updateX, deleteX or restoreX, with X a type that shows an entity, or give it a resolver: write resolver: true for it in gqlgen.yml, and run go generate ./...")
		return
	case e.Writer == nil:
		b.refuse(at, "rows of %s have no ID, so nothing carries it out; give the entity a key of one column, or the mutation a resolver", name)
		return
	case op == Restore && e.Deleted == "":
		b.refuse(at, "rows of %s are deleted for good; add the mixin SoftDeleted in ent/schema, or give the mutation a resolver", name)
		return
	}
	m := &Mutation{op: op, entity: e, added: b.Functions[name], query: b.Query}
	b.used[name] = true
	b.bindArguments(at, m, d)
	b.checkPayload(at, m, d)
	b.mutations[d.Name] = m
}

// bindArguments checks the arguments, and binds the fields of the input.
func (b *binder) bindArguments(at string, m *Mutation, d *ast.FieldDefinition) {
	wanted := [...][]string{Create: {"input"}, Update: {"id", "input"}, Delete: {"id"}, Restore: {"id"}}[m.op]
	allowed := wanted
	if m.op == Update || m.op == Delete {
		allowed = append(slices.Clip(wanted), "expectedVersion")
	}
	for _, name := range wanted {
		if d.Arguments.ForName(name) == nil {
			b.refuse(at, "it needs the argument %s", name)
		}
	}
	for _, a := range d.Arguments {
		place := at + "(" + a.Name + ":)"
		def := b.Schema.Types[a.Type.Name()]
		switch {
		case !slices.Contains(allowed, a.Name):
			b.refuse(place, "nothing reads this argument; allowed: %s", strings.Join(allowed, ", "))
		case a.Name == "id" && a.Type.String() != "ID!":
			b.refuse(place, "its type is %s; allowed: ID!", a.Type)
		case a.Name == "expectedVersion" && a.Type.Name() != "Int":
			b.refuse(place, "its type is %s; allowed: Int", a.Type)
		case a.Name == "expectedVersion" && m.entity.Field("version") == nil:
			b.refuse(place, "rows of %s have no version; add the mixin Versioned in ent/schema, or take the argument out", m.entity.Name)
		case a.Name == "input" && (!a.Type.NonNull || a.Type.Elem != nil || def.Kind != ast.InputObject):
			b.refuse(place, "its type is %s; allowed is one input object, with !", a.Type)
		case a.Name == "input":
			b.bindInput(m, def)
		}
	}
}

func (b *binder) bindInput(m *Mutation, def *ast.Definition) {
	for _, d := range def.Fields {
		if f := b.bindField(m, def.Name+"."+d.Name, d); f != nil {
			m.fields = append(m.fields, f)
			m.mutual = m.mutual || mutual(m.entity, f)
		}
	}
	if m.op == Create && m.added.Before == nil {
		b.checkRequired(m, def)
	}
}

// bindField returns what a field of an input sets. It returns nil, and adds a finding, if it cannot
// be set.
func (b *binder) bindField(m *Mutation, at string, d *ast.FieldDefinition) *field {
	e := m.entity
	f := &field{name: d.Name, path: "input." + d.Name, added: m.added.Fields[d.Name], holdsID: d.Type.String() == "ID" || d.Type.String() == "ID!",
		nullable: !d.Type.NonNull, defaults: d.DefaultValue != nil}
	if f.added != nil {
		b.used[e.Name+"."+d.Name] = true
	}
	if f.defaults {
		f.standard, _ = d.DefaultValue.Value(nil) // the schema was validated
	}
	column := e.Field(d.Name)
	edge := e.Edge(strings.TrimSuffix(d.Name, "Id"))
	switch {
	case column != nil && e.Writer.Set[column.Column] != nil:
		f.column, f.to, f.nullable = column, b.named(column.Refers), column.Nullable
		return b.bindColumn(m, at, d, f)
	case edge != nil && strings.HasSuffix(d.Name, "Id") && edge.Unique && edge.OwnKey && e.Writer.Link[edge.Name] != nil:
		f.edge, f.to, f.nullable = edge, b.named(edge.To), edge.Nullable
		b.checkType(at, d, "ID")
		b.checkReference(at, f)
		return f
	case f.added != nil:
		return f
	case column != nil:
		b.refuse(at, "the column %s of %s is of type %s in ent/schema, which cannot be written from an input; allowed: %s, or a function that takes the field: write.Functions{Fields: …}",
			column.Column, e.Name, column.Type, kind.Types())
	default:
		b.refuse(at, "%s has neither a column nor an edge of this name in ent/schema; name the one that it sets (for the edge parent it is parentId), add it there, "+
			"or have a function take the field: write.Functions{Fields: map[string]write.Check{%q: …}, Before: …}", e.Name, d.Name)
	}
	return nil
}

// mutual reports whether a field sets an edge to one row of the own entity that has no other name
// from there: if a is the partner of b, b is that of a. ent then changes both rows.
func mutual(e *entity.Entity, f *field) bool {
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

func (b *binder) bindColumn(m *Mutation, at string, d *ast.FieldDefinition, f *field) *field {
	e, column := m.entity, f.column
	wanted := "ID"
	if k, ok := kind.Of(column.Kind); ok && column.Kind != entity.ID {
		wanted = k.Scalar(column)
	}
	if column.Kind == entity.Enum {
		wanted = b.enumOf(d.Type.Name(), column)
	}
	switch {
	case m.op == Update && column.Immutable:
		b.refuse(at, "the column %s of %s is Immutable() in ent/schema; take one of the two out", column.Column, e.Name)
	case m.op == Update && column == &e.Fields[0]:
		b.refuse(at, "an update cannot change the key; take the field out")
	case column.Column == e.Deleted:
		b.refuse(at, "delete%[1]s and restore%[1]s set the column %[2]s; take the field out", e.Name, column.Column)
	case m.op == Create && !column.Nullable && !column.Default && !d.Type.NonNull && !f.defaults && column != &e.Fields[0]:
		b.refuse(at, "the column %s of %s must have a value; write %s!, or add Optional() or a default in ent/schema", column.Column, e.Name, d.Type)
	}
	b.checkType(at, d, wanted)
	b.checkReference(at, f)
	f.limits = b.limitsOf(e, column)
	return f
}

// checkReference adds a finding if clients cannot name the row that the field refers to.
func (b *binder) checkReference(at string, f *field) {
	if f.to != nil && f.to.Prefix == "" {
		b.refuse(at, "it holds IDs of %s, which have no prefix; give the entity one, as in entity.Annotation{Prefix: %q}", f.to.Name, strings.ToLower(f.to.Name))
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
	if def.Kind == ast.Enum && !slices.ContainsFunc(def.EnumValues, func(v *ast.EnumValueDefinition) bool { return !slices.Contains(column.Values, v.Name) }) {
		return name
	}
	return "an enum of the values " + strings.Join(column.Values, ", ")
}

// checkRequired adds a finding for each column that new rows need and the input does not have. What
// hooks of an entity set is not known. A function Before may set columns as well.
func (b *binder) checkRequired(m *Mutation, def *ast.Definition) {
	e := m.entity
	for i := range e.Fields {
		c := &e.Fields[i]
		set := slices.ContainsFunc(m.fields, func(f *field) bool {
			return f.column == c || f.edge != nil && f.edge.Column == c.Column
		})
		match := slices.ContainsFunc(e.Fields, func(f entity.Field) bool { return f.MatchBy == c.Column })
		numbered := i == 0 && e.Keys == ids.Number // the database counts
		if !set && !match && !numbered && !c.Nullable && !c.Default && !e.Hooked && c.Column != e.Owner {
			b.refuse(def.Name, "the column %s of %s must have a value, and nothing sets it; add the field %s, or Optional() or a default in ent/schema, or set it in write.Functions{Before: …}",
				c.Column, e.Name, c.Name)
		}
	}
	for i := range e.Edges {
		edge := &e.Edges[i]
		set := slices.ContainsFunc(m.fields, func(f *field) bool { return f.edge == edge })
		column := slices.ContainsFunc(e.Fields, func(f entity.Field) bool { return f.Column == edge.Column })
		if edge.OwnKey && !edge.Nullable && !column && !set && !e.Hooked {
			b.refuse(def.Name, "the edge %s of %s must lead to a row, and nothing sets it; add the field %[1]sId, or take Required() out in ent/schema", edge.Name, e.Name)
		}
	}
}

// checkPayload checks the type of the root field.
func (b *binder) checkPayload(at string, m *Mutation, d *ast.FieldDefinition) {
	def := b.Schema.Types[d.Type.Name()]
	if d.Type.Elem != nil || def.Kind != ast.Object || b.named(def.Name) != nil {
		b.refuse(at, "its type is %s; allowed is one object, such as %sPayload!", d.Type, strings.ToUpper(d.Name[:1])+d.Name[1:])
		return
	}
	for _, f := range def.Fields {
		switch {
		case strings.HasPrefix(f.Name, "__"):
		case m.op == Delete && f.Name == "deletedId" && f.Type.Name() == "ID" && f.Type.Elem == nil:
		case m.op != Delete && f.Type.Name() == m.entity.Name && f.Type.Elem == nil:
		case m.op == Delete:
			b.refuse(def.Name+"."+f.Name, "nothing answers this field; allowed: deletedId: ID!")
		default:
			b.refuse(def.Name+"."+f.Name, "nothing answers this field; allowed is one of the type %s", m.entity.Name)
		}
	}
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
