// Package read is the read engine. It answers a selection of entities with one statement on
// PostgreSQL, and with one for each level of the selection on SQLite, however many rows there are.
//
// At the start, New compares the schema with the entities (package binding). Prepare compiles the
// selections of an operation into plans (package plan). Loaders run the statements of the plans
// (packages load and sql). ent writes each query, so that interceptors and policies add their
// conditions. The payload of a mutation starts from the row that the mutation's statement returned.
// Resolvers compute fields between the statements, and refer to further entities (see resolution).
// The rows that were read (package rows) are written as JSON (package encode).
package read

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"sync"

	"entgo.io/ent/dialect/sql"
	"github.com/99designs/gqlgen/graphql"

	"forge/internal/coalesce"
	"forge/internal/computed"
	"forge/internal/cursorcipher"
	"forge/internal/entity"
	"forge/internal/read/binding"
	"forge/internal/read/index"
	"forge/internal/read/load"
	"forge/internal/read/rows"
	readsql "forge/internal/read/sql"
	"forge/internal/schema"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// Engine reads selections of one schema. It is safe for concurrent use.
type Engine struct {
	options   Options
	binding   *binding.Binding
	cursors   *rows.Cursors
	documents sync.Map // *ast.OperationDefinition to func() *document; see Keep
	log       *log     // nil if the API does not show it
	flights   coalesce.Groups[flight, *load.Landed]
	calls     chan struct{} // a place for each resolver that runs; see compute
}

// Query runs an ent query for rows of the entity e, in the unit of work u. The function shape sets
// the columns, conditions and order of the query.
type Query func(ctx context.Context, u *unit.Unit, e *entity.Entity, shape func(*sql.Selector)) error

// Options are the settings of an engine.
type Options struct {
	// Query runs an ent query. The application passes ent.QueryEntity.
	Query Query
	// Cursors encrypts cursors. Without it, everybody can read the values in a cursor.
	Cursors *cursorcipher.Cipher
	// Public reports whether everybody may ask for a root field of Query. The engine answers only
	// such fields without gqlgen. gqlgen's middlewares, which check the viewer, run for the others.
	// If Public is nil, all root fields are public.
	Public func(field string) bool
	// Tables are the tables of the database. Their indexes tell where to look for rows that fulfil
	// a condition. Without tables, that is left to the database.
	Tables []*schema.Table
	// Code is the generated code for computed fields. It may be nil if there are none.
	Code computed.Code
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
	index.Mark(b, o.Tables)
	var uncalled []string
	for _, name := range slices.Sorted(maps.Keys(b.Objects)) {
		if b.Objects[name].Computes() && (o.Code == nil || o.Code.Computed(new(graphql.OperationContext), name) == nil) {
			uncalled = append(uncalled, name+": nothing calls the resolvers of its computed fields; run go generate ./..., with forge/internal/gqlgen")
		}
	}
	if uncalled != nil {
		return nil, &binding.MismatchError{Findings: uncalled}
	}
	if o.Cursors == nil {
		o.Cursors = cursorcipher.New(nil)
	}
	return &Engine{options: o, binding: b, cursors: rows.NewCursors(o.Cursors), log: newLog(b, c.Entities, o.Cursors), calls: make(chan struct{}, maxCalls)}, nil
}

// Read is a field middleware of gqlgen. It calls the resolver of the field. If the field's type is
// an entity, an interface or a union of entities, or a connection of these, the resolver returns
// only a reference: an ID, or an empty connection. Read then returns what becomes the JSON of the
// whole selection below the field; see resolution. It returns an error if the resolver has set more
// than an ID, because the engine would not show it.
//
// A resolver may also return a connection with edges, nodes, pageInfo or totalCount. Then gqlgen
// answers the connection, and the entities in it are references.
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
	if list := reflect.ValueOf(value); list.Kind() == reflect.Slice && list.IsNil() && !fc.Field.Definition.Type.NonNull {
		return nil, nil // where null is not allowed, it is an empty list, as with gqlgen
	}
	r := ctx.Value(resolutionKey{}).(*resolution)
	p := &pending{loaders: r.at(fc), path: pathOf(ctx, fc), up: levelsUp(fc), restrict: only.predicates}
	switch restricted := len(only.predicates) > 0; {
	case p.loaders.connection == nil && restricted:
		return nil, errors.New("read: Restrict is for resolvers of connections")
	case restricted && computedAt(ctx) > 0:
		return nil, errors.New("read: Restrict would take a statement for each row of a computed field: return a connection of the rows' IDs")
	case p.loaders.connection != nil && checkBare(value) != nil:
		if restricted {
			return nil, checkBare(value)
		}
		return value, nil
	case p.loaders.connection == nil:
		if p.entries, err = e.entriesOf(p.loaders, value); err != nil {
			return nil, err
		}
	}
	return r.refer(p), nil
}

// Condition returns the condition of an argument where on rows of an entity, for a statement of the
// unit of work of ctx. It is nil if every row fulfils it. If the argument is not valid, or the
// viewer may not use one of its conditions, Condition returns an error that names the path of that
// condition.
func (e *Engine) Condition(ctx context.Context, of *entity.Entity, where map[string]any) (func(*sql.Selector), error) {
	u := unit.FromContext(ctx)
	conditions := readsql.Conditions{Dialect: u.Dialect(), Viewer: viewer.FromContext(ctx), Writer: writer{u, e.options.Query}, Once: true}
	condition, err := conditions.Read(ctx, e.binding.Objects[of.Name], where)
	if err != nil || condition == nil {
		return nil, err
	}
	return func(s *sql.Selector) { s.Where(condition(s)) }, nil
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
