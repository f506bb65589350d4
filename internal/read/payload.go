package read

import (
	"context"
	"database/sql/driver"
	"maps"
	"slices"

	"entgo.io/ent/dialect/sql"
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/budget"
	"forge/internal/entity"
	"forge/internal/unit"
)

// payload is what a mutation's answer shows of the one entity that it is about.
type payload struct {
	plan      *plan // nil if it shows none, or several
	selection *selection
	returning string // the columns that are read of the row, as an SQL list
	alone     bool   // nothing else is asked for, here or by another root field
	hooked    bool   // an ent hook of the entity may write after the statement
}

// returned is the row of a payload, once the statement that changed it has told it.
type returned struct {
	*payload
	table table
}

type returnedKey struct{}

// Mutate is a root field middleware. It prepares for a mutation whose last statement returns the row that the payload shows.
func (e *Engine) Mutate(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	op := graphql.GetOperationContext(ctx)
	if op.Operation.Operation != ast.Mutation {
		return next(ctx)
	}
	p := e.operation(op).payload(e, op, graphql.GetRootFieldContext(ctx).Field, unit.FromContext(ctx).Dialect())
	return next(context.WithValue(ctx, returnedKey{}, &returned{payload: p}))
}

// WithReturning returns the context for the statement with which a mutation's root field creates or changes the row of the entity that its payload
// shows: the payload is made from what the statement returns. The row must not be changed any more.
func WithReturning(ctx context.Context) context.Context { return change(ctx, false) }

// WithFinalWrite is like Shown, for a statement after which the root field stores nothing more. If it is the operation's first, and all that
// it needs of the database, it runs without a transaction around it, and what is to be stored afterwards is refused. Where ent needs
// several statements, for edges to many, it is as if this had not been said.
func WithFinalWrite(ctx context.Context) context.Context { return change(ctx, true) }

func change(ctx context.Context, last bool) context.Context {
	r, ok := ctx.Value(returnedKey{}).(*returned)
	if !ok {
		return ctx
	}
	c := &unit.Change{Autocommit: last && r.alone && !r.hooked, Returning: r.returning, Row: r.take}
	if c.Autocommit {
		// It is stored once the statement has run, and an error would say that it is not.
		budget.FromContext(ctx).Lift()
	}
	if r.selection != nil {
		c.Table = r.selection.level.object.Table
	}
	return unit.WithChange(ctx, c)
}

func (r *returned) take(row []driver.Value) error {
	columns := r.selection.level.read()
	r.table = table{width: len(columns)}
	return r.table.add(row, columns)
}

// loadReturned takes the row for what a plan starts with, if it has been returned, and loads what is below.
func (r *run) loadReturned(ctx context.Context, p *plan, l *level) (done bool, err error) {
	row, ok := ctx.Value(returnedKey{}).(*returned)
	if !ok || row.payload.plan != p || row.table.len() == 0 {
		return false, nil
	}
	r.results[l.slot].table = row.table
	r.results[l.slot].groups = groupsOf([]int32{0}, 1)
	return true, r.below(ctx, l)
}

// payload returns what a root field's payload shows.
func (o *operation) payload(e *Engine, op *graphql.OperationContext, root graphql.CollectedField, dialect string) *payload {
	key := o.state(op.Variables) + " " + root.Alias
	return kept(o, o.payloads, key, func() *payload { return o.compilePayload(e, op, root, dialect) })
}

func (o *operation) compilePayload(e *Engine, op *graphql.OperationContext, root graphql.CollectedField, dialect string) *payload {
	if e.owns(root.Definition.Type) {
		return new(payload) // it is what is read itself, not something that shows it
	}
	var shown []*collected
	leaves := true // nothing but values is shown beside entities
	c := &compiler{Engine: e, op: op}
	for _, f := range c.collect(c.conditions(root.Definition.Type.Name()), root.Selections) {
		if e.owns(f.field.Definition.Type) {
			shown = append(shown, f)
		} else if len(f.selections) > 0 {
			leaves = false // there may be entities below
		}
	}
	p := &payload{hooked: slices.ContainsFunc(slices.Collect(maps.Values(e.objects)), func(o *object) bool { return o.Hooked }), alone: len(shown) == 0 && leaves && len(e.RootFields(op)) == 1}
	if len(shown) != 1 || shown[0].field.Definition.Type.Elem != nil || e.objects[shown[0].field.Definition.Type.Name()] == nil {
		return p // several entities, or one of which the type is not known
	}
	f := shown[0]
	p.plan = o.find(o.state(op.Variables)+" "+f.field.Alias+"<"+root.Alias, func() *plan { return compile(e, op, f.field, f.selections) })
	p.selection = p.plan.types[f.field.Definition.Type.Name()]
	l := p.selection.level
	p.hooked = l.object.Hooked
	p.returning = l.returning(dialect)
	p.alone = len(l.children) == 0 && leaves && p.selection.sure() && len(e.RootFields(op)) == 1
	return p
}

// returning writes the columns of the level as an SQL list, for a statement that changes its table.
func (l *level) returning(dialect string) string {
	of := sql.Dialect(dialect).Select().From(sql.Table(l.object.Table))
	b := new(sql.Builder)
	b.SetDialect(dialect)
	for i, c := range l.read() {
		if i > 0 {
			b.Comma()
		}
		b.Join(c.in(of))
	}
	return b.String()
}

// sure reports whether the selection can be written of every row of its table, and is not larger than the row: what is
// stored cannot be undone then.
func (s *selection) sure() bool {
	shown := map[int]bool{}
	for _, out := range s.fields {
		if out.kind == constant {
			continue
		}
		if shown[out.column] {
			return false
		}
		shown[out.column] = true
		if !out.nonNull {
			continue
		}
		if c := s.level.columns[out.column]; c.shown != nil || s.level.object.nullable(c.name) {
			return false
		}
	}
	return true
}

func (o *object) nullable(name string) bool {
	return slices.ContainsFunc(o.Fields, func(f entity.Field) bool { return f.Column == name && f.Nullable })
}
