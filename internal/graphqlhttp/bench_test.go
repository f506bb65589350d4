package graphqlhttp

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// idle executes nothing, so that the benchmark measures only the transport.
type idle struct {
	op       graphql.OperationContext
	response graphql.Response
}

func (e *idle) CreateOperationContext(context.Context, *graphql.RawParams) (*graphql.OperationContext, gqlerror.List) {
	return &e.op, nil
}

func (e *idle) DispatchOperation(ctx context.Context, _ *graphql.OperationContext) (graphql.ResponseHandler, context.Context) {
	return func(context.Context) *graphql.Response { return &e.response }, ctx
}

func (e *idle) DispatchError(context.Context, gqlerror.List) *graphql.Response { return &e.response }

// discard discards an answer.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

const oneRow = `{"query":"query Book($id: ID!) {\n  book(id: $id) {\n    id\n    name\n    age\n    shop { id name }\n  }\n}",` +
	`"variables":{"id":"book_01kc5v4n8hfz7re4m1r4t3fdqe"},"operationName":"Book"}`

// BenchmarkDo compares the transport with that of gqlgen, for a small and a large answer.
func BenchmarkDo(b *testing.B) {
	row := `{"book":{"id":"book_01kc5v4n8hfz7re4m1r4t3fdqe","name":"Ada","age":36,"shop":{"id":"shop_01kc5v4n8hfz7re4m1r4t3fdqe","name":"Red"}}}`
	page := `{"books":{"nodes":[` + strings.Repeat(row+",", 799) + row + `]}}`
	for _, tt := range []struct {
		name, data string
		transport  graphql.Transport
	}{
		{"row", row, Transport{MaxBodyBytes: 1 << 20}},
		{"row by gqlgen", row, transport.POST{}},
		{"page", page, Transport{MaxBodyBytes: 1 << 20}},
		{"page by gqlgen", page, transport.POST{}},
	} {
		b.Run(tt.name, func(b *testing.B) {
			exec := &idle{graphql.OperationContext{Operation: &ast.OperationDefinition{Operation: ast.Query}}, graphql.Response{Data: []byte(tt.data)}}
			body := strings.NewReader(oneRow)
			r := httptest.NewRequest(http.MethodPost, "/graphql", body)
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Accept", "application/graphql-response+json, application/json;q=0.9")
			w := discard{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				body.Reset(oneRow)
				r.Body = io.NopCloser(body)
				clear(w.header)
				tt.transport.Do(w, r, exec)
			}
		})
	}
}
