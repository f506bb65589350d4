package graphqlhttp

import (
	"net/http"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
)

// outcome is what an error's code means to HTTP.
type outcome struct {
	status int
	header [2]string
	// always is whether old clients see the status of a request error too. The others keep to the specification: 200 for all that was
	// understood, unless the client knows application/graphql-response+json.
	always bool
	// begun is whether the status is also that of an operation that was begun and came to null. A mutation that fails because nobody is signed in
	// has an answer like any other that fails: 401 is for who sends a token that does not hold.
	begun bool
}

var outcomes = map[apperr.Code]outcome{
	apperr.CodeUnavailable:         {status: http.StatusServiceUnavailable, header: [2]string{"Retry-After", "1"}, always: true, begun: true},
	apperr.CodeUnauthenticated:     {status: http.StatusUnauthorized, header: [2]string{"WWW-Authenticate", "Bearer"}, always: true},
	apperr.CodeRateLimited:         {status: http.StatusTooManyRequests, header: [2]string{"Retry-After", "1"}, always: true, begun: true},
	apperr.CodeForbidden:           {status: http.StatusForbidden},
	apperr.CodeOperationNotAllowed: {status: http.StatusForbidden},
	apperr.CodeTimeout:             {status: http.StatusServiceUnavailable, always: true, begun: true},
	apperr.CodeInternal:            {status: http.StatusInternalServerError},
}

// outcomeOf returns the status of a response, and a header that goes with it.
func outcomeOf(response *graphql.Response, media string) outcome {
	if response.Data != nil && string(response.Data) != "null" || len(response.Errors) == 0 {
		return outcome{status: http.StatusOK}
	}
	begun := response.Data != nil
	strict := !begun && media == responseJSON
	for _, err := range response.Errors {
		if o, ok := outcomes[codeOf(err)]; ok && (strict || o.always && (o.begun || !begun)) {
			return o.after(err)
		}
	}
	if strict {
		return outcome{status: http.StatusBadRequest}
	}
	return outcome{status: http.StatusOK}
}

// after returns the outcome with the seconds that the error says to wait, if it does. Nobody is
// asked to come back with what may be stored already.
func (o outcome) after(err *gqlerror.Error) outcome {
	if seconds, ok := err.Extensions["retryAfter"].(int); ok {
		o.header = [2]string{"Retry-After", strconv.Itoa(seconds)}
	} else if err.Extensions["outcome"] == "unknown" {
		o.header = [2]string{}
	}
	return o
}

// firstCode returns the code of the first error, "" if there is none.
func firstCode(errs gqlerror.List) string {
	if len(errs) == 0 {
		return ""
	}
	return string(codeOf(errs[0]))
}

func codeOf(err *gqlerror.Error) apperr.Code {
	switch code := err.Extensions["code"].(type) {
	case string:
		return apperr.Code(code)
	case apperr.Code:
		return code
	}
	return ""
}
