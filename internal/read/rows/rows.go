// Package rows holds what statements bring: tables of rows, which of them belong to which parent
// row and to which page, and cursors, which stand for the place of a row in a list.
package rows

import (
	"database/sql/driver"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"forge/internal/apperr"
	"forge/internal/entity"
	"forge/internal/read/binding"
)

// Result is what the statements of a plan's node have brought. Its rows are grouped by the keys
// that they were asked by. The key of a parent row has an index among those; see Parents.
type Result struct {
	Table   Table
	Page    *Page
	Fault   *apperr.Error // of the arguments; nothing is loaded then
	Cursor  []int         // the columns that make up a cursor
	Groups  Groups        // the rows, by key
	More    []bool        // by key: there are rows after the page
	Skipped []bool        // by key: the offset has skipped rows; nil without an offset
	Counts  []int64       // by key
	// Parents is the index of each parent row's key, -1 for NULL. It is nil if every parent row has
	// a key of its own: then the indexes are the same.
	Parents []int32
}

// keyOf returns the index of the key that a row of the parent node has, -1 for none.
func (r *Result) keyOf(row int) int32 {
	if r.Parents == nil {
		return int32(row)
	}
	return r.Parents[row]
}

// Rows returns the rows that belong to a row of the parent node.
func (r *Result) Rows(parent int) []int32 { return r.Groups.At(r.keyOf(parent)) }

// Window returns the page that belongs to a row of the parent node.
func (r *Result) Window(parent int) Window {
	i := r.keyOf(parent)
	return r.Page.cut(r.Groups.At(i), at(r.More, i), at(r.Skipped, i))
}

// at returns the flag of the key at index i, false if there is no such key.
func at(flags []bool, i int32) bool {
	return i >= 0 && int(i) < len(flags) && flags[i]
}

// Window is the rows of a page, and whether there are others on either side of it.
type Window struct {
	Rows           []int32
	Next, Previous bool
}

// cut returns the page out of the rows that were read for it, in the order in which they were read.
// more says that there is another row after them, and skipped that the offset has skipped some. A
// cursor stands for a row on its side of the page, though the row may be gone by now.
func (p *Page) cut(rows []int32, more, skipped bool) Window {
	if p.Backward {
		w := Window{Next: p.Before != nil || skipped, Previous: more, Rows: slices.Clone(rows)}
		slices.Reverse(w.Rows)
		return w
	}
	w := Window{Next: more || len(rows) > *p.First, Previous: p.After != nil || skipped}
	if p.Last != nil {
		w.Previous = more || len(rows) > *p.Last || skipped
	}
	if !p.bySize && p.Before != nil {
		w.Next = true
	}
	w.Rows = rows[:min(len(rows), *p.First)]
	if p.Last != nil {
		w.Rows = w.Rows[max(0, len(w.Rows)-*p.Last):]
	}
	return w
}

// Count returns how many rows match in all, for a row of the parent node.
func (r *Result) Count(parent int) int64 {
	if i := r.keyOf(parent); i >= 0 && int(i) < len(r.Counts) {
		return r.Counts[i]
	}
	return 0
}

// Groups are rows by the index of their key, each group in the order in which its rows came.
type Groups struct{ starts, rows []int32 }

// At returns the rows of the key at index i.
func (g Groups) At(i int32) []int32 {
	if i < 0 || int(i)+1 >= len(g.starts) {
		return nil
	}
	return g.rows[g.starts[i]:g.starts[i+1]]
}

// Group groups rows by the indexes of their keys: keyOf has that of each row.
func Group(keyOf []int32, keys int) Groups {
	g := Groups{starts: make([]int32, keys+1), rows: make([]int32, len(keyOf))}
	for _, i := range keyOf {
		g.starts[i+1]++
	}
	for i := range keys {
		g.starts[i+1] += g.starts[i]
	}
	next := append([]int32(nil), g.starts...)
	for row, i := range keyOf {
		g.rows[next[i]] = int32(row)
		next[i]++
	}
	return g
}

// Table holds the rows of a statement in one piece of memory, as they will be written: keys as
// their 16 bytes, and everything else as text.
type Table struct {
	Width int
	Data  []byte
	Ends  []int32 // where each cell ends, row by row; the complement of it for a NULL
}

// Len returns the number of rows.
func (t *Table) Len() int {
	if t.Width == 0 {
		return 0
	}
	return len(t.Ends) / t.Width
}

// Cell returns a value, or that it is NULL. The value is valid for as long as the table is.
func (t *Table) Cell(row, column int) (value []byte, null bool) {
	i := row*t.Width + column
	end := t.Ends[i]
	if end < 0 {
		return nil, true
	}
	start := int32(0)
	if i > 0 {
		if start = t.Ends[i-1]; start < 0 {
			start = ^start
		}
	}
	return t.Data[start:end], false
}

// Key returns a value of a column of keys, or that it is NULL.
func (t *Table) Key(row, column int) (key uuid.UUID, null bool) {
	value, null := t.Cell(row, column)
	copy(key[:], value)
	return key, null
}

// Keys takes the keys of other rows out of a column. If they are shared, several rows may have one
// and the same, which comes once: places says which key each row has, -1 for NULL.
func (t *Table) Keys(column int, shared bool) (keys []uuid.UUID, places []int32) {
	n := t.Len()
	keys = make([]uuid.UUID, 0, n)
	if !shared {
		for row := range n {
			key, _ := t.Key(row, column)
			keys = append(keys, key)
		}
		return keys, nil
	}
	places = make([]int32, n)
	known := make(map[uuid.UUID]int32, n)
	for row := range n {
		key, null := t.Key(row, column)
		if null {
			places[row] = -1
			continue
		}
		place, found := known[key]
		if !found {
			place = int32(len(keys))
			known[key] = place
			keys = append(keys, key)
		}
		places[row] = place
	}
	return keys, places
}

// Add appends a row, whose values begin with those of the columns.
func (t *Table) Add(values []driver.Value, columns []binding.Column) error {
	for i := range columns {
		if values[i] == nil {
			t.Ends = append(t.Ends, ^int32(len(t.Data)))
			continue
		}
		if err := t.append(values[i], columns[i].Kind); err != nil {
			return fmt.Errorf("column %s: %w", columns[i].Name, err)
		}
		t.Ends = append(t.Ends, int32(len(t.Data)))
	}
	return nil
}

// append appends a value of any type: the encoder checks whether it is one of the column's kind. A
// key must be one, as related rows are found by it.
func (t *Table) append(value driver.Value, kind entity.Kind) error {
	switch v := value.(type) {
	case []byte:
		return t.appendBytes(v, kind)
	case *[]byte:
		return t.appendBytes(*v, kind)
	}
	if kind == entity.ID {
		return fmt.Errorf("a key of type %T", value)
	}
	switch v := value.(type) {
	case string:
		t.Data = append(t.Data, v...)
	case int64:
		t.Data = strconv.AppendInt(t.Data, v, 10)
	case float64: // SQLite may hold one in a column of any type
		t.Data = strconv.AppendFloat(t.Data, v, 'g', -1, 64)
	case bool:
		t.Data = strconv.AppendBool(t.Data, v)
	case time.Time:
		t.Data = v.AppendFormat(t.Data, time.RFC3339Nano)
	default:
		return fmt.Errorf("a value of type %T", value)
	}
	return nil
}

func (t *Table) appendBytes(b []byte, kind entity.Kind) error {
	if kind == entity.ID && len(b) != len(uuid.UUID{}) {
		return fmt.Errorf("a key of %d bytes", len(b))
	}
	t.Data = append(t.Data, b...)
	return nil
}
