package write

import (
	"cmp"
	"fmt"
	"strings"

	"forge/internal/database"
	"forge/internal/entity"
	"forge/internal/ids"
)

// pathOf returns the path of the row that violates a constraint of several columns, among rows that
// PostgreSQL has refused together. Of two that have the same values, it is the second. If the values
// do not tell which row it is, pathOf returns the path that all rows have in common.
func pathOf(list []*Write, v database.ConstraintError) string {
	if len(v.Values) != len(v.Columns) || len(v.Values) == 0 {
		return around(list)
	}
	path := ""
	for _, w := range list {
		same := true
		for i, column := range v.Columns {
			has, known := w.has(column, v.Values[i])
			if !known {
				return around(list)
			}
			same = same && has
		}
		if same {
			path = w.path
		}
	}
	return cmp.Or(path, around(list))
}

// has reports whether a new row has a value in a column, which PostgreSQL has reported as a text.
// known is false if the input does not tell: the column has a default, or values of its type have
// several forms.
func (w *Write) has(column, text string) (has, known bool) {
	if w.within != nil && w.within.back != nil && w.within.back.key() == column {
		return fmt.Sprint(w.parent.ID.Value()) == text, true
	}
	for i, f := range w.of.fields {
		folded := f.column != nil && f.column.MatchBy == column
		if f.key() != column && !folded {
			continue
		}
		defaults := w.of.grouped || f.column != nil && f.column.Default
		switch value := w.values[i].any.(type) {
		case nil:
			return false, w.values[i].given || !defaults // it is NULL
		case ids.ID:
			return fmt.Sprint(value.Value()) == text, true
		case int64:
			return fmt.Sprint(value) == text, true
		case string:
			if folded {
				value = entity.Fold(value)
			}
			return value == text, true
		}
	}
	return false, false
}

// around returns the path that the inputs of rows have in common.
func around(list []*Write) string {
	one, other := strings.Split(list[0].path, "."), strings.Split(list[len(list)-1].path, ".")
	n := 0
	for n < len(one) && n < len(other) && one[n] == other[n] {
		n++
	}
	return strings.Join(one[:n], ".")
}
