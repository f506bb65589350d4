package sql

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"entgo.io/ent/dialect"
)

// Branch is one query of a tree. Its rows belong to rows of its parent.
type Branch struct {
	Query *Query
	// Parent is the index of the branch whose rows lead here, -1 at a root. From is the column of
	// those rows that holds the keys. At a root the keys are those of Query.
	Parent, From int
	// Inner says that there are branches below this one.
	Inner bool
	// Joins add columns to each row: those of a related row, of which there is one at most.
	Joins []Join
}

// Join reads the related row that each row of a branch leads to. If there is none, its columns are
// NULL.
type Join struct {
	Query *Query
	// From is the column with the key of the related row: one of the branch's own, or one of an
	// earlier join. They are counted together.
	From int
}

// The first values of each row of a tree. Those of its branch's columns follow; see Tree.Slots.
const (
	BranchValue = iota // the index of the branch
	ParentValue        // the number of the parent's row, from 1; 0 at a root
	NumberValue        // the row's own number in its branch, from 1; 0 if no branch is below
	headValues
)

// Unsent stands in Tree.Slots for a column that is not returned.
const Unsent = -1

// Tree is one statement for the queries of several branches, for PostgreSQL.
//
// An inner branch is a common table expression. A branch below it runs once for each of its rows,
// in a lateral join. A UNION ALL returns the rows of all branches, which may come in any order. Its
// columns are shared: of each SQL type, there are as many as the branch needs that has most of
// them.
//
// A related row of which there is one at most is joined to the row that leads to it, even if many
// rows lead to the same one. A branch of its own, or a list of the different keys, takes PostgreSQL
// longer. OFFSET 0 keeps it from reading the whole other table for a hash join.
type Tree struct {
	Statement
	// Slots says, for each branch, which values of a row are those of its columns and of its
	// joins'. For a column that is not returned it has Unsent. After the columns of each join there
	// is a value that is NULL if there is no related row.
	Slots [][]int
}

// branchParameter is a parameter of one branch of a tree.
type branchParameter struct {
	Parameter
	branch int
}

// BranchArguments is Arguments for the statement of a tree. value is also given the index of the
// branch that the parameter belongs to.
func (s *Statement) BranchArguments(value func(branch int, p Parameter) any) []any {
	args := slices.Clone(s.Args)
	for i, arg := range args {
		if p, ok := arg.(branchParameter); ok {
			args[i] = value(p.branch, p.Parameter)
		}
	}
	return args
}

// WriteTree has ent write the queries of the branches, and makes one statement of them. A parent
// comes before the branches below it.
func WriteTree(ctx context.Context, w Writer, branches []Branch) (*Tree, error) {
	t := &treeWriter{tree: new(Tree), branches: branches}
	t.layOut()
	for i := range branches {
		if err := t.add(ctx, w, i); err != nil {
			return nil, err
		}
	}
	if len(t.tables) > 0 {
		t.tree.Text = "WITH " + strings.Join(t.tables, ", ") + " "
	}
	t.tree.Text += strings.Join(t.selects, " UNION ALL ")
	return t.tree, nil
}

type treeWriter struct {
	tree     *Tree
	branches []Branch
	types    []string // of the slots
	tables   []string // the common table expressions
	selects  []string // what the UNION ALL joins
}

// layOut gives each column of each branch a slot of its SQL type.
func (t *treeWriter) layOut() {
	t.tree.Slots = make([][]int, len(t.branches))
	for i := range t.branches {
		columns := t.branches[i].columns()
		taken := make([]bool, len(t.types)+len(columns))
		for _, c := range columns {
			if c.unsent {
				t.tree.Slots[i] = append(t.tree.Slots[i], Unsent)
				continue
			}
			slot := 0
			for slot < len(t.types) && (taken[slot] || t.types[slot] != c.sqlType) {
				slot++
			}
			if slot == len(t.types) {
				t.types = append(t.types, c.sqlType)
			}
			taken[slot] = true
			t.tree.Slots[i] = append(t.tree.Slots[i], headValues+slot)
		}
	}
}

// treeColumn is a column of a branch or of one of its joins.
type treeColumn struct {
	table   string // the name that the tree gives to the rows that have it
	sqlType string // that it is returned in
	convert string // see kind.Kind
	unsent  bool   // it is not returned
}

// columns returns the columns of the branch, and then those of its joins.
func (br *Branch) columns() []treeColumn {
	columns := br.Query.treeColumns("_c")
	for i, j := range br.Joins {
		table := "_d" + strconv.Itoa(i+1)
		columns = append(append(columns, j.Query.treeColumns(table)...), treeColumn{table: table, sqlType: "bool"})
	}
	return columns
}

func (q *Query) treeColumns(table string) []treeColumn {
	columns := make([]treeColumn, len(q.Columns))
	for i, c := range q.Columns {
		k := kindOfColumn(c)
		columns[i] = treeColumn{table, k.SQL, conversion(c, dialect.Postgres), slices.Contains(q.Unsent, i)}
	}
	return columns
}

// These are the names in the statement. Package binding refuses tables of these names.
//
//	_n0      the rows of branch 0
//	_p       the keys that lead to a branch
//	_c, _s   the rows of the branch that is read
//	_l       the rows of a join table that lead to these
//	_o       the related rows that these are ordered by
//	_f       the keys that the probe of a range has found
//	_d1      the rows of its first join
//	c0       a column of the branch or of its joins, which are counted together

// add adds a branch.
func (t *treeWriter) add(ctx context.Context, w Writer, i int) error {
	br := &t.branches[i]
	from, err := t.from(ctx, w, i)
	if err != nil {
		return err
	}
	parent := "0::int8"
	if br.Parent >= 0 {
		parent = "_p.n"
	}
	if !br.Inner {
		t.selects = append(t.selects, "SELECT "+t.values(i, parent, "0::int8")+" FROM "+from)
		return nil
	}
	columns := columnNames(0, len(t.tree.Slots[i]))
	if br.Query.readsAhead() {
		columns += ", i"
	}
	name := "_n" + strconv.Itoa(i)
	t.tables = append(t.tables, name+"("+columns+", p, n) AS MATERIALIZED (SELECT "+columns+", "+parent+", row_number() OVER () FROM "+from+")")
	t.selects = append(t.selects, "SELECT "+t.values(i, "p", "n")+" FROM "+name)
	return nil
}

// from returns the FROM of a branch: its rows, for each of the keys that lead to it, with those of
// its joins.
func (t *treeWriter) from(ctx context.Context, w Writer, i int) (string, error) {
	br := &t.branches[i]
	key := ""
	if br.Parent >= 0 {
		key = "_p.id"
	}
	text, err := t.write(ctx, w, i, *br.Query, key)
	if err != nil {
		return "", err
	}
	all := br.columns()
	at := len(br.Query.Columns)
	columns := columnNames(0, at)
	if br.Inner && br.Query.readsAhead() {
		text, columns = "SELECT _s.*, row_number() OVER () FROM ("+text+") AS _s", columns+", i"
	}
	from := "(" + text + ") AS _c(" + columns + ")"
	if br.Parent >= 0 {
		from = t.keys(br) + " AS _p CROSS JOIN LATERAL " + from
	}
	for _, j := range br.Joins {
		q := *j.Query
		q.marked = true
		text, err := t.write(ctx, w, i, q, all[j.From].table+".c"+strconv.Itoa(j.From))
		if err != nil {
			return "", err
		}
		from += " LEFT JOIN LATERAL (" + text + " OFFSET 0) AS " + all[at].table + "(" + columnNames(at, len(j.Query.Columns)+1) + ") ON true"
		at += len(j.Query.Columns) + 1
	}
	return from, nil
}

// write has ent write a query of a branch. Its parameters are numbered after those of the queries
// before it. If key is not "", the query reads the rows that belong to the key in the column of
// that name.
func (t *treeWriter) write(ctx context.Context, w Writer, i int, q Query, key string) (string, error) {
	q.inTree, q.key, q.before = true, key, len(t.tree.Args)
	s, err := q.Write(ctx, w)
	if err != nil {
		return "", err
	}
	for _, arg := range s.Args {
		if p, ok := arg.(Parameter); ok {
			arg = branchParameter{p, i}
		}
		t.tree.Args = append(t.tree.Args, arg)
	}
	t.tree.Dependencies = append(t.tree.Dependencies, s.Dependencies...)
	return s.Text, nil
}

// keys returns the query of the keys that lead to a branch: id is the key, and n the number of the
// parent's row. Where several rows have the same key, its row is returned for each: to look each
// key up once takes PostgreSQL longer.
func (t *treeWriter) keys(br *Branch) string {
	key := "c" + strconv.Itoa(br.From)
	text := "SELECT n, " + key + " AS id FROM _n" + strconv.Itoa(br.Parent)
	if parent := t.branches[br.Parent].Query; parent.readsAhead() {
		text += " WHERE i <= " + strconv.Itoa(parent.Page.Size)
	}
	return "(" + text + ")"
}

// readsAhead reports whether the query reads a row after its page, to which nothing below belongs.
func (q *Query) readsAhead() bool { return q.Page != nil && q.Page.Limit > q.Page.Size }

// values returns a row of the branch, as the UNION ALL returns it.
func (t *treeWriter) values(i int, parent, number string) string {
	list := append([]string{strconv.Itoa(i) + "::int8", parent, number}, make([]string, len(t.types))...)
	for slot, sqlType := range t.types {
		list[headValues+slot] = "NULL::" + sqlType
	}
	for column, c := range t.branches[i].columns() {
		if c.unsent {
			continue
		}
		slot, value := t.tree.Slots[i][column], "c"+strconv.Itoa(column)
		list[slot] = value + "::" + c.sqlType
		if c.convert != "" {
			list[slot] = strings.Replace(c.convert, "%s", value, 1)
		}
	}
	return strings.Join(list, ", ")
}

// columnNames returns the names of n columns, beginning with that of number first, as an SQL list.
func columnNames(first, n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = "c" + strconv.Itoa(first+i)
	}
	return strings.Join(names, ", ")
}
