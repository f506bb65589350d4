package read

import (
	"context"
	"database/sql/driver"
	"fmt"
	"math"

	"github.com/google/uuid"

	"forge/internal/bufpool"
	"forge/internal/telemetry"
)

// parents are the rows of the level above, by the keys that lead from them.
type parents struct {
	keys []uuid.UUID
	of   []int32 // the place in keys for each row, -1 if its key is NULL; nil if each row has the key of its own place
}

// parentsOf takes the keys out of a column. Many rows may lead to one and the same, which is read once.
func parentsOf(t *table, column int, shared bool) parents {
	n := t.len()
	p := parents{keys: make([]uuid.UUID, 0, n)}
	if !shared {
		for row := range n {
			key, _ := t.key(row, column)
			p.keys = append(p.keys, key)
		}
		return p
	}
	p.of = make([]int32, n)
	places := make(map[uuid.UUID]int32, n)
	for row := range n {
		key, null := t.key(row, column)
		if null {
			p.of[row] = -1
			continue
		}
		place, known := places[key]
		if !known {
			place = int32(len(p.keys))
			places[key] = place
			p.keys = append(p.keys, key)
		}
		p.of[row] = place
	}
	return p
}

// below loads what is under l, each level with one statement for all rows of the level above.
func (r *run) below(ctx context.Context, l *level) error {
	for _, child := range l.children {
		if r.results[child.slot].fault != nil {
			continue
		}
		p := parentsOf(&r.results[l.slot].table, child.from, child.via.edge.OwnKey)
		if err := r.related(ctx, child, p); err != nil {
			return err
		}
	}
	return nil
}

// related loads the rows of l that belong to the keys above.
func (r *run) related(ctx context.Context, l *level, p parents) error {
	res := &r.results[l.slot]
	res.of = p.of
	if len(p.keys) == 0 {
		return nil
	}
	f := &fetch{run: r, level: l, page: res.page, keys: p.keys, column: l.via.edge.Column}
	if l.via.edge.OwnKey {
		f.column = l.object.key().name
	}
	f.sorted = !l.via.edge.Unique
	return r.load(ctx, f)
}

// load runs the statements of a level and of all below it.
func (r *run) load(ctx context.Context, f *fetch) error {
	if err := r.loadLevel(ctx, f); err != nil || !f.level.rows {
		return err
	}
	return r.below(ctx, f.level)
}

// loadLevel runs the statements of a level, which are a batch of their own in a trace.
func (r *run) loadLevel(ctx context.Context, f *fetch) error {
	ctx, batch := telemetry.StartBatch(ctx, f.level.object.Name, f.level.edge(), len(f.keys))
	var err error
	if f.level.count {
		err = r.loadCounts(ctx, f)
	}
	if err == nil && f.level.rows {
		err = r.loadRows(ctx, f)
	}
	batch.End(r.results[f.level.slot].table.len(), err)
	return err
}

// edge returns the name of the edge that leads to the level, "" at the root.
func (l *level) edge() string {
	if l.via == nil {
		return ""
	}
	return l.via.edge.Name
}

func (r *run) loadRows(ctx context.Context, f *fetch) error {
	f.columns = r.columnsOf(f.level)
	keys := max(1, len(f.keys))
	// It is not the run's result before all is there: others may be at work on it when the run's time is up.
	in := &intake{fetch: f, result: r.results[f.level.slot], size: math.MaxInt, taken: make([]int, keys)}
	if f.page != nil {
		in.size = f.page.size()
	}
	in.table.width = len(f.columns)
	in.beyond = make([]bool, keys)
	cells := f.level.cells.size()
	in.places = make([]int32, 0, cells/len(f.columns))
	in.table.ends, in.table.data = make([]int32, 0, cells), bufpool.Bytes(f.level.data.size())
	err := f.each(ctx, in.row)
	if err == errAlone {
		f.alone = true
		return r.loadRows(ctx, f)
	}
	if err != nil {
		return err
	}
	f.level.cells.took(len(in.table.ends))
	f.level.data.took(len(in.table.data))
	in.groups = groupsOf(in.places, keys)
	r.results[f.level.slot] = in.result
	return r.loadSkipped(ctx, f, in.taken)
}

// intake takes the rows of a statement.
type intake struct {
	*fetch
	result
	size   int     // of a page
	places []int32 // of the rows' keys
	taken  []int   // of each key
}

// row keeps a row, unless it stands behind its page: then only the fact is kept, and nothing is read below it.
func (in *intake) row(values []driver.Value) error {
	place, err := in.placeOf(values, len(in.columns))
	if err != nil {
		return err
	}
	if in.taken[place] == in.size {
		in.beyond[place] = true
		return nil
	}
	in.taken[place]++
	in.places = append(in.places, place)
	before := len(in.table.data)
	if err := in.table.add(values, in.columns); err != nil {
		return err
	}
	if !in.budget.Hold(len(in.table.data) - before + rowBytes + cellBytes*len(in.columns)) {
		return in.budget.Err()
	}
	return nil
}

// What a row and each of its cells take beside what is stored in them, or a little more.
const (
	rowBytes  = 32
	cellBytes = 4
)

func (r *run) loadCounts(ctx context.Context, f *fetch) error {
	res := &r.results[f.level.slot]
	f.columns = nil
	res.counts = make([]int64, max(1, len(f.keys)))
	return f.each(ctx, func(values []driver.Value) error {
		place, err := f.placeOf(values, 1)
		if err != nil {
			return err
		}
		n, ok := values[0].(int64)
		if !ok {
			return fmt.Errorf("read: a count of type %T", values[0])
		}
		res.counts[place] = n
		return nil
	})
}

// placeOf reads which of the keys a row belongs to. The statements count from 1.
func (f *fetch) placeOf(values []driver.Value, column int) (int32, error) {
	if !f.many() {
		return 0, nil
	}
	return placeAmong(len(f.keys), values[column])
}

// placeAmong returns the place, from 0, that a row says it belongs to.
func placeAmong(places int, said driver.Value) (int32, error) {
	n, ok := said.(int64)
	if !ok || n < 1 || n > int64(places) {
		return 0, fmt.Errorf("read: a row belongs to place %v of %d", said, places)
	}
	return int32(n - 1), nil
}

// groups are rows by the place of the key that they belong to, each group in the order in which they came.
type groups struct{ starts, rows []int32 }

func (g groups) at(place int32) []int32 {
	if place < 0 || int(place)+1 >= len(g.starts) {
		return nil
	}
	return g.rows[g.starts[place]:g.starts[place+1]]
}

// groupsOf sorts rows by their places, by counting.
func groupsOf(places []int32, keys int) groups {
	g := groups{starts: make([]int32, keys+1), rows: make([]int32, len(places))}
	for _, place := range places {
		g.starts[place+1]++
	}
	for place := range keys {
		g.starts[place+1] += g.starts[place]
	}
	next := append([]int32(nil), g.starts...)
	for row, place := range places {
		g.rows[next[place]] = int32(row)
		next[place]++
	}
	return g
}
