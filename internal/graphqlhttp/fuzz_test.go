package graphqlhttp_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzBody sends all kinds of bodies, and checks that the answer is a GraphQL response without an
// internal error.
func FuzzBody(f *testing.F) {
	for _, body := range []string{
		`{"query":"{ hello }"}`,
		`{"query":"mutation { hello }","operationName":"A"}`,
		`{"query":"query A($p: [Point]) { hello(points: $p) }","variables":{"p":[{"x":1,"y":1e400,"near":{"x":2}}]},"extensions":{}}`,
		`{"query":"query($a: Any, $i: ID, $b: Boolean) { hello(any: $a, id: $i, on: $b) }","variables":{"a":{"b":[null]},"i":9007199254740993,"b":"x"}}`,
		`{"query":"{ __schema { types { name } } }","variables":null}`,
		`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"00"}}}`,
		`[{"query":"{ hello }"}]`, `{"query":7}`, `{"query":"{"}{`, `{"\u0071uery":"\ud800"}`, "\xff", "",
	} {
		f.Add(body, true)
		f.Add(body, false)
	}
	srv := newServer(hello)
	f.Fuzz(func(t *testing.T, body string, legacy bool) {
		accept := responseJSON
		if legacy {
			accept = plainJSON
		}
		checkAnswer(t, serve(srv, newPost(body, accept)), legacy)
	})
}

// FuzzRequest does the same with all kinds of query strings, methods and headers.
func FuzzRequest(f *testing.F) {
	f.Add("query={hello}&variables={}", "GET", "", "")
	f.Add("query=mutation{hello}", "GET", "application/json", "*/*;q=0.5, application/json; charset=utf-16")
	f.Add("%zz;", "POST", "application/json; charset=utf-8", "application/graphql-response+json;q=1")
	srv := newServer(hello)
	f.Fuzz(func(t *testing.T, query, method, contentType, accept string) {
		r := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(`{"query":"{ hello }"}`))
		r.Method, r.URL.RawQuery = method, query
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Accept", accept)
		w := serve(srv, r)
		checkAnswer(t, w, strings.HasPrefix(w.Header().Get("Content-Type"), plainJSON))
	})
}

// checkAnswer checks that an answer is a GraphQL response with a fitting status.
func checkAnswer(t *testing.T, w *httptest.ResponseRecorder, legacy bool) {
	a, hasData := mustDecode(t, w)
	if w.Code >= 500 || hasData != (len(a.Errors) == 0) {
		t.Fatalf("status %d, data entry %t: %s", w.Code, hasData, w.Body)
	}
	if !hasData && !legacy && w.Code < 400 {
		t.Fatalf("status %d without data: %s", w.Code, w.Body)
	}
}
