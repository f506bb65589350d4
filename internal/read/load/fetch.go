package load

import (
	"cmp"
	"context"
	"database/sql/driver"
	"fmt"
	"math"
	"slices"

	"entgo.io/ent/dialect"

	"forge/internal/bufpool"
	"forge/internal/coalesce"
	"forge/internal/entity"
	"forge/internal/read/binding"
	"forge/internal/read/kind"
	"forge/internal/read/plan"
	"forge/internal/read/rows"
	"forge/internal/read/sql"
	"forge/internal/telemetry"
	"forge/internal/unit"
)

// fetch runs the statements of one node.
type fetch struct {
	query    sql.Query
	loading  *Loading
	result   *rows.Result
	memory   *nodeMemory
	unshared bool // the statement runs for this request alone
}

// Run loads the rows of the plan: with one statement on PostgreSQL, and otherwise node by node,
// where each node takes one statement for all rows of the node above it.
func (l *Loading) Run(ctx context.Context) error {
	if l.asTree() {
		return RunTogether(ctx, l)
	}
	for _, n := range l.Loader.Plan.Nodes {
		if err := l.fetch(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// Landed is what a request takes over from another one that has loaded the same rows.
type Landed struct {
	Results      []rows.Result
	Cost         unit.Cost         // the cost of reading them
	Dependencies *sql.Dependencies // what their statements and conditions depend on
}

// RunFor loads the rows once for a batch of requests, the first of which is this one. It hands the
// results to the others.
func (l *Loading) RunFor(ctx context.Context, batch []*coalesce.Waiter[*Landed]) error {
	if len(batch) > 1 {
		l.Shared, l.dependencies = true, &l.noted
	}
	if err := l.Run(ctx); err != nil {
		return err
	}
	for _, w := range batch[1:] {
		*w.Request = Landed{l.Results, l.Request.Unit.Cost(), l.dependencies}
	}
	return nil
}

// RunBelow loads the rows below the root. The root's only row is already known, because a
// mutation's statement has returned it.
func (l *Loading) RunBelow(ctx context.Context, root rows.Table) error {
	nodes := l.Loader.Plan.Nodes
	l.Results[nodes[0].Index].Table = root
	l.Results[nodes[0].Index].Groups = rows.Group([]int32{0}, 1)
	if l.asTree() {
		return RunTogether(ctx, l)
	}
	for _, n := range nodes[1:] {
		if err := l.fetch(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// fetch loads the rows of a node. It does nothing if the parent node has no rows that lead to the
// node.
func (l *Loading) fetch(ctx context.Context, n *plan.Node) error {
	f := l.fetchOf(n)
	if f.result.Fault != nil {
		return nil
	}
	if n.Parent != nil {
		if f.takeKeys(&l.Results[n.Parent.Index].Table); len(f.query.Keys) == 0 {
			return nil
		}
	}
	if !l.Request.Traced {
		return f.run(ctx)
	}
	ctx, batch := f.startBatch(ctx, len(f.query.Keys))
	err := f.run(ctx)
	batch.End(f.result.Table.Len(), err)
	return err
}

// startBatch begins the span of the node in the trace; see telemetry.StartBatch.
func (f *fetch) startBatch(ctx context.Context, keys int) (context.Context, telemetry.BatchSpan) {
	return telemetry.StartBatch(ctx, f.query.Node.Object.Entity.Name, f.query.Node.EdgeName, keys)
}

// takeKeys takes the keys of the parent rows out of their table.
func (f *fetch) takeKeys(parents *rows.Table) {
	n := f.query.Node
	// A row that several parents have is there once for each of them.
	shared := n.Edge.Edge.OwnKey || n.Parent.Edge != nil && n.Parent.Edge.Edge.Through != ""
	f.query.Keys, f.result.Parents = parents.Keys(n.From, f.query.Form, shared)
}

// fetchOf returns what runs the statements of a node, without the keys of parent rows.
func (l *Loading) fetchOf(n *plan.Node) *fetch {
	f := &fetch{loading: l, result: &l.Results[n.Index], memory: &l.Loader.nodes[n.Index]}
	f.query = sql.Query{Dialect: l.Request.Dialect, Viewer: l.Request.Viewer, Node: n, Page: f.result.Page, Summary: f.result.Summary}
	if l.where != nil {
		of := l.where[cmp.Or(n.Of, n).Index]
		f.query.Where, f.query.Range = of.all, of.within
	}
	if page := l.Results[cmp.Or(n.Of, n).Index].Page; page != nil {
		f.query.Search, f.query.Deleted = page.Search, page.Deleted
	}
	if n.Parent == nil {
		f.query.Restrict = l.Request.Restrict
		if f.query.Keys = l.Keys; l.Keys != nil {
			f.query.KeyColumn, f.query.Form = n.Object.Key.Name, n.Object.Key.Form
		}
		return f
	}
	f.query.Form = n.Parent.Columns[n.From].Form
	f.query.KeyColumn, f.query.Sorted = n.Edge.Edge.Column, !n.Edge.Edge.Unique
	if n.Edge.Edge.OwnKey {
		f.query.KeyColumn = n.Object.Key.Name
	}
	return f
}

// run runs the node's statements.
func (f *fetch) run(ctx context.Context) error {
	if f.query.Node.Rows {
		return f.rows(ctx)
	}
	return nil
}

func (f *fetch) rows(ctx context.Context) error {
	q := &f.query
	var cursor []int
	q.Columns, cursor = columnsOf(q, q.Page)
	s, err := f.statement(ctx)
	if err != nil {
		return err
	}
	keys := max(1, len(q.Keys))
	// The collected rows become the node's result only when all are there. If this request runs out
	// of time, another request may still be filling the collector.
	c := &collector{fetch: f, result: *f.result, pageSize: math.MaxInt, taken: make([]int, keys)}
	if q.Page != nil {
		c.pageSize = q.Page.Size
	}
	c.result.Cursor = cursor
	c.result.Table.Width = len(q.Columns)
	c.result.More = make([]bool, keys)
	cells := f.memory.cells.Size()
	c.places = make([]int32, 0, cells/len(q.Columns))
	c.result.Table.Ends, c.result.Table.Data = make([]int32, 0, cells), bufpool.Bytes(f.memory.data.Size())
	err = f.read(ctx, s, c.add)
	if err == coalesce.ErrNotShared {
		f.unshared = true
		return f.rows(ctx)
	}
	if err != nil {
		return err
	}
	f.memory.cells.Record(len(c.result.Table.Ends))
	f.memory.data.Record(len(c.result.Table.Data))
	c.result.Groups = rows.Group(c.places, keys)
	*f.result = c.result
	if p := q.Page; p == nil || !p.More || p.Offset == 0 {
		return nil
	}
	return f.skipped(ctx, c.taken)
}

// collector takes the rows that a statement brings.
type collector struct {
	fetch    *fetch
	result   rows.Result
	pageSize int
	places   []int32 // the place of each row's key
	taken    []int   // how many rows each key has so far
}

// add stores a row. A row that follows the page is not stored; add only notes that there is one. It
// returns an error if the rows take more memory than the request's budget allows.
func (c *collector) add(values []driver.Value) error {
	columns := c.fetch.query.Columns
	place, err := place(len(c.taken), values, len(columns))
	if err != nil {
		return err
	}
	if c.taken[place] == c.pageSize {
		c.result.More[place] = true
		return nil
	}
	c.taken[place]++
	c.places = append(c.places, place)
	table := &c.result.Table
	before := len(table.Data)
	if err := table.Add(values, columns); err != nil {
		return err
	}
	b := c.fetch.loading.Request.Budget
	if !b.Hold(len(table.Data) - before + rowBytes + cellBytes*len(columns)) {
		return b.Err()
	}
	return nil
}

// These are how many bytes a row and each of its cells take beside the values stored in them,
// rounded up.
const (
	rowBytes  = 32
	cellBytes = 4
)

// place returns the index of the key that a row belongs to. With several keys, the value in the
// column holds that index plus one. place returns an error if no key has this index.
func place(keys int, values []driver.Value, column int) (int32, error) {
	if keys == 1 {
		return 0, nil
	}
	n, ok := values[column].(int64)
	if !ok || n < 1 || n > int64(keys) {
		return 0, fmt.Errorf("read: a row belongs to place %v of %d", values[column], keys)
	}
	return int32(n - 1), nil
}

// skipped finds out, for each key, whether the page's offset has skipped rows. If there are rows at
// or after the page, the offset has. If there are none, the list may be empty, or end before the
// page. If the answer depends on this, another statement reads the first row that the offset would
// skip.
func (f *fetch) skipped(ctx context.Context, taken []int) error {
	p := f.query.Page
	skipped := make([]bool, len(taken))
	f.result.Skipped = skipped
	for place, n := range taken {
		skipped[place] = n > 0 || f.result.More[place]
	}
	if !slices.Contains(skipped, false) || !p.MayHaveSkipped(f.query.Node) {
		return nil
	}
	first := *f
	first.query.Page = p.FirstSkipped()
	s, err := first.statement(ctx)
	if err != nil {
		return err
	}
	return first.read(ctx, s, func(values []driver.Value) error {
		place, err := place(len(taken), values, len(first.query.Columns))
		if err == nil {
			skipped[place] = true
		}
		return err
	})
}

// read runs the statement, shared with other requests if possible, and calls row for each row.
func (f *fetch) read(ctx context.Context, s *statement, row func([]driver.Value) error) error {
	r := &f.loading.Request
	// A statement in a transaction is not shared: its rows must come from the transaction's
	// snapshot.
	if s.shared != nil && !r.Unshared && !f.unshared && r.Mode == unit.Single && !r.Unit.Distant() {
		return f.runShared(ctx, s, row)
	}
	return r.Unit.Read(ctx, row, s.Text, s.Arguments(f.query.Argument))
}

// columnsOf returns the columns to read of a node's rows, including those that its cursors need.
// cursor holds the indexes of the cursor's columns.
func columnsOf(q *sql.Query, page *rows.Page) (columns []binding.Column, cursor []int) {
	n := q.Node
	if q.Summary != nil {
		return q.Summary.Columns, nil
	}
	columns = n.Columns
	if !n.Cursors {
		return columns, nil
	}
	order := []rows.Term{{Kind: entity.ID}} // of a list that is no page
	if page != nil {
		order = page.Order
	}
	for _, t := range order {
		col := binding.Column{Name: t.Column, Kind: t.Kind, Orders: t.By}
		if t.Kind == entity.ID {
			col = n.Object.Key
		}
		if t.By != nil && t.By.Field != nil && !t.By.Count {
			col.Postgres, col.SQLite = kind.Conversion(t.By.Field, dialect.Postgres), kind.Conversion(t.By.Field, dialect.SQLite)
		}
		for _, f := range n.Object.Fields {
			if t.By == nil && f.Column != nil && f.Column.Shown == nil && f.Column.Name == t.Column {
				col = *f.Column
			}
		}
		if !slices.Contains(columns, col) {
			columns = append(slices.Clip(columns), col)
		}
		cursor = append(cursor, slices.Index(columns, col))
	}
	return columns, cursor
}
