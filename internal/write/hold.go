package write

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/unit"
)

// holding is what inputs say of the rows of one entity, as far as these have to be locked.
type holding struct {
	own    bool // an edge leads from rows of the entity to others of it
	remove bool
	rows   []reference
	losing map[*nested][]reference // rows whose related rows may lose the edge
}

// holdings are those of all entities of a mutation.
type holdings map[*entity.Entity]*holding

// holdOwn locks the rows of an entity that the inputs name, or that lose an edge, if an edge leads
// to the own type. It does so with one statement for each entity, ordered by key, before anything
// else: if the input decided the order, two mutations of the same rows would wait for each other.
// A row that is related a moment later is not among them. The mutation does not wait for such a row,
// but is attempted again if somebody else has locked it.
func (t *tree) holdOwn(ctx context.Context, list []*Write) error {
	if unit.FromContext(ctx).Dialect() != dialect.Postgres {
		return nil // SQLite has one writer at a time
	}
	all := holdings{}
	for _, w := range list {
		all.add(w)
	}
	byName := func(a, b *entity.Entity) int { return cmp.Compare(a.Name, b.Name) }
	for _, e := range slices.SortedFunc(maps.Keys(all), byName) {
		h := all[e]
		if !h.own || len(h.rows)+len(h.losing) < 2 {
			continue
		}
		lock := toChange.lock
		if h.remove {
			lock = toRemove.lock
		}
		if _, err := t.keys(ctx, e, mode{toSee.within, lock}, func(s *sql.Selector) { h.shape(s, e) }); err != nil {
			return fmt.Errorf("lock rows of %s: %w", e.Name, err)
		}
		t.held[e] = true
	}
	return nil
}

// shape adds the condition that rows are among those to be locked.
func (h *holding) shape(s *sql.Selector, e *entity.Entity) {
	var one []*sql.Predicate
	if len(h.rows) > 0 {
		one = append(one, isOneOf(s.C(e.Fields[0].Column), h.rows))
	}
	for n, rows := range h.losing {
		one = append(one, n.relatedToOne(s, rows))
	}
	s.Where(sql.Or(one...)).Limit(2 * MaxRows)
}

func (all holdings) of(e *entity.Entity) *holding {
	if all[e] == nil {
		all[e] = &holding{losing: map[*nested][]reference{}}
	}
	return all[e]
}

// add adds what the input of a row names, with all that is nested in it. Rows that are only
// referred to by a key can be changed by others, unless their deletion would be an update.
func (all holdings) add(w *Write) {
	e := w.of.entity
	if w.Op != Create {
		all.of(e).rows = append(all.of(e).rows, reference{id: w.ID})
	}
	for i, f := range w.of.fields {
		if id, ok := w.values[i].any.(ids.ID); ok && f.to == e && (f.mutual || e.Filtered) {
			all.of(e).own = true
			all.of(e).rows = append(all.of(e).rows, reference{id: id})
		}
	}
	for _, l := range w.links {
		all.addLink(w, l)
		for _, child := range slices.Concat(l.create, l.update) {
			all.add(child)
		}
	}
}

func (all holdings) addLink(w *Write, l *link) {
	h := all.of(l.to)
	h.own = h.own || l.to == w.of.entity
	h.remove = h.remove || len(l.remove) > 0
	if l.through() || l.touches() == asksChange || l.to.Filtered {
		h.rows = append(h.rows, l.connect...)
	}
	h.rows = append(append(h.rows, l.disconnect...), l.remove...)
	if w.Op != Create && l.endsOthers() {
		h.losing[l.nested] = append(h.losing[l.nested], reference{id: w.ID})
	}
}
