package read

import (
	"context"
	"database/sql/driver"
	"io"
	"maps"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/budget"
	"forge/internal/ids"
	"forge/internal/loader"
	"forge/internal/read/binding"
	"forge/internal/read/encode"
	"forge/internal/read/kind"
	"forge/internal/read/load"
	"forge/internal/read/plan"
	"forge/internal/read/rows"
	"forge/internal/read/sql"
	"forge/internal/unit"
)

// payload is what is known of the one entity that a mutation's payload shows.
type payload struct {
	loader    *load.Loader // nil if the payload shows no entity, or several
	returning string       // the columns of the row that are read, as an SQL list
	final     bool         // nothing has to be read after the statement
	hooked    bool         // an ent hook of the entity may write after the statement
}

// returned holds the row of a payload. The table is empty until a statement has returned the row.
type returned struct {
	*payload
	table rows.Table
}

type returnedKey struct{}

// Mutate is a root field middleware of gqlgen. It gives a mutation's resolver a context for which
// WithReturning and WithFinalWrite work.
func (e *Engine) Mutate(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	op := graphql.GetOperationContext(ctx)
	if op.Operation.Operation != ast.Mutation {
		return next(ctx)
	}
	prepared := e.Prepare(op)
	p := prepared.payload(graphql.GetRootFieldContext(ctx).Field, unit.FromContext(ctx).Dialect())
	ctx = context.WithValue(ctx, returnedKey{}, &returned{payload: p})
	within, r := e.begin(ctx, op, prepared)
	text := jsonOf(next(within))
	if text == nil {
		return graphql.Null
	}
	within = loader.NewContext(within) // of what the resolver has changed, its loaders may know too little
	text, ok := r.finish(within, text)
	if !ok {
		return graphql.Null
	}
	return graphql.WriterFunc(func(w io.Writer) { _, _ = w.Write(text) })
}

// WithReturning returns a context for the statement that creates or changes the row shown by a
// mutation's payload. The statement also returns the row, so that the payload is written without
// reading it again. The resolver must not change the row afterwards.
func WithReturning(ctx context.Context) context.Context { return change(ctx, false) }

// WithFinalWrite is like WithReturning, for the last statement that the resolver of a root field
// runs. If the statement is also the first of the operation, and the answer needs no other read, it
// runs without a transaction and commits by itself. The unit of work then refuses later writes of
// the operation. Where ent needs several statements, as for edges to many rows, they run in a
// transaction all the same.
func WithFinalWrite(ctx context.Context) context.Context { return change(ctx, true) }

func change(ctx context.Context, last bool) context.Context {
	r, ok := ctx.Value(returnedKey{}).(*returned)
	if !ok {
		return ctx
	}
	c := &unit.Change{Autocommit: last && r.final && !r.hooked, Returning: r.returning, Row: r.take}
	if c.Autocommit {
		// The row is stored as soon as the statement has run. An error about the answer's size
		// would tell the client that it is not.
		budget.FromContext(ctx).Lift()
	}
	if r.loader != nil {
		c.Table = r.loader.Plan.Root.Object.Entity.Table
	}
	return unit.WithChange(ctx, c)
}

func (r *returned) take(row []driver.Value) error {
	columns := r.loader.Plan.Root.Columns
	r.table = rows.Table{Width: len(columns)}
	return r.table.Add(row, columns)
}

// returnedFor returns a table of the root row of a loader's plan. It returns nil if no statement
// has returned the row.
func returnedFor(ctx context.Context, l *load.Loader) *rows.Table {
	row, ok := ctx.Value(returnedKey{}).(*returned)
	if !ok || row.payload.loader != l || row.table.Len() == 0 {
		return nil
	}
	return &row.table
}

// payload returns what is known of the payload of a mutation's root field.
func (o *Operation) payload(root graphql.CollectedField, dialect string) *payload {
	return memo(&o.mu, o.payloads, root.Alias, func() *payload { return o.compilePayload(root, dialect) })
}

func (o *Operation) compilePayload(root graphql.CollectedField, dialect string) *payload {
	b := o.engine.binding
	if b.Owns(root.Definition.Type) {
		return new(payload) // the field is the entity itself, and has no payload type
	}
	var shown []*plan.Collected
	leaves := true // beside entities, the payload shows only scalars
	for _, f := range plan.Collect(o.values, b.TypeConditions(root.Definition.Type.Name()), root.Selections) {
		if b.Owns(f.Field.Definition.Type) {
			shown = append(shown, f)
		} else if len(f.Selections) > 0 {
			leaves = false // there may be entities below
		}
	}
	p := &payload{
		final: len(shown) == 0 && leaves && len(o.roots) == 1,
		hooked: slices.ContainsFunc(slices.Collect(maps.Values(b.Objects)), func(o *binding.Object) bool {
			return o.Entity.Hooked
		}),
	}
	if len(shown) != 1 || shown[0].Field.Definition.Type.Elem != nil || b.Objects[shown[0].Field.Definition.Type.Name()] == nil {
		return p // the payload shows several entities, or one whose type is not known
	}
	f := shown[0]
	l := o.compiledAt(f.Field.Alias+"<"+root.Alias, f.Field, f.Selections)
	if n := l.types[f.Field.Definition.Type.Name()].Plan.Root; slices.ContainsFunc(n.Columns, func(c binding.Column) bool { return c.Rule != "" }) {
		return p // the row is read for the policy to say what is shown of it
	}
	p.loader = l.types[f.Field.Definition.Type.Name()]
	n := p.loader.Plan.Root
	p.hooked = n.Object.Entity.Hooked
	p.returning = sql.Columns(n, dialect)
	p.final = len(n.Children) == 0 && leaves && alwaysWritable(p.loader.Plan.Object) && len(o.roots) == 1
	return p
}

// Payload returns the payload of a mutation's root field that no resolver answers: the row that it
// has created or changed in its fields of entities, and the ID in its other fields. It is called
// within Mutate, with the context of the root field.
func (e *Engine) Payload(ctx context.Context, id ids.ID) (graphql.Marshaler, error) {
	root := graphql.GetFieldContext(ctx).Field
	r := ctx.Value(resolutionKey{}).(*resolution)
	name := root.Definition.Type.Name()
	b := []byte{'{'}
	for i, f := range plan.Collect(r.prepared.values, e.binding.TypeConditions(name), root.Selections) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, plan.Quoted(f.Field.Alias)...), ':')
		switch {
		case f.Field.Name == "__typename":
			b = append(b, plan.Quoted(name)...)
		case e.binding.Owns(f.Field.Definition.Type):
			p, err := e.shown(ctx, r, graphql.CollectedField{Field: f.Field, Selections: f.Selections}, id)
			if err != nil {
				return nil, err
			}
			b = encode.AppendMark(b, r.add(p))
		default:
			b = append(b, plan.Quoted(id.String())...)
		}
	}
	b = append(b, '}')
	return graphql.WriterFunc(func(w io.Writer) { _, _ = w.Write(b) }), nil
}

// shown returns what a field of a payload refers to: the entity with an ID.
func (e *Engine) shown(ctx context.Context, r *resolution, f graphql.CollectedField, id ids.ID) (*pending, error) {
	fc := graphql.GetFieldContext(graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: f.ObjectDefinition.Name, Field: f}))
	p := &pending{loaders: r.at(fc), path: pathOf(ctx, fc), up: levelsUp(fc), entries: []entry{{id: id}}}
	var err error
	p.entries[0].loader, p.entries[0].key, err = e.loaderFor(p.loaders, id, "id")
	return p, err
}

// alwaysWritable reports whether the selection can be written for every row of its table, and is no
// larger than the row. A statement that commits by itself needs this: its row cannot be undone if
// it turns out that it cannot be shown.
func alwaysWritable(s *plan.Selection) bool {
	shown := map[int]bool{}
	for _, out := range s.Fields {
		if out.Kind == plan.Constant {
			continue
		}
		if out.Kind == plan.OfResolver {
			return false
		}
		if shown[out.Column] {
			return false
		}
		shown[out.Column] = true
		if !out.NonNull {
			continue
		}
		c := s.Node.Columns[out.Column]
		if k, ok := kind.Of(c.Kind); !ok || k.Partial || c.Shown != nil || s.Node.Object.Nullable(c.Name) {
			return false
		}
	}
	return true
}
