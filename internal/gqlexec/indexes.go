package gqlexec

import (
	"fmt"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql/schema"
)

// MissingIndex is an order by a column that no index begins with. Each page in such an order reads
// and sorts the whole table.
type MissingIndex struct{ Entity, Order, Column string }

// String says which index to add.
func (m MissingIndex) String() string {
	return fmt.Sprintf("%s: pages can be ordered by %s, but no index begins with the column %s; add index.Fields(%q, \"id\") to the Indexes of %s in ent/schema, "+
		"or take %s out of %sOrderField in schema.graphqls", m.Entity, m.Order, m.Column, m.Column, m.Entity, m.Order, m.Entity)
}

// MissingIndexes returns the orders by columns for which there is no index.
func (a API) MissingIndexes() (missing []MissingIndex) {
	types := a.Executable(nil).Schema().Types
	for _, e := range a.Entities {
		offered := types[e.Name+"OrderField"]
		at := slices.IndexFunc(a.Tables, func(t *schema.Table) bool { return t.Name == e.Table })
		if offered == nil || at < 0 {
			continue
		}
		for _, order := range offered.EnumValues {
			for _, f := range e.Fields {
				if strings.EqualFold(f.Name, strings.ReplaceAll(order.Name, "_", "")) && !indexed(a.Tables[at], f.Column) {
					missing = append(missing, MissingIndex{e.Name, order.Name, f.Column})
				}
			}
		}
	}
	return missing
}

// indexed reports whether an index of a table begins with a column.
func indexed(t *schema.Table, column string) bool {
	begins := func(columns []*schema.Column) bool { return len(columns) > 0 && columns[0].Name == column }
	return begins(t.PrimaryKey) ||
		slices.ContainsFunc(t.Columns, func(c *schema.Column) bool { return c.Name == column && c.Unique }) ||
		slices.ContainsFunc(t.Indexes, func(i *schema.Index) bool { return begins(i.Columns) })
}
