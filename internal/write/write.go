// Package write carries out the standard mutations of entities: createX, updateX, deleteX and
// restoreX, for each entity X, and those of several rows. An application needs no code for them.
// What the schema and ent/schema say decides which field of an input sets which column or edge,
// which values are allowed, and what an update may change.
//
// At the start, Bind compares the mutations of the schema with the entities. Run carries one of
// them out, through ent's builders in the unit of work of the request, so that hooks and policies
// of ent/schema apply. An application adds what is special by Functions.
package write

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/input"
	"forge/internal/read"
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

// Write is a row that a mutation writes: the row that it is called for, or one of a nested input.
type Write struct {
	Op Op
	ID ids.ID // of the row; of a new one once it is written
	// Mutation is ent's. Rows that are marked as deleted are updated.
	Mutation entity.Mutation

	of     *inputObject
	path   string // of its input, such as "input.tracks.create.2"
	values []value
	links  []*link // of its fields with nested inputs
	target input.Target

	top      *Write // the row of a root field's input that this one is nested in, or itself
	parent   *Write // the row around; nil for that of a root field
	within   *link  // of parent, that the row is nested in
	releases bool   // the row is no longer related to parent
	// keys is an expression for the keys of the rows around, if it is not parent alone for all
	// rows.
	keys     sql.Querier
	upserted []upserted
	left     error // why the mutation leaves the row out; of a top row alone
	after    []func(context.Context) error
	failures []func(error) error
}

// value is what an input says of a field.
type value struct {
	given bool
	found bool // the row that an upsert looks for has the value, so that the update leaves it out
	any        // nil for null
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

// After has do called after the row was written with all that is nested in its input, in the same
// unit of work. If do returns an error, nothing is stored. Before calls it for what can only be
// done then.
func (w *Write) After(do func(context.Context) error) { w.after = append(w.after, do) }

// OnError has do called if the row could not be written, with the reason. It returns the error of
// the mutation.
func (w *Write) OnError(do func(error) error) { w.failures = append(w.failures, do) }

// ToRead returns a context in which Before reads what it has to know, without a lock. If the row's
// statement may commit by itself, such a query begins no transaction either.
func (w *Write) ToRead(ctx context.Context) context.Context { return read.WithFinalWrite(ctx) }

// end calls what After has registered.
func (w *Write) end(ctx context.Context) error {
	for _, do := range w.after {
		if err := do(ctx); err != nil {
			return err
		}
	}
	return nil
}

// failed returns the error of a row that could not be written.
func (w *Write) failed(err error) error {
	for _, do := range w.failures {
		if err != nil {
			err = do(err)
		}
	}
	return err
}

// RowError is the error of one row among several that a mutation writes.
type RowError struct {
	Path string // of the row's input, such as "input.tracks.create.2"
	Err  error
}

// Error returns the message of the error.
func (e *RowError) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap returns the error of the row.
func (e *RowError) Unwrap() error { return e.Err }
