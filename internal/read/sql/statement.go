package sql

import (
	"context"
	"reflect"
	"slices"

	"entgo.io/ent/dialect/sql"

	"forge/internal/entity"
	"forge/internal/viewer"
)

// Statement is a query as ent has written it. A Parameter stands for each argument that differs
// from one run to the next.
type Statement struct {
	Text         string
	Args         []any
	Dependencies Dependencies
}

// Parameter stands for an argument. The zero value stands for the keys of the parent rows.
type Parameter struct {
	of    source
	index int // of a cursor's value
}

type source int

const (
	theKeys source = iota // of the parent rows: the one, or a list
	theOffset
	theEnd // offset and size of a page
	afterValue
	beforeValue
	theViewer // the ID of whoever asks
)

// Arguments returns the arguments with the values of parameters.
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

// write has ent write the query that shape makes. theViewer stands for the viewer's ID, so that the
// statement is the same for all viewers of a role.
func write(ctx context.Context, w Writer, e *entity.Entity, theViewer any, shape func(*sql.Selector)) (*Statement, error) {
	s := new(Statement)
	// The recorder is not asked for the viewer's ID: WithArgument answers before it.
	ctx = viewer.WithArgument(recorder{ctx, &s.Dependencies}, theViewer)
	var err error
	s.Text, s.Args, err = w.Write(ctx, e, shape)
	return s, err
}

// Dependencies are the questions that a context was asked while statements were written, with its
// answers. Interceptors and policies may depend on nothing else; see package rule.
type Dependencies []dependency

type dependency struct{ key, value any }

// Add adds the dependencies of a statement. On a nil receiver it does nothing.
func (d *Dependencies) Add(s *Statement) {
	if d != nil {
		*d = append(*d, s.Dependencies...)
	}
}

// Hold reports whether ctx gives the same answers. Values that cannot be compared count as
// different.
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

// recorder is a context that records what it is asked.
type recorder struct {
	context.Context
	asked *Dependencies
}

// Value returns the context's answer.
func (r recorder) Value(key any) any {
	value := r.Context.Value(key)
	*r.asked = append(*r.asked, dependency{key, value})
	return value
}
