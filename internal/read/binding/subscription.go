package binding

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/rule"
)

// Live is the field of Subscription that answers a query anew after changes.
const Live = "live"

// TypedChanges is a field of Subscription that tells of changes of one entity.
type TypedChanges struct {
	Object *Object
	// Keys are the arguments that take IDs of rows which a changed row refers to, before or after
	// the change, by the names of the arguments.
	Keys map[string]ForeignKey
}

// ForeignKey is a foreign key that the log of changes has.
type ForeignKey struct {
	Column string
	Prefix string // of the IDs
	Form   ids.Form
	Closed bool // only administrators may ask by it, as not everybody may see it
}

// These are the fields of Subscription that show the log of changes of several types.
var subscriptionFields = map[string]map[string]string{
	"":        {"changes": "NodeChanges!", Live: "Query!"},
	"changes": {"types": "[ChangeType!]", "after": "ChangeCursor"},
	Live:      {"every": "Int!"},
}

// ChangesNames are the names in the schema of what tells of an entity's changes: the field of
// Subscription, the type of its value, the type of one change, and the field of that with the row.
type ChangesNames struct{ Field, Page, Change, Row string }

// ChangesNamesOf returns the names for an entity.
func ChangesNamesOf(e *entity.Entity) ChangesNames {
	row := strings.ToLower(e.Name[:1]) + e.Name[1:]
	n := ChangesNames{Field: row + "Changes", Page: e.Name + "Changes", Change: e.Name + "Change", Row: row}
	if row == "kind" || row == "id" { // which the change itself has
		n.Row = "node"
	}
	return n
}

// ChangesKeysOf returns the arguments by which an entity's changes can be asked for, beside those
// that all have: of each edge to one row whose foreign key the log of changes has.
func ChangesKeysOf(e *entity.Entity, all []*entity.Entity) map[string]ForeignKey {
	keys := map[string]ForeignKey{}
	for _, edge := range e.Edges {
		to := slices.IndexFunc(all, func(of *entity.Entity) bool { return of.Name == edge.To })
		logged := slices.ContainsFunc(e.Fields, func(f entity.Field) bool { return f.Column == edge.Column && f.Refers == edge.To })
		if edge.OwnKey && edge.Through == "" && logged && to >= 0 && all[to].Prefix != "" {
			keys[edge.Name+"Ids"] = ForeignKey{Column: edge.Column, Prefix: all[to].Prefix, Form: all[to].Keys, Closed: rule.Visible(e, edge.Name) != entity.ToAll}
		}
	}
	return keys
}

// bindSubscription binds the fields of Subscription. It sets Changes if there are any.
func (b *binder) bindSubscription(c *Changes) {
	root := b.Schema.Subscription
	if root == nil {
		return
	}
	all := map[string]*entity.Entity{}
	for _, e := range b.all {
		if e.Name != "" {
			all[ChangesNamesOf(e).Field] = e
		}
	}
	for _, d := range root.Fields {
		at, e := root.Name+"."+d.Name, all[d.Name]
		b.checkDirectives(at, d.Directives)
		switch wanted := subscriptionFields[""][d.Name]; {
		case strings.HasPrefix(d.Name, "__"):
			continue
		case wanted != "":
			b.checkTyped(at, d.Type, wanted)
			b.checkArgumentsOf(at, d, subscriptionFields[d.Name])
		case e != nil:
			b.bindTyped(at, c, d, e)
		default:
			b.refuse(at, "nothing answers it: resolvers of subscriptions are not called; allowed are changes, %s, and one such as bookChanges for each entity whose changes are logged", Live)
			continue
		}
		b.Changes = c
	}
}

// checkArgumentsOf checks the arguments of a field by the types that they are to have.
func (b *binder) checkArgumentsOf(at string, d *ast.FieldDefinition, wanted map[string]string) {
	for _, a := range d.Arguments {
		b.checkTyped(fmt.Sprintf("%s(%s:)", at, a.Name), a.Type, wanted[a.Name])
	}
}

// bindTyped binds a field of Subscription that tells of changes of an entity, and its types.
func (b *binder) bindTyped(at string, c *Changes, d *ast.FieldDefinition, e *entity.Entity) {
	names, o := ChangesNamesOf(e), b.Objects[e.Name]
	switch {
	case !e.Logged:
		b.refuse(at, "changes of %s are not logged; add Logged to its annotation in ent/schema, or take the field out", e.Name)
		return
	case o == nil:
		b.refuse(at, "the schema has no type %s; add it, or take the field out", e.Name)
		return
	}
	typed := &TypedChanges{Object: o, Keys: ChangesKeysOf(e, b.entities)}
	b.checkTyped(at, d.Type, names.Page+"!")
	wanted := map[string]string{"ids": "[ID!]", "kinds": "[ChangeKind!]", "after": "ChangeCursor"}
	for name := range typed.Keys {
		wanted[name] = "[ID!]"
	}
	for _, a := range d.Arguments {
		if name, ok := strings.CutSuffix(a.Name, "Ids"); ok && wanted[a.Name] == "" {
			b.refuse(fmt.Sprintf("%s(%s:)", at, a.Name), "%s has no edge %s to one row with IDs whose foreign key is a field in ent/schema; take the argument out", e.Name, name)
			continue
		}
		b.checkTyped(fmt.Sprintf("%s(%s:)", at, a.Name), a.Type, wanted[a.Name])
	}
	b.checkWritten(names.Page, map[string]string{"cursor": "ChangeCursor!", "changes": "[" + names.Change + "!]!"})
	b.checkWritten(names.Change, map[string]string{"kind": "ChangeKind!", "id": "ID", names.Row: e.Name})
	c.Typed[d.Name], c.Pages[names.Page] = typed, true
}

// checkWritten checks a type that the engine writes, by the types that its fields are to have.
func (b *binder) checkWritten(name string, wanted map[string]string) {
	def := b.Schema.Types[name]
	switch {
	case def == nil:
		return // which whoever has it as a type is told of
	case b.all[name] != nil:
		b.refuse(name, "it is an entity of ent/schema, and the type of changes of another one; rename the entity")
		return
	}
	b.written[name] = true
	for _, d := range def.Fields {
		if !strings.HasPrefix(d.Name, "__") {
			b.checkTyped(name+"."+d.Name, d.Type, wanted[d.Name])
			b.noArguments(name+"."+d.Name, d.Arguments)
		}
	}
}
