package graphqlhttp

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/budget"
)

// These bound how much is said about an operation that is refused. A document with ten thousand
// mistakes cannot be corrected from an answer of a megabyte. Messages repeat names and values of
// the document, which may be as long as the document itself.
const (
	maxErrors  = budget.MaxErrors
	maxMessage = 500 // bytes
)

// limitErrors returns the first maxErrors errors, with shortened messages. If there are more
// errors, it adds one that says how many.
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

// MoreErrors returns an error that says that n errors were left out. The caller adds the
// extensions.
func MoreErrors(n int) *gqlerror.Error {
	return &gqlerror.Error{Message: fmt.Sprintf("… and %d more errors", n)}
}

// Shortened returns an error whose message has at most 500 bytes, and an ellipsis if it was cut. It
// does not change err.
func Shortened(err *gqlerror.Error) *gqlerror.Error {
	if len(err.Message) <= maxMessage {
		return err
	}
	short := *err
	short.Message = strings.ToValidUTF8(err.Message[:maxMessage], "") + "…"
	return &short
}
