// Package rows holds what statements bring: tables of rows, which of them belong to which parent
// and to which page, and cursors, which stand for the i of a row in a list.
package rows

import "forge/internal/apperr"

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
