package read

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/computed"
	"forge/internal/read/encode"
	"forge/internal/read/plan"
	"forge/internal/read/rows"
)

const (
	// maxCalls is how many resolvers of computed fields run at once, for all operations.
	maxCalls = 4096
	// maxRows is for how many rows a resolver is called at once.
	maxRows = 1000
)

// compute calls the resolvers of computed fields for all rows of the plans: those of all fields and
// rows at once, so that dataloaders can collect their keys. It returns the marks in what they have
// returned.
//
// A resolver that does not return before the deadline of ctx is not waited for. Its field gets the
// error of ctx, and the statements that it may still run fail, as the unit of work has ended.
func (r *resolution) compute(ctx context.Context, all []*loaded) (marks []int) {
	var computed []*plan.Computed
	for _, l := range all {
		if l.err == nil {
			computed = append(computed, l.Loader.Plan.Computed...)
		}
	}
	if len(computed) == 0 {
		return nil
	}
	r.rest(ctx, computed)
	var wait sync.WaitGroup
	for _, l := range all {
		if l.err != nil {
			continue
		}
		l.computed = make([][]*encode.Computed, len(l.Loader.Plan.Computed))
		for i, c := range l.Loader.Plan.Computed {
			wait.Go(func() { l.computed[i] = r.computeOne(ctx, l, c) })
		}
	}
	wait.Wait()
	for _, l := range all {
		for _, values := range l.computed {
			for _, value := range values {
				if value != nil {
					marks = append(marks, encode.Marks(value.JSON)...)
				}
			}
		}
	}
	return marks
}

// computation is one computed field of all rows of a plan's node.
type computation struct {
	*resolution
	*plan.Computed
	table   *rows.Table
	objects computed.Objects
	depth   int // see computedAt
}

// computeOne calls the resolver of one field, and returns what it has returned, by row. A row that
// is not shown, or whose field the viewer may not see, has nil.
func (r *resolution) computeOne(ctx context.Context, l *loaded, of *plan.Computed) []*encode.Computed {
	result := &l.Results[of.Node.Index]
	c := &computation{resolution: r, Computed: of, table: &result.Table, depth: len(l.place) + len(of.Place) + 2}
	values := make([]*encode.Computed, result.Table.Len())
	var list []int
	for _, row := range result.Groups.Rows() {
		if encode.Sees(l.Request.Viewer, of.Output, of.Node, &result.Table, int(row)) {
			list = append(list, int(row))
		}
	}
	err := r.protected(ctx, func() error { return c.all(c.context(ctx, l.place), list, values) })
	for _, row := range list {
		switch {
		case values[row] == nil:
			values[row] = c.failure(err)
		case !l.Request.Budget.Hold(len(values[row].JSON)):
			values[row].JSON = nil // the answer will consist of the error about its size
		}
	}
	return values
}

// context returns the context of the rows at their place in the operation.
func (c *computation) context(ctx context.Context, place []string) context.Context {
	ctx = context.WithValue(ctx, depthKey{}, c.depth)
	for _, names := range [][]string{place, c.Place} {
		for _, name := range names {
			ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Field: graphql.CollectedField{Field: &ast.Field{Alias: name}}})
		}
	}
	return ctx
}

// all calls the resolver for the rows that are listed. It returns an error if ctx ends before, and
// leaves out the values that are not there yet.
func (c *computation) all(ctx context.Context, list []int, values []*encode.Computed) error {
	if len(list) == 0 {
		return nil
	}
	c.objects = c.engine.options.Code.Computed(c.op, c.Node.Object.Entity.Name).Objects(len(values))
	list = slices.DeleteFunc(slices.Clone(list), func(row int) bool {
		err := c.set(ctx, row)
		if err != nil {
			values[row] = c.failure(err)
		}
		return err != nil
	})
	ctx = c.objects.Context(ctx, list)
	done := make(chan called, len(list)) // nobody waits to send, also not after the deadline
	places := make(chan struct{}, maxRows)
	for n, row := range list {
		if !c.engine.admit(ctx, places) {
			break
		}
		go func() {
			defer func() { <-c.engine.calls; <-places }()
			done <- called{row, c.call(graphql.WithFieldContext(ctx, &graphql.FieldContext{Index: &n}), row)}
		}()
	}
	for range list {
		select {
		case of := <-done:
			values[of.row] = of.value
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// called is what a call has returned for a row.
type called struct {
	row   int
	value *encode.Computed
}

// admit waits until one more resolver may be called. It returns false if ctx ends before.
func (e *Engine) admit(ctx context.Context, places chan struct{}) bool {
	select {
	case places <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	select {
	case e.calls <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// call calls the resolver for one row, as gqlgen does.
func (c *computation) call(ctx context.Context, row int) *encode.Computed {
	value := &encode.Computed{Reference: c.reference}
	var mu sync.Mutex
	ctx = graphql.WithResponseContext(ctx, func(ctx context.Context, err error) *gqlerror.Error {
		mu.Lock()
		defer mu.Unlock()
		e := c.errorAt(ctx, err)
		value.Errors = append(value.Errors, e)
		return e.Error
	}, c.op.RecoverFunc)
	err := c.protected(ctx, func() error {
		value.JSON = jsonOf(c.objects.Resolve(ctx, row, c.Field))
		return nil
	})
	if err != nil {
		return c.failure(err)
	}
	return value
}

// set sets what the resolver needs of the row.
func (c *computation) set(ctx context.Context, row int) error {
	for i := range c.Needs {
		need := &c.Needs[i]
		name := string(need.Step.(ast.PathName))
		value, ok := encode.Value(need, c.table, row)
		if !ok {
			return fmt.Errorf("read: the column of %s.%s holds a value that is none of its kind", c.Node.Object.Entity.Name, name)
		}
		if value == nil {
			continue
		}
		if err := c.objects.Set(ctx, row, name, value); err != nil {
			return fmt.Errorf("read: set %s of a %s: %w", name, c.Node.Object.Entity.Name, err)
		}
	}
	return nil
}

// errorAt returns an error that gqlgen has reported, with its path from the computed field.
func (c *computation) errorAt(ctx context.Context, err error) encode.Error {
	e := encode.Error{Error: &gqlerror.Error{Err: err, Message: err.Error()}}
	if fc := graphql.GetFieldContext(ctx); fc != nil {
		e.At = pathOf(ctx, fc)
	}
	e.Path = e.At
	if known, ok := errors.AsType[*gqlerror.Error](err); ok {
		copied := *known
		e.Error = &copied
		if len(known.Path) >= c.depth {
			e.Path = known.Path[c.depth:]
		}
	}
	return e
}

// failure returns the value of a field that has an error and nothing else.
func (c *computation) failure(err error) *encode.Computed {
	return &encode.Computed{Errors: []encode.Error{{Error: &gqlerror.Error{Err: err, Message: err.Error(),
		Locations: []gqlerror.Location{{Line: c.Field.Position.Line, Column: c.Field.Position.Column}}}}}}
}
