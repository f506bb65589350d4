package sql

import (
	"context"
	"reflect"
	"slices"

	"entgo.io/ent/dialect/sql"

	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/viewer"
)

// Statement is a query that ent has written. A Parameter stands for each argument that differs from
// one run to the next.
type Statement struct {
	Text         string
	Args         []any
	Dependencies Dependencies
}

// Parameter stands for an argument whose value is known when the statement runs. The zero value
// stands for the keys of the parent rows.
type Parameter struct {
	of    source
	index int // which of a cursor's values it is
}

type source int

const (
	theKeys source = iota // the keys of the parent rows: one key, or a list
	theOffset
	theEnd // the offset plus the size of the page
	afterValue
	beforeValue
	theViewer // the ID of the viewer
	theTenant // the key of the viewer's tenant; the index is its form
	theSearch // the words of a search, as the database looks for them
	theWords  // the words of a search, as a list
)

// Arguments returns the arguments, with the value of each parameter in its place.
func (s *Statement) Arguments(value func(Parameter) any) []any {
	args := slices.Clone(s.Args)
	for i, arg := range args {
		if p, ok := arg.(Parameter); ok {
			args[i] = value(p)
		}
	}
	return args
}

// Equal reports whether two statements have the same text and arguments.
func (s *Statement) Equal(other *Statement) bool {
	return s.Text == other.Text && reflect.DeepEqual(s.Args, other.Args)
}

// write has ent write the query that shape makes. Wherever a policy or an interceptor uses the
// viewer's ID or tenant, a parameter stands in its place, so that one statement serves all viewers
// of a role. What the function within adds to the context is no dependency of the statement.
func write(ctx context.Context, w Writer, e *entity.Entity, parameter parameters, within func(context.Context) context.Context, shape func(*sql.Selector)) (*Statement, error) {
	s := new(Statement)
	// WithArguments answers the questions for the viewer's ID and tenant itself, so the recorder
	// does not see them.
	ctx = viewer.WithArguments(recorder{ctx, &s.Dependencies}, parameter(Parameter{of: theViewer}),
		func(form ids.Form) any { return parameter(Parameter{theTenant, int(form)}) })
	var err error
	s.Text, s.Args, err = w.Write(within(ctx), e, shape)
	return s, err
}

// itsOwn is the context of a query that needs nothing more.
func itsOwn(ctx context.Context) context.Context { return ctx }

// parameters returns what stands for a parameter in a statement.
type parameters func(Parameter) any

// itself is the parameters of a statement that takes each as an argument.
func itself(p Parameter) any { return p }

// Dependencies are the keys that a context was asked for while statements were written, with the
// values that it returned. Interceptors and policies may depend on nothing else; see package rule.
type Dependencies []dependency

type dependency struct{ key, value any }

// Add adds the dependencies of a statement. It does nothing if d is nil.
func (d *Dependencies) Add(s *Statement) {
	if d != nil {
		*d = append(*d, s.Dependencies...)
	}
}

// Hold reports whether ctx has the same values. Values that cannot be compared count as different.
func (d Dependencies) Hold(ctx context.Context) bool {
	for _, asked := range d {
		value := ctx.Value(asked.key)
		if value == nil && asked.value == nil {
			continue
		}
		if !reflect.ValueOf(asked.value).Comparable() || !reflect.ValueOf(value).Comparable() || value != asked.value {
			return false
		}
	}
	return true
}

// recorder is a context that records which values it is asked for.
type recorder struct {
	context.Context
	asked *Dependencies
}

// Value returns the value of the underlying context, and records it.
func (r recorder) Value(key any) any {
	value := r.Context.Value(key)
	*r.asked = append(*r.asked, dependency{key, value})
	return value
}
