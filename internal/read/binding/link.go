package binding

import (
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
	"forge/internal/rule"
)

// Link is the connection type of one many-to-many edge, if the edge has a type of its own. Its
// edges show columns of the rows of the join table, beside the nodes that these rows lead to.
type Link struct {
	Join   *entity.Entity
	Fields map[string]*Field // of the edges, without cursor and node
	Owner  *Column           // holds the ID of the owner of the join table's row; nil if it has none
}

// linkType returns the name of an edge's own connection type, such as PlaylistTracksConnection for
// the edge tracks of Playlist.
func linkType(of *entity.Entity, edge *entity.Edge) string {
	return of.Name + strings.ToUpper(edge.Name[:1]) + edge.Name[1:] + "Connection"
}

// bindLinks binds the connection types that edges of an entity have for themselves.
func (b *binder) bindLinks(o *Object) {
	for i := range o.Entity.Edges {
		edge := &o.Entity.Edges[i]
		name := linkType(o.Entity, edge)
		join, to := b.all[edge.Join], b.Objects[edge.To]
		def := b.Schema.Types[strings.TrimSuffix(name, "Connection")+"Edge"]
		if join == nil || to == nil || b.Schema.Types[name] == nil || def == nil || b.Connections[name] != nil {
			continue
		}
		b.Connections[name], b.Links[name] = to, b.linkOf(join, to, def)
		b.checkPage(strings.TrimSuffix(name, "Connection"), to, b.Links[name].Fields)
	}
}

// linkOf binds the edges of a connection type that an edge has for itself.
func (b *binder) linkOf(join *entity.Entity, to *Object, def *ast.Definition) *Link {
	l, of := &Link{Join: join, Fields: map[string]*Field{}}, &Object{Entity: join}
	if own := b.ownerOf(of); own != nil {
		l.Owner = own
		l.Owner.Linked = true
	}
	for _, d := range def.Fields {
		if d.Name == "cursor" || d.Name == "node" || strings.HasPrefix(d.Name, "__") {
			continue
		}
		at, f := def.Name+"."+d.Name, &Field{Visible: rule.Visible(join, d.Name)}
		own := join.Field(d.Name)
		switch {
		case own == nil:
			b.refuse(at, "%s has no column of this name in ent/schema; beside cursor and node, %s shows columns of %s alone, such as %s",
				join.Name, def.Name, join.Name, firstFields(join))
			continue
		case f.Visible == entity.ToOwners && l.Owner == nil:
			b.refuse(at, noOwner, join.Name)
		case f.Visible == entity.ToSome:
			b.refuse(at, "it is shown by a rule (ShownTo) of %s; the edges of a connection show what all or owners see", join.Name)
		}
		f.Column, f.Shows = b.columnOf(own), own
		f.Column.Linked = true
		b.checkColumn(at, d, join, own, own.Nullable)
		b.noArguments(at, d.Arguments)
		l.Fields[d.Name] = f
	}
	return l
}

func firstFields(e *entity.Entity) string {
	var names []string
	for _, f := range e.Fields[:min(4, len(e.Fields))] {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// related returns the object that an edge leads to. Conditions may be about rows of an entity that
// the schema has no type for: the object then has filters, if the schema has a where input for the
// entity, and nothing else. related returns nil if there is no such entity.
func (b *binder) related(name string) *Object {
	if o := b.Objects[name]; o != nil {
		return o
	}
	if o := b.hidden[name]; o != nil || b.all[name] == nil {
		return o
	}
	o := &Object{Entity: b.all[name]}
	b.hidden[name] = o
	if !o.Entity.Ruled {
		b.refuse(name+"WhereInput", "nothing in ent/schema says who may see which rows of %s, and conditions and orders may be about these; give it a Policy", name)
	}
	if key := b.keyOf(o.Entity); key != nil {
		o.Key = *b.columnOf(key)
	}
	b.bindFilters(o, b.Schema.Types[name+"WhereInput"])
	return o
}

// keyOf returns the primary key of an entity. It returns nil if the key has several columns.
func (b *binder) keyOf(e *entity.Entity) *entity.Field {
	if len(e.Fields) == 0 || e.Fields[0].Refers != e.Name {
		return nil
	}
	return &e.Fields[0]
}

// bindHidden binds the where inputs of entities that the schema has no type for, even if no
// condition leads to them.
func (b *binder) bindHidden() {
	for _, name := range slices.Sorted(maps.Keys(b.all)) {
		if def := b.Schema.Types[name+"WhereInput"]; def != nil && def.Kind == ast.InputObject {
			b.related(name)
		}
	}
}
