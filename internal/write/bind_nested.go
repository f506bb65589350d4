package write

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
)

// bindNested binds a field of an input whose value is about the rows that an edge leads to. It
// returns nil, and adds a finding, if such rows cannot be written.
func (b *binder) bindNested(o *inputObject, at string, edge *entity.Edge, d *ast.FieldDefinition) *nested {
	to := b.named(edge.To)
	n := &nested{name: d.Name, edge: edge, to: to, rows: &inputObject{op: Update, entity: to, added: b.Functions[edge.To]}}
	switch {
	case to.Writer == nil:
		b.refuse(at, "rows of %s have no ID, so they cannot be written from the input of another row", to.Name)
		return nil
	case edge.Through != "" && edge.Join != "":
		b.refuse(at, "the rows between the two are those of %s, which have columns and a policy of their own; write these instead, by the edge that leads to them", edge.Join)
		return nil
	case edge.Through != "" && (o.entity.Writer.Link[edge.Name] == nil || o.entity.Writer.Unlink[edge.Name] == nil):
		b.refuse(at, "keys of %s cannot be written from an input", to.Name)
		return nil
	case edge.Through == "":
		holder, of := o.entity, to
		if !edge.OwnKey {
			holder, of = to, o.entity
		}
		key := keyField(holder, edge.Column, of)
		if key == nil {
			b.refuse(at, "%s holds the key and has no edge back; add one in ent/schema, with edge.From and Unique()", holder.Name)
			return nil
		}
		if edge.OwnKey && o.op == Update && key.column != nil && key.column.Immutable {
			b.refuse(at, "the column %s of %s is Immutable() in ent/schema; take one of the two out", edge.Column, holder.Name)
			return nil
		}
		if n.back = key; edge.OwnKey {
			n.own, n.back = key, nil
		}
	}
	n.symmetric = edge.Through != "" && to == o.entity && !slices.ContainsFunc(to.Edges, func(other entity.Edge) bool {
		return other.Through == edge.Through && other.Name != edge.Name
	})
	b.checkReference(at, to)
	if n.back == nil {
		b.checkImmutable(o, at, edge)
	}
	b.bindParts(o, at, n, d)
	return n
}

// keyField returns the field that sets a foreign key, or nil if there is none.
func keyField(holder *entity.Entity, column string, of *entity.Entity) *field {
	for i := range holder.Fields {
		if c := &holder.Fields[i]; c.Column == column && holder.Writer.Set[column] != nil {
			return &field{name: c.Name, column: c, to: of, nullable: c.Nullable && !c.Immutable}
		}
	}
	for i := range holder.Edges {
		if e := &holder.Edges[i]; e.OwnKey && e.Column == column && holder.Writer.Link[e.Name] != nil {
			return &field{name: e.Name, edge: e, to: of, nullable: e.Nullable}
		}
	}
	return nil
}

// bindParts binds the fields of a nested input.
func (b *binder) bindParts(o *inputObject, at string, n *nested, d *ast.FieldDefinition) {
	def := b.Schema.Types[d.Type.Name()]
	if d.Type.Elem != nil || d.Type.NonNull {
		b.refuse(at, "its type is %s; allowed is one input object, without !", d.Type)
		return
	}
	allowed, why := b.allowedParts(o, n)
	for _, f := range def.Fields {
		place := def.Name + "." + f.Name
		switch {
		case !slices.Contains(allowed, f.Name) && slices.Contains(parts, f.Name) && why != "":
			b.refuse(place, "%s; allowed: %s", why, strings.Join(allowed, ", "))
		case !slices.Contains(allowed, f.Name):
			b.refuse(place, "nothing reads this field; allowed here: %s", strings.Join(allowed, ", "))
		default:
			b.bindPart(place, n, f)
		}
	}
}

// allowedParts returns the parts that a nested input may have, and why others may not be there if
// ent/schema is the reason.
func (b *binder) allowedParts(o *inputObject, n *nested) (allowed []string, why string) {
	allowed = []string{partCreate, partConnect}
	if o.op == Update && !n.edge.Unique {
		allowed = parts
	}
	forbid := func(reason string, some ...string) {
		why = reason
		allowed = slices.DeleteFunc(slices.Clone(allowed), func(part string) bool { return slices.Contains(some, part) })
	}
	switch {
	case n.back != nil && n.back.fixed(n.to):
		forbid(n.to.Name+" is related for good, by an edge or a column that is Immutable() in ent/schema", partConnect, partSet, partDisconnect)
	case n.back != nil && !n.back.nullable && o.op == Update && !n.edge.Unique:
		forbid("rows of "+n.to.Name+" must be related to one of "+o.entity.Name+", so they cannot be disconnected", partSet, partDisconnect)
	}
	return allowed, why
}

func (b *binder) bindPart(at string, n *nested, d *ast.FieldDefinition) {
	def, many := b.Schema.Types[d.Type.Name()], !n.edge.Unique
	listed := d.Type.Elem != nil && d.Type.Elem.Elem == nil && d.Type.Elem.NonNull
	object := def.Kind == ast.InputObject
	switch {
	case d.DefaultValue != nil || d.Type.NonNull:
		b.refuse(at, "it must be possible to leave it out; take ! and the default out")
	case listed != many || !many && d.Type.Elem != nil:
		b.refuse(at, "its type is %s; allowed is %s", d.Type, map[bool]string{true: "a list, such as [ID!]", false: "a single value"}[many])
	case d.Name == partCreate && object:
		n.create = b.bindInput(inputKey{op: Create, of: n.to.Name, input: def.Name, within: n.edge})
	case d.Name == partUpdate && object:
		id, in := def.Fields.ForName("id"), def.Fields.ForName("input")
		if len(def.Fields) != 2 || id == nil || in == nil || id.Type.String() != "ID!" || !in.Type.NonNull || in.Type.Elem != nil || b.Schema.Types[in.Type.Name()].Kind != ast.InputObject {
			b.refuse(at, "its type is %s; allowed are objects of two fields: id: ID! and input, an input object with !", d.Type)
			return
		}
		n.update = b.bindInput(inputKey{op: Update, of: n.to.Name, input: in.Type.Name()})
	case d.Name == partCreate || d.Name == partUpdate || def.Name != "ID":
		b.refuse(at, "its type is %s; allowed: IDs for connect, set, disconnect and delete, and input objects for create and update", d.Type)
	}
}
