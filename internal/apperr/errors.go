package apperr

import (
	"fmt"
	"maps"
	"slices"
)

// MaxErrors is how many errors of one input an answer has.
const MaxErrors = 20

// Errors are the errors of one input. The zero value has none.
type Errors struct {
	list []*Error
	more int // how many were left out
}

// Add adds an error, unless there is one about the same argument. If there are MaxErrors already,
// it is only counted.
func (e *Errors) Add(err *Error) {
	switch {
	case err.Field != "" && slices.ContainsFunc(e.list, func(other *Error) bool { return other.Field == err.Field }):
	case e.Full():
		e.more++
	default:
		e.list = append(e.list, err)
	}
}

// Skip counts an error that is not to be shown.
func (e *Errors) Skip() { e.more++ }

// Full reports whether further errors are only counted.
func (e *Errors) Full() bool { return len(e.list) >= MaxErrors }

// Len returns how many errors there are, with those that were left out.
func (e *Errors) Len() int { return len(e.list) + e.more }

// List returns the errors. If some were left out, the last one says how many, in the extension
// more.
func (e *Errors) List() []*Error {
	if e.more == 0 {
		return e.list
	}
	last := *e.list[len(e.list)-1]
	last.More = maps.Clone(last.More)
	if last.More == nil {
		last.More = map[string]any{}
	}
	last.More["more"] = e.more
	return append(e.list[:len(e.list)-1:len(e.list)-1], &last)
}

// Err returns nil if there is no error, the error if there is one, and else an error whose List has
// all of them.
func (e *Errors) Err() error {
	switch e.Len() {
	case 0:
		return nil
	case 1:
		return e.list[0]
	}
	return e
}

// Error returns the message of the first error, and how many follow.
func (e *Errors) Error() string { return fmt.Sprintf("%v; and %d more", e.list[0], e.Len()-1) }

// Unwrap returns the errors.
func (e *Errors) Unwrap() []error {
	all := make([]error, len(e.list))
	for i, err := range e.list {
		all[i] = err
	}
	return all
}
