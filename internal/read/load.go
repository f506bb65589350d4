package read

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"entgo.io/ent/dialect/sql"
	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/apperr"
	"forge/internal/budget"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// run is the answering of one field.
type run struct {
	*Engine
	unit    *unit.Unit
	op      *graphql.OperationContext
	viewer  viewer.Viewer
	budget  *budget.Answer
	results []result              // by the level's slot
	only    []func(*sql.Selector) // what the resolver of the field asks of a connection's rows
	noted   *[]answered           // what the context was asked for its statements; nil if nobody wants to know
}

func newRun(ctx context.Context, e *Engine, op *graphql.OperationContext) *run {
	return &run{Engine: e, unit: unit.FromContext(ctx), op: op, viewer: viewer.FromContext(ctx), budget: budget.FromContext(ctx)}
}

// result is what the statements of a level brought.
type result struct {
	table  table
	page   *page
	fault  *apperr.Error // what is wrong with the arguments; nothing is loaded then
	cursor []int         // the columns that make up a cursor
	groups groups        // rows by the keys that they belong to
	beyond []bool        // by the same: there are rows behind the page
	passed []bool        // by the same: offset has passed over rows; nil without an offset
	counts []int64       // by the same
	of     []int32       // which key each row of the level above has, -1 for none; nil if it is that of the row's own place
}

// keyOf returns the place of the key that a row of the level above has.
func (r *result) keyOf(row int) int32 {
	if r.of == nil {
		return int32(row)
	}
	return r.of[row]
}

// rows returns the rows that belong to a row of the level above.
func (r *result) rows(above int) []int32 { return r.groups.at(r.keyOf(above)) }

// window returns the page that belongs to a row of the level above.
func (r *result) window(above int) window {
	place := r.keyOf(above)
	return r.page.cut(r.groups.at(place), at(r.beyond, place), at(r.passed, place))
}

// at returns what is true of the key at place: nothing, if there is no such key.
func at(flags []bool, place int32) bool {
	return place >= 0 && int(place) < len(flags) && flags[place]
}

// count returns how many there are in all.
func (r *result) count(above int) int64 {
	if place := r.keyOf(above); place >= 0 && int(place) < len(r.counts) {
		return r.counts[place]
	}
	return 0
}

// connection answers a field that is a connection.
func (r *run) connection(ctx context.Context, p *plan) (any, error) {
	r.results = make([]result, p.slots[""])
	if err := r.preparePages(ctx, p.connection.level); err != nil {
		return nil, err
	}
	l := p.connection.level
	if err := r.load(ctx, &fetch{run: r, level: l, page: r.results[l.slot].page}); err != nil {
		return nil, err
	}
	return r.write(ctx, p, func(w *writer) bool { return w.connection(p.connection, 0) }), nil
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
	return r.write(ctx, p, func(w *writer) bool { return w.object(s, 0) }), nil
}

// list answers a field that is a list of entities, of one type or of several: null in the place of an unknown ID.
func (r *run) list(ctx context.Context, p *plan, values reflect.Value) (any, error) {
	if values.Len() > maxPage && p.field.Definition.Type.Elem != nil && len(p.field.Arguments) > 0 && r.isNode(p.field.Definition.Type.Name()) {
		return nil, apperr.BadInput("ids", "%d IDs; up to %d are allowed", values.Len(), maxPage)
	}
	wanted := make([]ids.ID, values.Len())
	batches := map[*selection]*batch{}
	var order []*batch
	for i := range wanted {
		value := values.Index(i).Interface()
		if isNil(value) {
			continue
		}
		var err error
		if wanted[i], err = referenceTo(value); err != nil {
			return nil, err
		}
		s, err := r.selectionFor(p, wanted[i], "ids."+strconv.Itoa(i))
		if err != nil {
			return nil, err
		}
		if batches[s] == nil {
			batches[s] = &batch{selection: s, places: map[uuid.UUID]int32{}}
			order = append(order, batches[s])
		}
		batches[s].add(wanted[i].UUID)
	}
	objects := make([]graphql.Marshaler, len(wanted))
	for _, b := range order {
		if err := r.each(ctx, p, b, wanted, objects); err != nil {
			return nil, err
		}
	}
	return joined(p, wanted, objects)
}

// batch are the entities of a list that are of one type.
type batch struct {
	*selection
	keys   []uuid.UUID
	places map[uuid.UUID]int32 // among keys
}

func (b *batch) add(key uuid.UUID) {
	if _, known := b.places[key]; !known {
		b.places[key] = int32(len(b.keys))
		b.keys = append(b.keys, key)
	}
}

// each writes those of the wanted entities that are of the batch, each to its place in objects.
func (r *run) each(ctx context.Context, p *plan, b *batch, wanted []ids.ID, objects []graphql.Marshaler) error {
	if err := r.byKeys(ctx, p, b.selection, b.keys); err != nil {
		return err
	}
	for i, id := range wanted {
		if id.Prefix != b.level.object.Prefix { // of another batch, or of nothing
			continue
		}
		rows := r.results[b.level.slot].groups.at(b.places[id.UUID])
		if len(rows) == 0 {
			continue
		}
		objects[i] = r.write(ctx, p, func(w *writer) bool {
			w.path = append(w.path, ast.PathIndex(i))
			return w.object(b.selection, int(rows[0]))
		})
	}
	return nil
}

// joined writes the list.
func joined(p *plan, wanted []ids.ID, objects []graphql.Marshaler) (any, error) {
	required := p.field.Definition.Type.Elem.NonNull
	size := len(objects) + len("[]")
	for _, object := range objects {
		text, ok := object.(written)
		if size += len(text); !ok {
			size += len("null")
		}
	}
	b := append(make(written, 0, size), '[')
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
			return nil, apperr.BadInput(argument, "%s is the ID of something else: one of the form %s_… is wanted", id, s.level.object.Prefix)
		}
	}
	return nil, apperr.BadInput(argument, "%s is not the ID of anything that can be read", id)
}

// byKeys loads the rows with the keys and all that is below them.
func (r *run) byKeys(ctx context.Context, p *plan, s *selection, keys []uuid.UUID) error {
	r.results = make([]result, p.slots[s.level.object.Name])
	if err := r.preparePages(ctx, s.level); err != nil {
		return err
	}
	if done, err := r.loadReturned(ctx, p, s.level); done || err != nil {
		return err
	}
	f := &fetch{run: r, level: s.level, keys: keys, column: s.level.object.key().name}
	return r.load(ctx, f)
}

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
		if f, ok := err.(*apperr.Error); ok && l.via != nil {
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

// read returns what is read of each row: of rows that only count, the key.
func (l *level) read() []column {
	if len(l.columns) == 0 {
		return []column{l.object.key()}
	}
	return l.columns
}

// columnsOf returns what the level reads, with what its cursors are made of.
func (r *run) columnsOf(l *level) []column {
	columns := l.read()
	res := &r.results[l.slot]
	res.cursor = nil
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
