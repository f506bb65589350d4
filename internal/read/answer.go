package read

import (
	"context"
	"encoding/json"
	"math"
	"time"

	"entgo.io/ent/dialect"
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/budget"
	"forge/internal/bufpool"
	"forge/internal/coalesce"
	"forge/internal/ids"
	"forge/internal/read/encode"
	"forge/internal/read/load"
	"forge/internal/read/plan"
	"forge/internal/telemetry"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// Answer runs the query of ctx in the read engine alone, without gqlgen. It returns the data of the
// answer as JSON, and adds errors of fields to the response of ctx as gqlgen does. The caller may
// pass the data to bufpool.Done after it was sent.
//
// Answer returns false, and has done nothing, if the engine cannot answer a root field alone. It
// can answer a connection or a look-up by ID that everybody may ask for and whose arguments are
// valid.
func (o *Operation) Answer(ctx context.Context) ([]byte, bool) {
	compiled := o.compile()
	roots := compiled.roots
	if roots == nil {
		return nil, false
	}
	op := graphql.GetOperationContext(ctx)
	answers := make([]answer, len(roots))
	for i := range roots {
		answers[i] = answer{root: &roots[i], engine: o.engine, op: op, alone: len(roots) == 1 && compiled.later == 0}
		if !answers[i].prepare(ctx) {
			unit.FromContext(ctx).NeedSnapshot() // gqlgen runs each field by itself
			return nil, false
		}
	}
	if compiled.together() && unit.FromContext(ctx).Dialect() == dialect.Postgres {
		loadTogether(ctx, op, answers)
	}
	if compiled.computes {
		ctx = o.settleWhole(ctx, op, answers)
	}
	b := append(bufpool.Bytes(o.written.Size()), '{')
	for i := range answers {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, answers[i].root.key...)
		var ok bool
		if b, ok = answers[i].append(ctx, b); !ok {
			return []byte("null"), true
		}
	}
	o.written.Record(len(b) + 1)
	for i := range answers {
		if answers[i].rows.Shared {
			continue // other requests may still be writing these rows
		}
		for _, of := range answers[i].rows.Results {
			bufpool.Done(of.Table.Data)
		}
	}
	return append(b, '}'), true
}

// request returns what the loaders need to know of the request of ctx.
func (e *Engine) request(ctx context.Context, op *graphql.OperationContext) load.Request {
	u := unit.FromContext(ctx)
	return load.Request{Unit: u, Dialect: u.Dialect(), Mode: u.Mode(), Writer: writer{u, e.options.Query},
		Viewer: viewer.FromContext(ctx), Traced: telemetry.Traced(ctx), Budget: budget.FromContext(ctx),
		Variables: op.Variables, Cursors: e.cursors, Unshared: e.options.DisableCoalescing || u.Watched()}
}

// answers reports whether the engine may answer a root field without calling its resolver. The
// resolver must be known to do nothing but refer, everybody must be allowed to ask for the field,
// and the field must have no directive. The field must be a connection, or one entity with an ID as
// its only argument.
func (e *Engine) answers(def *ast.FieldDefinition) bool {
	if !e.binding.Refers(def.Name) || len(def.Directives) > 0 || e.options.Public != nil && !e.options.Public(def.Name) {
		return false
	}
	if e.binding.Connections[def.Type.Name()] != nil {
		return true
	}
	return def.Type.Elem == nil && len(def.Arguments) == 1 && def.Arguments.ForName("id") != nil && len(def.Arguments[0].Directives) == 0
}

// answer is the work of answering one root field.
type answer struct {
	root    *root
	engine  *Engine
	op      *graphql.OperationContext
	alone   bool // the query has no other root field, and no statement comes after that of this one
	rows    loaded
	invalid error // what is wrong with the arguments of a look-up by ID

	loaded bool // the rows are there, unless rows.err is set
}

// loadTogether loads the rows of all root fields with one statement, if there are several. An error
// is one of each field.
func loadTogether(ctx context.Context, op *graphql.OperationContext, answers []answer) {
	loadings, fields := make([]*load.Loading, len(answers)), 0
	for i := range answers {
		if answers[i].root.loaders != nil && answers[i].invalid == nil {
			loadings[i] = &answers[i].rows.Loading
			fields++
		}
	}
	if fields < 2 {
		return
	}
	var err error
	defer func() {
		if panicked := recover(); panicked != nil {
			err = op.Recover(ctx, panicked)
		}
		for i := range answers {
			answers[i].loaded, answers[i].rows.err = true, err
		}
	}()
	err = load.RunTogether(ctx, loadings...)
}

// prepare reads the arguments of the field. It returns false if gqlgen has to answer instead,
// because an argument is not valid.
func (a *answer) prepare(ctx context.Context) bool {
	a.rows.Request = a.engine.request(ctx, a.op)
	if a.root.loaders == nil {
		return true
	}
	a.rows.Loader = a.root.loaders.connection
	if a.rows.Loader == nil {
		f := a.root.collected.Field
		text, _ := plan.Argument(f, f.Definition.Arguments[0], a.op.Variables).(string)
		id, err := ids.Parse(text)
		if err != nil {
			return false
		}
		var key ids.Key
		if a.rows.Loader, key, err = a.engine.loaderFor(a.root.loaders, id, "id"); err != nil {
			return false
		}
		a.rows.Keys = []ids.Key{key}
	}
	err := a.rows.Prepare(ctx)
	if a.rows.Keys != nil {
		a.invalid, err = err, nil
	}
	return err == nil
}

// append appends the JSON of the field to b: null if it has no value. It returns false if the field
// may not be null, or if the answer is larger than its budget.
func (a *answer) append(ctx context.Context, b []byte) (_ []byte, ok bool) {
	if a.root.loaders == nil {
		return append(b, a.root.constant...), true
	}
	f := a.root.collected
	field := &graphql.FieldContext{
		Object: a.engine.binding.Schema.Query.Name, Field: graphql.CollectedField{Field: f.Field, Selections: f.Selections},
	}
	w := encode.Writer{Bytes: b, Viewer: a.rows.Request.Viewer, Budget: a.rows.Request.Budget, Cursors: a.engine.cursors, Computed: a.rows.computed}
	if a.write(ctx, field, &w) {
		return w.Bytes, true
	}
	return append(w.Bytes[:len(b)], "null"...), !f.Field.Definition.Type.NonNull && !w.Budget.Exceeded()
}

// write appends the JSON of the field to w, and reports errors at the field's path. It returns
// false if the field has no value, or if the answer is larger than its budget.
func (a *answer) write(ctx context.Context, field *graphql.FieldContext, w *encode.Writer) (ok bool) {
	defer func() {
		if panicked := recover(); panicked != nil {
			ctx := graphql.WithFieldContext(ctx, field)
			a.op.Error(ctx, a.op.Recover(ctx, panicked))
			ok = false
		}
	}()
	if err := a.load(ctx); err != nil {
		ctx := graphql.WithFieldContext(ctx, field)
		a.op.Error(ctx, graphql.AddFieldLocationToError(ctx, err))
		return false
	}
	w.Results = a.rows.Results
	w.Start(ctx, field, w.Bytes)
	p := a.rows.Loader.Plan
	if p.Connection != nil {
		ok = w.Connection(p.Connection, 0)
	} else {
		ok = w.Results[p.Root.Index].Table.Len() > 0 && w.Object(p.Object, 0)
	}
	return w.Count() && ok
}

// flight identifies a read that several requests can share. Requests with equal flights can be
// answered from the same rows.
type flight struct {
	loader    *load.Loader
	host      int // where it is read: other hosts may be in an older state
	viewer    viewer.Viewer
	variables string // as JSON
}

const (
	// flightPatience is how long a request waits for another request to end the same read.
	flightPatience = time.Second
	// maxFlightVariables is how many bytes of variables are compared. A request with more reads for
	// itself.
	maxFlightVariables = 4 << 10
)

// flight returns the flight of the request. It returns false if the request has to read for itself.
func (a *answer) flight() (f flight, ok bool) {
	if !a.alone || a.rows.Request.Unshared {
		return f, false
	}
	f.loader, f.host, f.viewer = a.rows.Loader, a.rows.Request.Unit.Host(), a.rows.Request.Viewer
	if len(a.op.Variables) == 0 {
		return f, true
	}
	if a.rows.Loader.Plan.Statements() == 1 {
		return f, false // its statement may be shared by itself
	}
	variables, err := json.Marshal(a.op.Variables)
	f.variables = string(variables)
	return f, err == nil && len(variables) <= maxFlightVariables
}

// load loads the rows of the field. If another request reads the same, with the same variables and
// as the same viewer, load waits for that request and takes over its rows.
func (a *answer) load(ctx context.Context) error {
	if a.invalid != nil {
		return a.invalid
	}
	if a.loaded {
		return a.rows.err
	}
	f, ok := a.flight()
	if !ok {
		return a.rows.Run(ctx)
	}
	own := new(load.Landed)
	options := coalesce.Options{MaxBatch: math.MaxInt, Patience: flightPatience, Common: load.CommonFailure}
	led, err := a.engine.flights.Do(ctx, f, own, options, a.rows.RunFor)
	switch {
	case led:
		return err
	case err == coalesce.ErrNotShared, err == nil && !own.Dependencies.Hold(ctx):
		return a.rows.Run(ctx)
	case err == nil:
		a.rows.Results, a.rows.Shared = own.Results, true
	default:
		own = new(load.Landed) // if ctx has ended, the other request may still write to own
	}
	return a.rows.Request.Unit.AddCost(own.Cost, err)
}
