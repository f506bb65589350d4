package adopt

import (
	"slices"
	"strings"

	"ariga.io/atlas/sql/postgres"
	atlas "ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"
)

// Edge is what a foreign key becomes, on the side of one of the two entities.
type Edge struct {
	Name     string
	To       *Entity
	Column   *Column // the foreign key, if it is a column of the entity itself
	Back     *Edge   // the same relation as the other entity has it; nil if that has none
	Unique   bool    // it leads to one row at most
	Required bool
	OnDelete string // what becomes of the rows with the key: a constant of package entsql
	Symbol   string // the name of the foreign key
	Through  *Entity
	// Table, and Columns with its foreign keys to this entity and to the other, are the join table
	// of rows that are related to many on both sides.
	Table   string
	Columns [2]string
	Inverse bool // of the two sides, the one that refers to the other
}

// Join is a table that only joins two others.
type Join struct{ Table *Table }

// keyColumns returns the columns of the primary key, or else those of a unique index whose columns
// are never NULL. It returns none if there is no key.
func (t *Table) keyColumns() []*atlas.Column {
	if t.PrimaryKey != nil {
		return columnsOf(t.PrimaryKey)
	}
	for _, i := range t.Indexes {
		partial := attr[*postgres.IndexPredicate](i.Attrs) != nil || attr[*sqlite.IndexPredicate](i.Attrs) != nil
		if columns := columnsOf(i); i.Unique && !partial && !slices.ContainsFunc(columns, func(c *atlas.Column) bool { return c.Type.Null }) {
			if len(columns) == 1 || len(columns) == 2 && len(t.Columns) == 2 {
				return columns
			}
		}
	}
	return nil
}

// columnsOf returns the columns of an index, or none if it is over an expression.
func columnsOf(i *atlas.Index) []*atlas.Column {
	columns := make([]*atlas.Column, 0, len(i.Parts))
	for _, part := range i.Parts {
		if part.C == nil {
			return nil
		}
		columns = append(columns, part.C)
	}
	return columns
}

// joins returns the foreign keys of the two columns of the table's key, or nil if the key does not
// consist of two columns that are foreign keys.
func (t *Table) joins() []*atlas.ForeignKey {
	keys := t.keyColumns()
	if len(keys) != 2 {
		return nil
	}
	var all []*atlas.ForeignKey
	for _, c := range keys {
		i := slices.IndexFunc(t.ForeignKeys, func(fk *atlas.ForeignKey) bool { return len(fk.Columns) == 1 && fk.Columns[0] == c })
		if i < 0 {
			return nil
		}
		all = append(all, t.ForeignKeys[i])
	}
	return all
}

// target returns the entity whose key a foreign key holds, or nil if there is none.
func (m *maker) target(fk *atlas.ForeignKey) *Entity {
	to := m.of[fk.RefTable]
	if len(fk.Columns) != 1 || to == nil || to.Key == nil || fk.RefColumns[0].Name != to.Key.Name {
		return nil
	}
	return to
}

// reference is a foreign key between two entities.
type reference struct {
	from, to *Entity
	column   *Column
	fk       *atlas.ForeignKey
	stem     []string // the words of the column, without one such as id
}

// relate makes edges of the foreign keys, and names the columns.
func (m *maker) relate(tables []*Table) {
	var all []reference
	for _, e := range m.Entities {
		all = append(all, m.references(e)...)
	}
	m.nameColumns(all)
	for _, r := range all {
		m.addEdges(r, all)
	}
	for _, e := range slices.Clone(m.Entities) {
		if e.Key == nil {
			m.addJoin(e)
		}
	}
	m.Entities = slices.DeleteFunc(m.Entities, func(e *Entity) bool { return e.Key == nil && len(e.Table.Columns) == 2 })
}

// references returns the foreign keys of an entity that become edges. Others stay columns.
func (m *maker) references(e *Entity) (all []reference) {
	used := map[string]bool{}
	joined := e.Table.joins()
	for _, fk := range e.Table.ForeignKeys {
		subject, to := e.Table.Path()+"."+fk.Columns[0].Name, m.target(fk)
		switch column := e.column(fk.Columns[0].Name); {
		case e.Key == nil && slices.Contains(joined, fk):
		case len(fk.Columns) > 1:
			m.note(e.Table.Path(), "its foreign key to "+fk.RefTable.Name+" has several columns, so it is no edge; the columns are there")
		case column == nil: // it is left out, and was told
		case to == nil && m.of[fk.RefTable] == nil:
			m.note(subject, "it refers to "+fk.RefTable.Name+", which is left out, so it is a column and no edge")
		case to == nil:
			m.note(subject, "it refers to a column of "+fk.RefTable.Name+" that is not its key, so it is a column and no edge")
		case column == e.Key:
			m.note(subject, "it is the key as well, so it is no edge")
		case e.Key == nil:
			m.note(subject, "its table joins two others, so it is a column and no edge")
		case used[column.Name]:
			m.note(subject, "it refers to several tables; the edge is to the first of them")
		default:
			used[column.Name] = true
			column.Kind = keyKind(to.Key)
			column.Imports = append(slices.Clone(to.Key.Kind.Imports), column.Imports...)
			if column.Default != "" && to.Key.form != "number" {
				column.Default = ""
			}
			all = append(all, reference{e, to, column, fk, stem(column.Name, to)})
		}
	}
	return all
}

// keyKind returns how a column is written that holds a key.
func keyKind(key *Column) Kind { return key.Kind }

// stem returns the words of a foreign key's column without the one that says that it is a key.
func stem(column string, to *Entity) []string {
	of := words(column)
	if len(of) > 1 && of[0] == "fk" {
		of = of[1:]
	}
	if len(of) > 1 && slices.Contains([]string{"id", "key", "code", "no", "uuid", "fk", "ref", "nr", "num"}, of[len(of)-1]) {
		return of[:len(of)-1]
	}
	if rest, ok := strings.CutSuffix(strings.Join(of, ""), "id"); ok && rest == strings.ToLower(to.Name) {
		return words(to.Name)
	}
	if len(of) == 0 {
		return words(to.Name)
	}
	return of
}

// nameColumns names the columns: first those that are values, then the foreign keys.
func (m *maker) nameColumns(all []reference) {
	keys := map[*Column]reference{}
	for _, r := range all {
		keys[r.column] = r
	}
	for _, e := range m.Entities {
		joined := map[string]bool{}
		if e.Key == nil {
			for _, fk := range e.Table.joins() {
				joined[fk.Columns[0].Name] = true
			}
		}
		for _, c := range e.Columns {
			if _, ok := keys[c]; !ok && !joined[c.Name] {
				c.Field = freeField(snake(c.Name), e.fields)
			}
		}
		for _, c := range e.Columns {
			if r, ok := keys[c]; ok {
				c.Field = freeField(strings.Join(r.stem, "_")+"_id", e.fields)
			}
		}
	}
}

// addEdges adds the two edges of a foreign key.
func (m *maker) addEdges(r reference, all []reference) {
	name := strings.Join(r.stem, "_")
	unique := r.from.unique(r.column)
	own := &Edge{Name: freeEdge(r.from, name, name+"_"+one(r.to.Name)), To: r.to, Column: r.column, Unique: true, Required: !r.column.Nullable, Inverse: true}
	other := many(r.from.Name)
	if unique {
		other = one(r.from.Name)
	}
	back := &Edge{Name: freeEdge(r.to, backName(r, all, other), name+"_"+other), To: r.from, Unique: unique,
		OnDelete: onDelete(r.fk), Symbol: symbol(r.fk), Back: own}
	own.Back = back
	r.from.Edges = append(r.from.Edges, own)
	r.to.Edges = append(r.to.Edges, back)
}

// freeEdge returns the first of two names that is free, or one like the first.
func freeEdge(e *Entity, name, other string) string {
	if e.fields[edgeAPIName(name)] && !e.fields[edgeAPIName(other)] {
		name = other
	}
	return freeField(name, e.fields)
}

// backName returns the name of the edge from the row that a foreign key refers to: name, unless
// there are several foreign keys to it.
func backName(r reference, all []reference, name string) string {
	edge := strings.Join(r.stem, "_")
	if r.from == r.to {
		return backToSelf(r.stem, edge, name)
	}
	for _, other := range all {
		if other.column != r.column && other.from == r.from && other.to == r.to && edge != one(r.to.Name) {
			return edge + "_" + name
		}
	}
	return name
}

// backToSelf returns the name of the edge to the rows below one in a tree.
func backToSelf(stem []string, edge, name string) string {
	i := slices.Index(stem, "parent")
	switch {
	case edge == "parent":
		return "children"
	case i >= 0:
		below := slices.Clone(stem)
		below[i] = "child"
		below[len(below)-1] = plural(below[len(below)-1])
		return strings.Join(below, "_")
	case slices.Contains([]string{"reports_to", "manager", "supervisor", "boss"}, edge):
		return "reports"
	}
	return edge + "_" + name
}

// unique reports whether a column has a value in one row at most.
func (e *Entity) unique(c *Column) bool {
	return slices.ContainsFunc(e.Table.Indexes, func(i *atlas.Index) bool {
		partial := attr[*postgres.IndexPredicate](i.Attrs) != nil || attr[*sqlite.IndexPredicate](i.Attrs) != nil
		return i.Unique && !partial && len(i.Parts) == 1 && i.Parts[0].C == c.Column
	})
}

// addJoin adds the edges between the two entities that a table joins. If the table has more columns
// than the two keys, it is an entity of its own.
func (m *maker) addJoin(e *Entity) {
	keys := e.Table.joins()
	left, right := m.target(keys[0]), m.target(keys[1])
	var stems [2][]string
	for i, fk := range keys {
		c := e.column(fk.Columns[0].Name)
		to := m.target(fk)
		stems[i] = stem(c.Name, to)
		c.Kind, c.Default, c.Nullable = keyKind(to.Key), "", false
		c.Imports = to.Key.Kind.Imports
		c.Field = freeField(strings.Join(stems[i], "_")+"_id", e.fields)
		e.Pair[i] = c
	}
	names := [2]string{many(right.Name), many(left.Name)}
	if left == right {
		names = [2]string{pluralOf(stems[1]), pluralOf(stems[0])}
	}
	with := "_by_" + one(e.Name)
	forth := &Edge{Name: freeEdge(left, names[0], names[0]+with), To: right, Table: e.Table.Name, Columns: [2]string{keys[0].Columns[0].Name, keys[1].Columns[0].Name}}
	left.Edges = append(left.Edges, forth)
	back := &Edge{Name: freeEdge(right, names[1], names[1]+with), To: left, Back: forth, Inverse: true}
	forth.Back = back
	right.Edges = append(right.Edges, back)
	if len(e.Table.Columns) == 2 {
		m.Joins = append(m.Joins, &Join{e.Table})
		return
	}
	forth.Through, back.Through = e, e
	for i, fk := range keys {
		name := freeField(strings.Join(stems[i], "_"), e.fields)
		e.Edges = append(e.Edges, &Edge{Name: name, To: m.target(fk), Column: e.Pair[i], Unique: true, Required: true, OnDelete: onDelete(fk), Symbol: symbol(fk)})
	}
}

func pluralOf(stem []string) string {
	of := slices.Clone(stem)
	of[len(of)-1] = plural(of[len(of)-1])
	return strings.Join(of, "_")
}

// onDelete returns the constant of package entsql for what becomes of the rows that refer to one.
func onDelete(fk *atlas.ForeignKey) string {
	switch strings.ToUpper(string(fk.OnDelete)) {
	case "CASCADE":
		return "Cascade"
	case "SET NULL":
		return "SetNull"
	case "SET DEFAULT":
		return "SetDefault"
	case "RESTRICT":
		return "Restrict"
	}
	return "NoAction"
}

// symbol returns the name of a foreign key, or "" where it has none of its own.
func symbol(fk *atlas.ForeignKey) string {
	if len(words(fk.Symbol)) == 0 || fk.Symbol[0] >= '0' && fk.Symbol[0] <= '9' || len(fk.Symbol) > 63 {
		return ""
	}
	return fk.Symbol
}
