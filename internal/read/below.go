package read

import (
	"context"
	databasesql "database/sql"
	"slices"
	"strconv"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"forge/internal/entity"
)

// parents are the rows of the level above, by the keys that lead from them.
type parents struct {
	keys []uuid.UUID // distinct, in no order that matters
	of   []int32     // the place in keys for each row; -1 if its key is NULL
}

func parentsOf(t *table, column int) parents {
	p := parents{of: make([]int32, t.len())}
	places := make(map[uuid.UUID]int32, t.len())
	for row := range p.of {
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

// places returns where each key stands.
func (p parents) places() map[uuid.UUID]int32 {
	places := make(map[uuid.UUID]int32, len(p.keys))
	for i, key := range p.keys {
		places[key] = int32(i)
	}
	return places
}

// below loads the levels under l, each with one statement for all rows of l.
func (r *run) below(ctx context.Context, l *level) error {
	for _, child := range l.children {
		if r.results[child.slot].fault != nil {
			continue
		}
		p := parentsOf(&r.results[l.slot].table, child.from)
		if err := r.related(ctx, child, p); err != nil {
			return err
		}
		if err := r.below(ctx, child); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) related(ctx context.Context, l *level, p parents) error {
	if len(p.keys) == 0 {
		r.assign(l, p, nil)
		r.results[l.slot].counts = make([]int64, len(p.of))
		return nil
	}
	if l.count {
		if err := r.countRelated(ctx, l, p); err != nil {
			return err
		}
	}
	switch {
	case !l.rows:
		return nil
	case l.via.edge.OwnKey:
		return r.byOwnKey(ctx, l, p)
	case l.via.paged:
		return r.pages(ctx, l, p)
	default:
		return r.byForeignKey(ctx, l, p)
	}
}

// byOwnKey loads the rows that the level above names by their keys.
func (r *run) byOwnKey(ctx context.Context, l *level, p parents) error {
	key := l.object.key()
	columns := withColumn(l.columns, key)
	t := &r.results[l.slot].table
	err := r.query(ctx, l.object, columns, t, nil, func(s *sql.Selector) {
		s.Where(inKeys(s, key.name, p.keys))
	})
	if err != nil {
		return err
	}
	return r.match(l, p, slices.Index(columns, key))
}

// byForeignKey loads all rows that name a row of the level above, oldest first.
func (r *run) byForeignKey(ctx context.Context, l *level, p parents) error {
	key := column{name: l.via.edge.Column, kind: entity.ID}
	columns := append(slices.Clip(l.columns), key)
	t := &r.results[l.slot].table
	err := r.query(ctx, l.object, columns, t, nil, func(s *sql.Selector) {
		s.Where(inKeys(s, key.name, p.keys))
		s.OrderBy(s.C(l.object.key().name))
	})
	if err != nil {
		return err
	}
	return r.match(l, p, len(columns)-1)
}

// match assigns rows to those above by the key in the column.
func (r *run) match(l *level, p parents, column int) error {
	t := &r.results[l.slot].table
	places := p.places()
	groups := make([][]int32, len(p.keys))
	for row := range t.len() {
		key, _ := t.key(row, column)
		groups[places[key]] = append(groups[places[key]], int32(row))
	}
	r.assign(l, p, groups)
	return nil
}

// assign hands each row above its group of rows.
func (r *run) assign(l *level, p parents, groups [][]int32) {
	res := &r.results[l.slot]
	if l.via.edge.Unique {
		res.single = make([]int32, len(p.of))
		for row, place := range p.of {
			res.single[row] = -1
			if place >= 0 && groups != nil && len(groups[place]) > 0 {
				res.single[row] = groups[place][0]
			}
		}
		return
	}
	res.groups = make([][]int32, len(p.of))
	for row, place := range p.of {
		if place >= 0 && groups != nil {
			res.groups[row] = groups[place]
		}
	}
}

// pages loads a page for each row above. PostgreSQL reads each by itself, so that no more is read than asked for; SQLite,
// which cannot, numbers the rows of each.
func (r *run) pages(ctx context.Context, l *level, p parents) error {
	if r.unit.Dialect() == dialect.SQLite {
		return r.numberedPages(ctx, l, p)
	}
	res := &r.results[l.slot]
	columns := append(slices.Clip(r.columnsOf(l)), column{kind: entity.Int}) // p.n, which parent's it is, from 1
	lateral := func(query string, args []any) (string, []any) {
		query, args = r.limited(query, args, res.page)
		args = append(slices.Clip(args), uuidArray(p.keys))
		return "SELECT c.* FROM unnest(" + r.placeholder(len(args)) + "::uuid[]) WITH ORDINALITY AS p(id, n) CROSS JOIN LATERAL (" +
			query + ") AS c", args
	}
	err := r.query(ctx, l.object, columns, &res.table, lateral, func(s *sql.Selector) {
		s.AppendSelectExpr(sql.Raw("p.n"))
		s.Where(sql.P(func(b *sql.Builder) { b.Ident(s.C(l.via.edge.Column)).WriteString(" = p.id") }))
		res.page.restrict(s)
		s.OrderExpr(orderBy(s, res.page.order, res.page.backward())...)
	})
	if err != nil {
		return err
	}
	groups := make([][]int32, len(p.keys))
	for row := range res.table.len() {
		text, _ := res.table.cell(row, len(columns)-1)
		n, err := strconv.Atoi(string(text))
		if err != nil {
			return err
		}
		groups[n-1] = append(groups[n-1], int32(row))
	}
	r.assign(l, p, groups)
	return nil
}

// numberedPages loads a page for each row above with a window function.
func (r *run) numberedPages(ctx context.Context, l *level, p parents) error {
	res := &r.results[l.slot]
	key := column{name: l.via.edge.Column, kind: entity.ID}
	columns := append(slices.Clip(r.columnsOf(l)), key, column{kind: entity.Int}) // the number, from 1
	numbered := func(query string, args []any) (string, []any) {
		return "SELECT * FROM (" + query + ") WHERE forge_row > ? AND forge_row <= ? ORDER BY forge_row",
			append(slices.Clip(args), res.page.offset, res.page.offset+res.page.limit())
	}
	err := r.query(ctx, l.object, columns, &res.table, numbered, func(s *sql.Selector) {
		order := orderBy(s, res.page.order, res.page.backward())
		number := sql.RowNumber().PartitionBy(s.C(key.name)).OrderExpr(order...)
		s.AppendSelectExprAs(number, "forge_row")
		s.Where(inKeys(s, key.name, p.keys))
		res.page.restrict(s)
	})
	if err != nil {
		return err
	}
	return r.match(l, p, len(columns)-2)
}

// countRelated counts the rows that belong to each row above.
func (r *run) countRelated(ctx context.Context, l *level, p parents) error {
	res := &r.results[l.slot]
	byKey := make(map[uuid.UUID]int64, len(p.keys))
	key := l.via.edge.Column
	err := r.count(ctx, l, func(s *sql.Selector) {
		s.Select(s.C(key), sql.Count("*"))
		s.Where(inKeys(s, key, p.keys))
		res.page.filter(s)
		s.GroupBy(s.C(key))
	}, func(rows *databasesql.Rows) error {
		var id uuid.UUID
		var n int64
		err := rows.Scan(&id, &n)
		byKey[id] = n
		return err
	})
	if err != nil {
		return err
	}
	res.counts = make([]int64, len(p.of))
	for row, place := range p.of {
		if place >= 0 {
			res.counts[row] = byKey[p.keys[place]]
		}
	}
	return nil
}
