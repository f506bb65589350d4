// Package rows holds what statements bring: tables of rows, which of them belong to which parent row
// and to which page, and cursors, which stand for the place of a row in a list.
package rows

import "forge/internal/apperr"

// Result is what the statements of a plan's node have brought.
type Result struct {
	Table   Table
	Page    *Page
	Fault   *apperr.Error // what is wrong with the arguments; nothing is loaded then
	Cursor  []int         // the columns that make up a cursor
	Groups  Groups        // rows by the keys that they belong to
	More    []bool        // by the same: there are rows behind the page
	Skipped []bool        // by the same: offset has passed over rows; nil without an offset
	Counts  []int64       // by the same
	Parents []int32       // which key each row of the parent node has, -1 for none; nil if it is that of the row's own place
}

// keyOf returns the place of the key that a row of the parent node has.
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
	place := r.keyOf(parent)
	return r.Page.cut(r.Groups.At(place), at(r.More, place), at(r.Skipped, place))
}

// at returns what is true of the key at place: nothing, if there is no such key.
func at(flags []bool, place int32) bool {
	return place >= 0 && int(place) < len(flags) && flags[place]
}

// Count returns how many there are in all.
func (r *Result) Count(parent int) int64 {
	if place := r.keyOf(parent); place >= 0 && int(place) < len(r.Counts) {
		return r.Counts[place]
	}
	return 0
}

// Groups are rows by the place of the key that they belong to, each group in the order in which they came.
type Groups struct{ starts, rows []int32 }

func (g Groups) At(place int32) []int32 {
	if place < 0 || int(place)+1 >= len(g.starts) {
		return nil
	}
	return g.rows[g.starts[place]:g.starts[place+1]]
}

// Group sorts rows by their places, by counting.
func Group(places []int32, keys int) Groups {
	g := Groups{starts: make([]int32, keys+1), rows: make([]int32, len(places))}
	for _, place := range places {
		g.starts[place+1]++
	}
	for place := range keys {
		g.starts[place+1] += g.starts[place]
	}
	next := append([]int32(nil), g.starts...)
	for row, place := range places {
		g.rows[next[place]] = int32(row)
		next[place]++
	}
	return g
}
