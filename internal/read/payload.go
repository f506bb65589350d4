package read

import (
	"context"
	"database/sql/driver"
	"io"
	"maps"
	"slices"
	"strconv"

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

// Written is what a standard mutation has written, for its payload.
type Written struct {
	IDs      []ids.ID // of the rows
	Created  bool     // the row is new
	Affected int      // the number of rows
	Left     []Left
}

// Left is an entry of an input that a mutation has left out. Field is the path of the argument at
// fault, or "".
type Left struct {
	Index                int
	Code, Message, Field string
}

// Payload returns the payload of a mutation's root field that no resolver answers: the rows that it
// has written in its fields of entities, and the rest by the names of the fields. It is called
// within Mutate, with the context of the root field.
func (e *Engine) Payload(ctx context.Context, written Written) (graphql.Marshaler, error) {
	root := graphql.GetFieldContext(ctx).Field
	r := ctx.Value(resolutionKey{}).(*resolution)
	b, err := e.appendObject(nil, r, root.Definition.Type.Name(), root.Selections, func(b []byte, f *plan.Collected) ([]byte, error) {
		switch {
		case e.binding.Owns(f.Field.Definition.Type):
			p, err := e.shown(ctx, r, graphql.CollectedField{Field: f.Field, Selections: f.Selections}, written.IDs)
			if err != nil {
				return b, err
			}
			return encode.AppendMark(b, r.add(p)), nil
		case f.Field.Name == "created":
			return strconv.AppendBool(b, written.Created), nil
		case f.Field.Name == "affected":
			return strconv.AppendInt(b, int64(written.Affected), 10), nil
		case f.Field.Name == "errors":
			return e.appendLeft(b, r, f, written.Left)
		case f.Field.Definition.Type.Elem == nil:
			return append(b, plan.Quoted(written.IDs[0].String())...), nil
		}
		return appendList(b, written.IDs, func(b []byte, id ids.ID) ([]byte, error) {
			return append(b, plan.Quoted(id.String())...), nil
		})
	})
	if err != nil {
		return nil, err
	}
	return graphql.WriterFunc(func(w io.Writer) { _, _ = w.Write(b) }), nil
}

// appendLeft appends what a mutation has left out.
func (e *Engine) appendLeft(b []byte, r *resolution, of *plan.Collected, list []Left) ([]byte, error) {
	return appendList(b, list, func(b []byte, l Left) ([]byte, error) {
		return e.appendObject(b, r, of.Field.Definition.Type.Name(), of.Selections, func(b []byte, f *plan.Collected) ([]byte, error) {
			text := map[string]string{"code": l.Code, "message": l.Message, "field": l.Field}[f.Field.Name]
			switch {
			case f.Field.Name == "index":
				return strconv.AppendInt(b, int64(l.Index), 10), nil
			case text == "" && !f.Field.Definition.Type.NonNull:
				return append(b, "null"...), nil
			}
			return append(b, plan.Quoted(text)...), nil
		})
	})
}

// appendObject appends an object that has what value appends for each selected field.
func (e *Engine) appendObject(b []byte, r *resolution, name string, selections ast.SelectionSet, value func([]byte, *plan.Collected) ([]byte, error)) (_ []byte, err error) {
	b = append(b, '{')
	for i, f := range plan.Collect(r.prepared.values, e.binding.TypeConditions(name), selections) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, plan.Quoted(f.Field.Alias)...), ':')
		if f.Field.Name == "__typename" {
			b = append(b, plan.Quoted(name)...)
		} else if b, err = value(b, f); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}

func appendList[T any](b []byte, list []T, value func([]byte, T) ([]byte, error)) (_ []byte, err error) {
	b = append(b, '[')
	for i, entry := range list {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = value(b, entry); err != nil {
			return b, err
		}
	}
	return append(b, ']'), nil
}

// shown returns what a field of a payload refers to: the entities with IDs.
func (e *Engine) shown(ctx context.Context, r *resolution, f graphql.CollectedField, list []ids.ID) (*pending, error) {
	fc := graphql.GetFieldContext(graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: f.ObjectDefinition.Name, Field: f}))
	p := &pending{loaders: r.at(fc), path: pathOf(ctx, fc), up: levelsUp(fc), written: true, entries: make([]entry, len(list))}
	for i, id := range list {
		of := &p.entries[i]
		of.id = id
		var err error
		if of.loader, of.key, err = e.loaderFor(p.loaders, id, "id"); err != nil {
			return nil, err
		}
	}
	return p, nil
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
