package read

import (
	"context"
	databasesql "database/sql"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/ent"
	"forge/internal/entity"
	"forge/internal/fault"
	"forge/internal/ids"
	"forge/internal/unit"
)

// run is the answering of one field.
type run struct {
	*Engine
	unit    *unit.Unit
	op      *graphql.OperationContext
	results []result // by the level's slot
}

func (r *run) client() *ent.Client { return r.unit.Client() }

// result is what the statements of a level brought.
type result struct {
	table  table
	page   *page
	fault  *fault.Error // what is wrong with the arguments; nothing is loaded then
	cursor []int        // the columns that make up a cursor
	// Which rows belong to a row of the level above: its one row, or -1, for a level of single rows; else its group.
	single []int32
	groups [][]int32
	counts []int64
}

// connection answers a field that is a connection.
func (r *run) connection(ctx context.Context, p *plan) (any, error) {
	r.results = make([]result, p.slots[""])
	if err := r.preparePages(ctx, p.connection.level); err != nil {
		return nil, err
	}
	if err := r.rootPage(ctx, p.connection.level); err != nil {
		return nil, err
	}
	return r.write(ctx, func(w *writer) bool { return w.connection(p.connection, 0) }), nil
}

// one answers a field that is one entity: null if there is none of that ID.
func (r *run) one(ctx context.Context, p *plan, id ids.ID) (any, error) {
	s, err := r.selectionFor(p, id, "id")
	if err != nil {
		return nil, err
	}
	if err := r.byKeys(ctx, p, s, []uuid.UUID{id.UUID}); err != nil {
		return nil, err
	}
	if r.results[s.level.slot].table.len() == 0 {
		return nil, nil
	}
	return r.write(ctx, func(w *writer) bool { return w.object(s, 0) }), nil
}

// list answers a field that is a list of entities, of one type or of several: null in the place of an unknown ID.
func (r *run) list(ctx context.Context, p *plan, values reflect.Value) (any, error) {
	if values.Len() > maxPage && p.field.Definition.Type.Elem != nil && len(p.field.Arguments) > 0 && r.isNode(p.field.Definition.Type.Name()) {
		return nil, fault.Input("ids", "%d IDs; up to %d are allowed", values.Len(), maxPage)
	}
	wanted := make([]ids.ID, values.Len())
	keys := map[*selection][]uuid.UUID{}
	var order []*selection
	for i := range wanted {
		wanted[i] = values.Index(i).Interface().(identified).GetID()
		s, err := r.selectionFor(p, wanted[i], "ids."+strconv.Itoa(i))
		if err != nil {
			return nil, err
		}
		if keys[s] == nil {
			order = append(order, s)
		}
		keys[s] = append(keys[s], wanted[i].UUID)
	}
	objects := make([]graphql.Marshaler, len(wanted))
	for _, s := range order {
		if err := r.each(ctx, p, s, keys[s], wanted, objects); err != nil {
			return nil, err
		}
	}
	return joined(p, wanted, objects)
}

// each writes those of the wanted entities that are of one type, each to its place in objects.
func (r *run) each(ctx context.Context, p *plan, s *selection, keys []uuid.UUID, wanted []ids.ID, objects []graphql.Marshaler) error {
	if err := r.byKeys(ctx, p, s, keys); err != nil {
		return err
	}
	t := &r.results[s.level.slot].table
	key := s.level.object.key()
	column := slices.Index(withColumn(s.level.columns, key), key)
	rows := make(map[uuid.UUID]int, t.len())
	for row := range t.len() {
		key, _ := t.key(row, column)
		rows[key] = row
	}
	for i, id := range wanted {
		row, ok := rows[id.UUID]
		if !ok || id.Prefix != s.level.object.Prefix {
			continue
		}
		objects[i] = r.write(ctx, func(w *writer) bool {
			w.path = append(w.path, ast.PathIndex(i))
			return w.object(s, row)
		})
	}
	return nil
}

// joined writes the list.
func joined(p *plan, wanted []ids.ID, objects []graphql.Marshaler) (any, error) {
	required := p.field.Definition.Type.Elem.NonNull
	b := written("[")
	for i, object := range objects {
		if i > 0 {
			b = append(b, ',')
		}
		text, ok := object.(written)
		switch {
		case ok:
			b = append(b, text...)
		case !required:
			b = append(b, "null"...)
		case object == nil:
			return nil, fmt.Errorf("read: %s is not there any more", wanted[i])
		default:
			return graphql.Null, nil
		}
	}
	return append(b, ']'), nil
}

// selectionFor returns what the plan says of the type that the ID belongs to.
func (r *run) selectionFor(p *plan, id ids.ID, argument string) (*selection, error) {
	o := r.prefixes[id.Prefix]
	if o != nil && p.types[o.Name] != nil {
		return p.types[o.Name], nil
	}
	if len(p.types) == 1 {
		for _, s := range p.types {
			return nil, fault.Input(argument, "%s is the ID of something else: one of the form %s_… is wanted", id, s.level.object.Prefix)
		}
	}
	return nil, fault.Input(argument, "%s is not the ID of anything that can be read", id)
}

// byKeys loads the rows with the keys and all that is below them.
func (r *run) byKeys(ctx context.Context, p *plan, s *selection, keys []uuid.UUID) error {
	r.results = make([]result, p.slots[s.level.object.Name])
	if err := r.preparePages(ctx, s.level); err != nil {
		return err
	}
	key := s.level.object.key()
	columns := withColumn(s.level.columns, key)
	t := &r.results[s.level.slot].table
	slices.SortFunc(keys, compareKeys)
	err := r.query(ctx, s.level.object, columns, t, nil, func(s *sql.Selector) {
		s.Where(inKeys(s, key.name, slices.Compact(keys)))
	})
	if err != nil {
		return err
	}
	return r.below(ctx, s.level)
}

func compareKeys(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) }

// withColumn returns columns with col among them.
func withColumn(columns []column, col column) []column {
	if slices.Contains(columns, col) {
		return columns
	}
	return append(slices.Clip(columns), col)
}

// preparePages reads the arguments of all connections before anything runs. A fault in those of a nested one is kept until the
// connection is written: it is an error of each place in the answer where the connection stands.
func (r *run) preparePages(ctx context.Context, l *level) error {
	if l.field != nil && (l.via == nil || l.via.paged) {
		p, err := r.pageOf(ctx, l)
		if f, ok := err.(*fault.Error); ok && l.via != nil {
			r.results[l.slot].fault = f
			return nil
		}
		if err != nil {
			return err
		}
		r.results[l.slot].page = p
	}
	for _, child := range l.children {
		if err := r.preparePages(ctx, child); err != nil {
			return err
		}
	}
	return nil
}

// columnsOf returns what the level reads, with what its cursors are made of.
func (r *run) columnsOf(l *level) []column {
	columns := l.columns
	res := &r.results[l.slot]
	if res.page == nil || !l.cursors {
		return columns
	}
	for _, t := range res.page.order {
		col := column{name: t.column, kind: t.kind}
		if t.kind == entity.ID {
			col = l.object.key()
		}
		for _, f := range l.object.fields {
			if f.column != nil && f.column.shown == nil && f.column.name == t.column {
				col = *f.column
			}
		}
		columns = withColumn(columns, col)
		res.cursor = append(res.cursor, slices.Index(columns, col))
	}
	return columns
}

// rootPage loads a connection that stands on its own, and all that is below it.
func (r *run) rootPage(ctx context.Context, l *level) error {
	res := &r.results[l.slot]
	p := res.page
	if l.count {
		if err := r.rootCount(ctx, l); err != nil {
			return err
		}
	}
	if !l.rows {
		return nil
	}
	limit := func(query string, args []any) (string, []any) { return r.limited(query, args, p) }
	err := r.query(ctx, l.object, r.columnsOf(l), &res.table, limit, func(s *sql.Selector) {
		p.restrict(s)
		s.OrderExpr(orderBy(s, p.order, p.backward())...)
	})
	if err != nil {
		return err
	}
	all := make([]int32, res.table.len())
	for i := range all {
		all[i] = int32(i)
	}
	res.groups = [][]int32{all}
	return r.below(ctx, l)
}

// restrict adds the conditions of the page.
func (p *page) restrict(s *sql.Selector) {
	if p.where != nil {
		s.Where(p.where(s))
	}
	if p.after != nil {
		s.Where(beyond(p.order, p.after, false)(s))
	}
	if p.before != nil {
		s.Where(beyond(p.order, p.before, true)(s))
	}
}

func (r *run) limited(query string, args []any, p *page) (string, []any) {
	query += " LIMIT " + strconv.Itoa(p.limit())
	if p.offset > 0 {
		args = append(slices.Clip(args), p.offset)
		query += " OFFSET " + r.placeholder(len(args))
	}
	return query, args
}

// placeholder returns how the n-th parameter is written.
func (r *run) placeholder(n int) string {
	if r.unit.Dialect() == dialect.SQLite {
		return "?"
	}
	return "$" + strconv.Itoa(n)
}

func (r *run) rootCount(ctx context.Context, l *level) error {
	res := &r.results[l.slot]
	return r.count(ctx, l, func(s *sql.Selector) {
		s.Select(sql.Count("*"))
		res.page.filter(s)
	}, func(rows *databasesql.Rows) error {
		var n int64
		err := rows.Scan(&n)
		res.counts = append(res.counts, n)
		return err
	})
}

// filter adds the condition that also counts: where, not the cursors.
func (p *page) filter(s *sql.Selector) {
	if p.where != nil {
		s.Where(p.where(s))
	}
}

func (r *run) count(ctx context.Context, l *level, shape func(*sql.Selector), each func(*databasesql.Rows) error) error {
	tap := &unit.Tap{Rows: func(rows *databasesql.Rows) error {
		for rows.Next() {
			if err := each(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	}}
	return r.client().Shape(unit.WithTap(ctx, tap), l.object.Entity, shape)
}

// query runs one statement of the object's rows and keeps the columns of them in t. A column without a name is one that shape
// adds to the statement.
func (r *run) query(ctx context.Context, o *object, columns []column, t *table,
	wrap func(string, []any) (string, []any), shape func(*sql.Selector)) error {
	if len(columns) == 0 {
		columns = []column{o.key()}
	}
	tap := &unit.Tap{Wrap: wrap, Rows: func(rows *databasesql.Rows) error { return t.read(rows, columns) }}
	return r.client().Shape(unit.WithTap(ctx, tap), o.Entity, func(s *sql.Selector) {
		s.Select()
		for _, c := range columns {
			c.selectFrom(s)
		}
		shape(s)
	})
}

// selectFrom adds the column to what s selects.
func (c column) selectFrom(s *sql.Selector) {
	switch {
	case c.shown != nil:
		s.AppendSelectExpr(sql.ExprFunc(func(b *sql.Builder) { c.shownBy(b, s) }))
	case c.name != "":
		s.AppendSelect(s.C(c.name))
	}
}

// shownBy writes the query for the column of the one row that the edge reaches.
func (c column) shownBy(b *sql.Builder, s *sql.Selector) {
	related := sql.Table(c.table).As("shown")
	b.Wrap(func(b *sql.Builder) {
		b.Join(sql.Dialect(s.Dialect()).Select(related.C(c.name)).From(related).
			Where(sql.ColumnsEQ(related.C(c.shown.Column), s.C("id"))))
	})
}
