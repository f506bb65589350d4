package rows

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/read/kind"
	"forge/internal/scalar"
)

// Merge returns the rows of several results that belong to a parent row, as one list: a page of it
// if the results are pages, which are all of the same size and order. Without pages, the rows are
// ordered by their keys, which are all of one form. The results have the columns of cursors.
//
// The first rows of a list are among the first rows of its parts. So each result has read as many
// rows as the whole page has, with the same cursors.
func Merge(results []*Result, keys ids.Form, parent int) (w Window) {
	page, terms := results[0].Page, []Term{{Kind: entity.ID, Form: keys}}
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
		return cmp.Or(compare(one.values, other.values, terms), cmp.Compare(one.of, other.of))
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
		values[i] = string(cell)
		if t.Kind == entity.ID && t.Form == ids.Number {
			if n, err := strconv.ParseInt(string(cell), 10, 64); err == nil {
				values[i] = n
			}
		}
		if k, ok := kind.Of(t.Kind); ok && k.Place != nil {
			if value, err := k.Place(cell); err == nil {
				values[i] = value
			}
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
		n := compareValues(one[i], other[i], t.Kind)
		if t.Desc {
			n = -n
		}
		if n != 0 {
			return n
		}
	}
	return 0
}

// compareValues compares two values of columns of one kind, as the databases do. Those that are not
// of the kind follow the others.
func compareValues(one, other any, of entity.Kind) int {
	switch x := one.(type) {
	case int64:
		if y, ok := other.(int64); ok {
			return cmp.Compare(x, y)
		}
		return -1
	case float64:
		if y, ok := other.(float64); ok {
			return cmp.Compare(x, y)
		}
		return -1
	case time.Time:
		if y, ok := other.(time.Time); ok {
			return x.Compare(y)
		}
		return -1
	case string:
		y, ok := other.(string)
		switch {
		case ok && of == entity.Decimal:
			return scalar.CompareDecimals(x, y)
		case ok:
			return strings.Compare(x, y)
		}
	}
	return 1
}
