package graphqlhttp

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/budget"
)

// The limits on what is said about an operation that is refused. A document with ten thousand
// mistakes cannot be corrected from an answer of a megabyte. Messages repeat names and values of
// the document, which may be as long as the document.
const (
	maxErrors  = budget.MaxErrors
	maxMessage = 500 // bytes
)

// limitErrors returns the first errors with shortened messages. If there are more, the last one
// says how many.
func limitErrors(errs gqlerror.List) gqlerror.List {
	more := len(errs) - maxErrors
	if more > 0 {
		last := MoreErrors(more)
		last.Extensions = errs[maxErrors].Extensions
		errs = append(errs[:maxErrors:maxErrors], last)
	}
	for i, err := range errs {
		errs[i] = Shortened(err)
	}
	return errs
}

// MoreErrors returns the last error of a list from which n errors are left out. The caller adds the
// extensions.
func MoreErrors(n int) *gqlerror.Error {
	return &gqlerror.Error{Message: fmt.Sprintf("… and %d more errors", n)}
}

// Shortened returns the error with a message of at most 500 bytes and an ellipsis. The error itself
// is not changed.
func Shortened(err *gqlerror.Error) *gqlerror.Error {
	if len(err.Message) <= maxMessage {
		return err
	}
	short := *err
	short.Message = strings.ToValidUTF8(err.Message[:maxMessage], "") + "…"
	return &short
}
