package entity

import (
	"context"
	"encoding/json"
	"fmt"

	"entgo.io/ent"
	"entgo.io/ent/dialect/sql"

	"forge/internal/ids"
)

// Writer changes rows of one entity through ent's builders, so that hooks and policies apply. It is
// generated, because the builders of each entity have types of their own.
//
// Values have one Go type for each kind of column, whatever the type in ent/schema: string for
// String and Enum, int64 for Int, BigInt and Duration, float64 for Float and Float32, bool,
// time.Time for Time, Date and LocalTime, uuid.UUID, decimal.Decimal and []byte. Documents and
// lists are JSON, as []byte. Keys are of the type uuid.UUID, int64 or string.
type Writer struct {
	// New returns a mutation that changes nothing yet, in the unit of work of ctx. The operation is
	// ent.OpCreate, ent.OpUpdate, ent.OpDelete, or ent.OpUpdateOne with the key of the row. Only
	// the last can change an edge for which ent needs several statements: to find the rows of
	// ent.OpUpdate, ent reads their keys, and cannot send UUIDs back to PostgreSQL.
	New func(ctx context.Context, op ent.Op, key any) Mutation
	// Set sets a column, by its name. Columns of the kind Other are not in it.
	Set map[string]func(m ent.Mutation, value any) error
	// Link adds a related row to an edge, by the name of the edge and the key of the row. Without a
	// key, an edge to one row leads to none.
	Link map[string]func(m ent.Mutation, key any)
	// Unlink removes a related row from an edge to many rows, by the name of the edge and the key
	// of the row.
	Unlink map[string]func(m ent.Mutation, key any)
	// Bulk creates the rows of several mutations of ent.OpCreate with one statement, and returns
	// their IDs. If a validator or the policy refuses a row, it also returns the row's place;
	// after other errors, the place is -1.
	Bulk func(ctx context.Context, list []Mutation) (made []ids.ID, place int, err error)
	// Modify changes the statement of a mutation of ent.OpUpdate before it runs. Hooks and policies
	// do not see the change. It is nil if ent generates without the feature sql/modifier.
	Modify func(m Mutation, change func(*sql.UpdateBuilder))
	// Invalid returns what a validator of ent/schema has said of a field, and the field's name in
	// ent/schema. It returns "" if the error comes from no validator.
	Invalid func(error) (field string, reason error)
}

// Mutation is one of ent's mutations that can be saved. Save returns the ID of a new row, and how
// many rows were changed.
type Mutation struct {
	ent.Mutation
	Builder any // ent's builder, which Writer.Bulk and Writer.Modify use
	Save    func(context.Context) (ids.ID, int, error)
}

// Where adds a condition to an update or a delete.
func (m Mutation) Where(condition func(*sql.Selector)) {
	m.Mutation.(interface{ WhereP(...func(*sql.Selector)) }).WhereP(condition)
}

// SetDocument sets a column that ent stores as JSON.
func SetDocument[T any](value any, set func(T)) error {
	var document T
	if err := json.Unmarshal(value.([]byte), &document); err != nil {
		return fmt.Errorf("a document does not have the form of a %T: %w", document, err)
	}
	set(document)
	return nil
}
