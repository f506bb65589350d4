package rows

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"time"

	"forge/internal/entity"
)

// Merge returns the rows of several results that belong to a parent row, as one list: a page of it if
// the results are pages, which are all of the same size and order. Without pages, the rows are
// ordered by their keys. The results have the columns of cursors.
//
// The first rows of a list are among the first rows of its parts. So each result has read as many
// rows as the whole page has, with the same cursors.
func Merge(results []*Result, parent int) (w Window) {
	page, terms := results[0].Page, []Term{{Kind: entity.ID}}
	if page != nil {
		terms = page.Order
	}
	var all []merging
	more := false
	for i, res := range results {
		key := res.keyOf(parent)
		more = more || at(res.More, key)
		for _, row := range res.Groups.At(key) {
			all = append(all, merging{i, row, res.values(row, terms)})
		}
	}
	slices.SortStableFunc(all, func(one, other merging) int {
		if page != nil && page.Backward {
			one, other = other, one
		}
		return compare(one.values, other.values, terms)
	})
	if page != nil && len(all) > page.Size {
		all, more = all[:page.Size], true
	}
	w.Rows = make([]int32, len(all))
	for i := range all {
		w.Rows[i] = int32(i)
	}
	if page != nil {
		w = page.cut(w.Rows, more, false)
	}
	w.Of = make([]int, len(w.Rows))
	for i, place := range w.Rows {
		w.Of[i], w.Rows[i] = all[place].of, all[place].row
	}
	return w
}

// merging is a row of one of several results, with its values for the terms of the order.
type merging struct {
	of     int
	row    int32
	values []any // nil for NULL
}

// values returns a row's values for the terms of an order. A value that is not of its kind, such as
// an infinite time, stays a text.
func (r *Result) values(row int32, terms []Term) []any {
	values := make([]any, len(terms))
	for i, t := range terms {
		cell, null := r.Table.Cell(int(row), r.Cursor[i])
		if null {
			continue
		}
		if t.Kind == entity.ID {
			values[i] = cell
		} else if value, err := t.parse(cell); err == nil {
			values[i] = value
		} else {
			values[i] = string(cell)
		}
	}
	return values
}

// compare compares the values of two rows as an ORDER BY of the terms does. NULL is last.
func compare(one, other []any, terms []Term) int {
	for i, t := range terms {
		switch {
		case one[i] == nil && other[i] == nil:
			continue
		case one[i] == nil:
			return 1
		case other[i] == nil:
			return -1
		}
		if n := compareValues(one[i], other[i]); n != 0 && t.Desc {
			return -n
		} else if n != 0 {
			return n
		}
	}
	return 0
}

// compareValues compares two values of one column. Those that are not of its kind follow the others.
func compareValues(one, other any) int {
	switch x := one.(type) {
	case []byte:
		if y, ok := other.([]byte); ok {
			return bytes.Compare(x, y)
		}
	case int64:
		if y, ok := other.(int64); ok {
			return cmp.Compare(x, y)
		}
		return -1
	case time.Time:
		if y, ok := other.(time.Time); ok {
			return x.Compare(y)
		}
		return -1
	case string:
		if y, ok := other.(string); ok {
			return strings.Compare(x, y)
		}
	}
	return 1
}
