package graphqlhttp

import (
	"bytes"
	"cmp"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
)

// read returns the parameters of the operation in r, or a refusal. It checks the headers before it
// reads the body.
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

// requestBody is what messages call the body of a request.
const requestBody = "the body of the request"

// fromBody returns the parameters in the body of a POST.
func (t Transport) fromBody(w http.ResponseWriter, r *http.Request) (*graphql.RawParams, *refusal) {
	form := isMultipart(r.Header.Get("Content-Type"))
	switch {
	case form && t.Files == nil:
		return nil, noForms
	case !form && !isJSON(r.Header.Get("Content-Type")):
		return nil, wrongType
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, wrongCoding
	}
	if form {
		return t.fromForm(w, r)
	}
	body, refused := t.readBody(w, r)
	defer release(body)
	if refused != nil {
		return nil, refused
	}
	return fromJSON(requestBody, body.Bytes())
}

// isJSON reports whether a Content-Type header names JSON in UTF-8. Demanding this type also keeps
// the forms of other sites away: a browser asks the server before it sends this type to another
// origin.
func isJSON(contentType string) bool {
	if contentType == "application/json" {
		return true
	}
	media, params, err := mime.ParseMediaType(contentType)
	return err == nil && media == "application/json" && isUTF8(params)
}

// isUTF8 reports whether the parameters of a media type name UTF-8 or no charset.
func isUTF8(params map[string]string) bool {
	charset, named := params["charset"]
	return !named || strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "utf8")
}

// maxEarly is how much memory is allocated at most for a body before it arrives. A client can
// announce a large body without ever sending it.
const maxEarly = 16 << 10

// readBody returns the body of r in a buffer, or a refusal. The caller releases the buffer in both
// cases.
func (t Transport) readBody(w http.ResponseWriter, r *http.Request) (*bytes.Buffer, *refusal) {
	buffer := buffers.Get().(*bytes.Buffer)
	switch {
	case t.MaxBodyBytes == 0:
	case r.ContentLength > t.MaxBodyBytes:
		return buffer, tooLarge(t.MaxBodyBytes)
	case r.ContentLength < 0: // with a length, net/http ends the body after it
		r.Body = http.MaxBytesReader(w, r.Body, t.MaxBodyBytes)
	}
	if r.ContentLength > 0 {
		// ReadFrom needs MinRead free bytes at the end.
		buffer.Grow(int(min(r.ContentLength, maxEarly)) + bytes.MinRead)
	}
	if _, err := buffer.ReadFrom(r.Body); err != nil {
		return buffer, unreadable(err)
	}
	return buffer, nil
}

// unreadable returns the refusal for an error that reading the body returned.
func unreadable(err error) *refusal {
	if larger, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge(larger.Limit)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return tooSlow
	}
	return malformed("the body of the request could not be read to its end")
}

// fromURL returns the parameters in the query string of a GET, or a refusal. An empty value counts
// as missing.
func fromURL(rawQuery string) (*graphql.RawParams, *refusal) {
	values, err := url.ParseQuery(rawQuery)
	if err != nil {
		return nil, malformed("the query string of the URL is not valid: parameters are percent-encoded and separated by &")
	}
	for _, name := range []string{"query", DocumentID, "operationName", "variables", "extensions"} {
		if len(values[name]) > 1 {
			return nil, malformed("%s is given twice; give it once", name)
		}
		if !utf8.ValidString(values.Get(name)) {
			return nil, malformed("%s is not valid UTF-8", name)
		}
	}
	// The document may be cached. Without the copy, the cache would keep the memory of the whole
	// URL.
	params := &graphql.RawParams{Query: strings.Clone(values.Get("query")), OperationName: values.Get("operationName")}
	refused := cmp.Or(
		setFromText(&params.Variables, "variables", values.Get("variables")),
		setFromText(&params.Extensions, "extensions", values.Get("extensions")),
	)
	setDocumentID(params, values.Get(DocumentID))
	return params, cmp.Or(refused, noQuery(params))
}

// setFromText stores an object, written as JSON, in *to.
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
