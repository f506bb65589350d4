// Package array has the Go types of columns that are arrays of PostgreSQL, such as text[]. On
// SQLite they are JSON documents. Other lists are JSON on both databases, and need no type of their
// own.
package array

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"
	"github.com/lib/pq"
)

// These are lists of the elements of a column.
type (
	Texts   []string
	Ints    []int32
	BigInts []int64
	Floats  []float64
	Bools   []bool
	UUIDs   []uuid.UUID
)

// Value returns the list as JSON, or NULL for nil. FormatParam makes an array of it.
func (l Texts) Value() (driver.Value, error)   { return value(l) }
func (l Ints) Value() (driver.Value, error)    { return value(l) }
func (l BigInts) Value() (driver.Value, error) { return value(l) }
func (l Floats) Value() (driver.Value, error)  { return value(l) }
func (l Bools) Value() (driver.Value, error)   { return value(l) }
func (l UUIDs) Value() (driver.Value, error)   { return value(l) }

// FormatParam returns the parameter of a statement, as an array on PostgreSQL.
func (Texts) FormatParam(p string, info *sql.StmtInfo) string   { return param(p, "text", info) }
func (Ints) FormatParam(p string, info *sql.StmtInfo) string    { return param(p, "int4", info) }
func (BigInts) FormatParam(p string, info *sql.StmtInfo) string { return param(p, "int8", info) }
func (Floats) FormatParam(p string, info *sql.StmtInfo) string  { return param(p, "float8", info) }
func (Bools) FormatParam(p string, info *sql.StmtInfo) string   { return param(p, "bool", info) }
func (UUIDs) FormatParam(p string, info *sql.StmtInfo) string   { return param(p, "uuid", info) }

// Scan reads an array of PostgreSQL, or JSON. It returns an error for an array that has NULLs in
// it, or more than one dimension.
func (l *Texts) Scan(src any) error   { return scan(src, (*[]string)(l)) }
func (l *Ints) Scan(src any) error    { return scan(src, (*[]int32)(l)) }
func (l *BigInts) Scan(src any) error { return scan(src, (*[]int64)(l)) }
func (l *Floats) Scan(src any) error  { return scan(src, (*[]float64)(l)) }
func (l *Bools) Scan(src any) error   { return scan(src, (*[]bool)(l)) }
func (l *UUIDs) Scan(src any) error   { return scan(src, (*[]uuid.UUID)(l)) }

func value[T ~[]E, E any](list T) (driver.Value, error) {
	if list == nil {
		return nil, nil
	}
	text, err := json.Marshal(list)
	return string(text), err
}

// param makes an array of a JSON list. An array of no list is NULL, and one of an empty list is
// empty.
func param(placeholder, element string, info *sql.StmtInfo) string {
	if info.Dialect != dialect.Postgres {
		return placeholder
	}
	return "(SELECT CASE WHEN l.list IS NOT NULL THEN ARRAY(SELECT e.v::" + element + " FROM jsonb_array_elements_text(l.list)" +
		" WITH ORDINALITY AS e(v, n) ORDER BY e.n) END FROM (SELECT " + placeholder + "::jsonb AS list) AS l)"
}

func scan[E any](src any, into *[]E) error {
	var text []byte
	switch src := src.(type) {
	case nil:
		*into = nil
		return nil
	case []byte:
		text = src
	case string:
		text = []byte(src)
	default:
		return fmt.Errorf("array: a value of type %T", src)
	}
	if len(text) > 0 && text[0] == '{' {
		return pq.Array(into).Scan(text)
	}
	return json.Unmarshal(text, into)
}
