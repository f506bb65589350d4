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

	"forge/internal/bufpool"
	"forge/internal/ids"
	"forge/internal/read/plan"
	"forge/internal/read/rows"
	"forge/internal/read/sql"
)

// MaxTree is how many queries one statement is made of at most. PostgreSQL plans all of them
// together.
const MaxTree = 40

// Trees returns how many statements the plan takes at most on PostgreSQL.
func (l *Loader) Trees() int {
	if n := l.Plan.Statements(); n > MaxTree {
		return n
	}
	return min(l.Plan.Statements(), 1)
}

// asTree reports whether the plan is loaded with one statement. Where it takes but one anyway, that
// can be shared with other requests.
func (l *Loading) asTree() bool {
	return l.Request.Dialect == dialect.Postgres && l.Loader.Trees() < l.Loader.Plan.Statements()
}

// RunTogether loads the rows of several plans with one statement, on PostgreSQL. They are all from
// the same state of the database. The plans have at most MaxTree queries, and belong to the root
// fields of one operation, in their order: nil stands for a field for which nothing is read.
func RunTogether(ctx context.Context, loadings ...*Loading) error {
	t := new(tree)
	for i, l := range loadings {
		if l != nil {
			t.add(i, l)
		}
	}
	if len(t.branches) == 0 {
		return nil
	}
	first := t.branches[0].fetch
	if !first.loading.Request.Traced {
		return t.run(ctx, first)
	}
	inside, batch := first.startBatch(ctx, len(first.query.Keys))
	err := t.run(inside, first)
	batch.End(first.result.Table.Len(), err)
	if err == nil {
		t.trace(ctx)
	}
	return err
}

// trace reports the rows of the nodes after the first to the trace. Their batches take no time of
// their own.
func (t *tree) trace(ctx context.Context) {
	for i, b := range t.branches {
		for _, of := range append([]*branch{b}, b.joins...) {
			if i == 0 && of == b || of.purpose != toRead {
				continue
			}
			keys := len(of.fetch.query.Keys)
			if of.parent != nil {
				keys = of.parent.table.Len()
			}
			_, batch := of.fetch.startBatch(ctx, keys)
			batch.End(of.fetch.result.Table.Len(), nil)
		}
	}
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
	place   int // of the plan among those that are loaded together
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
	parents []int32 // the index of each row's parent row
	numbers []int32 // of an inner branch: the number of each row, from 1
}

// purpose says what the rows of a branch are for.
type purpose byte

const (
	toRead purpose = 'r'
	toSkip purpose = 's' // to learn whether an offset has skipped rows
)

// add adds the queries of a plan's nodes. Nothing is read for a node whose arguments have a fault,
// for a row that is there already, and below a row that leads nowhere.
func (t *tree) add(place int, l *Loading) {
	readers := make([]*branch, len(l.Results)) // of the nodes' rows
	for _, n := range l.Loader.Plan.Nodes {
		f := l.fetchOf(n)
		if f.result.Fault != nil || n.Parent == nil && f.result.Table.Len() > 0 {
			continue
		}
		b := branch{fetch: f, place: place, at: sql.Branch{Parent: -1}}
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
	f.query.Columns, b.cursor = columnsOf(&f.query, page)
	if len(f.query.Keys) > 1 {
		b.key = f.ownKey()
	}
	for _, column := range f.query.Node.Unwritten {
		if column != b.key && !slices.Contains(b.cursor, column) {
			f.query.Unsent = append(f.query.Unsent, column)
		}
	}
	b.allocate()
	t.branches = append(t.branches, &b)
	return &b
}

// join joins b to the branch of its parent rows.
func (b branch) join(n *plan.Node) *branch {
	b.purpose, b.fetch.query.Columns, b.fetch.query.Unsent = toRead, n.Columns, n.Unwritten
	b.allocate()
	b.host = cmp.Or(b.parent.host, b.parent)
	b.first = b.host.table.Width
	for _, j := range b.host.joins {
		b.first += j.table.Width + 1
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
		key = append(strconv.AppendInt(key, int64(b.place), 10), b.fetch.query.Node.Object.Entity.Name...)
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
	if err := b.takeNumbers(values[sql.ParentValue], values[sql.NumberValue]); err != nil {
		return err
	}
	return b.take(t.rowOf(values, i))
}

// takeNumbers takes the number of a row's parent row, and that of the row itself.
func (b *branch) takeNumbers(parent, own driver.Value) error {
	p, ok := parent.(int64)
	if !ok || p < 0 || p > math.MaxInt32 {
		return fmt.Errorf("read: a row belongs to row %v", parent)
	}
	b.parents = append(b.parents, int32(p-1))
	if !b.at.Inner {
		return nil
	}
	n, ok := own.(int64)
	if !ok || n < 1 || n > math.MaxInt32 {
		return fmt.Errorf("read: a row has the number %v", own)
	}
	b.numbers = append(b.numbers, int32(n))
	return nil
}

// take takes the values of a row's columns, and of the rows that are joined to it.
func (b *branch) take(row []driver.Value) error {
	if err := b.add(row[:b.table.Width]); err != nil {
		return err
	}
	for _, j := range b.joins {
		own := row[j.first : j.first+j.table.Width]
		at := int32(len(j.parents))
		if row[j.first+j.table.Width] == nil { // no row was joined
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
		if slot == sql.Unsent {
			t.row = append(t.row, nil)
		} else {
			t.row = append(t.row, values[slot])
		}
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

// sort puts the rows of an inner branch in the order of their numbers, by which the rows below are
// found. As a rule they have come in this order, but a UNION ALL does not promise it.
func (b *branch) sort() error {
	order := make([]int32, len(b.numbers)) // by number: the index of the row, plus one
	sorted := true
	for row, n := range b.numbers {
		if int(n) > len(order) || order[n-1] != 0 {
			return fmt.Errorf("read: of %d rows, one has the number %d, or several have", len(order), n)
		}
		order[n-1] = int32(row + 1)
		sorted = sorted && int(n) == row+1
	}
	if sorted {
		return nil
	}
	for i := range order {
		order[i]--
	}
	parents := make([]int32, len(order))
	for i, row := range order {
		parents[i] = b.parents[row]
	}
	b.parents, b.table = parents, b.table.Reordered(order)
	for _, j := range b.joins {
		j.reorder(order)
	}
	return nil
}

// reorder puts the rows of a joined branch in the order of the rows that they are joined to.
func (b *branch) reorder(order []int32) {
	parents := make([]int32, len(order))
	for i, row := range order {
		parents[i] = int32(i)
		if b.parents[row] < 0 {
			parents[i] = -1 // there is no row
		}
	}
	b.parents, b.table = parents, b.table.Reordered(order)
}

// finish makes the results of the node, and of those that are joined to it, of the rows.
func (b *branch) finish() error {
	if err := b.sort(); err != nil {
		return err
	}
	for _, j := range b.joins {
		j.store()
		j.fetch.result.Groups = rows.Group(j.parents, len(j.parents))
	}
	places, keys, err := b.places()
	if err != nil {
		return err
	}
	res := b.fetch.result
	switch b.purpose {
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
	place := make(map[ids.Key]int32, len(wanted))
	for i, key := range wanted {
		place[key] = int32(i)
	}
	for row := range b.parents {
		key, _ := b.table.Key(row, b.key, b.fetch.query.Form)
		of, ok := place[key]
		if !ok {
			return nil, 0, fmt.Errorf("read: a row of %s was not asked for", b.fetch.query.Node.Object.Entity.Name)
		}
		b.parents[row] = of
	}
	return b.parents, len(wanted), nil
}
