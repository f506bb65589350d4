package graphqlhttp

import (
	"mime"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"
)

// read takes the parameters of an operation out of r. The HTTP side is checked first, so that nothing is read in vain.
func (t Transport) read(w http.ResponseWriter, r *http.Request, acceptable bool) (*graphql.RawParams, *refusal) {
	start := graphql.Now()
	var params *graphql.RawParams
	var refused *refusal
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodPost:
		return nil, wrongMethod
	case !acceptable:
		return nil, notAcceptable
	case r.Method == http.MethodGet:
		params, refused = fromURL(r.URL.RawQuery)
	default:
		params, refused = t.fromBody(w, r)
	}
	if refused != nil {
		return nil, refused
	}
	params.Headers = r.Header
	params.ReadTime = graphql.TraceTiming{Start: start, End: graphql.Now()}
	return params, nil
}

// fromBody reads a POST.
func (t Transport) fromBody(w http.ResponseWriter, r *http.Request) (*graphql.RawParams, *refusal) {
	if !isJSON(r.Header.Get("Content-Type")) {
		return nil, wrongType
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, wrongCoding
	}
	body, refused := t.readBody(w, r)
	defer release(body)
	if refused != nil {
		return nil, refused
	}
	return fromJSON(body.Bytes())
}

// isJSON is whether a Content-Type header says JSON in UTF-8. That header is also what keeps other sites' forms away: a
// browser asks the server before it sends it to another origin.
func isJSON(contentType string) bool {
	if contentType == "application/json" {
		return true
	}
	media, params, err := mime.ParseMediaType(contentType)
	return err == nil && media == "application/json" && isUTF8(params)
}

// isUTF8 is whether the parameters of a media type leave it at UTF-8.
func isUTF8(params map[string]string) bool {
	charset, named := params["charset"]
	return !named || strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "utf8")
}
