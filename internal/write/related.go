package write

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"

	"forge/internal/apperr"
	"forge/internal/ids"
	"forge/internal/input"
)

// relatedTo adds the condition that rows are related to the row with a key.
func (n *nested) relatedTo(id ids.ID) func(*sql.Selector) {
	return func(s *sql.Selector) { s.Where(n.relatedToOne(s, []reference{{id: id}})) }
}

// relatedToOne returns the condition that rows are related to one of some others.
func (n *nested) relatedToOne(s *sql.Selector, list []reference) *sql.Predicate {
	if n.back != nil {
		return isOneOf(s.C(n.back.key()), list)
	}
	join := sql.Table(n.edge.Through)
	linked := sql.Dialect(s.Dialect()).Select(join.C(n.edge.Far)).From(join).Where(isOneOf(join.C(n.edge.Column), list))
	return sql.In(s.C(n.to.Fields[0].Column), linked)
}

// endsOthers reports whether rows that are related now, and that the input does not name, are no
// longer related afterwards.
func (l *link) endsOthers() bool {
	return l.sets || l.back != nil && l.edge.Unique && l.back.nullable && len(l.connect)+len(l.create) > 0
}

// findRelated looks for the rows that a nested input of an update wants to be related already, and
// finds out what changes in a join table.
func (t *tree) findRelated(ctx context.Context, w *Write, l *link) error {
	related := l.relatedTo(w.ID)
	var changed []reference
	for _, child := range l.update {
		changed = append(changed, reference{child.ID, strings.TrimSuffix(child.path, "input") + "id", w})
	}
	touched := l.disconnect
	if l.touches() == asksChange {
		changed, touched = append(changed, l.disconnect...), nil
	}
	for _, of := range []struct {
		asking asking
		list   []reference
	}{{asksReference, touched}, {asksChange, changed}, {asksRemoval, l.remove}} {
		missing, err := t.missing(ctx, l.to, of.asking, related, of.list)
		if err != nil {
			return err
		}
		if err := t.refuseEach(ctx, wanted{l.to, of.asking}, related, missing); err != nil {
			return err
		}
	}
	if err := t.faults.Err(); err != nil {
		return err
	}
	if !l.through() {
		return nil
	}
	return t.findJoined(ctx, w, l)
}

// findJoined finds out which rows of a join table are new, and which are to go.
func (t *tree) findJoined(ctx context.Context, w *Write, l *link) error {
	there, err := t.joined(ctx, w, l)
	if err != nil {
		return err
	}
	for _, r := range l.disconnect {
		l.drop = append(l.drop, r.id)
	}
	named := map[ids.ID]bool{}
	for _, r := range l.connect {
		named[r.id] = true
		if !there[r.id] {
			l.add = append(l.add, r.id)
		}
	}
	if !l.sets {
		return nil
	}
	var gone []reference
	for id := range there {
		if !named[id] {
			l.drop = append(l.drop, id)
			gone = append(gone, reference{id, l.path + "." + partSet, w})
		}
	}
	if l.touches() != asksChange {
		return nil
	}
	missing, err := t.missing(ctx, l.to, asksChange, nil, gone)
	if err != nil {
		return err
	}
	if err := t.refuseEach(ctx, wanted{l.to, asksChange}, nil, missing); err != nil {
		return err
	}
	return t.faults.Err()
}

// joined returns which rows the join table relates to a row: of those that are to be connected, or
// all that the viewer sees if the input sets them. Others stay related.
func (t *tree) joined(ctx context.Context, w *Write, l *link) (map[ids.ID]bool, error) {
	there := map[ids.ID]bool{}
	if !l.sets && len(l.connect) == 0 {
		return there, nil
	}
	found, err := t.keys(ctx, l.to, toSee, func(s *sql.Selector) {
		l.relatedTo(w.ID)(s)
		if !l.sets {
			s.Where(isOneOf(s.C(l.to.Fields[0].Column), l.connect))
		}
		s.Limit(MaxRows + 1)
	})
	for _, id := range found {
		there[id] = true
	}
	if err == nil && len(found) > MaxRows {
		return nil, apperr.BadInput(l.path+"."+partSet, "more than %d rows are related now; use connect and disconnect", MaxRows)
	}
	return there, err
}

// keepMutual leaves an edge that both rows have out of an update if it leads to the same row
// already. ent takes that for a row that belongs to another one.
func (t *tree) keepMutual(ctx context.Context, w *Write) error {
	for i, f := range w.of.fields {
		id, ok := w.values[i].any.(ids.ID)
		if f.mutual && f.nested == nil && ok {
			there, err := t.leads(ctx, w, f, id)
			if err != nil {
				return err
			}
			w.values[i].given = !there
		}
	}
	for _, l := range w.links {
		if l.own == nil || !mutual(l.to, l.own) || len(l.connect) == 0 {
			continue
		}
		there, err := t.leads(ctx, w, l.own, l.connect[0].id)
		if err != nil {
			return err
		}
		if there {
			l.connect = nil
		}
	}
	return nil
}

// leads reports whether the row leads to another one by the edge that a field sets.
func (t *tree) leads(ctx context.Context, w *Write, f *field, to ids.ID) (bool, error) {
	found, err := t.keys(ctx, w.of.entity, toSee, func(s *sql.Selector) {
		s.Where(sql.And(sql.EQ(s.C(w.of.entity.Fields[0].Column), w.ID.Value()), sql.EQ(s.C(f.key()), to.Value())))
	})
	return len(found) > 0, err
}

// changeRelated changes the related rows of an updated row: it releases, deletes and updates some,
// and connects others.
func (t *tree) changeRelated(ctx context.Context, w *Write, l *link) error {
	if l.back != nil {
		if err := t.release(ctx, w, l); err != nil {
			return err
		}
	}
	gone := &Write{Op: Delete, of: l.rows, path: l.path + "." + partDelete}
	gone.top = w.top
	if err := t.change(ctx, gone, idsOf(l.remove)); err != nil {
		return err
	}
	if err := t.updateAll(ctx, l.update); err != nil {
		return err
	}
	if l.back == nil {
		return nil
	}
	added := l.connect
	if l.sets { // those that are related already stay as they are
		var err error
		if added, err = t.missing(ctx, l.to, asksReference, l.relatedTo(w.ID), l.connect); err != nil {
			return err
		}
	}
	return t.relate(ctx, w, l, added)
}

// relate writes the key of a row into related ones.
func (t *tree) relate(ctx context.Context, w *Write, l *link, list []reference) error {
	return t.change(ctx, w.relating(l), idsOf(list))
}

// relating returns the write of rows that get the key of the row around them.
func (w *Write) relating(l *link) *Write {
	return &Write{Op: Update, of: l.rows, path: l.path + "." + partConnect, top: w.top, parent: w, within: l}
}

// release takes the key of a row out of related ones: those that the input disconnects, and those
// that others take the place of.
func (t *tree) release(ctx context.Context, w *Write, l *link) error {
	list := idsOf(l.disconnect)
	if l.endsOthers() {
		others, err := t.others(ctx, w, l)
		if err != nil {
			return err
		}
		list = append(list, others...)
	}
	return t.change(ctx, &Write{Op: Update, of: l.rows, path: l.path, top: w.top, parent: w, within: l, releases: true}, list)
}

// others returns the related rows that the input does not name. It returns an error if the viewer
// sees one, and may not change it.
func (t *tree) others(ctx context.Context, w *Write, l *link) ([]ids.ID, error) {
	shape := func(s *sql.Selector) {
		l.relatedTo(w.ID)(s)
		if len(l.connect) > 0 {
			s.Where(sql.Not(isOneOf(s.C(l.to.Fields[0].Column), l.connect)))
		}
		s.Limit(MaxRows + 1)
	}
	list, err := t.keys(ctx, l.to, toChange, shape)
	if err != nil {
		return nil, fmt.Errorf("look for the rows that are related to %s: %w", w.ID, err)
	}
	if len(list) > MaxRows {
		return nil, apperr.BadInput(l.path, "more than %d rows are related now; use connect and disconnect", MaxRows)
	}
	if !l.to.Ruled {
		return list, nil
	}
	seen, err := t.keys(ctx, l.to, toSee, shape)
	if err != nil {
		return nil, err
	}
	for _, id := range seen {
		if !slices.Contains(list, id) {
			return nil, input.NotYours(ctx, l.path, id)
		}
	}
	return list, nil
}

func idsOf(list []reference) (all []ids.ID) {
	for _, r := range list {
		all = append(all, r.id)
	}
	return all
}
