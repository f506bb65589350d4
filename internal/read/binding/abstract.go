package binding

import (
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// findMembers makes the objects of each interface and union that has a connection. bindMembers
// completes them.
func (b *binder) findMembers() {
	b.Members = map[string][]*Object{}
	for _, name := range slices.Sorted(maps.Keys(b.Schema.Types)) {
		connection := name + "Connection"
		if b.Schema.Types[connection] == nil || !b.IsAbstract(name) {
			continue
		}
		for _, member := range b.Schema.GetPossibleTypes(b.Schema.Types[name]) {
			if o := b.Objects[member.Name]; o != nil {
				b.Members[connection] = append(b.Members[connection], &Object{Entity: o.Entity, Of: name, TypeConditions: o.TypeConditions})
			}
		}
		members := b.Members[connection]
		slices.SortFunc(members, func(one, other *Object) int { return strings.Compare(one.Entity.Name, other.Entity.Name) })
		for _, o := range members {
			members[0].Among = append(members[0].Among, o.Entity.Name)
		}
		for _, o := range members {
			o.Among = members[0].Among
		}
		b.Connections[connection] = members[0]
	}
}

// bindMembers binds the filters and orders of connections of interfaces and unions.
func (b *binder) bindMembers() {
	for _, connection := range slices.Sorted(maps.Keys(b.Members)) {
		members := b.Members[connection]
		for _, o := range members {
			of := b.Objects[o.Entity.Name]
			if of.Fields == nil {
				return // it has no key, which was refused
			}
			o.Fields, o.Key, o.Owner = of.Fields, of.Key, of.Owner
			b.bindFilters(o, b.Schema.Types[o.Of+"WhereInput"])
			b.bindOrders(o, b.Schema.Types[o.Of+"OrderField"])
		}
		b.checkPages(members[0])
		for _, o := range members[1:] {
			b.checkAlike(members[0], o)
		}
		shareNulls(members)
	}
}

// checkAlike checks that two objects of one connection are filtered and ordered by columns of the
// same name and kind: cursors of the one stand for places among the rows of the other.
func (b *binder) checkAlike(one, other *Object) {
	b.checkKeys(one.Of+"Connection", one, other)
	for _, name := range slices.Sorted(maps.Keys(one.Orders)) {
		x, y := one.Orders[name], other.Orders[name]
		switch at := one.Of + "OrderField." + name; {
		case x == nil || y == nil: // refused
		case x.Name() != y.Name() || x.Kind() != y.Kind():
			b.refuse(at, "it is %s of %s, and %s of %s; to order by it, both have to be the same", x, one.Entity.Name, y, other.Entity.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(one.Filters)) {
		x, y := one.Filters[name], other.Filters[name]
		if x != nil && y != nil && x.Field != nil && y.Field != nil && (x.Field.Kind != y.Field.Kind || x.Prefix != y.Prefix) {
			b.refuse(one.Of+"WhereInput."+name, "it compares columns of another kind in %s than in %s", one.Entity.Name, other.Entity.Name)
		}
	}
}

// checkKeys checks that the keys of two objects whose rows make up one list can be compared.
func (b *binder) checkKeys(at string, one, other *Object) {
	if one.Entity.Keys != other.Entity.Keys {
		b.refuse(at, "the keys of %s and of %s are of different types in ent/schema, so that their rows have no order", one.Entity.Name, other.Entity.Name)
	}
}

// shareNulls lets a column be NULL in all orders of a connection if it may be in one: a cursor at
// NULL then has a place in all of them.
func shareNulls(members []*Object) {
	for name := range members[0].Orders {
		nullable := slices.ContainsFunc(members, func(o *Object) bool { return o.Orders[name] != nil && o.Orders[name].Nullable })
		for _, o := range members {
			if o.Orders[name] != nil {
				of := *o.Orders[name]
				of.Nullable = nullable
				o.Orders[name] = &of
			}
		}
	}
}

// bindUnited binds a field that unites several edges: to what the first edge that leads somewhere
// leads to, to a list of all that they lead to, or to a connection of it.
func (b *binder) bindUnited(at string, d *ast.FieldDefinition, o *Object, f *Field, edges []string) {
	name := d.Type.Name()
	f.Paged = b.Members[name] != nil
	abstract := name
	if f.Paged {
		abstract = strings.TrimSuffix(name, "Connection")
	}
	many := d.Type.Elem != nil || f.Paged
	if !b.IsAbstract(abstract) || f.Paged && d.Type.Elem != nil || d.Type.Elem != nil && (d.Type.Elem.Elem != nil || !d.Type.Elem.NonNull) {
		b.refuse(at, "its type is %s, but ent/schema unites the edges %s in it; allowed: an interface or a union X of what they lead to, [X!] or XConnection",
			d.Type, strings.Join(edges, ", "))
		return
	}
	if !many && d.Type.NonNull {
		b.refuse(at, "its type is %s, but the edges %s may all lead to nothing; take the ! out", d.Type, strings.Join(edges, ", "))
	}
	for _, name := range edges {
		member := b.bindMember(at, o, name, abstract, many)
		if member == nil {
			continue
		}
		if f.Paged && slices.ContainsFunc(f.Members, func(of *Field) bool { return of.To == member.To }) {
			b.refuse(at, "several of the edges %s lead to %s; for a connection, each has to lead to another entity", strings.Join(edges, ", "), member.Edge.To)
		}
		member.Paged = f.Paged
		f.Members = append(f.Members, member)
		if many {
			b.checkKeys(at, f.Members[0].To, member.To)
		}
	}
	for _, member := range b.Schema.GetPossibleTypes(b.Schema.Types[abstract]) {
		if !slices.ContainsFunc(edges, func(name string) bool { e := o.Entity.Edge(name); return e != nil && e.To == member.Name }) {
			b.refuse(at, "%s belongs to %s, but none of the edges %s leads to it", member.Name, abstract, strings.Join(edges, ", "))
		}
	}
	if f.Paged {
		b.checkArguments(at, d.Arguments, b.Connections[name], false)
	} else {
		b.noArguments(at, d.Arguments)
	}
}

// bindMember returns one of the edges that a field unites. It adds a finding and returns nil if the
// edge cannot be one.
func (b *binder) bindMember(at string, o *Object, name, abstract string, many bool) *Field {
	edge := o.Entity.Edge(name)
	switch {
	case edge == nil:
		b.refuse(at, "ent/schema unites the edge %s in it, which %s does not have", name, o.Entity.Name)
		return nil
	case edge.Through != "":
		b.refuse(at, "ent/schema unites the edge %s of %s in it, which is many-to-many; allowed are edges with a key on one side", name, o.Entity.Name)
		return nil
	case edge.Unique == many:
		b.refuse(at, "ent/schema unites the edge %s of %s in it; edges to one row are united in X, and edges to many in [X!]! or XConnection!", name, o.Entity.Name)
		return nil
	}
	to := b.Objects[edge.To]
	if i := slices.IndexFunc(b.Members[abstract+"Connection"], func(of *Object) bool { return of.Entity.Name == edge.To }); i >= 0 {
		to = b.Members[abstract+"Connection"][i]
	}
	if to == nil || !to.TypeConditions[abstract] {
		b.refuse(at, "the edge %s of %s leads to %s, which does not belong to %s", name, o.Entity.Name, edge.To, abstract)
		return nil
	}
	return &Field{Edge: edge, To: to}
}
