package rule

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"entgo.io/ent"
	"entgo.io/ent/dialect/sql"

	"forge/internal/apperr"
	"forge/internal/viewer"
)

// EvalMutation returns an *apperr.Error if the viewer may not make the mutation: UNAUTHENTICATED
// for an anonymous viewer, FORBIDDEN for others. It restricts an update or a delete to the rows
// that the viewer may change. A row that is made or changed has to be one that the viewer may make
// or change as it is then. If an owner creates a row, it makes the viewer the owner of the row.
func (p Policy) EvalMutation(ctx context.Context, m ent.Mutation) error {
	target, ok := m.(described)
	if !ok {
		return fmt.Errorf("rule: a %T cannot be restricted", m)
	}
	if viewer.RoleOf(ctx) == viewer.Anonymous {
		return apperr.Unauthenticated()
	}
	who, r := p.allows(ctx, m.Op()), &rows{described: target, owner: p.Owner}
	if err := p.keepTenant(ctx, m, r); err != nil {
		return err
	}
	if m.Op().Is(ent.OpCreate) {
		return p.create(ctx, m, who, r)
	}
	tenant, err := p.ofTenant(ctx, r)
	if err != nil {
		return err
	}
	tenant.restrict(target)
	return p.change(ctx, m, who, r)
}

func (p Policy) allows(ctx context.Context, op ent.Op) Who {
	switch {
	case op.Is(ent.OpCreate):
		return or(p.Create)
	case op.Is(ent.OpUpdate|ent.OpUpdateOne) && ctx.Value(markingKey{}) == nil:
		return or(p.Update)
	default:
		return or(p.Delete)
	}
}

// create returns an error if the viewer may not make a row. If owners may, and nothing says whose
// the row is, it is the viewer's.
func (p Policy) create(ctx context.Context, m ent.Mutation, who Who, r *rows) error {
	v := viewer.FromContext(ctx)
	if _, set := m.Field(p.Owner.Column); !set && v.Role == viewer.User && p.Owner.Path == "" && includes(who, Owners) {
		if err := m.SetField(p.Owner.Column, v.ID); err != nil {
			return err
		}
	}
	r.change = m
	if err := p.checkSet(ctx, m, r); err != nil {
		return err
	}
	a, err := who.of(ctx, r)
	if err == nil && a.none() {
		err = p.refused(m, who)
	}
	return err
}

// change restricts an update or a delete to the rows that the viewer may read and change. It
// returns an error if the viewer may change none, or not in this way.
func (p Policy) change(ctx context.Context, m ent.Mutation, who Who, r *rows) error {
	before, err := who.of(ctx, r)
	if err == nil && before.none() {
		err = apperr.Forbidden("", "only %s may do this", who.names())
	}
	readers := p.readers(who)
	if err == nil {
		before, err = readers.of(ctx, r)
	}
	if err != nil {
		return err
	}
	before.restrict(r)
	if err := p.checkSet(ctx, m, r); err != nil {
		return err
	}
	if m.Op().Is(ent.OpDelete | ent.OpDeleteOne) {
		return nil
	}
	of := *r
	of.change = m
	after, err := readers.of(ctx, &of)
	if err == nil && of.changed && after.when != nil {
		after, err = r.others(ctx, m, after)
	}
	switch {
	case err != nil || !of.changed:
		return err
	case after.none():
		return p.refused(m, who)
	}
	after.restrict(r)
	return nil
}

// refused returns the error that a row would be one that the viewer may not make or change.
func (p Policy) refused(m ent.Mutation, who Who) error {
	_, set := m.Field(p.Owner.Column)
	if includes(who, Owners) && (set || m.FieldCleared(p.Owner.Column)) {
		return apperr.Forbidden("", "only an administrator may make this somebody else's: "+
			"%s is to be your own ID", argument(p.Owner.Column))
	}
	return apperr.Forbidden("", "only %s may do this", who.names())
}

// checkSet returns an error if the mutation sets a column that the viewer may not set.
func (p Policy) checkSet(ctx context.Context, m ent.Mutation, r *rows) error {
	for _, column := range append(m.Fields(), m.ClearedFields()...) {
		who := p.SetBy[column]
		if who == nil || r.created() && defaults(m, column) {
			continue
		}
		a, err := who.of(ctx, r)
		if err == nil && a.when != nil {
			a, err = r.others(ctx, m, a)
		}
		if err != nil {
			return err
		}
		if a.none() {
			return apperr.Forbidden("", "only %s may change %s", who.names(), argument(column))
		}
		a.restrict(r)
	}
	return nil
}

// defaults reports whether a mutation sets a column to the default in ent/schema, as ent does
// itself if nothing else is said.
func defaults(m ent.Mutation, column string) bool {
	all := m.(interface{ Defaults() map[string]any }).Defaults()
	value, known := all[column]
	set, _ := m.Field(column)
	return known && reflect.DeepEqual(value, set)
}

// matching is a mutation of ent that changes rows. ent/template adds the method.
type matching interface {
	// Matching returns the conditions of the rows that the mutation changes.
	Matching() []func(*sql.Selector)
}

// others returns none if the mutation changes a row that is not one of the answer's. Otherwise it
// returns the answer.
func (r *rows) others(ctx context.Context, m ent.Mutation, a answer) (answer, error) {
	e, g := r.Described()
	found, err := g.Exists(system(ctx), e, func(s *sql.Selector) {
		for _, only := range slices.Clone(m.(matching).Matching()) {
			only(s)
		}
		s.Where(sql.P(func(b *sql.Builder) { b.Wrap(func(b *sql.Builder) { b.Join(a.when(s)) }).WriteString(" IS NOT TRUE") }))
	})
	if found || err != nil {
		return none, err
	}
	return a, nil
}
