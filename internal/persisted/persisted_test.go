package persisted_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/graphqlhttp"
	"forge/internal/persisted"
)

var schema = gqlparser.MustLoadSchema(&ast.Source{Input: `
	type Query { hello(name: String): String! bye: String }
	type Mutation { hello(name: String): String! }
`})

// extension makes an extension of gqlgen of what package persisted has.
type extension struct {
	graphql.OperationParameterMutator
}

func (extension) ExtensionName() string                   { return "Documents" }
func (extension) Validate(graphql.ExecutableSchema) error { return nil }

func (e extension) MutateOperationContext(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	if keeps, ok := e.OperationParameterMutator.(graphql.OperationContextMutator); ok {
		return keeps.MutateOperationContext(ctx, op)
	}
	return nil
}

// newServer returns a server that answers each operation with the document that it ran.
func newServer(documents graphql.OperationParameterMutator) http.Handler {
	srv := handler.New(&graphql.ExecutableSchemaMock{
		SchemaFunc: func() *ast.Schema { return schema },
		ExecFunc: func(ctx context.Context) graphql.ResponseHandler {
			text, _ := json.Marshal(graphql.GetOperationContext(ctx).RawQuery)
			return graphql.OneShot(&graphql.Response{Data: text})
		},
	})
	srv.AddTransport(graphqlhttp.Transport{MaxBodyBytes: 1 << 20})
	srv.Use(extension{documents})
	return srv
}

func hashOf(document string) string {
	sum := sha256.Sum256([]byte(document))
	return hex.EncodeToString(sum[:])
}

// quoted returns a text as a JSON string.
func quoted(text string) string {
	b, _ := json.Marshal(text)
	return string(b)
}

// apollo returns the extensions of a request that names a document by its hash, as Apollo Client
// does.
func apollo(hash string) string {
	return `{"persistedQuery":{"version":1,"sha256Hash":` + quoted(hash) + `}}`
}

// exchange is a request and its expected answer.
type exchange struct {
	name    string
	body    string // of a POST, or
	url     string // the query string of a GET
	ran     string // the document that ran, or
	code    string // what it was refused with
	field   string
	message string // a part of the message
	status  int    // for a client that knows application/graphql-response+json; others get 200
	always  int    // if not 0: the status for all clients
}

// check sends the request once for each media type, and checks the answers.
func (e exchange) check(t *testing.T, srv http.Handler) {
	t.Helper()
	for _, accept := range []string{"application/graphql-response+json", "application/json"} {
		r := httptest.NewRequest(http.MethodGet, "/graphql?"+e.url, nil)
		if e.body != "" {
			r = httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(e.body))
			r.Header.Set("Content-Type", "application/json")
		}
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		srv.ServeHTTP(w, r)
		var got struct {
			Data   *string
			Errors []struct {
				Message    string
				Extensions struct{ Code, Field string }
			}
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatalf("%s: %v in %s", e.name, err, w.Body)
		}
		status := 200
		if strings.Contains(accept, "response") && e.code != "" {
			status = e.status
		}
		if e.always != 0 {
			status = e.always
		}
		if w.Code != status {
			t.Errorf("%s as %s: status %d, want %d: %s", e.name, accept, w.Code, status, w.Body)
		}
		if e.code == "" {
			if got.Data == nil || *got.Data != e.ran || len(got.Errors) > 0 {
				t.Errorf("%s: %s, want %q to run", e.name, w.Body, e.ran)
			}
			continue
		}
		if len(got.Errors) != 1 || strings.Contains(w.Body.String(), `"data"`) {
			t.Fatalf("%s: %s, want one error and no data", e.name, w.Body)
		}
		wrong := got.Errors[0]
		if wrong.Extensions.Code != e.code || wrong.Extensions.Field != e.field || !strings.Contains(wrong.Message, e.message) {
			t.Errorf("%s: %s, want %s %q that says %q", e.name, w.Body, e.code, e.field, e.message)
		}
	}
}

const bad = "BAD_USER_INPUT"

// TestAutomatic sends documents with their hashes, and hashes alone.
func TestAutomatic(t *testing.T) {
	t.Parallel()
	const query, other, mutation = `{ hello(name: "a") }`, `{ bye }`, `mutation { hello }`
	byURL := func(id string, more ...string) string {
		return url.Values{"extensions": {apollo(id)}, "query": more}.Encode()
	}
	srv := newServer(persisted.NewAutomatic(10, 1<<20))
	for _, e := range []exchange{ // each depends on those before
		{name: "not yet known", body: `{"extensions":` + apollo(hashOf(query)) + `}`,
			code: "PERSISTED_QUERY_NOT_FOUND", message: "PersistedQueryNotFound", status: 400},
		{name: "another's hash", body: `{"query":` + quoted(other) + `,"extensions":` + apollo(hashOf(query)) + `}`,
			code: bad, field: "extensions.persistedQuery.sha256Hash", message: "is not the SHA-256 of the query", status: 400},
		{name: "is not cached under it", body: `{"extensions":` + apollo(hashOf(query)) + `}`,
			code: "PERSISTED_QUERY_NOT_FOUND", message: "PersistedQueryNotFound", status: 400},
		{name: "with its hash", body: `{"query":` + quoted(query) + `,"extensions":` + apollo(hashOf(query)) + `}`, ran: query},
		{name: "by the hash", body: `{"extensions":` + apollo(hashOf(query)) + `}`, ran: query},
		{name: "by the hash, empty query", body: `{"query":"","extensions":` + apollo(hashOf(query)) + `}`, ran: query},
		{name: "by GET", url: byURL(hashOf(query)), ran: query},
		{name: "by documentId", body: `{"documentId":"sha256:` + hashOf(query) + `"}`, ran: query},
		{name: "by documentId in the URL", url: "documentId=sha256:" + hashOf(query), ran: query},
		{name: "by GET, not yet known", url: byURL(hashOf(other)),
			code: "PERSISTED_QUERY_NOT_FOUND", message: "PersistedQueryNotFound", status: 400},
		{name: "by GET with the query", url: byURL(hashOf(other), other), ran: other},
		{name: "by GET from then on", url: byURL(hashOf(other)), ran: other},
		{name: "a mutation with its hash", body: `{"query":` + quoted(mutation) + `,"extensions":` + apollo(hashOf(mutation)) + `}`, ran: mutation},
		{name: "a mutation by GET", url: byURL(hashOf(mutation)), code: bad, message: "GET runs queries only", always: 405},
		{name: "neither", body: `{"extensions":{"persistedQuery":null}}`, code: bad, message: "query is missing or empty", always: 400},
		{name: "version 2", body: `{"extensions":{"persistedQuery":{"version":2,"sha256Hash":"` + hashOf(query) + `"}}}`,
			code: bad, field: "extensions.persistedQuery.version", message: "must be the number 1", status: 400},
		{name: "version in quotes", body: `{"extensions":{"persistedQuery":{"version":"1","sha256Hash":"` + hashOf(query) + `"}}}`,
			code: bad, field: "extensions.persistedQuery.version", message: "must be the number 1", status: 400},
		{name: "no version", body: `{"extensions":{"persistedQuery":{"sha256Hash":"` + hashOf(query) + `"}}}`,
			code: bad, field: "extensions.persistedQuery.version", message: "must be the number 1", status: 400},
		{name: "no hash", body: `{"extensions":{"persistedQuery":{"version":1}}}`,
			code: bad, field: "extensions.persistedQuery.sha256Hash", message: "is missing or not a string", status: 400},
		{name: "a number as hash", body: `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":7}}}`,
			code: bad, field: "extensions.persistedQuery.sha256Hash", message: "is missing or not a string", status: 400},
		{name: "too short", body: `{"extensions":` + apollo("00") + `}`,
			code: bad, field: "extensions.persistedQuery.sha256Hash", message: "64 hexadecimal digits", status: 400},
		{name: "upper case", body: `{"extensions":` + apollo(strings.ToUpper(hashOf(query))) + `}`,
			code: bad, field: "extensions.persistedQuery.sha256Hash", message: "in lower case", status: 400},
		{name: "not an object", body: `{"extensions":{"persistedQuery":"` + hashOf(query) + `"}}`,
			code: bad, field: "extensions.persistedQuery", message: "must be an object", status: 400},
		{name: "an ID of one's own", body: `{"documentId":"17"}`, code: bad, field: "documentId", message: "must be a SHA-256", status: 400},
		{name: "documentId of another type", body: `{"documentId":17}`, code: bad, message: "documentId must be a string, not a number", always: 400},
		{name: "documentId twice", url: "documentId=a&documentId=b", code: bad, message: "documentId is given twice", always: 400},
		{name: "both ways", body: `{"documentId":"sha256:` + hashOf(query) + `","extensions":` + apollo(hashOf(query)) + `}`,
			code: bad, field: "documentId", message: "give one of them", status: 400},
		{name: "an extension of that name", body: `{"query":` + quoted(query) + `,"extensions":{"documentId":"17"}}`, ran: query},
		{name: "what does not parse", body: `{"query":"{","extensions":` + apollo(hashOf("{")) + `}`, code: "GRAPHQL_PARSE_FAILED", status: 400},
	} {
		e.check(t, srv)
	}
}

// TestOff checks the errors of a server without persisted documents.
func TestOff(t *testing.T) {
	t.Parallel()
	const query = `{ bye }`
	srv := newServer(persisted.Off{})
	for _, e := range []exchange{
		{name: "by the hash", body: `{"extensions":` + apollo(hashOf(query)) + `}`,
			code: "PERSISTED_QUERY_NOT_SUPPORTED", message: "PersistedQueryNotSupported", status: 400},
		{name: "by documentId", url: "documentId=17", code: "PERSISTED_QUERY_NOT_SUPPORTED", message: "PersistedQueryNotSupported", status: 400},
		{name: "with its hash", body: `{"query":` + quoted(query) + `,"extensions":` + apollo(hashOf(query)) + `}`, ran: query},
	} {
		e.check(t, srv)
	}
}

// TestAutomaticLimits checks that documents are removed when there are too many or they are too
// large, the least recently used ones first.
func TestAutomaticLimits(t *testing.T) {
	t.Parallel()
	const entry = 64 + 16 // the size of a hash and a document
	const a, b, c = `{ a: bye }######`, `{ b: bye }######`, `{ c: bye }######`
	large := `{ bye }#` + strings.Repeat("#", 400)
	add := func(text string) exchange {
		return exchange{name: "add " + text, body: `{"query":` + quoted(text) + `,"extensions":` + apollo(hashOf(text)) + `}`, ran: text}
	}
	has := func(text string) exchange {
		return exchange{name: "has " + text, body: `{"extensions":` + apollo(hashOf(text)) + `}`, ran: text}
	}
	not := func(text string) exchange {
		e := has(text)
		e.name, e.ran, e.code, e.message, e.status = "has not "+text, "", "PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound", 400
		return e
	}
	for name, srv := range map[string]http.Handler{
		"two documents":     newServer(persisted.NewAutomatic(2, 1000*entry)),
		"room for two":      newServer(persisted.NewAutomatic(1000, 2*entry)),
		"almost three":      newServer(persisted.NewAutomatic(1000, 3*entry-1)),
		"both bounds count": newServer(persisted.NewAutomatic(2, 2*entry)),
	} {
		t.Run(name, func(t *testing.T) {
			for _, e := range []exchange{add(a), add(b), add(b), has(a), has(b), has(a), add(c), not(b), has(a), has(c)} {
				e.check(t, srv)
			}
			if name != "two documents" {
				for _, e := range []exchange{add(large), not(large), has(a), has(c)} {
					e.check(t, srv)
				}
			}
		})
	}
}

// BenchmarkMutate measures the time for a request before it is parsed.
func BenchmarkMutate(b *testing.B) {
	query := `query Books($first: Int) { books(first: $first) { nodes { id title pages price createdAt authors { nodes { name age } } } } }`
	automatic := persisted.NewAutomatic(1000, 1<<20)
	extensions := map[string]any{"persistedQuery": map[string]any{"version": json.Number("1"), "sha256Hash": hashOf(query)}}
	ctx := graphql.WithOperationContext(b.Context(), &graphql.OperationContext{})
	for _, tt := range []struct {
		name   string
		params graphql.RawParams
	}{
		{"in full", graphql.RawParams{Query: query}},
		{"new document", graphql.RawParams{Query: query, Extensions: extensions}},
		{"by hash", graphql.RawParams{Extensions: extensions}},
	} {
		b.Run(tt.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				params := tt.params
				if err := automatic.MutateOperationParameters(ctx, &params); err != nil || params.Query != query {
					b.Fatal(err)
				}
			}
		})
	}
}

// lying is a store that has one document under all hashes.
type lying struct{ document string }

func (l lying) Get(context.Context, string) (string, bool) { return l.document, true }

func (lying) Put(context.Context, string, string) {}

// store keeps documents by their hashes.
type store map[string]string

func (s store) Get(_ context.Context, hash string) (string, bool) {
	document, ok := s[hash]
	return document, ok
}

func (s store) Put(_ context.Context, hash, document string) { s[hash] = document }

// TestSharedHasNoSecrets sends documents with texts. Those of mutations, which may be passwords,
// are not stored, and not known by their hashes: guesses of a password would cost nothing.
func TestSharedHasNoSecrets(t *testing.T) {
	t.Parallel()
	for document, stored := range map[string]bool{
		`{ hello(name: "a") }`:                                          true,
		`mutation { hello }`:                                            true,
		`mutation($n: String) { hello(name: $n) }`:                      true,
		`mutation { hello(name: "a") }`:                                 false,
		`mutation { hello(name: """a""") }`:                             false,
		`mutation($n: String = "a") { hello(name: $n) }`:                false,
		`mutation { ...f } fragment f on Mutation { hello(name: "a") }`: false,
	} {
		automatic, kept := persisted.NewAutomatic(10, 1000), store{}
		automatic.Shared = kept
		body := `{"query":` + quoted(document) + `,"extensions":` + apollo(hashOf(document)) + `}`
		r := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		newServer(automatic).ServeHTTP(w, r)
		if _, is := kept[hashOf(document)]; is != stored || !strings.Contains(w.Body.String(), `"data"`) {
			t.Errorf("%s: stored: %t, %s", document, is, w.Body)
		}
		automatic.Shared = nil
		again := exchange{name: document, body: `{"extensions":` + apollo(hashOf(document)) + `}`, ran: document}
		if !stored {
			again.ran, again.code, again.message, again.status = "", "PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound", http.StatusBadRequest
		}
		again.check(t, newServer(automatic))
	}
}

// TestSharedIsNotTrusted asks for a document that a store has another one for.
func TestSharedIsNotTrusted(t *testing.T) {
	t.Parallel()
	automatic := persisted.NewAutomatic(10, 1000)
	automatic.Shared = lying{greet}
	srv := newServer(automatic)
	for _, e := range []exchange{
		{name: "its own hash", body: `{"extensions":` + apollo(hashOf(greet)) + `}`, ran: greet},
		{name: "another's", body: `{"extensions":` + apollo(hashOf(leave)) + `}`, code: "PERSISTED_QUERY_NOT_FOUND", message: "PersistedQueryNotFound", status: 400},
	} {
		e.check(t, srv)
	}
}
