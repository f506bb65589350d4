// Package kind says all that the read engine needs to know of the kinds of columns: which scalar
// shows one, what it can be compared by, how the databases store it, how its values are read from
// arguments and cursors, and how they are written. A new kind is a new row in the table.
package kind

import (
	"slices"
	"strings"

	"entgo.io/ent/dialect"

	"forge/internal/entity"
	"forge/internal/ids"
)

// Kind says what the engine can do with the columns of one kind.
type Kind struct {
	Orders    bool     // pages can be ordered by such columns
	Types     string   // the types in ent/schema, as a message names them
	Operators []string // the operators of a where input that may compare them
	// Stored lists, for each dialect, the types in the database that can hold such values.
	Stored map[string][]string
	// Partial says that a Go value of the kind may be stored that cannot be written, such as the
	// document null where null is not allowed, or a time that is not a whole day.
	Partial bool
	// SQL is the type in which PostgreSQL returns the values.
	SQL string
	// Convert is the expression with which PostgreSQL converts a stored value to that type, with %s
	// for the column. It is "" if there is nothing to convert.
	Convert string
	// Collation is the collation that orders and compares the values on SQLite, or "".
	Collation string

	scalar string // the GraphQL type that shows them; "" for an enum of the schema

	// Argument returns a value of a where input in the form that the database compares. Its error
	// is for the client.
	Argument func(f *entity.Field, value any) (any, error)
	// Value returns a value of an input in the form that entity.Writer takes. Its error is for the
	// client. It is nil if Argument returns that form. Of a list, it returns an element.
	Value func(f *entity.Field, value any) (any, error)
	// Write appends a value to an answer, as JSON. The cell holds what the database returned, as a
	// text, or as the bytes of a UUID. Write returns false if the value is none of the kind.
	Write func(f *entity.Field, b, cell []byte) ([]byte, bool)
	// Canonical returns the form that a value has in cursors, for a cell. It is nil if all cells
	// with the same value are the same text, on both databases.
	Canonical func(cell []byte) []byte
	// Place returns a value in a cursor in the form that the database compares. It is nil if Orders
	// is false.
	Place func(cell []byte) (any, error)
}

// Of returns what the engine can do with columns of a kind. It returns false if the engine cannot
// read them.
func Of(of entity.Kind) (*Kind, bool) {
	if of == entity.List {
		return list, true
	}
	k, ok := kinds[of]
	return k, ok
}

// OfKey returns what the databases do with columns of keys of a form, of the kind entity.ID.
// Nothing else of the Kind is set.
func OfKey(of ids.Form) *Kind { return keys[of] }

// Scalar returns the GraphQL type that shows the column, without the ! of one that is never NULL.
// It returns "" for an enum of the schema.
func (k *Kind) Scalar(f *entity.Field) string {
	if f.Kind == entity.List {
		return "[" + k.Element(f) + "!]"
	}
	return k.scalar
}

// Element returns the GraphQL type of the elements of a list, and that of the values of another
// column.
func (k *Kind) Element(f *entity.Field) string {
	if f.Kind == entity.List {
		return kinds[f.Elem].scalar
	}
	return k.scalar
}

// ArgumentType returns the GraphQL type of a condition, whose operator compares values of the
// scalar.
func ArgumentType(operator, scalar string) string {
	switch operator {
	case "IsNil", "NotNil", "IsEmpty":
		return "Boolean"
	case "In", "NotIn", "HasEvery", "HasSome":
		return "[" + scalar + "!]"
	case "HasKey":
		return "String"
	case "PathEquals":
		return PathInput
	}
	return scalar
}

// List returns PostgreSQL's type of lists of values to compare a column with.
func (k *Kind) List() string {
	if k.Convert != "" {
		return k.Stored[dialect.Postgres][0] + "[]" // SQL is the type that it is converted to
	}
	return k.SQL + "[]"
}

// PathInput is the GraphQL type of a condition on the value at a path of a JSON document. It has
// the fields path: [String!]! and value: JSON.
const PathInput = "JSONPathInput"

// Types lists the types in ent/schema that the engine can read.
func Types() string {
	var held []string
	for of := entity.ID; of <= entity.Other; of++ {
		if k, ok := Of(of); ok && !slices.Contains(held, k.Types) {
			held = append(held, k.Types)
		}
	}
	return strings.Join(held, ", ")
}

// Operators holds what may follow a field's name in a where input. No operator means equality.
func Operators() map[string]bool {
	all := map[string]bool{}
	for of := entity.ID; of <= entity.Other; of++ {
		if k, ok := Of(of); ok {
			for _, op := range k.Operators {
				all[op] = true
			}
		}
	}
	return all
}

// Takes reports whether a column of the database type can hold values of the kind. Sizes are
// ignored: varchar(20) counts as varchar. For a dialect that k.Stored does not list, every type
// counts.
func (k *Kind) Takes(dialect, stored string) bool {
	name, _, _ := strings.Cut(stored, "(")
	list, known := k.Stored[dialect]
	return !known || slices.Contains(list, strings.ToLower(strings.TrimSpace(name)))
}
