package load

import (
	"cmp"
	"context"
	"database/sql/driver"
	"fmt"
	"math"
	"slices"
	"strconv"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"

	"forge/internal/bufpool"
	"forge/internal/read/plan"
	"forge/internal/read/rows"
	"forge/internal/read/sql"
	"forge/internal/telemetry"
)

// MaxTree is how many nodes one statement reads at most. PostgreSQL plans all of them together.
const MaxTree = 40

// Trees returns how many statements the plan takes at most on PostgreSQL.
func (l *Loader) Trees() int {
	if len(l.Plan.Nodes) <= MaxTree {
		return min(l.Plan.Statements(), 1)
	}
	return l.Plan.Statements()
}

// asTree reports whether the plan is loaded with one statement. Where it takes but one anyway, that
// can be shared with other requests.
func (l *Loading) asTree() bool {
	return l.Request.Dialect == dialect.Postgres && l.Loader.Trees() < l.Loader.Plan.Statements()
}

// RunTogether loads the rows of several plans with one statement, on PostgreSQL. They are all from
// the same state of the database. The plans have at most MaxTree nodes, and belong to one operation.
func RunTogether(ctx context.Context, loadings ...*Loading) error {
	t := new(tree)
	for _, l := range loadings {
		t.add(l)
	}
	if len(t.branches) == 0 {
		return nil
	}
	first := t.branches[0].fetch
	if !first.loading.Request.Traced {
		return t.run(ctx, first)
	}
	ctx, batch := telemetry.StartBatch(ctx, first.query.Node.Object.Entity.Name, first.query.Node.EdgeName, len(first.query.Keys))
	err := t.run(ctx, first)
	batch.End(first.result.Table.Len(), err)
	return err
}

// tree is what one statement reads for several nodes.
type tree struct {
	branches []*branch
	slots    [][]int        // of the branches' columns; see sql.Tree
	row      []driver.Value // the values of a branch's columns
}

// branch is one query of a tree, with its rows.
type branch struct {
	fetch   *fetch
	purpose purpose
	at      sql.Branch
	parent  *branch // nil at a root
	key     int     // the column of the rows' own keys, if the rows are found by those; else -1
	cursor  []int   // the columns of a cursor

	// A branch for edges to at most one row is joined to host, and its columns follow those of host
	// and of its earlier joins, from the index first. It has a row for each row of host, which is
	// all NULL if the edge leads nowhere.
	host  *branch
	first int
	joins []*branch

	table   rows.Table
	counts  []int64
	parents []int32 // the index of each row's parent row
}

// purpose says what the rows of a branch are for.
type purpose byte

const (
	toRead  purpose = 'r'
	toCount purpose = 'c'
	toSkip  purpose = 's' // to learn whether an offset has skipped rows
)

// add adds the queries of a plan's nodes. Nothing is read for a node whose arguments have a fault,
// for a row that is there already, and below a row that leads nowhere.
func (t *tree) add(l *Loading) {
	readers := make([]*branch, len(l.Results)) // of the nodes' rows
	for _, n := range l.Loader.Plan.Nodes {
		f := l.fetchOf(n)
		if f.result.Fault != nil || n.Parent == nil && f.result.Table.Len() > 0 {
			continue
		}
		b := branch{fetch: f, at: sql.Branch{Parent: -1}}
		if n.Parent != nil {
			b.parent = readers[n.Parent.Index]
			switch {
			case b.parent != nil && n.Edge.Edge.Unique:
				readers[n.Index] = b.join(n)
				continue
			case b.parent != nil:
				host := cmp.Or(b.parent.host, b.parent)
				b.at = sql.Branch{Parent: slices.Index(t.branches, host), From: b.parent.first + n.From}
				host.at.Inner = true
			default:
				if f.takeKeys(&l.Results[n.Parent.Index].Table); len(f.query.Keys) == 0 {
					continue
				}
			}
		}
		if n.Count {
			t.branch(b, toCount, f.query.Page)
		}
		if n.Rows {
			readers[n.Index] = t.branch(b, toRead, f.query.Page)
			if p := f.query.Page; p != nil && p.More && p.Offset > 0 && p.MayHaveSkipped(n) {
				t.branch(b, toSkip, p.FirstSkipped())
			}
		}
	}
}

// branch adds a branch like b for a purpose and a page.
func (t *tree) branch(b branch, of purpose, page *rows.Page) *branch {
	f := *b.fetch
	b.fetch, b.purpose, b.key = &f, of, -1
	b.at.Query = &f.query
	f.query.Page = page
	if of != toCount {
		f.query.Columns, b.cursor = columnsOf(f.query.Node, page)
		if len(f.query.Keys) > 1 {
			b.key = f.ownKey()
		}
		b.allocate()
	}
	t.branches = append(t.branches, &b)
	return &b
}

// join joins b to the branch of its parent rows.
func (b branch) join(n *plan.Node) *branch {
	b.purpose, b.fetch.query.Columns = toRead, n.Columns
	b.key = b.fetch.ownKey() // it is not NULL
	b.allocate()
	b.host = cmp.Or(b.parent.host, b.parent)
	b.first = b.host.table.Width
	for _, j := range b.host.joins {
		b.first += j.table.Width
	}
	b.host.joins = append(b.host.joins, &b)
	b.host.at.Joins = append(b.host.at.Joins, sql.Join{Query: &b.fetch.query, From: b.parent.first + n.From})
	return &b
}

// ownKey returns the column of the rows' own keys. It adds the column if it is not read anyway.
func (f *fetch) ownKey() int {
	key := f.query.Node.Object.Key
	if !slices.Contains(f.query.Columns, key) {
		f.query.Columns = append(slices.Clip(f.query.Columns), key)
	}
	return slices.Index(f.query.Columns, key)
}

// allocate makes the table as large as it was at the last requests.
func (b *branch) allocate() {
	b.table.Width = len(b.fetch.query.Columns)
	cells := b.fetch.memory.cells.Size()
	b.table.Ends, b.table.Data = make([]int32, 0, cells), bufpool.Bytes(b.fetch.memory.data.Size())
	b.parents = make([]int32, 0, cells/b.table.Width)
}

// run runs the statement. first is the fetch of the first branch.
func (t *tree) run(ctx context.Context, first *fetch) error {
	s, err := t.statement(ctx, first)
	if err != nil {
		return err
	}
	t.slots = s.slots
	args := s.BranchArguments(func(branch int, p sql.Parameter) any { return t.branches[branch].fetch.query.Argument(p) })
	if err := first.loading.Request.Unit.Read(ctx, t.take, s.Text, args); err != nil {
		return err
	}
	for _, b := range t.branches {
		if err := b.finish(); err != nil {
			return err
		}
		for _, j := range b.joins {
			j.store()
			j.fetch.result.Groups = rows.Group(j.parents, len(j.parents))
		}
	}
	return nil
}

// statement returns the statement, written before or now.
func (t *tree) statement(ctx context.Context, first *fetch) (*statement, error) {
	var loaders []*Loader
	write := func() (*statement, error) {
		branches := make([]sql.Branch, len(t.branches))
		for i, b := range t.branches {
			branches[i] = b.at
		}
		written, err := sql.WriteTree(ctx, first.loading.Request.Writer, branches)
		if err != nil {
			return nil, err
		}
		first.loading.dependencies.Add(&written.Statement)
		return &statement{Statement: &written.Statement, slots: written.Slots, loaders: loaders}, nil
	}
	key := make([]byte, 0, 512)
	for _, b := range t.branches {
		if !b.fetch.keepable() {
			return write()
		}
		if l := b.fetch.loading.Loader; l != first.loading.Loader && !slices.Contains(loaders, l) {
			loaders, key = append(loaders, l), fmt.Appendf(key, "%p", l)
		}
		key = append(key, b.fetch.query.Node.Object.Entity.Name...)
		key = strconv.AppendInt(append(key, byte(b.purpose)), int64(b.fetch.query.Node.Index), 10)
		key = b.fetch.key(key)
		for _, j := range b.joins {
			key = strconv.AppendInt(append(key, '+'), int64(j.fetch.query.Node.Index), 10)
		}
	}
	return first.loading.Loader.trees.statement(ctx, key, first, write)
}

// take takes a row of the statement.
func (t *tree) take(values []driver.Value) error {
	i, ok := values[sql.BranchValue].(int64)
	if !ok || i < 0 || i >= int64(len(t.branches)) {
		return fmt.Errorf("read: a row belongs to branch %v of %d", values[sql.BranchValue], len(t.branches))
	}
	b := t.branches[i]
	if err := b.checkNumber(values[sql.NumberValue]); err != nil {
		return err
	}
	parent, ok := values[sql.ParentValue].(int64)
	if !ok || parent < 0 || parent > math.MaxInt32 {
		return fmt.Errorf("read: a row belongs to row %v", values[sql.ParentValue])
	}
	b.parents = append(b.parents, int32(parent-1))
	row := t.rowOf(values, i)
	if b.purpose == toCount {
		n, ok := row[0].(int64)
		if !ok {
			return fmt.Errorf("read: a count of type %T", row[0])
		}
		b.counts = append(b.counts, n)
		return nil
	}
	if err := b.add(row[:b.table.Width]); err != nil {
		return err
	}
	for _, j := range b.joins {
		own := row[j.first : j.first+j.table.Width]
		at := int32(len(j.parents))
		if own[j.key] == nil {
			at = -1
		}
		j.parents = append(j.parents, at)
		if err := j.add(own); err != nil {
			return err
		}
	}
	return nil
}

// rowOf returns the values of the columns of a branch, and of its joins'.
func (t *tree) rowOf(values []driver.Value, branch int64) []driver.Value {
	t.row = t.row[:0]
	for _, slot := range t.slots[branch] {
		t.row = append(t.row, values[slot])
	}
	return t.row
}

// add adds a row to the table. It returns an error if the rows take more memory than the request's
// budget allows.
func (b *branch) add(row []driver.Value) error {
	before := len(b.table.Data)
	if err := b.table.Add(row, b.fetch.query.Columns); err != nil {
		return err
	}
	budget := b.fetch.loading.Request.Budget
	if !budget.Hold(len(b.table.Data) - before + rowBytes + cellBytes*b.table.Width) {
		return budget.Err()
	}
	return nil
}

// checkNumber returns an error if the rows of an inner branch come in another order than they were
// numbered in: the rows below are found by these numbers.
func (b *branch) checkNumber(number driver.Value) error {
	if want := int64(len(b.parents) + 1); b.at.Inner && number != driver.Value(want) {
		return fmt.Errorf("read: row %v came as number %d", number, want)
	}
	return nil
}

// finish makes the node's result of the rows.
func (b *branch) finish() error {
	places, keys, err := b.places()
	if err != nil {
		return err
	}
	res := b.fetch.result
	switch b.purpose {
	case toCount:
		res.Counts = make([]int64, keys)
		for i, place := range places {
			res.Counts[place] = b.counts[i]
		}
	case toSkip:
		for _, place := range places {
			res.Skipped[place] = true
		}
	default:
		b.store()
		b.cut(places, keys)
	}
	return nil
}

// store makes the table that of the node's result.
func (b *branch) store() {
	b.fetch.memory.cells.Record(len(b.table.Ends))
	b.fetch.memory.data.Record(len(b.table.Data))
	b.fetch.result.Table, b.fetch.result.Cursor = b.table, b.cursor
}

// cut groups the rows that were read by their keys, and leaves those out that stand after their
// page.
func (b *branch) cut(places []int32, keys int) {
	res, p := b.fetch.result, b.fetch.query.Page
	res.More = make([]bool, keys)
	if p != nil {
		taken := make([]int, keys)
		for i, place := range places {
			if taken[place] == p.Size {
				res.More[place], places[i] = true, -1
				continue
			}
			taken[place]++
		}
		if p.More && p.Offset > 0 {
			res.Skipped = make([]bool, keys)
			for place, n := range taken {
				res.Skipped[place] = n > 0 || res.More[place]
			}
		}
	}
	res.Groups = rows.Group(places, keys)
}

// places returns which key each row belongs to, and how many keys there are.
func (b *branch) places() (places []int32, keys int, err error) {
	if b.key < 0 {
		keys = 1
		if b.parent != nil {
			keys = b.parent.table.Len()
		} else {
			clear(b.parents)
		}
		for _, place := range b.parents {
			if place < 0 || int(place) >= keys {
				return nil, 0, fmt.Errorf("read: a row belongs to row %d of %d", place, keys)
			}
		}
		return b.parents, keys, nil
	}
	wanted := b.fetch.query.Keys
	place := make(map[uuid.UUID]int32, len(wanted))
	for i, key := range wanted {
		place[key] = int32(i)
	}
	for row := range b.parents {
		key, _ := b.table.Key(row, b.key)
		of, ok := place[key]
		if !ok {
			return nil, 0, fmt.Errorf("read: a row of %s was not asked for", b.fetch.query.Node.Object.Entity.Name)
		}
		b.parents[row] = of
	}
	return b.parents, len(wanted), nil
}
