package write

import (
	"cmp"
	"slices"

	"forge/internal/apperr"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/message"
)

// rings holds what inputs say of edges to rows of the own entity: where each leads. An edge that
// has many rows at its other end makes a tree, so that no row may lead back to itself.
type rings struct {
	leads map[step]lead
	noted int
	added []step // by the root field that is followed now, in the order of its input
}

// lead is where an edge leads to, and the path of the input that says so.
type lead struct {
	to    node
	path  string
	tree  bool // false if both rows have the edge: then only the row itself can be its end
	order int  // a later one has a larger number
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

// add follows the input of a row, and all that is nested in it.
func (r *rings) add(w *Write) {
	for i, f := range w.of.fields {
		if id, ok := w.values[i].any.(ids.ID); ok && f.to == w.of.entity {
			r.lead(f.to, f, w.node(), node{id: id}, w.path+"."+f.name)
		}
	}
	for _, l := range w.links {
		r.addLink(w, l)
		for _, child := range slices.Concat(l.create, l.update) {
			r.add(child)
		}
	}
}

// addLink follows the edge of a nested input.
func (r *rings) addLink(w *Write, l *link) {
	if l.to != w.of.entity || l.through() {
		return
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
		r.lead(l.to, cmp.Or(l.own, l.back), from, to, paths[i])
	}
}

// lead notes where the edge of a row leads.
func (r *rings) lead(e *entity.Entity, f *field, from, to node, path string) {
	edge, tree := ownEdge(e, f.key())
	if edge == nil || !tree && !mutual(e, f) {
		return
	}
	at := step{edge, from}
	r.noted++
	r.leads[at] = lead{to, path, tree, r.noted}
	r.added = append(r.added, at)
}

// find returns an error about the first ring that the added edges close. It passes each edge once,
// however long the ways are.
func (r *rings) find() error {
	walks := map[step]int{} // the number of the walk that has passed an edge
	for i, begin := range r.added {
		for at, walk := begin, i+1; ; at.from = r.leads[at].to {
			l, leads := r.leads[at]
			if !leads || !l.tree && l.to != at.from || walks[at] > 0 && walks[at] < walk {
				break
			}
			if walks[at] == walk {
				return r.closed(at)
			}
			walks[at] = walk
		}
	}
	return nil
}

// closed returns the error about a ring, at the input that has closed it: the last one of it.
func (r *rings) closed(at step) error {
	last := at
	for next := r.after(at); next != at; next = r.after(next) {
		if r.leads[next].order > r.leads[last].order {
			last = next
		}
	}
	row := message.New("the new row")
	if last.from.input == nil {
		row = message.New("%s", last.from.id)
	}
	return apperr.BadInput(r.leads[last].path, "%s would lead back to itself by the edge %s", row, at.edge.Name)
}

// after returns the same edge of the row that an edge leads to.
func (r *rings) after(at step) step { return step{at.edge, r.leads[at].to} }

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
	r := rings{leads: map[step]lead{}}
	for _, w := range list {
		if w.left != nil {
			continue
		}
		r.added = nil
		r.add(w)
		if w.left = r.find(); w.left != nil {
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
