// Package read is the read engine. It answers a selection of entities with one statement for each
// level of the selection, however many rows there are.
//
// At the start, New compares the schema with the entities (package binding). Prepare compiles the
// selections of an operation into plans (package plan). Loaders run the statements of the plans:
// one statement reads the rows of a level for all rows of the level above (packages load and sql).
// ent writes the statements, so that interceptors and policies add their conditions. The payload of
// a mutation starts from the row that the mutation's statement returned. The rows that were read
// (package rows) are written as JSON (package encode).
package read

import (
	"context"
	"errors"
	"reflect"
	"sync"

	"entgo.io/ent/dialect/sql"
	"github.com/99designs/gqlgen/graphql"

	"forge/internal/coalesce"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/read/binding"
	"forge/internal/read/encode"
	"forge/internal/read/load"
	"forge/internal/read/rows"
	"forge/internal/unit"
)

// Engine reads selections of one schema. It is safe for concurrent use.
type Engine struct {
	options   Options
	binding   *binding.Binding
	cursors   *rows.Cursors
	documents sync.Map // *ast.OperationDefinition to func() *document; see Keep
	flights   coalesce.Groups[flight, *load.Landed]
}

// Query runs an ent query for rows of the entity e, in the unit of work u. The function shape sets
// the columns, conditions and order of the query.
type Query func(ctx context.Context, u *unit.Unit, e *entity.Entity, shape func(*sql.Selector)) error

// Options are the settings of an engine.
type Options struct {
	// Query runs an ent query. The application passes ent.QueryEntity.
	Query Query
	// CursorKey is the key that cursors are encrypted with, of cursorcipher.KeySize bytes. Without
	// a key, everybody can read the values in a cursor.
	CursorKey []byte
	// Public reports whether everybody may ask for a root field of Query. The engine answers only
	// such fields without gqlgen. gqlgen's middlewares, which check the viewer, run for the others.
	// If Public is nil, all root fields are public.
	Public func(field string) bool
	// DisableCoalescing has every request run its own statements, also if another request reads the
	// same.
	DisableCoalescing bool
}

// New returns an engine for the contract. It returns a *binding.MismatchError if parts of the
// contract do not fit together.
func New(c binding.Contract, o Options) (*Engine, error) {
	b, err := binding.Bind(c)
	if err != nil {
		return nil, err
	}
	return &Engine{options: o, binding: b, cursors: rows.NewCursors(o.CursorKey)}, nil
}

// Read is a field middleware of gqlgen. It calls the resolver of the field. If the field's type is
// an entity, an interface or a union of entities, or a connection of these, the resolver returns only
// a reference: an ID, or an empty connection. Read then returns the JSON of the whole selection below the field.
// It returns an error if the resolver has set more than an ID, because the engine would not show
// it.
func (e *Engine) Read(ctx context.Context, next graphql.Resolver) (any, error) {
	fc := graphql.GetFieldContext(ctx)
	if !e.binding.Owns(fc.Field.Definition.Type) {
		value, err := next(ctx)
		if err != nil || isNil(value) {
			return nil, err
		}
		return value, nil
	}
	only := new(restriction)
	value, err := next(context.WithValue(ctx, restrictionKey{}, only))
	if err != nil || isNil(value) {
		return nil, err
	}
	op := graphql.GetOperationContext(ctx)
	r := &reading{engine: e, request: e.request(ctx, op), loaders: e.Prepare(op).at(fc)}
	if r.loaders.connection != nil {
		if err := checkBare(value); err != nil {
			return nil, err
		}
		r.request.Restrict = only.predicates
		return r.connection(ctx)
	}
	if len(only.predicates) > 0 {
		return nil, errors.New("read: Restrict is for resolvers of connections")
	}
	if list := reflect.ValueOf(value); list.Kind() == reflect.Slice {
		return r.list(ctx, list)
	}
	id, err := referenceTo(value)
	if err != nil {
		return nil, err
	}
	return r.one(ctx, id)
}

// writer has ent write queries without running them. The query function makes the ent client of the
// unit at its first call, so that a request whose statements were all written before makes no
// client.
type writer struct {
	unit  *unit.Unit
	query Query
}

func (w writer) Write(ctx context.Context, e *entity.Entity, shape func(*sql.Selector)) (string, []any, error) {
	var s unit.Statement
	err := w.query(unit.Capture(ctx, &s), w.unit, e, shape)
	return s.Text, s.Args, err
}

// reading is the work of answering one field that gqlgen executes.
type reading struct {
	engine  *Engine
	request load.Request
	loaders *loaders
}

// connection returns the JSON of a field that is a connection.
func (r *reading) connection(ctx context.Context) (any, error) {
	l := r.loaders.connection
	loading := &load.Loading{Loader: l, Request: r.request}
	if err := loading.Prepare(ctx); err != nil {
		return nil, err
	}
	if err := loading.Run(ctx); err != nil {
		return nil, err
	}
	return r.write(ctx, loading, func(w *encode.Writer) bool { return w.Connection(l.Plan.Connection, 0) }), nil
}

// one returns the JSON of a field that is one entity. It returns nil, which is written as null, if
// no row has the ID.
func (r *reading) one(ctx context.Context, id ids.ID) (any, error) {
	l, key, err := r.engine.loaderFor(r.loaders, id, "id")
	if err != nil {
		return nil, err
	}
	loading, err := r.byKey(ctx, l, key)
	if err != nil || loading.Results[l.Plan.Root.Index].Table.Len() == 0 {
		return nil, err
	}
	return r.write(ctx, loading, func(w *encode.Writer) bool { return w.Object(l.Plan.Object, 0) }), nil
}

// byKey loads the row with the key, and all rows that the selection needs below this row. If a
// statement of the mutation has returned the row already, only the rows below are read.
func (r *reading) byKey(ctx context.Context, l *load.Loader, key ids.Key) (*load.Loading, error) {
	loading := &load.Loading{Loader: l, Request: r.request, Keys: []ids.Key{key}}
	if err := loading.Prepare(ctx); err != nil {
		return nil, err
	}
	if row := returnedFor(ctx, l); row != nil {
		return loading, loading.RunBelow(ctx, *row)
	}
	return loading, loading.Run(ctx)
}

// write returns the JSON that f appends. It returns null if f returns false, in which case f has
// reported the error, or if the answer is larger than its budget.
func (r *reading) write(ctx context.Context, loading *load.Loading, f func(*encode.Writer) bool) graphql.Marshaler {
	if r.request.Budget.Exceeded() {
		return graphql.Null
	}
	w := &encode.Writer{Results: loading.Results, Viewer: r.request.Viewer, Budget: r.request.Budget, Cursors: r.engine.cursors}
	w.Start(ctx, nil, make([]byte, 0, loading.Loader.Written.Size()))
	ok := f(w)
	if !w.Count() || !ok {
		return graphql.Null
	}
	loading.Loader.Written.Record(len(w.Bytes))
	return written(w.Bytes)
}
