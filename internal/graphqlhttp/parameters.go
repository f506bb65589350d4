package graphqlhttp

import (
	"cmp"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
)

// fromJSON reads the parameters from the body of a POST.
func fromJSON(body []byte) (*graphql.RawParams, *refusal) {
	if refused := notJSON("the body of the request", body); refused != nil {
		return nil, refused
	}
	if kindOf(body) == array {
		return nil, batched
	}
	if kindOf(body) != object {
		return nil, malformed("the body of the request must be a JSON object, not %s: one operation, "+example, kindOf(body))
	}
	var found parameters
	for members := membersOf(body); members.next(); {
		value := found.named(members.name)
		if value == nil {
			continue // the specification demands that unknown names are passed over
		}
		if *value != nil {
			return nil, malformed("%s is given twice; give it once", members.name)
		}
		*value = members.value
	}
	return found.decode()
}

// parameters are the values of a request as JSON; those that were not given are nil.
type parameters struct{ query, documentID, operationName, variables, extensions []byte }

func (p *parameters) named(name []byte) *[]byte {
	switch string(name) {
	case "query":
		return &p.query
	case documentID:
		return &p.documentID
	case "operationName":
		return &p.operationName
	case "variables":
		return &p.variables
	case "extensions":
		return &p.extensions
	}
	return nil
}

func (p *parameters) decode() (*graphql.RawParams, *refusal) {
	params := new(graphql.RawParams)
	refused := cmp.Or(
		setString(&params.Query, "query", p.query),
		setString(&params.OperationName, "operationName", p.operationName),
		setObject(&params.Variables, "variables", p.variables),
		setObject(&params.Extensions, "extensions", p.extensions),
		setDocumentID(params, p.documentID),
		noQuery(params),
	)
	return params, refused
}

// setString stores value, if it is there; null is the same as leaving it out.
func setString(to *string, name string, value []byte) *refusal {
	switch kind := kindOf(value); kind {
	case nothing, null:
		return nil
	case text:
		*to = unquote(value)
		return nil
	default:
		return malformed("%s must be a string, not %s", name, kind)
	}
}

// setObject stores value, if it is there.
func setObject(to *map[string]any, name string, value []byte) *refusal {
	switch kind := kindOf(value); kind {
	case nothing, null:
		return nil
	case object:
		if n := valuesIn(value); n > MaxValues {
			return tooManyValues(name, n)
		}
		*to = decodeObject(value)
		return nil
	default:
		return malformed("%s must be a JSON object, not %s", name, kind)
	}
}

// fromURL reads the parameters from the query string of a GET, where empty is the same as left out.
func fromURL(rawQuery string) (*graphql.RawParams, *refusal) {
	values, err := url.ParseQuery(rawQuery)
	if err != nil {
		return nil, malformed("the query string of the URL is not valid: parameters are percent-encoded and separated by &")
	}
	for _, name := range []string{"query", documentID, "operationName", "variables", "extensions"} {
		if len(values[name]) > 1 {
			return nil, malformed("%s is given twice; give it once", name)
		}
		if !utf8.ValidString(values.Get(name)) {
			return nil, malformed("%s is not valid UTF-8", name)
		}
	}
	// A document may be kept; the URL that it stands in is not to be kept with it.
	params := &graphql.RawParams{Query: strings.Clone(values.Get("query")), OperationName: values.Get("operationName")}
	refused := cmp.Or(
		setFromText(&params.Variables, "variables", values.Get("variables")),
		setFromText(&params.Extensions, "extensions", values.Get("extensions")),
	)
	nameDocument(params, values.Get(documentID))
	return params, cmp.Or(refused, noQuery(params))
}

func setFromText(to *map[string]any, name, encoded string) *refusal {
	if encoded == "" {
		return nil
	}
	value := []byte(encoded)
	if refused := notJSON(name, value); refused != nil {
		return refused
	}
	return setObject(to, name, value)
}

// noQuery refuses params that neither have a query nor name a stored one.
func noQuery(params *graphql.RawParams) *refusal {
	if params.Query == "" && params.Extensions["persistedQuery"] == nil && DocumentID(params) == "" {
		return malformed("query is missing or empty; send the operation in it, " + example)
	}
	return nil
}
