// Package rows holds the rows that statements bring. It says which rows belong to which parent row
// and to which page. It also makes cursors, which stand for the place of a row in a list.
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
	"forge/internal/ids"
	"forge/internal/read/binding"
)

// Result holds the rows of a plan's node. The rows are grouped by the keys that the statement asked
// for. "By key" means: indexed by the place of a key among these.
type Result struct {
	Table   Table
	Page    *Page
	Summary *Summary      // what rows that stand for groups hold, if that depends on arguments
	Fault   *apperr.Error // an argument is not valid, and nothing was loaded
	Cursor  []int         // the columns that a cursor holds
	Groups  Groups        // by key: the rows
	More    []bool        // by key: whether rows follow the page
	Skipped []bool        // by key: whether the offset has skipped rows; nil without an offset
	// Parents holds, for each parent row, the index of its key, or -1 if its key is NULL. It is nil
	// if the keys are those of the parent rows in order, so that the row's own index is the key's.
	Parents []int32
}

// keyOf returns the index of the key of a parent row, or -1 if the key is NULL.
func (r *Result) keyOf(row int) int32 {
	if r.Parents == nil {
		return int32(row)
	}
	return r.Parents[row]
}

// Rows returns the rows that belong to a parent row.
func (r *Result) Rows(parent int) []int32 { return r.Groups.At(r.keyOf(parent)) }

// Window returns the page that belongs to a parent row.
func (r *Result) Window(parent int) Window {
	i := r.keyOf(parent)
	return r.Page.cut(r.Groups.At(i), at(r.More, i), at(r.Skipped, i))
}

// at returns the flag of the key at index i. It returns false if there is no such key.
func at(flags []bool, i int32) bool {
	return i >= 0 && int(i) < len(flags) && flags[i]
}

// Window is the rows of a page, and whether there are rows before and after the page.
type Window struct {
	Rows           []int32
	Of             []int // which of several results each row is from; nil if there is one; see Merge
	Next, Previous bool
}

// Part returns the index of the result that a row of the window is from.
func (w *Window) Part(i int) int {
	if w.Of == nil {
		return 0
	}
	return w.Of[i]
}

// cut returns the page from the rows that were read for it, in the order in which they were read.
// more says that another row follows them, and skipped that the offset has skipped some. A cursor
// counts as a row on its side of the page, even if its row was deleted since.
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

// Groups holds the rows of each key. The rows of a key are in the order in which they were read.
type Groups struct{ starts, rows []int32 }

// At returns the rows of the key at index i. It returns nil if there is no such key.
func (g Groups) At(i int32) []int32 {
	if i < 0 || int(i)+1 >= len(g.starts) {
		return nil
	}
	return g.rows[g.starts[i]:g.starts[i+1]]
}

// Rows returns the rows of all keys.
func (g Groups) Rows() []int32 {
	if len(g.starts) == 0 {
		return nil
	}
	return g.rows[:g.starts[len(g.starts)-1]]
}

// Group groups rows by the indexes of their keys: keyOf has that of each row, -1 for a row that
// belongs to no group.
func Group(keyOf []int32, keys int) Groups {
	g := Groups{starts: make([]int32, keys+1), rows: make([]int32, len(keyOf))}
	for _, i := range keyOf {
		if i >= 0 {
			g.starts[i+1]++
		}
	}
	for i := range keys {
		g.starts[i+1] += g.starts[i]
	}
	next := append([]int32(nil), g.starts...)
	for row, i := range keyOf {
		if i >= 0 {
			g.rows[next[i]] = int32(row)
			next[i]++
		}
	}
	return g
}

// Table holds the rows of a statement in one piece of memory. A UUID is stored as its 16 bytes, and
// any other value as its text.
type Table struct {
	Width int
	Data  []byte
	Ends  []int32 // where each cell ends in Data, row by row; the bitwise complement for a NULL
}

// Len returns the number of rows.
func (t *Table) Len() int {
	if t.Width == 0 {
		return 0
	}
	return len(t.Ends) / t.Width
}

// Cell returns a value, and whether it is NULL. The value shares the table's memory.
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

// Reordered returns a table of the same rows in another order: rows holds their indexes.
func (t *Table) Reordered(rows []int32) Table {
	of := Table{Width: t.Width, Data: make([]byte, 0, len(t.Data)), Ends: make([]int32, 0, len(t.Ends))}
	for _, row := range rows {
		for column := range t.Width {
			value, null := t.Cell(int(row), column)
			of.Data = append(of.Data, value...)
			end := int32(len(of.Data))
			if null {
				end = ^end
			}
			of.Ends = append(of.Ends, end)
		}
	}
	return of
}

// Key returns a value of a column of keys, and whether it is NULL.
func (t *Table) Key(row, column int, of ids.Form) (key ids.Key, null bool) {
	value, null := t.Cell(row, column)
	if of == ids.UUID {
		copy(key.UUID[:], value)
	} else {
		key.Text = string(value)
	}
	return key, null
}

// Keys returns the keys in a column. If shared is true, several rows may have the same key: it is
// returned once, and places holds the index of each row's key, or -1 for NULL. If shared is false,
// there is one key for each row, and places is nil.
func (t *Table) Keys(column int, of ids.Form, shared bool) (keys []ids.Key, places []int32) {
	n := t.Len()
	keys = make([]ids.Key, 0, n)
	if !shared {
		for row := range n {
			key, _ := t.Key(row, column, of)
			keys = append(keys, key)
		}
		return keys, nil
	}
	places = make([]int32, n)
	known := make(map[ids.Key]int32, n)
	for row := range n {
		key, null := t.Key(row, column, of)
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

// Add appends a row. Its values begin with those of the columns, and may go on. Add returns an
// error if a value cannot be stored.
func (t *Table) Add(values []driver.Value, columns []binding.Column) error {
	for i := range columns {
		if values[i] == nil {
			t.Ends = append(t.Ends, ^int32(len(t.Data)))
			continue
		}
		if err := t.append(values[i], &columns[i]); err != nil {
			return fmt.Errorf("column %s: %w", columns[i].Name, err)
		}
		t.Ends = append(t.Ends, int32(len(t.Data)))
	}
	return nil
}

// append appends a value. A value of another type than the column's kind is stored all the same,
// since the encoder checks it. But a key must be one, because related rows are found by it.
func (t *Table) append(value driver.Value, of *binding.Column) error {
	if b, ok := value.([]byte); ok {
		return t.appendBytes(b, of)
	}
	if of.Kind == entity.ID && !isKey(value, of.Form) {
		return fmt.Errorf("a key of type %T", value)
	}
	switch v := value.(type) {
	case string:
		t.Data = append(t.Data, v...)
	case int64:
		if of.Measure != nil && storedAsMicros(of.Kind) {
			t.Data = time.UnixMicro(v).UTC().AppendFormat(t.Data, time.RFC3339Nano)
			return nil
		}
		t.Data = strconv.AppendInt(t.Data, v, 10)
	case float64: // SQLite may hold a float in a column of any type
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

// storedAsMicros reports whether SQLite stores values of a kind as microseconds. The driver makes
// times of those that come straight from a column, and not of those that a function returns.
func storedAsMicros(of entity.Kind) bool {
	return of == entity.Time || of == entity.Date || of == entity.LocalTime
}

// isKey reports whether a value that is not in bytes can be a key.
func isKey(value driver.Value, of ids.Form) (ok bool) {
	switch of {
	case ids.Number:
		_, ok = value.(int64)
	case ids.Text:
		_, ok = value.(string)
	}
	return ok
}

func (t *Table) appendBytes(b []byte, of *binding.Column) error {
	if of.Kind == entity.ID && (of.Form == ids.Number || of.Form == ids.UUID && len(b) != len(uuid.UUID{})) {
		return fmt.Errorf("a key of %d bytes", len(b))
	}
	t.Data = append(t.Data, b...)
	return nil
}
