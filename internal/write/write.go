// Package write carries out the standard mutations of entities: createX, updateX, deleteX and
// restoreX, for each entity X. An application needs no code for them. What the schema and
// ent/schema say decides which field of an input sets which column or edge, which values are
// allowed, and what an update may change.
//
// At the start, Bind compares the mutations of the schema with the entities. Run carries one of
// them out, through ent's builders in the unit of work of the request, so that hooks and policies
// of ent/schema apply. An application adds what is special by Functions.
package write

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"entgo.io/ent"
	"entgo.io/ent/dialect/sql"

	"forge/internal/apperr"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/input"
	"forge/internal/read"
	"forge/internal/read/binding"
	"forge/internal/rule"
)

// Functions are what an application adds to the standard mutations of one entity.
type Functions struct {
	// Fields check the values of fields of inputs, by the name of the field, in the place of the
	// checks that ent/schema asks for. A field that is neither a column nor an edge needs one, and
	// Before then does something with the value.
	Fields map[string]Check
	// Before is called before a row is written. It gets ent's mutation, in which the input is set,
	// and may set more. The error that it returns is the mutation's.
	Before func(ctx context.Context, w *Write) error
}

// Check returns a value of an input in the form that is stored, or nil in the place of null. It
// adds an error to the form if the value is not allowed. The value is not null. It has the type
// that entity.Writer says, and for a field that is no column: string, bool, int64, float64, or
// ids.ID.
type Check func(f *input.Form, name string, value any) any

// Op is what a mutation does.
type Op int

// These are the operations.
const (
	Create Op = iota
	Update
	Delete
	Restore
)

// Write is a row that a mutation writes.
type Write struct {
	Op Op
	ID ids.ID // of the row; of a new one once it is written
	// Mutation is ent's. Rows that are marked as deleted are updated.
	Mutation entity.Mutation

	of     *Mutation
	values []value // of the fields of the input, in their order
	after  []func(context.Context) error
	errors []func(error) error
}

// value is what an input says of a field.
type value struct {
	given bool
	any   // nil for null
}

// Value returns the value of a field of the input, as the field's Check has returned it. It is nil
// if it is null. given is false if the field was left out.
func (w *Write) Value(name string) (v any, given bool) {
	for i, f := range w.of.fields {
		if f.name == name {
			return w.values[i].any, w.values[i].given
		}
	}
	return nil, false
}

// After has do called after the row was written, in the same unit of work. If do returns an error,
// nothing is stored. Before calls it for what can only be done then.
func (w *Write) After(do func(context.Context) error) { w.after = append(w.after, do) }

// OnError has do called if the row could not be written, with the reason. It returns the error of
// the mutation.
func (w *Write) OnError(do func(error) error) { w.errors = append(w.errors, do) }

// Mutation is a standard mutation of an entity.
type Mutation struct {
	op     Op
	entity *entity.Entity
	fields []*field // of the input
	mutual bool     // the input may set an edge that both rows have
	added  Functions
	query  read.Query
}

// Run carries the mutation out with the arguments of its field, as gqlgen decodes them. It returns
// the ID of the row.
func (m *Mutation) Run(ctx context.Context, args map[string]any) (ids.ID, error) {
	w := &Write{Op: m.op, of: m, values: make([]value, len(m.fields))}
	target := input.Target{Deletes: m.op == Delete || m.op == Restore}
	if err := m.decode(w, &target, args); err != nil {
		return w.ID, err
	}
	if m.op != Create {
		if err := input.WantID("id", w.ID, m.entity.Prefix, m.entity.Keys); err != nil {
			return w.ID, err
		}
	}
	f := input.Form{Path: "input"}
	for i, field := range m.fields {
		if v := &w.values[i]; v.given {
			v.any = field.check(&f, m.op, v.any)
		}
	}
	if err := f.Err(); err != nil {
		return w.ID, err
	}
	if err := m.findReferences(ctx, w); err != nil {
		return w.ID, err
	}
	if err := m.fill(ctx, w, target); err != nil {
		return w.ID, err
	}
	err := m.save(ctx, w, target)
	for _, do := range w.errors {
		if err != nil {
			err = do(err)
		}
	}
	for _, do := range w.after {
		if err == nil {
			err = do(ctx)
		}
	}
	return w.ID, err
}

// fill makes ent's mutation, and sets what is to be written.
func (m *Mutation) fill(ctx context.Context, w *Write, target input.Target) error {
	op := [...]ent.Op{Create: ent.OpCreate, Update: ent.OpUpdate, Delete: ent.OpDelete, Restore: ent.OpUpdate}[m.op]
	if m.op == Delete && m.entity.Deleted != "" {
		op = ent.OpUpdate
	}
	if m.mutual && op == ent.OpUpdate {
		op = ent.OpUpdateOne
	}
	w.Mutation = m.entity.Writer.New(ctx, op, key(w.ID, m.entity.Keys))
	if m.op != Create {
		w.Mutation.Where(m.is(target))
	}
	for i, f := range m.fields {
		if v := w.values[i]; v.given {
			if err := f.set(m.entity.Writer, w.Mutation.Mutation, v.any); err != nil {
				return err
			}
		}
	}
	var err error
	switch {
	case m.op == Restore:
		w.Mutation.Where(func(s *sql.Selector) { s.Where(sql.NotNull(s.C(m.entity.Deleted))) })
		err = w.Mutation.ClearField(m.entity.Deleted)
	case op != ent.OpDelete && m.op == Delete:
		err = w.Mutation.SetField(m.entity.Deleted, time.Now().UTC().Truncate(time.Microsecond))
	}
	if err == nil && m.added.Before != nil {
		err = m.added.Before(ctx, w)
	}
	return err
}

// is returns the condition under which the row may change. The statement that changes the row must
// have it itself: when two clients expect the same version, only the first then changes the row.
func (m *Mutation) is(t input.Target) func(*sql.Selector) {
	return func(s *sql.Selector) {
		s.Where(sql.EQ(s.C(m.entity.Fields[0].Column), t.ID.Value()))
		if t.Expected != nil {
			s.Where(sql.EQ(s.C(m.entity.Field("version").Column), *t.Expected))
		}
	}
}

// save writes the row. The statement returns the row that the payload shows, unless more is written
// after it.
func (m *Mutation) save(ctx context.Context, w *Write, target input.Target) error {
	within := ctx
	if len(w.after) == 0 {
		within = read.WithFinalWrite(ctx)
	}
	switch m.op {
	case Create:
		id, _, err := w.Mutation.Save(within)
		if err != nil {
			return m.refused(err)
		}
		w.ID = id
		return nil
	case Update:
		if len(w.Mutation.Fields()) == 0 && len(w.Mutation.ClearedFields()) == 0 && len(w.Mutation.AddedEdges()) == 0 && len(w.Mutation.ClearedEdges()) == 0 {
			return target.Check(ctx, m.versions(w.ID))
		}
	case Delete:
		within = rule.Marking(within)
	case Restore:
		within = entity.WithDeleted(rule.Marking(within))
	}
	_, n, err := w.Mutation.Save(within)
	switch {
	case err != nil:
		return m.refused(err)
	case m.op == Restore && n == 0:
		if err := target.Check(entity.WithDeleted(ctx), m.versions(w.ID)); err != nil {
			return err
		}
		return apperr.Conflict("id", "%s is not deleted", w.ID)
	}
	return target.Changed(ctx, n, nil, m.versions(w.ID))
}

// refused returns the error of a statement. If a validator of ent/schema has refused a value, or if
// there is none where one is needed, the error names the field of the input.
func (m *Mutation) refused(err error) error {
	name, reason := m.entity.Writer.Invalid(err)
	for i := range m.entity.Fields {
		f := &m.entity.Fields[i]
		inner := errors.Unwrap(reason)
		switch {
		case name == "" || binding.GoName(f.Name) != binding.GoName(name):
		case inner == nil:
			return apperr.BadInput("input."+f.Name, "%s must have a value", f.Name)
		case slices.ContainsFunc(m.fields, func(of *field) bool { return of.column == f }):
			return apperr.BadInput("input."+f.Name, "%s is not allowed: %s", f.Name, inner)
		}
	}
	return fmt.Errorf("%s a row of %s: %w", [...]string{"create", "update", "delete", "restore"}[m.op], m.entity.Name, err)
}

// versions returns a function that reads the version of the row, or 0 if rows have none.
func (m *Mutation) versions(id ids.ID) input.Versions {
	return func(ctx context.Context) (found []int, err error) {
		err = m.lookUp(ctx, m.entity, id, "", func(s *sql.Selector) {
			if version := m.entity.Field("version"); version != nil {
				s.AppendSelect(s.C(version.Column))
			} else {
				s.AppendSelectExpr(sql.Raw("0"))
			}
		}, func(n int) { found = append(found, n) })
		return found, err
	}
}
