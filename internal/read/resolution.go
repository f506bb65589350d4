package read

import (
	"bytes"
	"context"
	"io"
	"slices"
	"sync"

	"entgo.io/ent/dialect"
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/ids"
	"forge/internal/loader"
	"forge/internal/read/encode"
	"forge/internal/read/load"
	"forge/internal/read/plan"
	"forge/internal/unit"
)

// resolution collects the references that resolvers return while gqlgen runs a query, or one root
// field of a mutation. In gqlgen's JSON each of them is a mark. When gqlgen is done, the rows of
// all references are loaded together, and their JSON takes the places of the marks.
type resolution struct {
	engine   *Engine
	op       *graphql.OperationContext
	prepared *Operation // which stays the same even if the document is forgotten meanwhile

	mu      sync.Mutex
	pending []*pending
	loaders map[string]*loaders // by the response path of the field
}

type resolutionKey struct{}

// begin returns a context in which resolvers may return references.
func (e *Engine) begin(ctx context.Context, op *graphql.OperationContext, prepared *Operation) (context.Context, *resolution) {
	r := &resolution{engine: e, op: op, prepared: prepared, loaders: map[string]*loaders{}}
	return loader.NewContext(context.WithValue(ctx, resolutionKey{}, r)), r
}

// Execute has gqlgen run the operation of ctx, and reads what its resolvers refer to.
func (e *Engine) Execute(ctx context.Context, run func(context.Context) *graphql.Response) *graphql.Response {
	op := graphql.GetOperationContext(ctx)
	ctx, r := e.begin(ctx, op, e.Prepare(op))
	response := run(ctx)
	if b, ok := r.finish(ctx, response.Data); ok {
		response.Data = b
	} else {
		response.Data = []byte("null")
	}
	return response
}

// finish returns the JSON with what its marks stand for. It returns false if nothing is left of it.
func (r *resolution) finish(ctx context.Context, text []byte) ([]byte, bool) {
	marks := encode.Marks(text)
	if len(marks) == 0 {
		return text, true
	}
	r.settle(ctx, nil, marks)
	request := r.engine.request(ctx, r.op)
	w := &encode.Writer{Viewer: request.Viewer, Budget: request.Budget, Cursors: r.engine.cursors}
	w.Start(ctx, nil, make([]byte, 0, 2*len(text)))
	ok := w.Splice(text, r.reference)
	return w.Bytes, w.Count() && ok
}

// loaded is a plan with its rows, and with what the resolvers of its computed fields have returned.
type loaded struct {
	load.Loading
	place    []string          // the response keys from the root of the operation to the plan's field
	places   map[ids.Key]int32 // the indexes of Keys
	err      error
	computed [][]*encode.Computed // see encode.Writer.Computed
}

// settle loads what the marks refer to, and calls the resolvers of computed fields: those of the
// rows that are there, and those of the rows that are loaded. It goes on while these refer to more.
func (r *resolution) settle(ctx context.Context, there []*loaded, marks []int) {
	for {
		there = append(there, r.load(ctx, marks)...)
		marks = r.compute(ctx, there)
		if len(marks) == 0 {
			return
		}
		there = nil
	}
}

// load loads what the marks refer to: the rows of each type and place in the selection once.
func (r *resolution) load(ctx context.Context, marks []int) (all []*loaded) {
	request := r.engine.request(ctx, r.op)
	byLoader := map[*load.Loader]*loaded{}
	for _, n := range marks {
		p := r.reference(n).(*pending)
		if p.loaders.connection != nil {
			p.page = byLoader[p.loaders.connection]
			if p.page == nil || p.restrict != nil {
				p.page = &loaded{Loading: load.Loading{Loader: p.loaders.connection, Request: request}, place: p.loaders.place}
				p.page.Request.Restrict = p.restrict
				all = append(all, p.page)
			}
			if p.restrict == nil {
				byLoader[p.loaders.connection] = p.page
			}
			continue
		}
		for i := range p.entries {
			of := &p.entries[i]
			if of.loader == nil {
				continue
			}
			l := byLoader[of.loader]
			if l == nil {
				l = &loaded{Loading: load.Loading{Loader: of.loader, Request: request}, place: p.loaders.place}
				byLoader[of.loader], all = l, append(all, l)
			}
			of.from = l
			of.place = l.add(of.key)
		}
	}
	for _, l := range all {
		l.err = r.protected(ctx, func() error { return l.Prepare(ctx) })
	}
	r.run(ctx, all)
	return all
}

// add adds a key to those that are loaded, and returns its place among them.
func (l *loaded) add(key ids.Key) int32 {
	at, known := l.places[key]
	if !known {
		if l.places == nil {
			l.places = map[ids.Key]int32{}
		}
		at = int32(len(l.Keys))
		l.places[key], l.Keys = at, append(l.Keys, key)
	}
	return at
}

// run loads the rows, on PostgreSQL with one statement if that can read them all.
func (r *resolution) run(ctx context.Context, all []*loaded) {
	var together []*load.Loading
	queries := 0
	for _, l := range all {
		if row := returnedFor(ctx, l.Loader); l.err == nil && row != nil {
			l.err = r.protected(ctx, func() error { return l.RunBelow(ctx, *row) })
		} else if l.err == nil {
			together, queries = append(together, &l.Loading), queries+l.Loader.Plan.Statements()
		}
	}
	if len(together) > 1 && queries <= load.MaxTree && together[0].Request.Dialect == dialect.Postgres {
		err := r.protected(ctx, func() error { return load.RunTogether(ctx, together...) })
		for _, l := range all {
			if slices.Contains(together, &l.Loading) {
				l.err = err
			}
		}
		return
	}
	for _, l := range all {
		if slices.Contains(together, &l.Loading) {
			l.err = r.protected(ctx, func() error { return l.Run(ctx) })
		}
	}
}

// protected returns the error of f, or an error for its panic.
func (r *resolution) protected(ctx context.Context, f func() error) (err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = r.op.Recover(ctx, panicked)
		}
	}()
	return f()
}

// reference returns what a mark stands for.
func (r *resolution) reference(n int) encode.Reference {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.pending[n]
}

// at returns the loaders of the field that gqlgen resolves at the moment. They are the same for all
// rows that the field is resolved for, so that what the rows refer to is loaded together, also if
// the operation has more fields than it keeps loaders for.
func (r *resolution) at(fc *graphql.FieldContext) *loaders {
	path := responsePath(fc)
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.loaders[path]
	if l == nil {
		l = r.prepared.at(fc)
		r.loaders[path] = l
	}
	return l
}

// refer adds a reference, and returns what gqlgen writes in its place.
func (r *resolution) refer(p *pending) graphql.Marshaler {
	n := r.add(p)
	return graphql.WriterFunc(func(w io.Writer) { _, _ = w.Write(encode.AppendMark(nil, n)) })
}

// add adds a reference, and returns the number of its mark.
func (r *resolution) add(p *pending) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pending = append(r.pending, p)
	return len(r.pending) - 1
}

// jsonOf returns the JSON that gqlgen has made of a field, or nil if the field has no value.
func jsonOf(m graphql.Marshaler) []byte {
	if m == nil || m == graphql.Null || m == graphql.RequiredNull {
		return nil
	}
	var b bytes.Buffer
	m.MarshalGQL(&b)
	return b.Bytes()
}

// settleWhole loads the rows of all root fields of a query, and calls the resolvers of the computed
// fields in it.
func (o *Operation) settleWhole(ctx context.Context, op *graphql.OperationContext, answers []answer) context.Context {
	ctx, r := o.engine.begin(ctx, op, o)
	var there []*loaded
	for i := range answers {
		a := &answers[i]
		if a.root.loaders == nil {
			continue
		}
		if !a.loaded {
			a.rows.err = r.protected(ctx, func() error { return a.load(ctx) })
			a.loaded = true
		}
		if a.rows.err == nil && a.invalid == nil {
			a.rows.place = a.root.loaders.place
			there = append(there, &a.rows)
		}
	}
	r.settle(ctx, there, nil)
	return ctx
}

// computedAt returns the number of steps in the path of a field that stand around the field itself,
// if it is computed for a row. It is 0 for a field that is not below a computed one.
func computedAt(ctx context.Context) int {
	depth, _ := ctx.Value(depthKey{}).(int)
	return depth
}

type depthKey struct{}

// pathOf returns the path of a field from the computed field that it is below, or from the root of
// the operation.
func pathOf(ctx context.Context, fc *graphql.FieldContext) ast.Path {
	path := fc.Path()
	return path[min(computedAt(ctx), len(path)):]
}

// rest gives the connection back to the pool before code runs that may take its time, if none of
// the code uses the database.
func (r *resolution) rest(ctx context.Context, all []*plan.Computed) {
	for _, c := range all {
		if !c.Bound.Computed.Outside {
			return
		}
	}
	unit.FromContext(ctx).Rest()
}
