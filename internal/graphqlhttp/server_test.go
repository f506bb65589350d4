package graphqlhttp_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/graphqlhttp"
)

const (
	plainJSON    = "application/json"
	responseJSON = "application/graphql-response+json"
)

var schema = gqlparser.MustLoadSchema(&ast.Source{Input: `
	scalar Any
	enum Colour { RED }
	input Point { x: Int! y: Float = 1 colour: Colour near: [Point!] }
	type Query { hello(name: String, any: Any, points: [Point], id: ID, on: Boolean): String! }
	type Mutation { hello: String! }
	type Subscription { hello: String! }
`})

// limit is the largest body. It is small, so that tests can exceed it.
const limit = 4096

// newServer returns a gqlgen server that answers every valid operation with run's response. Its
// transport has the limit, unless others are given.
func newServer(run func(context.Context) *graphql.Response, others ...graphql.Transport) *handler.Server {
	srv := handler.New(&graphql.ExecutableSchemaMock{
		SchemaFunc: func() *ast.Schema { return schema },
		ExecFunc:   func(context.Context) graphql.ResponseHandler { return run },
	})
	for _, other := range others {
		srv.AddTransport(other)
	}
	srv.AddTransport(graphqlhttp.Transport{MaxBodyBytes: limit})
	return srv
}

func hello(context.Context) *graphql.Response {
	return &graphql.Response{Data: []byte(`{"hello":"world"}`)}
}

func failing(data string, codes ...string) func(context.Context) *graphql.Response {
	return func(context.Context) *graphql.Response {
		response := &graphql.Response{Data: json.RawMessage(data)}
		if data == "" {
			response.Data = nil
		}
		for _, code := range codes {
			response.Errors = append(response.Errors, &gqlerror.Error{Message: "no", Extensions: map[string]any{"code": code}})
		}
		return response
	}
}

func newPost(body, accept string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(body))
	r.Header.Set("Content-Type", plainJSON)
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	return r
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// answer is the body of an answer.
type answer struct {
	Errors []struct {
		Message    string
		Extensions struct{ Code string }
	}
}

func mustDecode(t *testing.T, w *httptest.ResponseRecorder) (a answer, hasData bool) {
	t.Helper()
	entries := map[string]json.RawMessage{}
	if err := json.Unmarshal(w.Body.Bytes(), &entries); err != nil {
		t.Fatalf("the answer %q is not a JSON object: %v", w.Body, err)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatalf("the answer %q is not a GraphQL response: %v", w.Body, err)
	}
	_, hasData = entries["data"]
	return a, hasData
}
