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
func New(p *plan.Plan) *Loader { return &Loader{Plan: p, nodes: make([]nodeMemory, len(p.Nodes))} }

// Request is what rows are loaded for.
type Request struct {
	Unit      *unit.Unit
	Dialect   string    // of the unit
	Mode      unit.Mode // of the unit
	Traced    bool      // the rows of each node are a batch of the request's trace
	Writer    sql.Writer
	Viewer    viewer.Viewer
	Budget    *budget.Answer
	Variables map[string]any
	Cursors   *rows.Cursors
	Unshared  bool                     // it shares no statements with other requests
	Restrict  []func(*entsql.Selector) // conditions of the resolver on the rows of a connection
}

// Loading loads a plan's rows for one request. Set Loader, Request and Keys, then call Prepare, then
// Run or RunBelow.
type Loading struct {
	Loader  *Loader
	Request Request
	Keys    []uuid.UUID   // of an entity, those of the rows that are meant; nil for a connection
	Results []rows.Result // by plan.Node.Index
	Shared  bool          // other requests have the same results

	where        []sql.Condition   // by plan.Node.Index; nil if there is none
	dependencies *sql.Dependencies // that the statements had; nil if nobody wants to know
}

// Prepare reads the arguments of all connections of the plan, before anything runs. The error is
// about those of the field itself. A fault in a nested connection's is kept in its Result, and in
// those below it: it is an error of each place in the answer where that connection stands.
func (l *Loading) Prepare(ctx context.Context) error {
	l.Results = make([]rows.Result, len(l.Loader.Plan.Nodes))
	for _, n := range l.Loader.Plan.Nodes {
		res := &l.Results[n.Index]
		if n.Parent != nil {
			res.Fault = l.Results[n.Parent.Index].Fault
		}
		if res.Fault != nil || n.Field == nil || n.Edge != nil && !n.Edge.Paged {
			continue
		}
		err := l.readPage(ctx, n)
		if f, ok := err.(*apperr.Error); ok && n.Edge != nil {
			res.Fault = f
			continue
		}
		if err != nil {
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
	conditions := sql.Conditions{Dialect: l.Request.Dialect, Viewer: l.Request.Viewer, Writer: l.Request.Writer, Noted: l.dependencies}
	l.where[n.Index], err = conditions.Read(ctx, n.Object, where)
	return err
}
