package sql

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"forge/internal/entity"
)

// Branch is one query of a tree. Its rows belong to rows of its parent.
type Branch struct {
	Query *Query
	// Parent is the index of the branch whose rows lead here, -1 at a root. From is the column of
	// those rows that holds the keys. At a root the keys are those of Query.
	Parent, From int
	// Inner says that there are branches below this one.
	Inner bool
}

// The first values of each row of a tree. Those of its branch's columns follow; see Tree.Slots.
const (
	BranchValue = iota // the index of the branch
	ParentValue        // the number of the parent's row, from 1; 0 at a root
	NumberValue        // the row's own number in an inner branch, from 1; else 0
	headValues
)

// Tree is one statement for the queries of several branches, for PostgreSQL.
//
// An inner branch is a common table expression. A branch below it runs once for each of its rows, in
// a lateral join. A UNION ALL returns the rows of all branches. Its columns are shared: of each SQL
// type, there are as many as the branch needs that has most of them.
type Tree struct {
	Statement
	// Slots says, for each branch, which values of a row are those of its columns.
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
		types := t.branches[i].Query.types()
		taken := make([]bool, len(t.types)+len(types))
		for _, sqlType := range types {
			slot := 0
			for slot < len(t.types) && (taken[slot] || t.types[slot] != sqlType) {
				slot++
			}
			if slot == len(t.types) {
				t.types = append(t.types, sqlType)
			}
			taken[slot] = true
			t.tree.Slots[i] = append(t.tree.Slots[i], headValues+slot)
		}
	}
}

// types returns the SQL types of the query's columns, or that of its count.
func (q *Query) types() []string {
	if q.Counts() {
		return []string{"int8"}
	}
	types := make([]string, len(q.Columns))
	for i, c := range q.Columns {
		types[i] = sqlTypes[c.Kind]
		if c.Kind == entity.ID && !isUUID(c) {
			types[i] = keyTypes[c.Form]
		}
	}
	return types
}

// sqlTypes are the types in which PostgreSQL returns the columns of a kind.
var sqlTypes = map[entity.Kind]string{
	entity.ID: "bytea", entity.String: "text", entity.Int: "int8", entity.Bool: "bool",
	entity.Time: "timestamptz", entity.Enum: "text",
}

// add adds a branch.
func (t *treeWriter) add(ctx context.Context, w Writer, i int) error {
	br := &t.branches[i]
	text, err := t.write(ctx, w, i)
	if err != nil {
		return err
	}
	parent, from := "0::int8", ""
	if br.Parent >= 0 {
		parent, from = "p.n", t.keys(br)+" AS p CROSS JOIN LATERAL "
	}
	columns := columnNames(len(t.tree.Slots[i]))
	if !br.Inner {
		t.selects = append(t.selects, "SELECT "+t.values(i, parent, "0::int8")+" FROM "+from+"("+text+") AS c("+columns+")")
		return nil
	}
	if br.Query.readsAhead() {
		text, columns = "SELECT s.*, row_number() OVER () FROM ("+text+") AS s", columns+", i"
	}
	name := "n" + strconv.Itoa(i)
	t.tables = append(t.tables, name+"("+columns+", p, n) AS MATERIALIZED (SELECT c.*, "+parent+", row_number() OVER () FROM "+from+"("+text+") AS c)")
	t.selects = append(t.selects, "SELECT "+t.values(i, "c.p", "c.n")+" FROM "+name+" AS c")
	return nil
}

// write has ent write the query of a branch, and numbers its parameters after those of the branches
// before it.
func (t *treeWriter) write(ctx context.Context, w Writer, i int) (string, error) {
	q := *t.branches[i].Query
	q.inTree, q.joined = true, t.branches[i].Parent >= 0
	s, err := q.Write(ctx, w)
	if err != nil {
		return "", err
	}
	text := renumbered(s.Text, len(t.tree.Args))
	for _, arg := range s.Args {
		if p, ok := arg.(Parameter); ok {
			arg = branchParameter{p, i}
		}
		t.tree.Args = append(t.tree.Args, arg)
	}
	t.tree.Dependencies = append(t.tree.Dependencies, s.Dependencies...)
	return text, nil
}

// keys returns the query of the keys that lead to a branch: id is the key, and n the number of the
// parent's row. Where several rows have the same key, its row is returned for each: to look each key
// up once takes PostgreSQL longer.
func (t *treeWriter) keys(br *Branch) string {
	key := "c" + strconv.Itoa(br.From)
	text := "SELECT n, " + key + " AS id FROM n" + strconv.Itoa(br.Parent)
	if parent := t.branches[br.Parent].Query; parent.readsAhead() {
		text += " WHERE i <= " + strconv.Itoa(parent.Page.Size)
	}
	return "(" + text + ")"
}

// readsAhead reports whether the query reads a row after its page, to which nothing below belongs.
func (q *Query) readsAhead() bool { return q.Page != nil && !q.Counts() && q.Page.Limit > q.Page.Size }

// values returns a row of the branch, as the UNION ALL returns it.
func (t *treeWriter) values(i int, parent, number string) string {
	list := append([]string{strconv.Itoa(i) + "::int8", parent, number}, make([]string, len(t.types))...)
	for slot, sqlType := range t.types {
		list[headValues+slot] = "NULL::" + sqlType
	}
	q := t.branches[i].Query
	for column, slot := range t.tree.Slots[i] {
		value := "c.c" + strconv.Itoa(column)
		if !q.Counts() && isUUID(q.Columns[column]) {
			list[slot] = "uuid_send(" + value + ")" // the 16 bytes: lib/pq would format a uuid as text
		} else {
			list[slot] = value + "::" + t.types[slot-headValues]
		}
	}
	return strings.Join(list, ", ")
}

// columnNames returns the names of n columns, as an SQL list.
func columnNames(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = "c" + strconv.Itoa(i)
	}
	return strings.Join(names, ", ")
}

// renumbered returns a statement's text with by added to the number of each parameter.
func renumbered(text string, by int) string {
	if by == 0 {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\'' || c == '"': // until the next one; a doubled one begins anew
			end := i + 1 + strings.IndexByte(text[i+1:], c)
			b.WriteString(text[i : end+1])
			i = end
		case c == '$' && i+1 < len(text) && '0' <= text[i+1] && text[i+1] <= '9':
			end := i + 1
			for end < len(text) && '0' <= text[end] && text[end] <= '9' {
				end++
			}
			n, _ := strconv.Atoi(text[i+1 : end])
			b.WriteString("$" + strconv.Itoa(n+by))
			i = end - 1
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
