// Package read is the read engine. It answers a selection of entities with one statement a level,
// however many rows there are.
//
// At the start, New compares the schema with the entities (package binding). Prepare compiles the
// selections of an operation into plans (package plan). Loaders run the plans' statements, one for
// all rows of the level above (packages load and sql). ent writes the statements, so that
// interceptors and policies hold. The payload of a mutation starts from the row that its statement
// returned. Everything that was read (package rows) is written as JSON (package encode).
package read

import (
	"context"
	"errors"
	"reflect"
	"sync"

	"entgo.io/ent/dialect/sql"
	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

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
	documents sync.Map // operations of kept documents: *ast.OperationDefinition to func() *document
	flights   coalesce.Groups[flight, *load.Landed]
}

// Query runs an ent query for rows of an entity in a unit of work. The function shape makes its
// statement.
type Query func(ctx context.Context, u *unit.Unit, e *entity.Entity, shape func(*sql.Selector)) error

// Options are settings of an engine.
type Options struct {
	// Query runs an ent query: ent.QueryEntity.
	Query Query
	// CursorKey encrypts cursors, and has cursorcipher.KeySize bytes. Without it everybody can read
	// what a cursor holds.
	CursorKey []byte
	// Public reports whether everybody may ask for a root field of queries. The others are left to
	// gqlgen's middlewares, which look at who asks. Nil: all are public.
	Public func(field string) bool
	// DisableCoalescing has every request read for itself.
	DisableCoalescing bool
}

// New returns an engine for the contract. If the engine could not answer it rightly, the error is a
// *binding.MismatchError.
func New(c binding.Contract, o Options) (*Engine, error) {
	b, err := binding.Bind(c)
	if err != nil {
		return nil, err
	}
	return &Engine{options: o, binding: b, cursors: rows.NewCursors(o.CursorKey)}, nil
}

// Read is a field middleware. If a field's type is an entity, a connection of entities or the Node
// interface, its resolver only refers to an entity or connection, and Read answers with the
// selection. It returns an error if the resolver has set more than an ID, as that would not be
// shown.
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

// writer has ent write queries. It makes the unit's ent client when it is first used: many requests
// run only statements that were written before.
type writer struct {
	unit  *unit.Unit
	query Query
}

func (w writer) Write(ctx context.Context, e *entity.Entity, shape func(*sql.Selector)) (string, []any, error) {
	var s unit.Statement
	err := w.query(unit.Capture(ctx, &s), w.unit, e, shape)
	return s.Text, s.Args, err
}

// reading is the answering of one field that gqlgen executes.
type reading struct {
	engine  *Engine
	request load.Request
	loaders *loaders
}

// connection answers a field that is a connection.
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

// one answers a field that is one entity: null if there is none of that ID.
func (r *reading) one(ctx context.Context, id ids.ID) (any, error) {
	l, err := r.engine.loaderFor(r.loaders, id, "id")
	if err != nil {
		return nil, err
	}
	loading, err := r.byKeys(ctx, l, []uuid.UUID{id.UUID})
	if err != nil || loading.Results[l.Plan.Root.Index].Table.Len() == 0 {
		return nil, err
	}
	return r.write(ctx, loading, func(w *encode.Writer) bool { return w.Object(l.Plan.Object, 0) }), nil
}

// byKeys loads the rows with the keys and all that is below them.
func (r *reading) byKeys(ctx context.Context, l *load.Loader, keys []uuid.UUID) (*load.Loading, error) {
	loading := &load.Loading{Loader: l, Request: r.request, Keys: keys}
	if err := loading.Prepare(ctx); err != nil {
		return nil, err
	}
	if row := returnedFor(ctx, l); row != nil {
		return loading, loading.RunBelow(ctx, *row)
	}
	return loading, loading.Run(ctx)
}

// write returns what f writes. It returns null if f leaves nothing, which has been reported then.
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
