// Package load runs the statements of plans. One statement reads a level of the selection, however
// many rows there are.
package load

import (
	"context"

	entsql "entgo.io/ent/dialect/sql"

	"forge/internal/apperr"
	"forge/internal/budget"
	"forge/internal/bufpool"
	"forge/internal/ids"
	"forge/internal/read/plan"
	"forge/internal/read/rows"
	"forge/internal/read/sql"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// Loader loads the rows of one plan. From one request to the next it keeps the texts of its
// statements, and how much memory the rows took. It is safe for concurrent use.
type Loader struct {
	Plan    *plan.Plan
	Written bufpool.Hint // how large the JSON of the rows is

	nodes []nodeMemory // by plan.Node.Index
	trees cache        // statements that begin with the plan's root
}

type nodeMemory struct {
	statements  cache
	cells, data bufpool.Hint // how large the table of rows is
}

// New returns a loader for a plan.
func New(p *plan.Plan) *Loader { return &Loader{Plan: p, nodes: make([]nodeMemory, len(p.Nodes))} }

// Request is the part of a client's request that a Loading needs.
type Request struct {
	Unit      *unit.Unit
	Dialect   string    // the unit's dialect
	Mode      unit.Mode // the unit's mode
	Traced    bool      // each node reports its rows to the request's trace
	Writer    sql.Writer
	Viewer    viewer.Viewer
	Budget    *budget.Answer
	Variables map[string]any
	Cursors   *rows.Cursors
	Unshared  bool                     // no statements are shared with other requests
	Restrict  []func(*entsql.Selector) // the resolver's conditions; see read.Restrict
}

// Loading loads a plan's rows for one request. The caller sets Loader, Request and Keys, calls
// Prepare, and then Run, RunFor or RunBelow.
type Loading struct {
	Loader  *Loader
	Request Request
	Keys    []ids.Key     // the keys of the entities to load; nil for a connection
	Results []rows.Result // by plan.Node.Index
	Shared  bool          // other requests use the same results

	where        []where           // by plan.Node.Index; nil if no argument where has a condition
	noted        sql.Dependencies  // what the conditions depend on; set by Prepare
	dependencies *sql.Dependencies // noted, and what the statements depend on; nil if not needed
}

// where is what an argument where says.
type where struct {
	all    sql.Condition
	within *sql.Range
}

// Prepare reads the arguments of all connections in the plan, before any statement runs. It returns
// an error if an argument of the field itself is not valid. If an argument of a nested connection
// is not valid, Prepare stores the error as Fault in the Result of that connection, and in the
// Results of all nodes below. The encoder reports a Fault at each place in the answer where that
// connection stands.
func (l *Loading) Prepare(ctx context.Context) error {
	l.Results = make([]rows.Result, len(l.Loader.Plan.Nodes))
	for _, n := range l.Loader.Plan.Nodes {
		res := &l.Results[n.Index]
		if n.Parent != nil {
			res.Fault = l.Results[n.Parent.Index].Fault
		}
		if n.Of != nil {
			if res.Fault = l.Results[n.Of.Index].Fault; res.Fault == nil {
				res.Fault = l.readSummary(n)
			}
			continue
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

// readSummary reads the arguments of aggregates or groups. It returns what is wrong with those of
// groups: the encoder reports it at the field.
func (l *Loading) readSummary(n *plan.Node) *apperr.Error {
	res := &l.Results[n.Index]
	var err error
	res.Summary, res.Page, err = rows.ReadSummary(n, l.Request.Variables, l.Request.Viewer.Role)
	fault, _ := err.(*apperr.Error)
	return fault
}

func (l *Loading) readPage(ctx context.Context, n *plan.Node) error {
	args := plan.ReadArguments(n.Field, l.Request.Variables)
	page, err := rows.ReadPage(n, args, l.Request.Viewer.Role, l.Request.Cursors)
	if err != nil {
		return err
	}
	l.Results[n.Index].Page = page
	input, ok := args.Where.(map[string]any)
	if !ok {
		return nil
	}
	if l.where == nil {
		l.where = make([]where, len(l.Results))
	}
	conditions := sql.Conditions{Dialect: l.Request.Dialect, Viewer: l.Request.Viewer, Writer: l.Request.Writer, Noted: &l.noted}
	of := &l.where[n.Index]
	if of.all, err = conditions.Read(ctx, n.Object, input); err == nil {
		of.within, err = conditions.Range(n.Object, input, n.Edge)
	}
	return err
}
