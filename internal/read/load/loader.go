// Package load runs the statements of plans. A level of the selection takes one statement, however
// many rows there are.
package load

import (
	"context"

	entsql "entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"forge/internal/apperr"
	"forge/internal/budget"
	"forge/internal/bufpool"
	"forge/internal/read/plan"
	"forge/internal/read/rows"
	"forge/internal/read/sql"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// Loader loads the rows of one plan, and holds what is remembered of it from one request to the
// next: the texts of its statements, and how much memory its rows took. It is safe for concurrent
// use.
type Loader struct {
	Plan    *plan.Plan
	Written bufpool.Hint // how large what is written of the rows is

	nodes []nodeMemory // by plan.Node.Index
}

type nodeMemory struct {
	statements  cache
	cells, data bufpool.Hint // of the table
}

// New returns a loader for a plan.
func New(p *plan.Plan) *Loader { return &Loader{Plan: p, nodes: make([]nodeMemory, p.Nodes)} }

// Request is what rows are loaded for.
type Request struct {
	Unit      *unit.Unit
	Writer    sql.Writer
	Viewer    viewer.Viewer
	Budget    *budget.Answer
	Variables map[string]any
	Cursors   *rows.Cursors
	Unshared  bool                     // it shares no statements with other requests
	Restrict  []func(*entsql.Selector) // conditions of the resolver on the rows of a connection
}

// Loading loads a plan's rows for one request. Set Loader and Request, then call Prepare, then Run
// or RunBelow.
type Loading struct {
	Loader  *Loader
	Request Request
	Results []rows.Result // by plan.Node.Index

	where        []sql.Condition   // by plan.Node.Index; nil if there is none
	dependencies *sql.Dependencies // that the statements had; nil if nobody wants to know
}

// Prepare reads the arguments of all connections of the plan, before anything runs. The error is
// about those of the field itself. A fault in a nested connection's is kept in its Result: it is an
// error of each place in the answer where that connection stands.
func (l *Loading) Prepare(ctx context.Context) error {
	l.Results = make([]rows.Result, l.Loader.Plan.Nodes)
	return l.prepare(ctx, l.Loader.Plan.Root)
}

func (l *Loading) prepare(ctx context.Context, n *plan.Node) error {
	if n.Field != nil && (n.Edge == nil || n.Edge.Paged) {
		err := l.readPage(ctx, n)
		if f, ok := err.(*apperr.Error); ok && n.Edge != nil {
			l.Results[n.Index].Fault = f
			return nil
		}
		if err != nil {
			return err
		}
	}
	for _, child := range n.Children {
		if err := l.prepare(ctx, child); err != nil {
			return err
		}
	}
	return nil
}

func (l *Loading) readPage(ctx context.Context, n *plan.Node) error {
	args := plan.ReadArguments(n.Field, l.Request.Variables)
	page, err := rows.ReadPage(n, args, l.Request.Viewer.Role, l.Request.Cursors)
	if err != nil {
		return err
	}
	l.Results[n.Index].Page = page
	where, ok := args.Where.(map[string]any)
	if !ok {
		return nil
	}
	if l.where == nil {
		l.where = make([]sql.Condition, len(l.Results))
	}
	conditions := sql.Conditions{Dialect: l.Request.Unit.Dialect(), Viewer: l.Request.Viewer, Writer: l.Request.Writer, Noted: l.dependencies}
	l.where[n.Index], err = conditions.Read(ctx, n.Object, where)
	return err
}

// Run loads the rows of the plan. Of an entity, keys are those of the rows that are meant; of a
// connection there are none.
func (l *Loading) Run(ctx context.Context, keys []uuid.UUID) error {
	root := l.Loader.Plan.Root
	f := l.fetch(root)
	if f.query.Keys = keys; keys != nil {
		f.query.KeyColumn = root.Object.Key.Name
	}
	return l.run(ctx, f)
}

// RunBelow loads the rows below the root, whose only row is there already.
func (l *Loading) RunBelow(ctx context.Context, root rows.Table) error {
	n := l.Loader.Plan.Root
	l.Results[n.Index].Table = root
	l.Results[n.Index].Groups = rows.Group([]int32{0}, 1)
	return l.children(ctx, n)
}

// Dependencies returns what the statements that run from now on depend on, once they have run.
func (l *Loading) Dependencies() *sql.Dependencies {
	l.dependencies = new(sql.Dependencies)
	return l.dependencies
}

// Release gives back the memory of the rows. Nobody may use the results any more.
func (l *Loading) Release() {
	for i := range l.Results {
		bufpool.Done(l.Results[i].Table.Data)
	}
}

// run runs the statements of a node and of all nodes below it.
func (l *Loading) run(ctx context.Context, f *fetch) error {
	if err := f.run(ctx); err != nil || !f.query.Node.Rows {
		return err
	}
	return l.children(ctx, f.query.Node)
}

// children loads the nodes below n, each with one statement for all rows of n.
func (l *Loading) children(ctx context.Context, n *plan.Node) error {
	for _, child := range n.Children {
		res := &l.Results[child.Index]
		if res.Fault != nil {
			continue
		}
		f := l.fetch(child)
		f.query.Keys, res.Parents = parentKeys(&l.Results[n.Index].Table, child.From, child.Edge.Edge.OwnKey)
		if len(f.query.Keys) == 0 {
			continue
		}
		f.query.KeyColumn, f.query.Sorted = child.Edge.Edge.Column, !child.Edge.Edge.Unique
		if child.Edge.Edge.OwnKey {
			f.query.KeyColumn = child.Object.Key.Name
		}
		if err := l.run(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// fetch returns what loads the rows of a node.
func (l *Loading) fetch(n *plan.Node) *fetch {
	f := &fetch{loading: l, result: &l.Results[n.Index], memory: &l.Loader.nodes[n.Index]}
	f.query = sql.Query{Dialect: l.Request.Unit.Dialect(), Viewer: l.Request.Viewer, Node: n, Page: f.result.Page}
	if l.where != nil {
		f.query.Where = l.where[n.Index]
	}
	if n.Edge == nil {
		f.query.Restrict = l.Request.Restrict
	}
	return f
}

// parentKeys takes the keys of the parent rows out of a column. If they are shared, several rows
// may have one and the same, which is read once: parents says which key each row has, -1 for NULL.
func parentKeys(t *rows.Table, column int, shared bool) (keys []uuid.UUID, parents []int32) {
	n := t.Len()
	keys = make([]uuid.UUID, 0, n)
	if !shared {
		for row := range n {
			key, _ := t.Key(row, column)
			keys = append(keys, key)
		}
		return keys, nil
	}
	parents = make([]int32, n)
	places := make(map[uuid.UUID]int32, n)
	for row := range n {
		key, null := t.Key(row, column)
		if null {
			parents[row] = -1
			continue
		}
		place, known := places[key]
		if !known {
			place = int32(len(keys))
			places[key] = place
			keys = append(keys, key)
		}
		parents[row] = place
	}
	return keys, parents
}
