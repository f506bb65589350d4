package write

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/ids"
	"forge/internal/rule"
	"forge/internal/unit"
)

// together writes rows with few statements, by all. If that is refused, it is undone, and singly
// writes row by row instead: so the error is that of the row at fault, with its path.
func (t *tree) together(ctx context.Context, all, singly func() error) error {
	err := unit.FromContext(ctx).Savepoint(ctx, all)
	_, fault := errors.AsType[*apperr.Error](err)
	_, row := errors.AsType[*RowError](err)
	if _, violates := database.Violation(err); violates || fault || row {
		return singly()
	}
	return err
}

// updateAll updates rows of one input object. Those that have the same set take one statement.
func (t *tree) updateAll(ctx context.Context, list []*Write) error {
	singly := func() error {
		for _, w := range list {
			if err := t.update(ctx, w); err != nil {
				return err
			}
		}
		return nil
	}
	groups := equal(list)
	if len(groups) == len(list) {
		return singly()
	}
	return t.together(ctx, func() error {
		for _, group := range groups {
			made := make([]ids.ID, len(group))
			for i, w := range group {
				made[i] = w.ID
			}
			if err := t.changeThese(ctx, group[0], made); err != nil {
				return err
			}
		}
		return nil
	}, singly)
}

// equal returns the rows in groups that have the same set. Rows that others are nested in, or that
// hooks or functions of the application look at, are groups of their own.
func equal(list []*Write) (groups [][]*Write) {
	places := map[string]int{}
	for i, w := range list {
		if len(w.links) > 0 || w.of.added.Before != nil || w.of.entity.Hooked || w.of.mutual {
			return make([][]*Write, len(list))
		}
		values := fmt.Sprint(w.values)
		place, ok := places[values]
		if !ok || !reflect.DeepEqual(groups[place][0].values, w.values) {
			place, groups = len(groups), append(groups, nil)
			places[values] = place
		}
		groups[place] = append(groups[place], list[i])
	}
	return groups
}

// connectAll relates rows that are there already to new rows, if the related rows hold the keys.
func (t *tree) connectAll(ctx context.Context, list []*Write) error {
	var links []connecting
	shared := false
	places := map[*nested]int{}
	for _, w := range list {
		for _, l := range w.links {
			if l.back != nil && len(l.connect) > 0 {
				links = append(links, connecting{w, l})
				places[l.nested]++
				shared = shared || places[l.nested] > 1 && l.shares()
			}
		}
	}
	singly := func() error {
		for _, a := range links {
			if err := t.relate(ctx, a.row, a.link, a.link.connect); err != nil {
				return err
			}
		}
		return nil
	}
	if !shared {
		return singly()
	}
	return t.together(ctx, func() error { return t.connectEach(ctx, links) }, singly)
}

// connecting is a new row, and what its input says of related rows.
type connecting struct {
	row  *Write
	link *link
}

// shares reports whether one statement may write different keys into related rows. Hooks and
// policies see one key, so that none may decide by it.
func (n *nested) shares() bool {
	return n.rows.added.Before == nil && !n.to.Hooked && n.to.Writer.Modify != nil && !rule.Weighs(n.to, n.back.key())
}

// connectEach relates rows with a statement for each edge where that is possible.
func (t *tree) connectEach(ctx context.Context, links []connecting) error {
	done := map[*nested]bool{}
	for _, a := range links {
		if !a.link.shares() {
			if err := t.relate(ctx, a.row, a.link, a.link.connect); err != nil {
				return err
			}
			continue
		}
		if done[a.link.nested] {
			continue
		}
		done[a.link.nested] = true
		var same []connecting
		var all []ids.ID
		for _, other := range links {
			if other.link.nested == a.link.nested {
				same = append(same, other)
				all = append(all, idsOf(other.link.connect)...)
			}
		}
		w := a.row.relating(a.link)
		w.keys = keysOf(same)
		if err := t.changeThese(ctx, w, all); err != nil {
			return err
		}
	}
	return nil
}

// keysOf returns an expression for the key of the row that each related row is related to.
func keysOf(list []connecting) sql.Querier {
	e := list[0].link.to
	id, key := sql.Table(e.Table).C(e.Fields[0].Column), list[0].row.of.entity.Keys
	return sql.ExprFunc(func(b *sql.Builder) {
		b.WriteString("CASE")
		for _, a := range list {
			b.WriteString(" WHEN ").Join(isOneOf(id, a.link.connect)).WriteString(" THEN ")
			argument(b, key, a.row.ID)
		}
		b.WriteString(" END")
	})
}

// argument writes a key. PostgreSQL takes the branches of a CASE for texts unless their type stands
// there.
func argument(b *sql.Builder, form ids.Form, id ids.ID) {
	if b.Dialect() != dialect.Postgres {
		b.Arg(id.Value())
		return
	}
	b.WriteString("CAST(").Arg(id.Value()).WriteString(" AS " + map[ids.Form]string{ids.UUID: "uuid", ids.Number: "bigint", ids.Text: "text"}[form] + ")")
}
