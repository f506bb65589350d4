package binding

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
)

// Changes is what Query and Subscription show of the log of changes.
type Changes struct {
	Types map[string]*Object // by the values of the enum ChangeType
	// Typed are the fields of Subscription that tell of changes of one entity, by their names, and
	// Pages the names of all types that have changes with the cursor after them.
	Typed map[string]*TypedChanges
	Pages map[string]bool
}

// These are the fields of Query that show the log, the types that only these have, and the fields of
// those, each with its type.
var changeFields = map[string]map[string]string{
	"":            {"changeCursor": "ChangeCursor!", "changes": "NodeChanges!"},
	"changes":     {"types": "[ChangeType!]", "after": "ChangeCursor!", "first": "Int"},
	"NodeChanges": {"cursor": "ChangeCursor!", "changes": "[NodeChange!]!"},
	"NodeChange":  {"kind": "ChangeKind!", "id": "ID", "node": "Node"},
}

// ChangeTypes are the names of the types that show the log of changes.
var ChangeTypes = []string{"NodeChanges", "NodeChange", "ChangeKind", "ChangeType", "ChangeCursor"}

var changeKinds = []string{"CREATED", "UPDATED", "REMOVED", "MANY"}

// IsOfChanges reports whether a field of Query is one that shows the log of changes, unless the
// application has a resolver for it.
func IsOfChanges(field string) bool { return changeFields[""][field] != "" }

// bindChanges binds what Query and Subscription show of the log of changes.
func (b *binder) bindChanges(entities []*entity.Entity) {
	query, c := b.Schema.Query, &Changes{Types: map[string]*Object{}, Typed: map[string]*TypedChanges{}, Pages: map[string]bool{"NodeChanges": true}}
	for _, d := range query.Fields {
		if !IsOfChanges(d.Name) || slices.ContainsFunc(b.resolversOf(query.Name), func(name string) bool { return GoName(name) == GoName(d.Name) }) {
			continue
		}
		b.Changes = c
		b.checkTyped(query.Name+"."+d.Name, d.Type, changeFields[""][d.Name])
		b.checkDirectives(query.Name+"."+d.Name, d.Directives)
		b.checkArgumentsOf(query.Name+"."+d.Name, d, changeFields[d.Name])
		if d.Name == "changes" && d.Arguments.ForName("after") == nil {
			b.refuse(query.Name+".changes", "it has no argument after: ChangeCursor!, from where on changes are read")
		}
	}
	b.bindSubscription(c)
	if b.Changes == nil {
		return
	}
	if b.Schema.Types["ChangeType"] == nil && !slices.ContainsFunc(entities, func(e *entity.Entity) bool { return e.Logged }) {
		b.refuse("ChangeCursor", "changes of no entity are logged; add Logged to the annotation of one in ent/schema, or take out what shows changes")
	}
	for _, name := range []string{"NodeChanges", "NodeChange"} {
		b.checkWritten(name, changeFields[name])
	}
	if def := b.Schema.Types["ChangeKind"]; def != nil {
		for _, kind := range changeKinds {
			if def.EnumValues.ForName(kind) == nil {
				b.refuse("ChangeKind", "it lacks the value %s; it has %s", kind, strings.Join(changeKinds, ", "))
			}
		}
	}
	for _, e := range entities {
		b.bindChangesOf(e)
	}
	b.checkChangeTypes()
}

func (b *binder) checkTyped(at string, is *ast.Type, wanted string) {
	switch {
	case strings.HasPrefix(wanted, "__"), is.String() == wanted:
	case wanted == "":
		b.refuse(at, "nothing answers it: it is no part of the log of changes; take it out")
	default:
		b.refuse(at, "its type is %s; allowed: %s", is, wanted)
	}
}

// bindChangesOf binds an entity to its value of ChangeType.
func (b *binder) bindChangesOf(e *entity.Entity) {
	o, def := b.Objects[e.Name], b.Schema.Types["ChangeType"]
	if !e.Logged || o == nil || !o.TypeConditions["Node"] {
		return
	}
	if def == nil { // then no argument says which types are wanted
		b.Changes.Types[e.Name] = o
		return
	}
	for _, value := range def.EnumValues {
		if GoName(value.Name) == GoName(e.Name) {
			b.Changes.Types[value.Name] = o
			return
		}
	}
	b.refuse("ChangeType", "it has no value for %s, whose changes are logged; add it, or take Logged out in ent/schema", e.Name)
}

// checkChangeTypes adds a finding for each value of ChangeType of which no changes are read.
func (b *binder) checkChangeTypes() {
	def := b.Schema.Types["ChangeType"]
	if def == nil {
		return
	}
	for _, value := range def.EnumValues {
		if b.Changes.Types[value.Name] == nil {
			b.refuse("ChangeType."+value.Name, "it is no entity whose changes are logged and that implements Node; take it out, or add Logged to the entity's annotation in ent/schema")
		}
	}
}
