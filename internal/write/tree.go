package write

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/read"
	"forge/internal/read/binding"
	"forge/internal/rule"
	"forge/internal/unit"
)

// tree is what one mutation writes: rows, and those nested in them.
type tree struct {
	query   read.Query
	faults  apperr.Errors           // of the input
	alone   bool                    // the mutation is about one row, besides those nested in it
	rows    int                     // how many rows the nested inputs name
	named   map[namedRow]string     // where the inputs name a row
	held    map[*entity.Entity]bool // by holdOwn
	claimed map[ids.ID]*Write       // the files that were attached, and the top row for which
	// upserts says that the mutation may update a row which it is to find.
	upserts bool
}

// maxParameters is how many parameters a statement has at most. SQLite allows 32,766.
const maxParameters = 30_000

// create creates rows of one input object, with all that is nested in them. The number of
// statements does not depend on the number of rows, unless hooks or policies have to see the key of
// each one that others are related to.
func (t *tree) create(ctx context.Context, list []*Write) error {
	if err := t.createRelated(ctx, list, false); err != nil {
		return err
	}
	for _, w := range list {
		if err := t.fill(ctx, w, nil); err != nil {
			return err
		}
	}
	if err := t.insert(ctx, list); err != nil {
		return err
	}
	if err := t.connectAll(ctx, list); err != nil {
		return err
	}
	return t.finish(ctx, list)
}

// finish creates what is nested in rows and holds their keys, and ends the rows.
func (t *tree) finish(ctx context.Context, list []*Write) error {
	if err := t.createRelated(ctx, list, true); err != nil {
		return err
	}
	for _, w := range list {
		if err := w.end(ctx); err != nil {
			return err
		}
	}
	return nil
}

// createRelated creates the rows that are nested in others: those that hold the keys of the rows
// around them, or all others.
func (t *tree) createRelated(ctx context.Context, list []*Write, holdsKey bool) error {
	if t.rows == 0 {
		return nil
	}
	for _, f := range list[0].of.fields {
		if f.nested == nil || (f.nested.back != nil) != holdsKey {
			continue
		}
		var rows []*Write
		for _, w := range list {
			for _, l := range w.links {
				if l.nested == f.nested {
					rows = append(rows, l.create...)
				}
			}
		}
		if len(rows) > 0 {
			if err := t.create(ctx, rows); err != nil {
				return err
			}
		}
	}
	return nil
}

// fill makes ent's mutation, and sets what is to be written. The mutation applies to the rows that
// fulfil the condition.
func (t *tree) fill(ctx context.Context, w *Write, where func(*sql.Selector)) error {
	e, op := w.of.entity, w.entOp()
	w.Mutation = e.Writer.New(ctx, op, key(w.ID, e.Keys))
	w.after, w.failures = nil, nil
	if w.Op != Create {
		w.Mutation.Where(where)
	}
	for i, f := range w.of.fields {
		if v := w.values[i]; v.given && !(w.Op == Update && w.of.op == Create && (v.found || f.fixed(e))) {
			if err := f.set(e.Writer, w.Mutation.Mutation, v.any); err != nil {
				return err
			}
		}
	}
	if err := w.setKeys(); err != nil {
		return err
	}
	var err error
	switch {
	case w.Op == Restore:
		w.Mutation.Where(func(s *sql.Selector) { s.Where(sql.NotNull(s.C(e.Deleted))) })
		err = w.Mutation.ClearField(e.Deleted)
	case op != ent.OpDelete && w.Op == Delete:
		err = w.Mutation.SetField(e.Deleted, time.Now().UTC().Truncate(time.Microsecond))
	}
	if err == nil && w.of.added.Before != nil {
		err = w.of.added.Before(ctx, w)
	}
	return w.located(err)
}

// entOp returns ent's operation. Only an update of one row can change the rows of a join table, or
// an edge that both rows have.
func (w *Write) entOp() ent.Op {
	switch {
	case w.Op == Create:
		return ent.OpCreate
	case w.Op == Delete && w.of.entity.Deleted == "":
		return ent.OpDelete
	case w.Op == Update && (w.of.mutual || slices.ContainsFunc(w.links, (*link).joins)):
		return ent.OpUpdateOne
	}
	return ent.OpUpdate
}

// joins reports whether rows of a join table are to change.
func (l *link) joins() bool {
	return l.through() && len(l.add)+len(l.drop)+len(l.create) > 0
}

// fixed reports whether only new rows have the field set.
func (f *field) fixed(e *entity.Entity) bool {
	return f.edge != nil && f.edge.Immutable || f.column != nil && (f.column.Immutable || f.column == &e.Fields[0])
}

// setKeys sets the keys of related rows in the mutation.
func (w *Write) setKeys() error {
	writer, m := w.of.entity.Writer, w.Mutation.Mutation
	if w.within != nil && w.within.back != nil && w.Op != Delete {
		var around any
		if !w.releases {
			around = w.parent.ID
		}
		if w.Op != Update || w.of == w.within.rows {
			if err := w.within.back.set(writer, m, around); err != nil {
				return err
			}
		}
	}
	for _, l := range w.links {
		made := make([]ids.ID, len(l.create))
		for i, child := range l.create {
			made[i] = child.ID
		}
		switch {
		case l.own != nil:
			for _, id := range append(made, idsOf(l.connect)...) {
				if err := l.own.set(writer, m, id); err != nil {
					return err
				}
			}
		case l.through():
			added := l.add
			if w.Op == Create {
				added = idsOf(l.connect)
			}
			for _, id := range slices.Concat(added, made) {
				writer.Link[l.edge.Name](m, key(id, l.to.Keys))
			}
			for _, id := range l.drop {
				writer.Unlink[l.edge.Name](m, key(id, l.to.Keys))
			}
		}
	}
	return nil
}

// insert saves new rows. The statement of a single row returns what the payload shows, unless more
// is written after it.
func (t *tree) insert(ctx context.Context, list []*Write) error {
	if len(list) == 1 {
		w := list[0]
		within := ctx
		if t.alone && t.rows == 0 && len(w.after) == 0 {
			within = read.WithFinalWrite(ctx)
		}
		id, _, err := w.Mutation.Save(within)
		w.ID = id
		return w.failed(w.refused(err))
	}
	for _, group := range alike(list) {
		e := group[0].of.entity
		for rows := range slices.Chunk(group, max(1, maxParameters/(len(e.Fields)+len(e.Edges)+1))) {
			if err := t.insertAll(ctx, rows); err != nil {
				return err
			}
		}
	}
	return nil
}

// alike returns the rows in groups that set the same columns, where one statement for all would set
// NULL in the place of a default of the database.
func alike(list []*Write) (groups [][]*Write) {
	if !list[0].of.grouped {
		return [][]*Write{list}
	}
	places := map[string]int{}
	for _, w := range list {
		set := slices.Sorted(slices.Values(w.Mutation.Fields()))
		columns := strings.Join(set, ",")
		place, ok := places[columns]
		if !ok {
			place = len(groups)
			places[columns] = place
			groups = append(groups, nil)
		}
		groups[place] = append(groups[place], w)
	}
	return groups
}

// insertAll saves new rows with one statement. If the database refuses it, SQLite lets the
// transaction go on: then halves of the rows are tried, to find the one at fault.
func (t *tree) insertAll(ctx context.Context, list []*Write) error {
	mutations := make([]entity.Mutation, len(list))
	for i, w := range list {
		mutations[i] = w.Mutation
	}
	made, place, err := list[0].of.entity.Writer.Bulk(ctx, mutations)
	v, violates := database.Violation(err)
	switch {
	case err == nil:
		for i, id := range made {
			list[i].ID = id
		}
		return nil
	case place >= 0:
		return list[place].failed(list[place].refused(err))
	case !violates || unit.FromContext(ctx).Dialect() == dialect.Postgres:
		return &RowError{pathOf(list, v), fmt.Errorf("create rows of %s: %w", list[0].of.entity.Name, err)}
	}
	for half := range slices.Chunk(list, (len(list)+1)/2) {
		for _, w := range half {
			if err := t.fill(ctx, w, nil); err != nil {
				return err
			}
		}
		if err := t.insert(ctx, half); err != nil {
			return err
		}
	}
	return err
}

// update changes, deletes or restores one row, with all that is nested in its input.
func (t *tree) update(ctx context.Context, w *Write) error {
	if len(w.links) > 0 {
		if err := t.hold(ctx, w); err != nil {
			return w.located(err)
		}
		for _, l := range w.links {
			if err := t.findRelated(ctx, w, l); err != nil {
				return err
			}
		}
		if err := t.createRelated(ctx, []*Write{w}, false); err != nil {
			return err
		}
	}
	if err := t.keepMutual(ctx, w); err != nil {
		return err
	}
	if err := t.fill(ctx, w, w.is); err != nil {
		return err
	}
	if err := w.failed(w.located(t.save(ctx, w))); err != nil {
		return err
	}
	for _, l := range w.links {
		if err := t.changeRelated(ctx, w, l); err != nil {
			return err
		}
		if err := t.checkNumber(ctx, w, l); err != nil {
			return err
		}
	}
	return t.finish(ctx, []*Write{w})
}

// hold locks the row, and checks that the viewer may change it.
func (t *tree) hold(ctx context.Context, w *Write) error {
	e := w.of.entity
	found, err := t.versions(e, w.ID, toChange.lock)(toChange.within(ctx))
	if err != nil {
		return fmt.Errorf("lock %s: %w", w.ID, err)
	}
	if len(found) == 0 || w.target.Expected != nil && found[0] != int(*w.target.Expected) {
		return cmp.Or[error](w.target.Check(ctx, t.versions(e, w.ID, "")), apperr.NotFound(w.ID))
	}
	return nil
}

// is the condition under which the row may change. The statement that changes the row must have it
// itself: when two clients expect the same version, only the first then changes the row.
func (w *Write) is(s *sql.Selector) {
	s.Where(sql.EQ(s.C(w.of.entity.Fields[0].Column), w.ID.Value()))
	if w.target.Expected != nil {
		s.Where(sql.EQ(s.C(w.of.entity.Field("version").Column), *w.target.Expected))
	}
}

// save writes the row. The statement returns the row that the payload shows, unless more is written
// after it.
func (t *tree) save(ctx context.Context, w *Write) error {
	within := ctx
	if t.alone && t.rows == 0 && len(w.after) == 0 {
		within = read.WithFinalWrite(ctx)
	}
	versions := t.versions(w.of.entity, w.ID, "")
	target := w.target
	target.ID = w.ID
	switch {
	case w.Op == Update && w.changesNothing() && (len(w.links) > 0 || w.parent != nil):
		return nil // the row was found
	case w.Op == Update && w.changesNothing():
		return target.Check(ctx, versions)
	}
	_, n, err := w.Mutation.Save(w.Op.within(within))
	switch {
	case err != nil:
		return w.refused(err)
	case w.Op == Restore && n == 0:
		if err := target.Check(entity.WithDeleted(ctx), versions); err != nil {
			return err
		}
		return apperr.Conflict("id", "%s is not deleted", w.ID)
	}
	return target.Changed(ctx, n, nil, versions)
}

func (w *Write) changesNothing() bool {
	m := w.Mutation
	return len(m.Fields()) == 0 && len(m.ClearedFields())+len(m.AddedEdges())+len(m.RemovedEdges())+len(m.ClearedEdges()) == 0
}

// within returns the context in which ent makes the mutation.
func (op Op) within(ctx context.Context) context.Context {
	switch op {
	case Delete:
		return rule.Marking(ctx)
	case Restore:
		return entity.WithDeleted(rule.Marking(ctx))
	}
	return ctx
}

// refused returns the error of a statement. If a validator of ent/schema has refused a value, or if
// there is none where one is needed, the error names the field of the input.
func (w *Write) refused(err error) error {
	if err == nil {
		return nil
	}
	e := w.of.entity
	name, reason := e.Writer.Invalid(err)
	for i := range e.Fields {
		f := &e.Fields[i]
		inner := errors.Unwrap(reason)
		switch {
		case name == "" || binding.GoName(f.Name) != binding.GoName(name):
		case inner == nil:
			return apperr.BadInput(w.path+"."+f.Name, "%s must have a value", f.Name)
		case slices.ContainsFunc(w.of.fields, func(of *field) bool { return of.column == f }):
			return apperr.BadInput(w.path+"."+f.Name, "%s is not allowed: %s", f.Name, inner)
		}
	}
	return w.located(fmt.Errorf("%s a row of %s: %w", [...]string{"create", "update", "delete", "restore"}[w.Op], e.Name, err))
}

// located returns the error of a row that is not the only one of its mutation, with the place of
// the row's input.
func (w *Write) located(err error) error {
	if err == nil || w.path == "input" {
		return err
	}
	fault, ok := errors.AsType[*apperr.Error](err)
	switch {
	case ok && fault.Field == "":
		at := *fault
		at.Field = w.path
		return &at
	case ok:
		return err
	}
	return &RowError{w.path, err}
}

// change writes the same to several rows, with one statement if the application adds nothing. The
// rows were found before, and are locked.
func (t *tree) change(ctx context.Context, w *Write, list []ids.ID) error {
	groups, err := t.leavesFirst(ctx, w, list)
	for _, group := range groups {
		if w.of.added.Before == nil {
			if err := t.changeThese(ctx, w, group); err != nil {
				return err
			}
			continue
		}
		for _, id := range group {
			one := *w
			one.ID = id
			if err := t.changeThese(ctx, &one, []ids.ID{id}); err != nil {
				return err
			}
		}
	}
	return err
}

func (t *tree) changeThese(ctx context.Context, w *Write, list []ids.ID) error {
	if len(list) == 0 {
		return nil
	}
	values := make([]any, len(list))
	for i, id := range list {
		values[i] = id.Value()
	}
	err := t.fill(ctx, w, func(s *sql.Selector) { s.Where(sql.In(s.C(w.of.entity.Fields[0].Column), values...)) })
	if err != nil || w.Op == Update && w.changesNothing() {
		return err
	}
	if w.keys != nil {
		w.of.entity.Writer.Modify(w.Mutation, func(u *sql.UpdateBuilder) { u.Set(w.within.back.key(), w.keys) })
	}
	_, n, err := w.Mutation.Save(w.Op.within(ctx))
	if err != nil && w.Op == Delete {
		err = &RemovalError{list, err}
	}
	switch err = w.failed(w.refused(err)); {
	case err != nil:
		return err
	case n < len(list):
		return w.located(apperr.Conflict("", "some of these rows were changed by somebody else at the same moment; try again"))
	}
	return w.end(ctx)
}

// createSome creates the rows that the database accepts, and leaves the others out. If a group of
// rows is refused, it tries each half of the group, down to single rows.
func (t *tree) createSome(ctx context.Context, list []*Write) error {
	if len(list) == 0 {
		return nil
	}
	err := unit.FromContext(ctx).Savepoint(ctx, func() error { return t.create(ctx, list) })
	_, fault := errors.AsType[*apperr.Error](err)
	if _, violates := database.Violation(err); !violates && !fault {
		return err
	}
	if len(list) == 1 {
		list[0].left = list[0].located(err)
		return nil
	}
	for half := range slices.Chunk(list, (len(list)+1)/2) {
		if err := t.createSome(ctx, half); err != nil {
			return err
		}
	}
	return nil
}
