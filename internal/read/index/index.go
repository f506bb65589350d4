// Package index finds the conditions and orders that a schema offers, and that no index of the
// database serves. It compares descriptions, so that it needs no database.
package index

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"entgo.io/ent/dialect"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
	"forge/internal/read/binding"
	"forge/internal/schema"
)

// Missing is an index that is missing, and what it would serve.
type Missing struct {
	// At are the places in the schema, such as "HeroWhereInput.ageGT". They are about one entity.
	At     []string
	Entity string
	Why    string // what the database does without the index, as the end of a sentence
	Advice string // what to add to ent/schema, as a sentence
	// Sorts says that an index leads to the rows of a parent, all of which are then sorted. This is
	// fast as long as no parent has many rows.
	Sorts bool
}

// String returns the places and what the database does there.
func (m Missing) String() string { return strings.Join(m.At, ", ") + ": " + m.Why }

// Find returns the indexes that are missing from the tables of a schema's entities. What reads a
// whole table whatever its indexes are needs none: NEQ, NotIn, NotNil, conditions on parts of
// texts, on documents and lists, and orders by numbers of related rows. Its cost is that of a scan.
func Find(b *binding.Binding, tables []*schema.Table) []Missing {
	f := newFinder(b, tables)
	for _, name := range slices.Sorted(maps.Keys(b.Objects)) {
		f.object(b.Objects[name])
		f.nested(name, b.Objects[name])
	}
	for _, d := range b.Schema.Query.Fields {
		for _, o := range b.PagesOf(d.Type.Name()) {
			f.object(o)
			f.orders(o)
			if d.Arguments.ForName("deleted") != nil && o.ListsDeleted() {
				f.deleted(b.Schema.Query.Name+"."+d.Name+"(deleted:)", o)
			}
		}
	}
	return f.found
}

// Mark sets Indexed and IndexedBelow of the filters and orders of a schema's entities.
func Mark(b *binding.Binding, tables []*schema.Table) {
	f := newFinder(b, tables)
	mark := func(o *binding.Object) {
		if f.tables[o.Entity.Table] == nil {
			return
		}
		for _, by := range o.Filters {
			if column := compared(by); by.Edge == nil && column != "" {
				by.Indexed, by.IndexedBelow = f.served(o.Entity, false, column), f.below(o.Entity, column)
			}
		}
		for _, by := range o.Orders {
			if by.Edge == nil && by.Field != nil {
				by.IndexedBelow = f.below(o.Entity, by.Field.Column)
			}
		}
	}
	for _, o := range b.Objects {
		mark(o)
	}
	for _, d := range b.Schema.Query.Fields {
		for _, o := range b.PagesOf(d.Type.Name()) {
			mark(o)
		}
	}
}

// below returns the columns with keys of other rows that begin an index in which a column comes
// next.
func (f *finder) below(e *entity.Entity, column string) (parents []string) {
	for _, key := range f.tables[e.Table].ForeignKeys {
		if parent := key.Columns[0].Name; f.served(e, false, parent, column) {
			parents = append(parents, parent)
		}
	}
	return parents
}

func newFinder(b *binding.Binding, tables []*schema.Table) *finder {
	f := &finder{binding: b, tables: map[string]*schema.Table{}, seen: map[*binding.Object]bool{}}
	for _, t := range tables {
		f.tables[t.Name] = t
	}
	return f
}

// finder collects what is missing.
type finder struct {
	binding *binding.Binding
	tables  map[string]*schema.Table
	seen    map[*binding.Object]bool
	found   []Missing
}

// add adds a finding. Findings about one index are one.
func (f *finder) add(m Missing) {
	for i := range f.found {
		if known := &f.found[i]; known.Advice == m.Advice && known.Sorts == m.Sorts {
			known.At = append(known.At, m.At...)
			return
		}
	}
	f.found = append(f.found, m)
}

// lacks adds a finding if no index of the entity's table begins with the columns.
func (f *finder) lacks(at string, e *entity.Entity, columns ...string) {
	if !f.served(e, false, columns...) {
		f.add(Missing{At: []string{at}, Entity: e.Name, Why: "no index begins with the column " + columns[0] + " of " + e.Table + ", so that the whole table is read",
			Advice: advice(e, columns, "")})
	}
}

// advice returns what to add to an entity for an index over columns and the key.
func advice(e *entity.Entity, columns []string, then string) string {
	for _, column := range columns {
		if !slices.ContainsFunc(e.Fields, func(f entity.Field) bool { return f.Column == column }) {
			return fmt.Sprintf("Give the edge of %s with the column %s a Field of that name in ent/schema, and add an index of it.", e.Name, column)
		}
	}
	if len(e.Fields) > 0 && e.Fields[0].Refers == e.Name && !slices.Contains(columns, e.Fields[0].Column) {
		columns = append(slices.Clone(columns), e.Fields[0].Column)
	}
	return fmt.Sprintf(`Add index.Fields("%s")%s to the Indexes of %s in ent/schema.`, strings.Join(columns, `", "`), then, e.Name)
}

// object adds what is missing for the conditions on an object's rows.
func (f *finder) object(o *binding.Object) {
	if f.seen[o] {
		return
	}
	f.seen[o] = true
	for _, name := range slices.Sorted(maps.Keys(o.Filters)) {
		by, at := o.Filters[name], o.ListName()+"WhereInput."+name
		of := o
		if by.Edge != nil {
			f.edge(at, o, by)
			of = by.To
			f.object(by.To)
		}
		if column := compared(by); column != "" {
			f.lacks(at, of.Entity, column)
		}
	}
}

// edge adds what is missing for a condition over related rows: they are looked up for each row, or
// each row for those of them for which the condition holds.
func (f *finder) edge(at string, o *binding.Object, by *binding.Filter) {
	switch {
	case by.Edge.Through != "":
		f.join(at, by.Edge, by.Join)
	case !by.Edge.OwnKey:
		f.lacks(at, by.To.Entity, by.Edge.Column)
	case by.Op == "hasWith":
		f.lacks(at, o.Entity, by.Edge.Column)
	}
}

// join adds what is missing for a many-to-many edge. A table that only joins two others has an
// index for each direction.
func (f *finder) join(at string, edge *entity.Edge, join *entity.Entity) {
	if join != nil {
		f.lacks(at, join, edge.Column)
	}
}

// compared returns the column that a filter compares by a relation that an index serves. It returns
// "" if there is none.
func compared(by *binding.Filter) string {
	switch {
	case by.Field == nil || by.Counts || by.Folds() || by.Field.Kind == entity.JSON || by.Field.Kind == entity.List:
		return ""
	case slices.Contains([]string{"NEQ", "NotIn", "NotNil", "Contains", "ContainsFold", "HasSuffix"}, by.Op), by.Op == "IsNil" && !by.Field.Nullable:
		return ""
	case by.Field.MatchBy != "":
		return by.Field.MatchBy
	}
	return by.Field.Column
}

// orders adds what is missing for the orders of an object's list at the root.
func (f *finder) orders(o *binding.Object) {
	for _, name := range slices.Sorted(maps.Keys(o.Orders)) {
		by, at := o.Orders[name], o.ListName()+"OrderField."+name
		if by.Edge != nil && !by.Count {
			f.joined(at, o, by)
		}
		if by.Edge != nil || by.Fit {
			continue
		}
		columns := []string{by.Field.Column, o.Key.Name}
		const why = "no index has this order, so that the whole table is read and sorted"
		if !f.served(o.Entity, false, columns...) {
			f.add(Missing{At: []string{at}, Entity: o.Entity.Name, Why: why, Advice: advice(o.Entity, columns, "")})
		}
		if by.Field.Nullable && !f.served(o.Entity, true, columns...) {
			f.add(Missing{At: []string{at + " DESC"}, Entity: o.Entity.Name, Why: why,
				Advice: advice(o.Entity, columns, fmt.Sprintf(".StorageKey(%q).Annotations(entsql.DescColumns(%q, %q))",
					strings.ToLower(o.Entity.Name)+"_"+columns[0]+"_desc", columns[0], columns[1]))})
		}
	}
}

// joined adds what is missing for an order by a column of related rows, which the database goes
// through in this order, to look up the rows that lead to each.
func (f *finder) joined(at string, o *binding.Object, by *binding.Order) {
	f.lacks(at, by.To.Entity, by.Field.Column)
	if by.Edge.OwnKey {
		f.lacks(at, o.Entity, by.Edge.Column)
	} else {
		f.lacks(at, by.To.Entity, by.Edge.Column)
	}
}

// deleted adds what is missing for the list of an object's deleted rows.
func (f *finder) deleted(at string, o *binding.Object) {
	t, only := f.tables[o.Entity.Table], o.Entity.Deleted+" IS NOT NULL"
	if t != nil && !holdsDeleted(t, o.Entity.Deleted, o.Key.Name) {
		f.add(Missing{At: []string{at}, Entity: o.Entity.Name, Why: "no index holds the rows that are deleted, so that the whole table is read",
			Advice: advice(o.Entity, []string{o.Key.Name}, fmt.Sprintf(".Annotations(entsql.IndexWhere(%q))", only))})
	}
}

// holdsDeleted reports whether an index of a table has the rows that are marked as deleted, by key.
func holdsDeleted(t *schema.Table, mark, key string) bool {
	return slices.ContainsFunc(t.Indexes, func(i *schema.Index) bool {
		return orders(i) && i.Annotation != nil && i.Annotation.Where == mark+" IS NOT NULL" && begins(names(i.Columns), []string{key}, false)
	})
}

// ServesDeleted reports whether an index has the rows of an entity that are marked as deleted.
func ServesDeleted(tables []*schema.Table, e *entity.Entity) bool {
	i := slices.IndexFunc(tables, func(t *schema.Table) bool { return t.Name == e.Table })
	return i >= 0 && holdsDeleted(tables[i], e.Deleted, e.Fields[0].Column)
}

// nested adds what is missing for the lists in an object.
func (f *finder) nested(name string, o *binding.Object) {
	for _, d := range f.binding.Schema.Types[name].Fields {
		shown := o.Fields[d.Name]
		if shown == nil {
			continue
		}
		for _, member := range append([]*binding.Field{shown}, shown.Members...) {
			if member.Edge != nil && !member.Edge.OwnKey && member.To != nil {
				f.list(name+"."+d.Name, d, member)
			}
		}
	}
}

// list adds what is missing for a list of related rows, and for its orders.
func (f *finder) list(at string, d *ast.FieldDefinition, of *binding.Field) {
	if of.Edge.Through != "" {
		f.join(at, of.Edge, of.Join)
		return // the rows of a parent are sorted, as their order is not that of the join table
	}
	e, parent := of.To.Entity, of.Edge.Column
	if !f.served(e, false, parent) {
		f.lacks(at, e, parent)
		return
	}
	if d.Arguments.ForName("orderBy") == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(of.To.Orders)) {
		by := of.To.Orders[name]
		if by.Edge != nil || by.Fit || f.served(e, false, parent, by.Field.Column) {
			continue
		}
		f.add(Missing{At: []string{at + " by " + name}, Entity: e.Name, Why: "all rows of a parent are read and sorted", Sorts: true,
			Advice: advice(e, []string{parent, by.Field.Column}, "")})
	}
}

// served reports whether an index of the entity's table begins with the columns, in descending
// order if desc is true. If an index is unique and begins with some of them, the rest does not
// matter.
func (f *finder) served(e *entity.Entity, desc bool, columns ...string) bool {
	t := f.tables[e.Table]
	if t == nil {
		return true // nothing is known of it
	}
	if begins(names(t.PrimaryKey), columns, true) {
		return true
	}
	for _, c := range t.Columns {
		if c.Unique && c.Name == columns[0] {
			return true
		}
	}
	return slices.ContainsFunc(t.Indexes, func(i *schema.Index) bool {
		return orders(i) && usable(i, e) && begins(names(i.Columns), columns, i.Unique) && (!desc || descends(i, columns[0]))
	})
}

// Serves reports whether an index of the entity's table begins with the columns, in descending
// order if desc is true. If an index is unique and begins with some of them, the rest does not
// matter.
func Serves(tables []*schema.Table, e *entity.Entity, desc bool, columns ...string) bool {
	i := slices.IndexFunc(tables, func(t *schema.Table) bool { return t.Name == e.Table })
	return i >= 0 && (&finder{tables: map[string]*schema.Table{e.Table: tables[i]}}).served(e, desc, columns...)
}

// begins reports whether an index on some columns finds rows by the wanted ones.
func begins(has, wanted []string, unique bool) bool {
	n := min(len(has), len(wanted))
	return n > 0 && slices.Equal(has[:n], wanted[:n]) && (n == len(wanted) || unique)
}

func names(columns []*schema.Column) (all []string) {
	for _, c := range columns {
		all = append(all, c.Name)
	}
	return all
}

// orders reports whether an index is a B-tree on both databases.
func orders(i *schema.Index) bool {
	if i.Annotation == nil {
		return true
	}
	for _, method := range []string{i.Annotation.Type, i.Annotation.Types[dialect.Postgres]} {
		if method != "" && !strings.EqualFold(method, "BTREE") {
			return false
		}
	}
	return true
}

// usable reports whether every query for the entity may use an index. One that leaves rows out is
// taken to leave out those that interceptors hide.
func usable(i *schema.Index, e *entity.Entity) bool {
	return i.Annotation == nil || i.Annotation.Where == "" || e.Filtered
}

// descends reports whether an index holds a column in descending order.
func descends(i *schema.Index, column string) bool {
	return i.Annotation != nil && (i.Annotation.Desc || i.Annotation.DescColumns[column])
}
