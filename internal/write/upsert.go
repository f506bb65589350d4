package write

import (
	"context"
	databasesql "database/sql"
	"errors"
	"slices"

	"entgo.io/ent/dialect/sql"

	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/input"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// unique is a set of columns that no two rows have the same values in.
type unique struct {
	name string // in the API
	// fields are those of the input that set the columns. A column in folded is compared with the
	// value's entity.Fold, and is another one than the field's.
	fields []int
	folded []string
	// tenant is the one of the columns that the policy sets, or "". The input may leave it out: a
	// viewer with a tenant sees only rows of that one. If unnamed is true, no field sets it.
	tenant  string
	unnamed bool
}

// upsert creates a row, or updates the row that has the same values in unique columns. If update is
// false, that row stays as it is. It reports whether the row is new. The row is looked for first:
// if it is there, the mutation is an update, with the policy and the hooks of one. The unique keys
// of the entity are for the error if others are taken.
func (t *tree) upsert(ctx context.Context, w *Write, on *unique, keys []*unique, update bool) (created bool, err error) {
	if on.unnamed && !viewer.HasTenant(ctx) {
		return false, apperr.Forbidden("", "your token names no tenant")
	}
	for place, i := range on.fields {
		f, v := w.of.fields[i], &w.values[i]
		v.found = f.key() == on.tenant
		if !v.given && v.found && viewer.HasTenant(ctx) {
			continue
		} else if !v.given {
			return false, apperr.BadInput(w.path+"."+f.name, "%s is needed to look for the row (onConflict.on is %s)", f.name, on.name)
		} else if _, ok := v.any.(string); !ok && v.any != nil && on.folded[place] != "" {
			return false, apperr.BadInput("onConflict.on", "%s cannot be looked for", f.name)
		}
		if v.any == nil {
			return true, t.create(ctx, []*Write{w}) // NULL is like no other value
		}
	}
	for last := false; ; last = true {
		there, err := t.holder(ctx, w, on, update)
		if err != nil {
			return false, err
		}
		if there != nil {
			w.ID = *there
			if !update {
				return false, nil
			}
			w.Op = Update
			if refuseRings([]*Write{w}); w.left != nil {
				return false, w.left
			}
			w.links = slices.DeleteFunc(w.links, func(l *link) bool { return l.own != nil && l.own.fixed(w.of.entity) })
			return false, t.update(ctx, w)
		}
		err = unit.FromContext(ctx).Savepoint(ctx, func() error { return t.create(ctx, []*Write{w}) })
		v, violates := database.Violation(err)
		fault, _ := errors.AsType[*apperr.Error](err) // of a function of the application
		if last || !(violates && v.Rule == database.Unique || fault != nil && fault.Code == apperr.CodeConflict) {
			return true, t.firstTaken(ctx, w, keys, err)
		}
		// Somebody else has created the row since it was looked for, or the viewer does not see it.
	}
}

// holder returns the ID of the row that has the values, or nil if the viewer sees none. It returns
// FORBIDDEN if the viewer sees the row and is to update it, but may not.
func (t *tree) holder(ctx context.Context, w *Write, on *unique, update bool) (*ids.ID, error) {
	e := w.of.entity
	shape := func(s *sql.Selector) {
		for place, i := range on.fields {
			if !w.values[i].given {
				continue
			}
			s.Where(sql.EQ(s.C(on.column(w, place)), w.of.fields[i].stored(w.values[i].any, on.folded[place])))
		}
	}
	of := toSee
	if update {
		of = toChange
	}
	for _, of := range []mode{of, toSee} {
		found, err := t.keys(ctx, e, of, shape)
		switch {
		case err != nil:
			return nil, err
		case len(found) == 0:
		case update && of.lock == "":
			return nil, input.NotYours(ctx, "", found[0])
		default:
			return &found[0], nil
		}
		if !update || !e.Ruled {
			break
		}
	}
	return nil, nil
}

// firstTaken returns CONFLICT at the first field whose value is taken, in the place of an error
// about a unique key. If several keys are taken, each database reports another one.
func (t *tree) firstTaken(ctx context.Context, w *Write, keys []*unique, err error) error {
	v, violates := database.Violation(err)
	_, nested := errors.AsType[*RowError](err)
	if !violates || v.Rule != database.Unique || v.Table != w.of.entity.Table || nested {
		return err
	}
	for _, on := range keys {
		taken, failed := t.taken(ctx, w, on)
		if failed != nil {
			return failed
		}
		if taken {
			return apperr.AlreadyTaken(w.path + "." + w.of.fields[on.fields[0]].name)
		}
	}
	return err
}

// taken reports whether a row has the values of a unique key, whether or not the viewer sees it.
func (t *tree) taken(ctx context.Context, w *Write, on *unique) (bool, error) {
	e := w.of.entity
	table := sql.Table(e.Table)
	var where []*sql.Predicate
	for place, i := range on.fields {
		if w.values[i].any == nil {
			return false, nil // NULL is like no other value
		}
		where = append(where, sql.EQ(table.C(on.column(w, place)), w.of.fields[i].stored(w.values[i].any, on.folded[place])))
	}
	if e.Deleted != "" {
		where = append(where, sql.IsNull(table.C(e.Deleted)))
	}
	there := false
	text, args := sql.Dialect(unit.FromContext(ctx).Dialect()).Select(table.C(e.Fields[0].Column)).From(table).Where(sql.And(where...)).Limit(1).Query()
	err := t.read(ctx, text, args, func(*databasesql.Rows) error {
		there = true
		return nil
	})
	return there, err
}

func (u *unique) column(w *Write, place int) string {
	if u.folded[place] != "" {
		return u.folded[place]
	}
	return w.of.fields[u.fields[place]].key()
}

// stored returns a value as an argument that is compared with its column.
func (f *field) stored(v any, folded string) any {
	switch v := v.(type) {
	case ids.ID:
		return v.Value()
	case string:
		if folded != "" {
			return entity.Fold(v)
		}
	}
	return v
}
