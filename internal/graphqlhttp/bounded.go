package graphqlhttp

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// What is said of an operation that is refused. A document that is wrong in ten thousand places is not mended from an answer of a megabyte, and a
// message repeats names and values of the document, which may be as long as that is.
const (
	mostErrors     = 50
	longestMessage = 500 // bytes
)

// bounded returns the first of the errors, with messages of bounded length, and with one that says how many more there are.
func bounded(errs gqlerror.List) gqlerror.List {
	more := len(errs) - mostErrors
	if more > 0 {
		last := *errs[mostErrors]
		last.Message, last.Locations, last.Path, last.Rule = fmt.Sprintf("… and %d more errors", more), nil, nil, ""
		errs = append(errs[:mostErrors:mostErrors], &last)
	}
	for i, err := range errs {
		if len(err.Message) > longestMessage {
			short := *err
			short.Message = strings.ToValidUTF8(err.Message[:longestMessage], "") + "…"
			errs[i] = &short
		}
	}
	return errs
}
