package write

import (
	"cmp"
	"slices"

	"forge/internal/apperr"
	"forge/internal/entity"
	"forge/internal/ids"
)

// rings holds what inputs say of edges to rows of the own entity: where each leads. An edge that
// has many rows at its other end makes a tree, so that no row may lead back to itself.
type rings struct {
	leads map[step]node
	added []step // by the row that is followed now
}

// step is the edge of a row.
type step struct {
	edge *entity.Edge
	from node
}

// node is a row, by its ID, or by its input if it is new and the input does not set its ID.
type node struct {
	id    ids.ID
	input *Write
}

func (w *Write) node() node {
	if w.Op != Create {
		return node{id: w.ID}
	}
	for i, f := range w.of.fields {
		if id, ok := w.values[i].any.(ids.ID); ok && f.column == &w.of.entity.Fields[0] {
			return node{id: id}
		}
	}
	return node{input: w}
}

// add follows the input of a row, and all that is nested in it. It returns an error if a row would
// lead back to itself.
func (r *rings) add(w *Write) error {
	for i, f := range w.of.fields {
		if id, ok := w.values[i].any.(ids.ID); ok && f.to == w.of.entity {
			if err := r.lead(f.to, f, w.node(), node{id: id}, w.path+"."+f.name); err != nil {
				return err
			}
		}
	}
	for _, l := range w.links {
		if err := r.addLink(w, l); err != nil {
			return err
		}
		for _, child := range slices.Concat(l.create, l.update) {
			if err := r.add(child); err != nil {
				return err
			}
		}
	}
	return nil
}

// addLink follows the edge of a nested input.
func (r *rings) addLink(w *Write, l *link) error {
	if l.to != w.of.entity || l.through() {
		return nil
	}
	related, paths := []node{}, []string{}
	for _, c := range l.connect {
		related, paths = append(related, node{id: c.id}), append(paths, c.path)
	}
	for _, child := range slices.Concat(l.create, l.update) {
		related, paths = append(related, child.node()), append(paths, child.path)
	}
	for i, to := range related {
		from := w.node()
		if l.back != nil {
			from, to = to, from
		}
		if err := r.lead(l.to, cmp.Or(l.own, l.back), from, to, paths[i]); err != nil {
			return err
		}
	}
	return nil
}

// lead notes where the edge of a row leads.
func (r *rings) lead(e *entity.Entity, f *field, from, to node, path string) error {
	edge, tree := ownEdge(e, f.key())
	if edge == nil || !tree && !mutual(e, f) {
		return nil
	}
	r.leads[step{edge, from}] = to
	r.added = append(r.added, step{edge, from})
	for at, ok := to, true; ok; at, ok = r.leads[step{edge, at}] {
		switch {
		case at == from && from.input != nil:
			return apperr.BadInput(path, "the new row would lead back to itself by the edge %s", edge.Name)
		case at == from:
			return apperr.BadInput(path, "%s would lead back to itself by the edge %s", from.id, edge.Name)
		case !tree:
			return nil
		}
	}
	return nil
}

// ownEdge returns the edge to one row of the own entity that a column holds the key of, or nil. It
// makes a tree if it leads to many rows in the other direction.
func ownEdge(e *entity.Entity, column string) (own *entity.Edge, tree bool) {
	for i := range e.Edges {
		switch edge := &e.Edges[i]; {
		case edge.To != e.Name || edge.Column != column || edge.Through != "":
		case edge.OwnKey && edge.Unique:
			own = edge
		case !edge.Unique:
			tree = true
		}
	}
	return own, tree
}

// refuseRings leaves out the rows of root fields whose inputs would have a row lead back to itself.
func refuseRings(list []*Write) {
	r := rings{leads: map[step]node{}}
	for _, w := range list {
		if w.left != nil {
			continue
		}
		r.added = nil
		if w.left = r.add(w); w.left != nil {
			for _, of := range r.added {
				delete(r.leads, of)
			}
		}
	}
}

// refuseRing returns an error if rows that get the same would lead to one of themselves.
func (w *Write) refuseRing(list []ids.ID) error {
	for _, id := range list {
		one := *w
		one.ID = id
		if refuseRings([]*Write{&one}); one.left != nil {
			return one.left
		}
	}
	return nil
}
