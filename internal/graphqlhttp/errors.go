package graphqlhttp

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/budget"
)

// What is said of an operation that is refused. A document that is wrong in ten thousand places is not mended from an answer of a megabyte, and a
// message repeats names and values of the document, which may be as long as that is.
const (
	mostErrors     = budget.MaxErrors
	longestMessage = 500 // bytes
)

// bounded returns the first of the errors, with messages of bounded length, and with one that says how many more there are.
func bounded(errs gqlerror.List) gqlerror.List {
	more := len(errs) - mostErrors
	if more > 0 {
		last := MoreErrors(more)
		last.Extensions = errs[mostErrors].Extensions
		errs = append(errs[:mostErrors:mostErrors], last)
	}
	for i, err := range errs {
		errs[i] = Shortened(err)
	}
	return errs
}

// MoreErrors returns the last error of a list from which n are left out. It has no extensions yet.
func MoreErrors(n int) *gqlerror.Error {
	return &gqlerror.Error{Message: fmt.Sprintf("… and %d more errors", n)}
}

// Shortened returns the error with a message of bounded length.
func Shortened(err *gqlerror.Error) *gqlerror.Error {
	if len(err.Message) <= longestMessage {
		return err
	}
	short := *err
	short.Message = strings.ToValidUTF8(err.Message[:longestMessage], "") + "…"
	return &short
}
