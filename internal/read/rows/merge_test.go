package rows

import (
	"slices"
	"testing"

	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/read/kind"
)

// inOrder holds, for each kind by which pages can be ordered, values as tables hold them, lowest
// first.
var inOrder = map[entity.Kind][]string{
	entity.String:    {"", "B", "a", "ä", "\U0010FFFF"},
	entity.Enum:      {"A", "B"},
	entity.Int:       {"-10", "-9", "0", "9", "10"},
	entity.BigInt:    {"-9223372036854775808", "-9", "10", "9223372036854775807"},
	entity.Duration:  {"-5", "40", "300"},
	entity.Float:     {"-1e+300", "-2.5", "0", "3", "20"},
	entity.Float32:   {"-1", "0.5", "10"},
	entity.Decimal:   {"-10.5", "-9", "0.00", "1.5", "1.51", "10", "123456789012345678901234567890.1"},
	entity.Time:      {"2026-01-02T15:04:05Z", "2026-01-02T15:04:05.1Z", "2026-01-02T15:04:06Z", "infinity"},
	entity.Date:      {"0999-12-31", "2026-01-02", "2026-01-10"},
	entity.LocalTime: {"00:00:00", "09:30:00.5", "10:00:00"},
}

// TestMergeOfEachKind merges values of each kind from three tables, in all orders.
func TestMergeOfEachKind(t *testing.T) {
	t.Parallel()
	for of := entity.ID; of <= entity.Other; of++ {
		k, ok := kind.Of(of)
		if !ok || !k.Orders {
			continue
		}
		values := inOrder[of]
		if len(values) < 2 {
			t.Errorf("kind %d has no values in this test", of)
		}
		for _, desc := range []bool{false, true} {
			for _, backward := range []bool{false, true} {
				if got, want := merged(values, of, desc, backward), wanted(values, desc); !slices.Equal(got, want) {
					t.Errorf("kind %d, descending %t, backward %t: %q, want %q", of, desc, backward, got, want)
				}
			}
		}
	}
}

// wanted returns the values in order, with a NULL at the end.
func wanted(values []string, desc bool) []string {
	values = slices.Clone(values)
	if desc {
		slices.Reverse(values)
	}
	return append(values, "NULL")
}

// merged returns the values, and a NULL, as one page of the rows of three tables. Backward, the
// page is counted from the end.
func merged(values []string, of entity.Kind, desc, backward bool) (list []string) {
	size := len(values) + 1
	page := &Page{First: &size, Size: size, Order: []Term{{Column: "a", Kind: of, Desc: desc, Nullable: true}, {Column: "id", Kind: entity.ID, Desc: desc}}}
	if backward {
		page.First, page.Last, page.Backward = nil, &size, true
	}
	results := make([]*Result, 3)
	for i := range results {
		results[i] = &Result{Page: page, Cursor: []int{0, 1}, More: []bool{false}, Table: Table{Width: 2}}
	}
	add := func(i int, value string, null bool) {
		table := &results[i%3].Table
		table.Data = append(table.Data, value...)
		end := int32(len(table.Data))
		if null {
			end = ^end
		}
		table.Data = append(table.Data, "0123456789abcde"...)
		table.Data = append(table.Data, byte(i))
		table.Ends = append(table.Ends, end, int32(len(table.Data)))
	}
	for i, value := range values {
		add(i, value, false)
	}
	add(len(values), "", true)
	for _, res := range results {
		res.Groups = Group(make([]int32, res.Table.Len()), 1)
	}
	w := Merge(results, ids.UUID, 0)
	for i, row := range w.Rows {
		value, null := results[w.Part(i)].Table.Cell(int(row), 0)
		if null {
			value = []byte("NULL")
		}
		list = append(list, string(value))
	}
	return list
}
