package sql

import (
	"context"
	"reflect"
)

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
