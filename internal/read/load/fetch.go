package load

import (
	"context"
	"database/sql/driver"
	"fmt"
	"math"
	"slices"

	"forge/internal/bufpool"
	"forge/internal/coalesce"
	"forge/internal/entity"
	"forge/internal/read/binding"
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
	unshared bool // the statement is run for this request alone
}

// run runs the node's statements. In a trace they are a batch of their own.
func (f *fetch) run(ctx context.Context) error {
	n := f.query.Node
	ctx, batch := telemetry.StartBatch(ctx, n.Object.Entity.Name, n.EdgeName, len(f.query.Keys))
	var err error
	if n.Count {
		err = f.counts(ctx)
	}
	if err == nil && n.Rows {
		err = f.rows(ctx)
	}
	batch.End(f.result.Table.Len(), err)
	return err
}

func (f *fetch) rows(ctx context.Context) error {
	q := &f.query
	var cursor []int
	q.Columns, cursor = columnsOf(q.Node, q.Page)
	keys := max(1, len(q.Keys))
	// The rows become the node's result once all are there: if this request runs out of time,
	// another one may still be filling the collector.
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
	err := f.each(ctx, c.add)
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
	return f.skipped(ctx, c.taken)
}

// collector takes the rows of a statement.
type collector struct {
	fetch    *fetch
	result   rows.Result
	pageSize int
	places   []int32 // of the rows' keys
	taken    []int   // rows of each key
}

// add keeps a row, unless it stands after its page: then only the fact is kept, and nothing is read
// below it.
func (c *collector) add(values []driver.Value) error {
	columns := c.fetch.query.Columns
	place, err := c.fetch.query.KeyOf(values, len(columns))
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

// What a row and each of its cells take beside what is stored in them, or a little more.
const (
	rowBytes  = 32
	cellBytes = 4
)

func (f *fetch) counts(ctx context.Context) error {
	f.query.Columns = nil
	f.result.Counts = make([]int64, max(1, len(f.query.Keys)))
	return f.each(ctx, func(values []driver.Value) error {
		place, err := f.query.KeyOf(values, 1)
		if err != nil {
			return err
		}
		n, ok := values[0].(int64)
		if !ok {
			return fmt.Errorf("read: a count of type %T", values[0])
		}
		f.result.Counts[place] = n
		return nil
	})
}

// skipped finds out, for each key, whether the page's offset has skipped rows. Where there are rows
// after it, it has. Where there are none, it may also have led past the end of an empty list: a
// statement that reads one row without the offset tells, if it is asked for.
func (f *fetch) skipped(ctx context.Context, taken []int) error {
	p := f.query.Page
	if p == nil || !p.More || p.Offset == 0 {
		return nil
	}
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
	return first.each(ctx, func(values []driver.Value) error {
		place, err := first.query.KeyOf(values, len(first.query.Columns))
		if err == nil {
			skipped[place] = true
		}
		return err
	})
}

// each runs the statement and hands over its rows.
func (f *fetch) each(ctx context.Context, row func([]driver.Value) error) error {
	s, err := f.statement(ctx)
	if err != nil {
		return err
	}
	r := &f.loading.Request
	// In a transaction, a statement cannot be shared: its rows have to be read there.
	if s.shared != nil && !r.Unshared && !f.unshared && r.Unit.Mode() == unit.Single {
		return f.runShared(ctx, s, row)
	}
	return r.Unit.Read(ctx, row, s.Text, s.Arguments(f.query.Argument))
}

// columnsOf returns what is read of a node's rows, with the columns of its cursors. cursor are the
// places of those.
func columnsOf(n *plan.Node, page *rows.Page) (columns []binding.Column, cursor []int) {
	columns = n.Columns
	if page == nil || !n.Cursors {
		return columns, nil
	}
	for _, t := range page.Order {
		col := binding.Column{Name: t.Column, Kind: t.Kind}
		if t.Kind == entity.ID {
			col = n.Object.Key
		}
		for _, f := range n.Object.Fields {
			if f.Column != nil && f.Column.Shown == nil && f.Column.Name == t.Column {
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
