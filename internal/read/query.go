package read

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/bufpool"
	"forge/internal/ids"
)

// root is a root field of a query that does no more than refer: to the entity of an ID, or to all entities of a type.
type root struct {
	field      *ast.Field
	selections ast.SelectionSet
	key        string // the alias as JSON writes it, with the colon
	constant   string // of __typename, which refers to nothing
	plan       *plan
}

// query is an operation all of whose root fields do no more than refer.
type query struct {
	roots   []root
	written room
}

// Answer returns the data of the query that ctx is about, if each of its root fields does no more than refer, and is for everybody: the engine answers
// it alone then, field errors included. It returns false, and has done nothing, if there is another field, or an argument that a
// resolver would refuse. The data may go to bufpool.Done once they were sent.
func (e *Engine) Answer(ctx context.Context) ([]byte, bool) {
	op := graphql.GetOperationContext(ctx)
	q := e.operation(op).query(e, op)
	if q == nil {
		return nil, false
	}
	answers := make([]rootAnswer, len(q.roots))
	for i := range q.roots {
		a := &answers[i]
		a.root, a.run, a.sole = &q.roots[i], *newRun(ctx, e, op), len(answers) == 1
		if !a.prepare(ctx) {
			return nil, false
		}
	}
	b := append(bufpool.Bytes(q.written.size()), '{')
	for i := range answers {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, answers[i].key...)
		var ok bool
		if b, ok = answers[i].append(ctx, b); !ok || answers[i].budget.Exceeded() {
			return []byte("null"), true
		}
	}
	q.written.took(len(b) + 1)
	for i := range answers {
		answers[i].forget()
	}
	return append(b, '}'), true
}

// forget gives back the memory of what was read, unless others have it, too.
func (a *rootAnswer) forget() {
	if a.lent {
		return
	}
	for i := range a.results {
		bufpool.Done(a.results[i].table.data)
	}
}

// query returns the operation if all of its root fields do no more than refer, or nil.
func (o *operation) query(e *Engine, op *graphql.OperationContext) *query {
	if op.Operation.Operation != ast.Query {
		return nil
	}
	state := o.state(op.Variables)
	return kept(o, o.queries, state, func() *query { return e.compileQuery(o, op, state) })
}

func (e *Engine) compileQuery(o *operation, op *graphql.OperationContext, state string) *query {
	q := new(query)
	c := &compiler{Engine: e, op: op}
	for _, f := range c.collect(c.conditions(e.schema.Query.Name), op.Operation.SelectionSet) {
		r := root{field: f.field, selections: f.selections, key: quoted(f.field.Alias) + ":"}
		switch {
		case f.field.Name == "__typename":
			r.constant = quoted(e.schema.Query.Name)
		case e.refers(f.field.Definition) && (e.ToAll == nil || e.ToAll(f.field.Name)):
			r.plan = o.find(state+" "+f.field.Alias, func() *plan { return compile(e, op, f.field, f.selections) })
		default:
			return nil
		}
		q.roots = append(q.roots, r)
	}
	return q
}

// refers reports whether a root field does nothing but refer, so that its resolver need not be called: that is known of the resolver, no
// directive stands in its way, and the field is a connection, or has an ID for its only argument and is one entity.
func (e *Engine) refers(def *ast.FieldDefinition) bool {
	if !e.plainly(def.Name) || len(def.Directives) > 0 {
		return false
	}
	if e.connections[def.Type.Name()] != nil {
		return true
	}
	return e.owns(def.Type) && def.Type.Elem == nil && len(def.Arguments) == 1 && def.Arguments.ForName("id") != nil &&
		len(def.Arguments[0].Directives) == 0
}

// plainly reports whether the resolver of a root field of queries is known to do nothing but refer.
func (e *Engine) plainly(field string) bool { return e.plain != nil && e.plain(field) }

// rootAnswer is the answering of a root field.
type rootAnswer struct {
	*root
	run
	id        ids.ID // of the entity that is meant, unless the field is a connection
	selection *selection
	sole      bool // it is the only field
	lent      bool // its results are those of other requests as well
}

// prepare reads the arguments. It returns false if one is not allowed.
func (a *rootAnswer) prepare(ctx context.Context) bool {
	switch {
	case a.plan == nil:
		return true
	case a.plan.connection != nil:
		a.results = make([]result, a.plan.slots[""])
		return a.preparePages(ctx, a.plan.connection.level) == nil
	}
	text, _ := given{a.field, a.op.Variables}.value("id").(string)
	var err error
	if a.id, err = ids.Parse(text); err != nil {
		return false
	}
	a.selection, err = a.selectionFor(a.plan, a.id, "id")
	return err == nil
}

// append appends the value of the field. It returns false if the field has none and may not be null.
func (a *rootAnswer) append(ctx context.Context, b []byte) (_ []byte, ok bool) {
	if a.plan == nil {
		return append(b, a.constant...), true
	}
	start := len(b)
	ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{
		Object: a.schema.Query.Name, Field: graphql.CollectedField{Field: a.field, Selections: a.selections},
	})
	w := a.newWriter(ctx, b)
	defer w.count()
	if !a.write(ctx, w) {
		return append(w.b[:start], "null"...), !a.field.Definition.Type.NonNull
	}
	return w.b, true
}

// write has w append the field, and reports what goes wrong. It returns false if there is nothing to append.
func (a *rootAnswer) write(ctx context.Context, w *writer) (ok bool) {
	defer func() {
		if panicked := recover(); panicked != nil {
			a.op.Error(ctx, a.op.Recover(ctx, panicked))
			ok = false
		}
	}()
	ok, err := a.loadAndWrite(ctx, w)
	if err != nil {
		a.op.Error(ctx, graphql.AddFieldLocationToError(ctx, err))
	}
	return ok
}

func (a *rootAnswer) loadAndWrite(ctx context.Context, w *writer) (bool, error) {
	if err := a.loadShared(ctx); err != nil {
		return false, err
	}
	if c := a.plan.connection; c != nil {
		return w.connection(c, 0), nil
	}
	if a.results[a.selection.level.slot].table.len() == 0 {
		return false, nil
	}
	return w.object(a.selection, 0), nil
}

// loadAll loads what the field shows.
func (a *rootAnswer) loadAll(ctx context.Context) error {
	if c := a.plan.connection; c != nil {
		return a.load(ctx, &fetch{run: &a.run, level: c.level, page: a.results[c.level.slot].page})
	}
	return a.byKeys(ctx, a.plan, a.selection, []uuid.UUID{a.id.UUID})
}
