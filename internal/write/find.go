package write

import (
	"context"
	databasesql "database/sql"
	"fmt"
	"slices"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"forge/internal/apperr"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/input"
	"forge/internal/rule"
	"forge/internal/unit"
)

// mode is what rows are looked for.
type mode struct {
	within func(context.Context) context.Context // with the rows that the viewer may see, change or delete
	// lock keeps others from removing or changing the rows before the unit of work ends. SQLite has
	// only one writer at a time, and no such locks.
	lock string
}

// These are the modes. To refer to a row, the check of a foreign key would take the first lock a
// little later. A row that is marked as deleted is updated, so that its removal needs the second.
var (
	toSee    = mode{within: func(ctx context.Context) context.Context { return ctx }}
	toRefer  = mode{toSee.within, "FOR KEY SHARE"}
	toKeep   = mode{toSee.within, "FOR SHARE"}
	toChange = mode{rule.ForUpdate, "FOR NO KEY UPDATE"}
	toRemove = mode{rule.ForDelete, "FOR UPDATE"}
)

// asking is what the rows of references are looked for.
type asking int

// These are what they can be looked for.
const (
	asksReference asking = iota
	asksChange
	asksRemoval
)

func (a asking) mode(e *entity.Entity) mode {
	switch {
	case a == asksChange:
		return toChange
	case a == asksRemoval:
		return toRemove
	case e.Filtered:
		return toKeep
	}
	return toRefer
}

// wanted are the rows of one entity that inputs refer to, and what for.
type wanted struct {
	of      *entity.Entity
	purpose asking
}

// findReferences looks for all rows that the inputs refer to, with one statement for each entity.
// Where an edge leads to the own type, one more statement locks all rows that the inputs name.
// If some do not exist, if the viewer may not use them so, or if one would lead back to itself,
// findReferences returns the errors. If skips is true, it leaves out the rows whose inputs refer to
// such rows.
func (t *tree) findReferences(ctx context.Context, list []*Write, skips bool) error {
	if err := t.holdOwn(ctx, list); err != nil {
		return err
	}
	var kinds []wanted
	found := map[wanted][]reference{}
	add := func(of *entity.Entity, a asking, r reference) {
		k := wanted{of, a}
		if found[k] == nil {
			kinds = append(kinds, k)
		}
		found[k] = append(found[k], r)
	}
	for _, w := range list {
		if w.left == nil {
			w.references(add)
		}
	}
	for _, k := range kinds {
		missing, err := t.missing(ctx, k.of, k.purpose, nil, found[k])
		if err != nil {
			return err
		}
		if !skips {
			err = t.refuseEach(ctx, k, nil, missing)
		} else {
			err = t.leaveOut(ctx, k, missing)
		}
		if err != nil {
			return err
		}
	}
	if err := t.attach(ctx, list, skips); err != nil {
		return err
	}
	if err := t.faults.Err(); err != nil {
		return err
	}
	if refuseRings(list); !skips {
		return firstLeft(list)
	}
	return nil
}

// refuseEach adds an error about each of some references.
func (t *tree) refuseEach(ctx context.Context, k wanted, also func(*sql.Selector), list []reference) error {
	for _, r := range list {
		if t.faults.Full() {
			t.faults.Skip()
			continue
		}
		fault, err := t.fault(ctx, k.of, k.purpose, also, r)
		if err != nil {
			return err
		}
		t.faults.Add(fault)
	}
	return nil
}

// leaveOut leaves out the rows whose inputs have some references, with the error of the first.
func (t *tree) leaveOut(ctx context.Context, k wanted, list []reference) error {
	for _, r := range list {
		if r.row.top.left != nil {
			continue
		}
		fault, err := t.fault(ctx, k.of, k.purpose, nil, r)
		if err != nil {
			return err
		}
		r.row.top.left = fault
	}
	return nil
}

// references passes on what the input of a row refers to, and what for, with all that is nested in
// it. Rows that have to be related already are not among them.
func (w *Write) references(add func(*entity.Entity, asking, reference)) {
	e := w.of.entity
	for i, f := range w.of.fields {
		id, ok := w.values[i].any.(ids.ID)
		if f.to != nil && ok && !f.to.Files && f.column != &e.Fields[0] {
			purpose := asksReference
			if f.mutual {
				purpose = asksChange
			}
			add(f.to, purpose, reference{id, w.path + "." + f.name, w})
		}
	}
	for _, l := range w.links {
		for _, r := range l.connect {
			if !l.to.Files { // attach takes these
				add(l.to, l.touches(), r)
			}
		}
		for _, child := range slices.Concat(l.create, l.update) {
			child.references(add)
		}
	}
}

// touches returns what a related row has to be looked for, to relate it. It is changed if it holds
// the key, as both rows of a mutual edge do, or if the edge is declared as its own.
func (n *nested) touches() asking {
	if n.back != nil || n.own != nil && mutual(n.to, n.own) || n.through() && n.edge.Inverse {
		return asksChange
	}
	return asksReference
}

// missing returns the references to rows that do not exist, or that the viewer may not use so. It
// locks the other rows.
func (t *tree) missing(ctx context.Context, e *entity.Entity, a asking, also func(*sql.Selector), list []reference) (missing []reference, err error) {
	if len(list) == 0 {
		return nil, nil
	}
	found, err := t.keys(ctx, e, a.mode(e), func(s *sql.Selector) {
		s.Where(isOneOf(s.C(e.Fields[0].Column), list))
		if also != nil {
			also(s)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("look for rows of %s: %w", e.Name, err)
	}
	there := make(map[ids.ID]bool, len(found))
	for _, id := range found {
		there[id] = true
	}
	return slices.DeleteFunc(slices.Clone(list), func(r reference) bool { return there[r.id] }), nil
}

// fault returns why a row cannot be used.
func (t *tree) fault(ctx context.Context, e *entity.Entity, a asking, also func(*sql.Selector), r reference) (*apperr.Error, error) {
	if a != asksReference && e.Ruled {
		seen, err := t.keys(ctx, e, toSee, func(s *sql.Selector) {
			s.Where(isOneOf(s.C(e.Fields[0].Column), []reference{r}))
			if also != nil {
				also(s)
			}
		})
		if err != nil {
			return nil, err
		}
		if len(seen) > 0 {
			return input.NotYours(ctx, r.path, r.id), nil
		}
	}
	missing := input.Missing(ctx, r.path, r.id)
	if also != nil {
		of := apperr.New(missing.Code, missing.Field, "there is no %s among the related rows of %s", r.id, r.row.ID)
		of.More = missing.More
		missing = of
	}
	return missing, nil
}

// isOneOf returns the condition that a column has the key of one of the references.
func isOneOf(column string, list []reference) *sql.Predicate {
	if len(list) == 1 {
		return sql.EQ(column, list[0].id.Value())
	}
	values, there := make([]any, 0, len(list)), make(map[ids.ID]bool, len(list))
	for _, r := range list {
		if !there[r.id] {
			there[r.id] = true
			values = append(values, r.id.Value())
		}
	}
	return sql.In(column, values...)
}

// keys returns the IDs of the rows that shape leaves, among those of the mode, ordered by their
// keys. All lock rows in this order, so that two mutations of the same rows seldom wait for each
// other in a circle.
func (t *tree) keys(ctx context.Context, e *entity.Entity, of mode, shape func(*sql.Selector)) (list []ids.ID, err error) {
	err = t.look(of.within(ctx), e, of.lock, func(s *sql.Selector) {
		key := s.C(e.Fields[0].Column)
		s.AppendSelect(key).OrderBy(key)
		shape(s)
	}, func(rows *databasesql.Rows) error {
		id, err := scanKey(rows, e)
		list = append(list, id)
		return err
	})
	return list, err
}

// scanKey reads a key from the only column of a row.
func scanKey(rows *databasesql.Rows, e *entity.Entity) (ids.ID, error) {
	to, id := keyOf(e)
	err := rows.Scan(to)
	return id(), err
}

// keyOf returns where a key of the entity is scanned to, and a function that returns its ID then.
func keyOf(e *entity.Entity) (to any, id func() ids.ID) {
	switch e.Keys {
	case ids.UUID:
		var key uuid.UUID
		return &key, func() ids.ID { return ids.ID{Prefix: e.Prefix, UUID: key} }
	case ids.Number:
		var n int64
		return &n, func() ids.ID { return ids.OfNumber(e.Prefix, n) }
	}
	var text string
	return &text, func() ids.ID { return ids.OfText(e.Prefix, text) }
}

// look runs a query that ent writes for the rows that the viewer may see. The function shape sets
// its columns and adds conditions.
func (t *tree) look(ctx context.Context, e *entity.Entity, lock string, shape func(*sql.Selector), row func(*databasesql.Rows) error) error {
	u := unit.FromContext(ctx)
	if lock != "" && t.held[e] {
		lock += " NOWAIT"
	}
	var statement unit.Statement
	err := t.query(unit.Capture(ctx, &statement), u, e, func(s *sql.Selector) {
		s.Select()
		shape(s)
		if lock != "" && s.Dialect() == dialect.Postgres {
			s.ForShare(sql.WithLockClause(lock))
		}
	})
	if err != nil {
		return err
	}
	return t.read(ctx, statement.Text, statement.Args, row)
}

func (t *tree) read(ctx context.Context, text string, args []any, row func(*databasesql.Rows) error) error {
	return unit.FromContext(ctx).Rows(ctx, func(rows *databasesql.Rows) error {
		for rows.Next() {
			if err := row(rows); err != nil {
				return err
			}
		}
		return nil
	}, text, args...)
}

// versions returns a function that reads the version of a row, or 0 if rows have none.
func (t *tree) versions(e *entity.Entity, id ids.ID, lock string) input.Versions {
	return func(ctx context.Context) (found []int, err error) {
		err = t.look(ctx, e, lock, func(s *sql.Selector) {
			if version := e.Field("version"); version != nil {
				s.AppendSelect(s.C(version.Column))
			} else {
				s.AppendSelectExpr(sql.Raw("0"))
			}
			s.Where(sql.EQ(s.C(e.Fields[0].Column), id.Value()))
		}, func(rows *databasesql.Rows) error {
			found = append(found, 0)
			return rows.Scan(&found[len(found)-1])
		})
		return found, err
	}
}
