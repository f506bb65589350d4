package graphqlhttp_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/graphqlhttp"
)

// TestStatusOfWellFormed checks the status of well-formed requests, which is always 200 in plain
// JSON.
func TestStatusOfWellFormed(t *testing.T) {
	tests := []struct {
		name, body   string
		wantResponse int // for application/graphql-response+json
		wantCode     string
	}{
		{"query", `{"query":"{ hello }"}`, 200, ""},
		{"mutation", `{"query":"mutation { hello }"}`, 200, ""},
		{"named", `{"query":"query A { hello } query B { hello }","operationName":"B"}`, 200, ""},
		{"nulls", `{"query":"{ hello }","operationName":null,"variables":null,"extensions":null}`, 200, ""},
		{"unknown names", `{"query":"{ hello }","Query":7,"id":[{"query":"{"}]}`, 200, ""},
		{"space", " \r\n\t{ \"query\" :\t\"{ hello }\" , \"variables\" : { } } \n", 200, ""},
		{"escaped name", `{"\u0071uery":"{ hello }"}`, 200, ""},
		{"escaped query", `{"query":"query {\n  hello(name: \"\u00e4\\\"\")\n}"}`, 200, ""},
		{"stored query", `{"extensions":{"persistedQuery":{"version":1}}}`, 400, "GRAPHQL_VALIDATION_FAILED"},
		{"does not parse", `{"query":"{"}`, 400, "GRAPHQL_PARSE_FAILED"},
		{"does not validate", `{"query":"{ unknown }"}`, 400, "GRAPHQL_VALIDATION_FAILED"},
		{"no such operation", `{"query":"query A { hello }","operationName":"B"}`, 400, "GRAPHQL_VALIDATION_FAILED"},
		{"variable of another type", `{"query":"query($p: [Point]) { hello(points: $p) }","variables":{"p":[{"x":"one"}]}}`, 400, "GRAPHQL_VALIDATION_FAILED"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for accept, want := range map[string]int{plainJSON: 200, responseJSON: tt.wantResponse} {
				w := serve(newServer(hello), newPost(tt.body, accept))
				if w.Code != want {
					t.Errorf("as %s: status %d, want %d: %s", accept, w.Code, want, w.Body)
				}
				a, hasData := mustDecode(t, w)
				if hasData != (tt.wantCode == "") {
					t.Errorf("as %s: data entry %t in %s", accept, hasData, w.Body)
				}
				if tt.wantCode != "" && (len(a.Errors) != 1 || a.Errors[0].Extensions.Code != tt.wantCode) {
					t.Errorf("as %s: errors %v, want one %s", accept, a.Errors, tt.wantCode)
				}
			}
		})
	}
}

// TestMalformedBody checks that errors say what is wrong with a body, and do not repeat it.
func TestMalformedBody(t *testing.T) {
	const secret = "hunter2"
	tests := []struct{ name, body, want string }{
		{"nothing", "", "is empty"},
		{"space", " \n", "is empty"},
		{"not JSON", `hunter2`, "there is an error at byte 1"},
		{"misspelt", `{"query":"{ hello }",hunter2}`, "there is an error at byte 22"},
		{"cut off", `{"query":"hunter2`, "it ends too early"},
		{"cut off within", `{"query":"{ hello }","variables":{"a":"hunter2"`, "it ends too early"},
		{"garbage after it", `{"query":"{ hello }"}hunter2`, "something follows it at byte 22"},
		{"one brace too many", `{"query":"{ hello }"}}`, "something follows it at byte 22"},
		{"twice", `{"query":"{ hello }"}{"query":"hunter2"}`, "something follows it"},
		{"not UTF-8", "{\"query\":\"\xff hunter2\"}", "not valid UTF-8"},
		{"UTF-16", "{\x00\"\x00q\x00", "not valid JSON"},
		{"batch", `[{"query":"hunter2"}]`, "must be a JSON object, not an array"},
		{"empty batch", `[]`, "must be a JSON object, not an array"},
		{"string", `"hunter2"`, "must be a JSON object, not a string"},
		{"number", `-7`, "must be a JSON object, not a number"},
		{"boolean", `false`, "must be a JSON object, not a boolean"},
		{"null", `null`, "must be a JSON object, not null"},
		{"no query", `{"qeury":"hunter2"}`, "query is missing or empty"},
		{"null query", `{"query":null}`, "query is missing or empty"},
		{"empty query", `{"query":""}`, "query is missing or empty"},
		{"query in capitals", `{"QUERY":"{ hello }"}`, "query is missing or empty"},
		{"query array", `{"query":["hunter2"]}`, "query must be a string, not an array"},
		{"query object", `{"query":{"a":"hunter2"}}`, "query must be a string, not an object"},
		{"query number", `{"query":7}`, "query must be a string, not a number"},
		{"query boolean", `{"query":true}`, "query must be a string, not a boolean"},
		{"operationName", `{"query":"{ hello }","operationName":["hunter2"]}`, "operationName must be a string, not an array"},
		{"variables array", `{"query":"{ hello }","variables":["hunter2"]}`, "variables must be a JSON object, not an array"},
		{"variables string", `{"query":"{ hello }","variables":"{\"a\":\"hunter2\"}"}`, "variables must be a JSON object, not a string"},
		{"extensions", `{"query":"{ hello }","extensions":0}`, "extensions must be a JSON object, not a number"},
		{"query twice", `{"query":"{ hello }","query":"hunter2"}`, "query is given twice"},
		{"variables twice", `{"query":"{ hello }","variables":{},"\u0076ariables":{"a":"hunter2"}}`, "variables is given twice"},
		{"first half of a character", `{"query":"{ hello }","variables":{"a":"hunter2\ud83d"}}`, `half of a character, \ud83d, at byte 47`},
		{"second half", `{"query":"{ hello }","extensions":{"\uDE00":1}}`, `half of a character, \ude00, at byte`},
		{"two first halves", `{"query":"{ hello(name: \"\ud83d\ud83d\") }"}`, `half of a character, \ud83d, at byte`},
		{"half before an escape", `{"query":"{ hello }","other":"\ud83d\n"}`, `half of a character, \ud83d, at byte`},
		{"null twice", `{"query":"{ hello }","variables":null,"variables":null}`, "variables is given twice"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, accept := range []string{plainJSON, responseJSON} {
				w := serve(newServer(hello), newPost(tt.body, accept))
				a, hasData := mustDecode(t, w)
				if w.Code != http.StatusBadRequest || hasData {
					t.Errorf("as %s: status %d, data entry %t, want 400 and none", accept, w.Code, hasData)
				}
				if len(a.Errors) != 1 || a.Errors[0].Extensions.Code != "BAD_USER_INPUT" || !strings.Contains(a.Errors[0].Message, tt.want) {
					t.Errorf("as %s: %s, want one BAD_USER_INPUT with %q", accept, w.Body, tt.want)
				}
				if strings.Contains(w.Body.String(), secret) {
					t.Errorf("as %s: the answer repeats the request: %s", accept, w.Body)
				}
			}
		})
	}
}

// TestGet checks operations in query strings.
func TestGet(t *testing.T) {
	tests := []struct {
		name, query string
		want        int
		wantError   string
	}{
		{"query", "query={hello}", 200, ""},
		{"all parameters", "query=query+A($n:String){hello(name:$n)}&operationName=A&variables=%7B%22n%22:%22x%22%7D&extensions={}&other=1", 200, ""},
		{"empty ones", "query={hello}&operationName=&variables=&extensions=", 200, ""},
		{"null variables", "query={hello}&variables=null", 200, ""},
		{"spaced variables", "query={hello}&variables=+%0A{}", 200, ""},
		{"stored query", "extensions=%7B%22persistedQuery%22:%7B%7D%7D", 400, "no operation"},
		{"does not parse", "query={", 400, "Expected Name"},
		{"no query", "", 400, "query is missing"},
		{"empty query", "query=", 400, "query is missing"},
		{"query twice", "query={hello}&query={hello}", 400, "query is given twice"},
		{"variables twice", "query={hello}&variables={}&variables={}", 400, "variables is given twice"},
		{"bad escape", "query=%zz", 400, "percent-encoded"},
		{"not UTF-8", "query=%ff", 400, "query is not valid UTF-8"},
		{"operationName not UTF-8", "query={hello}&operationName=%ff", 400, "operationName is not valid UTF-8"},
		{"variables cut off", "query={hello}&variables={", 400, "variables is not valid JSON"},
		{"two variables", "query={hello}&variables={}{}", 400, "something follows it at byte 3"},
		{"whole character", `query={hello}&variables={"a":"\\uD83D\uD83D\uDE00\\"}`, 200, ""},
		{"half of a character", `query={hello}&variables={"a":"\uD83D"}`, 400, "variables has half of a character"},
		{"variables array", "query={hello}&variables=[]", 400, "variables must be a JSON object, not an array"},
		{"extensions string", "query={hello}&extensions=%22%22", 400, "extensions must be a JSON object, not a string"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, "/graphql", nil)
			r.URL.RawQuery = tt.query
			r.Header.Set("Accept", responseJSON)
			w := serve(newServer(hello), r)
			if w.Code != tt.want || !strings.Contains(w.Body.String(), tt.wantError) {
				t.Errorf("%d %s, want %d with %q", w.Code, w.Body, tt.want, tt.wantError)
			}
		})
	}
}

// TestHTTPErrors checks the errors about methods and headers.
func TestHTTPErrors(t *testing.T) {
	const body = `{"query":"{ hello }"}`
	tests := []struct {
		name, method, url, contentType string
		more                           [2]string // another header
		want                           int
		wantHeader                     [2]string
	}{
		{name: "POST", want: 200},
		{name: "UTF-8", contentType: "application/json; charset=utf-8", want: 200},
		{name: "UTF-8 in capitals", contentType: `Application/JSON;charset="UTF-8"`, want: 200},
		{name: "another charset", contentType: "application/json; charset=utf-16", want: 415},
		{name: "no type", contentType: "none", want: 415},
		{name: "form", contentType: "application/x-www-form-urlencoded", want: 415},
		{name: "multipart", contentType: "multipart/form-data; boundary=x", want: 415},
		{name: "text", contentType: "text/plain", want: 415},
		{name: "response type", contentType: responseJSON, want: 415},
		{name: "not a type", contentType: "application/json;;;=", want: 415},
		{name: "compressed", more: [2]string{"Content-Encoding", "gzip"}, want: 415, wantHeader: [2]string{"Accept-Encoding", "identity"}},
		{name: "not compressed", more: [2]string{"Content-Encoding", "identity"}, want: 200},
		{name: "nothing acceptable", more: [2]string{"Accept", "text/html"}, want: 406},
		{name: "PUT", method: "PUT", want: 405, wantHeader: [2]string{"Allow", "GET, POST"}},
		{name: "PUT, nothing acceptable", method: "PUT", more: [2]string{"Accept", "text/html"}, want: 405, wantHeader: [2]string{"Allow", "GET, POST"}},
		{name: "HEAD", method: "HEAD", url: "/graphql?query={hello}", want: 405, wantHeader: [2]string{"Allow", "GET, POST"}},
		{name: "OPTIONS", method: "OPTIONS", want: 405, wantHeader: [2]string{"Allow", "GET, POST"}},
		{name: "GET", method: "GET", url: "/graphql?query={hello}", want: 200},
		{name: "mutation by GET", method: "GET", url: "/graphql?query=mutation{hello}", want: 405, wantHeader: [2]string{"Allow", "POST"}},
		{name: "chosen mutation by GET", method: "GET", url: "/graphql?query=query+A{hello}mutation+B{hello}&operationName=B", want: 405, wantHeader: [2]string{"Allow", "POST"}},
		{name: "chosen query by GET", method: "GET", url: "/graphql?query=query+A{hello}mutation+B{hello}&operationName=A", want: 200},
		{name: "query by POST's URL", method: "POST", url: "/graphql?query=mutation{hello}", want: 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(cmp.Or(tt.method, "POST"), cmp.Or(tt.url, "/graphql"), strings.NewReader(body))
			if tt.contentType != "none" {
				r.Header.Set("Content-Type", cmp.Or(tt.contentType, plainJSON))
			}
			if tt.more[0] != "" {
				r.Header.Set(tt.more[0], tt.more[1])
			}
			executed := false
			w := serve(newServer(func(ctx context.Context) *graphql.Response {
				executed = true
				return hello(ctx)
			}), r)
			if w.Code != tt.want || executed != (tt.want == 200) {
				t.Errorf("status %d, executed %t, want %d: %s", w.Code, executed, tt.want, w.Body)
			}
			if name, want := tt.wantHeader[0], tt.wantHeader[1]; name != "" && w.Header().Get(name) != want {
				t.Errorf("%s: %q, want %q", name, w.Header().Get(name), want)
			}
			if says := strings.Contains(w.Body.String(), "MULTIPART_UPLOADS"); says != (tt.name == "multipart") {
				t.Errorf("%s; names the setting of forms: %t", w.Body, says)
			}
			a, _ := mustDecode(t, w)
			if tt.want != 200 && (len(a.Errors) != 1 || a.Errors[0].Extensions.Code != "BAD_USER_INPUT") {
				t.Errorf("%s, want one BAD_USER_INPUT", w.Body)
			}
		})
	}
}

// TestOutcomeUnknown checks that clients are not asked to send a mutation again that may be stored
// already, unless an idempotency key makes that harmless.
func TestOutcomeUnknown(t *testing.T) {
	t.Parallel()
	for keyed, want := range map[bool]string{false: "", true: "1"} {
		err := apperr.OutcomeUnknown(nil, keyed)
		extensions := map[string]any{"code": err.Code}
		maps.Copy(extensions, err.More)
		w := serve(newServer(func(context.Context) *graphql.Response {
			return &graphql.Response{Data: json.RawMessage("null"), Errors: gqlerror.List{{Message: err.Message, Extensions: extensions}}}
		}), newPost(`{"query":"{ hello }"}`, plainJSON))
		if got := w.Header().Get("Retry-After"); w.Code != http.StatusServiceUnavailable || got != want {
			t.Errorf("with a key %t: status %d, Retry-After %q, want 503 and %q", keyed, w.Code, got, want)
		}
	}
}

// TestOutcomeOfCodes checks the status and the header of error codes, and that answers with data
// have 200.
func TestOutcomeOfCodes(t *testing.T) {
	tests := []struct {
		name, data              string
		codes                   []string
		wantPlain, wantResponse int
		wantHeader              [2]string
	}{
		{"partial", `{"hello":"world"}`, []string{"UNAVAILABLE", "UNAUTHENTICATED"}, 200, 200, [2]string{}},
		{"null", `null`, []string{"NOT_FOUND"}, 200, 200, [2]string{}},
		{"unavailable", `null`, []string{"UNAVAILABLE"}, 503, 503, [2]string{"Retry-After", "1"}},
		{"unavailable at once", ``, []string{"UNAVAILABLE"}, 503, 503, [2]string{"Retry-After", "1"}},
		{"unavailable among others", `null`, []string{"NOT_FOUND", "INTERNAL", "UNAVAILABLE"}, 503, 503, [2]string{"Retry-After", "1"}},
		{"unauthenticated", ``, []string{"UNAUTHENTICATED"}, 401, 401, [2]string{"WWW-Authenticate", "Bearer"}},
		{"unauthenticated field", `null`, []string{"UNAUTHENTICATED"}, 200, 200, [2]string{}},
		{"unauthenticated among others", `null`, []string{"UNAUTHENTICATED", "UNAVAILABLE"}, 503, 503, [2]string{"Retry-After", "1"}},
		{"forbidden", ``, []string{"FORBIDDEN"}, 200, 403, [2]string{}},
		{"forbidden field", `null`, []string{"FORBIDDEN"}, 200, 200, [2]string{}},
		{"internal", ``, []string{"INTERNAL"}, 200, 500, [2]string{}},
		{"internal field", `null`, []string{"INTERNAL"}, 200, 200, [2]string{}},
		{"timeout", ``, []string{"TIMEOUT"}, 503, 503, [2]string{}},
		{"refused", ``, []string{"QUERY_TOO_DEEP"}, 200, 400, [2]string{}},
		{"without a code", ``, []string{""}, 200, 400, [2]string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for accept, want := range map[string]int{plainJSON: tt.wantPlain, responseJSON: tt.wantResponse} {
				w := serve(newServer(failing(tt.data, tt.codes...)), newPost(`{"query":"{ hello }"}`, accept))
				if w.Code != want {
					t.Errorf("as %s: status %d, want %d", accept, w.Code, want)
				}
				for _, name := range []string{"Retry-After", "WWW-Authenticate"} {
					wantValue := ""
					if name == tt.wantHeader[0] {
						wantValue = tt.wantHeader[1]
					}
					if got := w.Header().Get(name); got != wantValue {
						t.Errorf("as %s: %s: %q, want %q", accept, name, got, wantValue)
					}
				}
				if _, hasData := mustDecode(t, w); hasData != (tt.data != "") {
					t.Errorf("as %s: data entry %t in %s", accept, hasData, w.Body)
				}
			}
		})
	}
}

// TestAnswerBytes checks the exact bytes of answers.
func TestAnswerBytes(t *testing.T) {
	odd := "{\"hello\" :\t\"<w\\u00f6rld>\"}" // encoding/json would write it differently
	tests := []struct {
		name     string
		response graphql.Response
		want     string
	}{
		{"data", graphql.Response{Data: []byte(odd)}, `{"data":` + odd + `}`},
		{"errors first", *failing(odd, "CONFLICT")(t.Context()), `{"errors":[{"message":"no","extensions":{"code":"CONFLICT"}}],"data":` + odd + `}`},
		{"null", *failing("null", "CONFLICT")(t.Context()), `{"errors":[{"message":"no","extensions":{"code":"CONFLICT"}}],"data":null}`},
		{"refused", *failing("", "CONFLICT")(t.Context()), `{"errors":[{"message":"no","extensions":{"code":"CONFLICT"}}]}`},
		{"nothing at all", graphql.Response{}, `{"data":null}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for accept, want := range map[string]string{"": plainJSON, responseJSON: responseJSON} {
				w := serve(newServer(func(context.Context) *graphql.Response { return new(tt.response) }), newPost(`{"query":"{ hello }"}`, accept))
				if w.Body.String() != tt.want {
					t.Errorf("got  %s\nwant %s", w.Body, tt.want)
				}
				for name, want := range map[string]string{
					"Content-Type":           want + "; charset=utf-8",
					"Content-Length":         fmt.Sprint(len(tt.want)),
					"Cache-Control":          "no-store",
					"X-Content-Type-Options": "nosniff",
				} {
					if got := w.Header().Get(name); got != want {
						t.Errorf("%s: %q, want %q", name, got, want)
					}
				}
			}
		})
	}
}

// TestAnswerExtensions checks that extensions are sent, also with errors.
func TestAnswerExtensions(t *testing.T) {
	srv := newServer(hello)
	srv.AroundResponses(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
		graphql.RegisterExtension(ctx, "cost", 7)
		return next(ctx)
	})
	want := `{"data":{"hello":"world"},"extensions":{"cost":7}}`
	if w := serve(srv, newPost(`{"query":"{ hello }"}`, "")); w.Body.String() != want {
		t.Errorf("got %s, want %s", w.Body, want)
	}
	// Response middleware also runs for refused operations, and may add data to them.
	srv.AroundResponses(func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
		response := next(ctx)
		response.Data = []byte("null")
		return response
	})
	w := serve(srv, newPost(`{"query":"{ unknown }"}`, ""))
	if _, hasData := mustDecode(t, w); hasData || !strings.HasSuffix(w.Body.String(), `,"extensions":{"cost":7}}`) {
		t.Errorf("refused: got %s, want errors and extensions", w.Body)
	}
}

// TestParameters checks that all parameters reach the executor.
func TestParameters(t *testing.T) {
	const body = `{"operationName":"A","extensions":{"trace":[1.50]},"variables":{"v":{"big":9007199254740993,"list":[1e400,null,true,"\u00e4"]}},` +
		`"query":"query A($v: Any) { hello(any: $v) } query B { hello }"}`
	get := url.Values{"operationName": {"A"}, "extensions": {`{"trace":[1.50]}`}, "query": {"query A($v: Any) { hello(any: $v) } query B { hello }"},
		"variables": {`{"v":{"big":9007199254740993,"list":[1e400,null,true,"ä"]}}`}}
	for name, r := range map[string]*http.Request{
		"POST": newPost(body, ""),
		"GET":  httptest.NewRequest(http.MethodGet, "/graphql?"+get.Encode(), nil),
	} {
		t.Run(name, func(t *testing.T) {
			r.Header.Set("X-Test", "header")
			var got string
			w := serve(newServer(func(ctx context.Context) *graphql.Response {
				op := graphql.GetOperationContext(ctx)
				got = fmt.Sprintf("%s %T %v %v %s %t", op.Operation.Name, op.Variables["v"].(map[string]any)["big"], op.Variables, op.Extensions,
					op.Headers.Get("X-Test"), !op.Stats.Read.Start.IsZero() && !op.Stats.Read.End.Before(op.Stats.Read.Start))
				return hello(ctx)
			}), r)
			const want = "A json.Number map[v:map[big:9007199254740993 list:[1e400 <nil> true ä]]] map[trace:[1.50]] header true"
			if got != want {
				t.Errorf("status %d, arrived: %s, want %s", w.Code, got, want)
			}
		})
	}
}

// TestBuffersNotShared checks that parameters do not change when their buffer is used for another
// request.
func TestBuffersNotShared(t *testing.T) {
	srv := newServer(func(ctx context.Context) *graphql.Response {
		op := graphql.GetOperationContext(ctx)
		return &graphql.Response{Data: fmt.Appendf(nil, `{"hello":"%s %s"}`, op.Operation.Name, op.Variables["n"])}
	})
	var group sync.WaitGroup
	for i := range 64 {
		group.Go(func() {
			body := fmt.Sprintf(`{"query":"query Q%d($n: String) { hello(name: $n) }","variables":{"n":"value%d"}}`, i, i)
			want := fmt.Sprintf(`{"data":{"hello":"Q%d value%d"}}`, i, i)
			for range 20 {
				if w := serve(srv, newPost(body, "")); w.Body.String() != want {
					t.Errorf("got %s, want %s", w.Body, want)
				}
			}
		})
	}
	group.Wait()
}

// TestBodyLimit sends bodies around the limit, with and without a length.
func TestBodyLimit(t *testing.T) {
	fill := func(size int) string {
		const start, end = `{"query":"{ hello }","extensions":{"a":"`, `"}}`
		return start + strings.Repeat("a", size-len(start)-len(end)) + end
	}
	for _, tt := range []struct {
		name string
		body io.Reader
		want int
	}{
		{"as large as may be", strings.NewReader(fill(limit)), 200},
		{"larger", strings.NewReader(fill(limit + 1)), 413},
		{"of unknown length", io.MultiReader(strings.NewReader(fill(limit))), 200},
		{"of unknown length, larger", io.MultiReader(strings.NewReader(fill(limit + 1))), 413},
		{"larger, and nothing of it sent", struct{ *bytes.Reader }{bytes.NewReader(make([]byte, 0))}, 413},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/graphql", tt.body)
			if _, silent := tt.body.(struct{ *bytes.Reader }); silent {
				r.ContentLength = limit + 1
			}
			r.Header.Set("Content-Type", plainJSON)
			w := serve(newServer(hello), r)
			if w.Code != tt.want {
				t.Errorf("status %d, want %d: %s", w.Code, tt.want, w.Body)
			}
			if tt.want == 413 && !strings.Contains(w.Body.String(), "4096 bytes") {
				t.Errorf("the answer does not name the limit: %s", w.Body)
			}
		})
	}
}

// TestBodyLimitOfServer checks that a transport without a limit respects one that the server has
// set.
func TestBodyLimitOfServer(t *testing.T) {
	body := `{"query":"{ hello }","extensions":{"a":"` + strings.Repeat("a", 2*limit) + `"}}`
	unlimited := newServer(hello, graphqlhttp.Transport{})
	if w := serve(unlimited, newPost(body, "")); w.Code != 200 {
		t.Errorf("without a limit: status %d, want 200", w.Code)
	}
	if w := serve(http.MaxBytesHandler(unlimited, limit/2), newPost(body, "")); w.Code != 413 || !strings.Contains(w.Body.String(), "2048 bytes") {
		t.Errorf("with the server's limit: %d %s, want 413 and the limit", w.Code, w.Body)
	}
}

// broken is a body that ends with an error.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// TestBodyBroken checks the answers to bodies that end with an error.
func TestBodyBroken(t *testing.T) {
	for _, tt := range []struct {
		err      error
		want     int
		wantCode string
	}{
		{io.ErrUnexpectedEOF, 400, "BAD_USER_INPUT"},
		{errors.New("hunter2"), 400, "BAD_USER_INPUT"},
		{fmt.Errorf("read: %w", os.ErrDeadlineExceeded), 408, "TIMEOUT"},
	} {
		r := httptest.NewRequest(http.MethodPost, "/graphql", broken{tt.err})
		r.Header.Set("Content-Type", plainJSON)
		w := serve(newServer(hello), r)
		if a, _ := mustDecode(t, w); w.Code != tt.want || len(a.Errors) != 1 || a.Errors[0].Extensions.Code != tt.wantCode {
			t.Errorf("%v: %d %s, want %d %s", tt.err, w.Code, w.Body, tt.want, tt.wantCode)
		}
		if strings.Contains(w.Body.String(), "hunter2") {
			t.Errorf("%v: the answer reveals internals: %s", tt.err, w.Body)
		}
	}
}

// TestCancelled checks the answer to an operation that was cancelled, and has no response.
func TestCancelled(t *testing.T) {
	r := newPost(`{"query":"{ hello }"}`, "")
	ctx, cancel := context.WithCancel(r.Context())
	cancel()
	w := serve(newServer(hello), r.WithContext(ctx))
	if a, hasData := mustDecode(t, w); w.Code != 503 || hasData || len(a.Errors) != 1 || a.Errors[0].Extensions.Code != "TIMEOUT" {
		t.Errorf("%d %s, want 503 and TIMEOUT", w.Code, w.Body)
	}
}

// gone is a client that has closed its connection.
type gone struct{ http.ResponseWriter }

func (gone) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// TestAnswerClientGone checks that an answer to a closed connection does not panic.
func TestAnswerClientGone(t *testing.T) {
	w := httptest.NewRecorder()
	newServer(hello).ServeHTTP(gone{w}, newPost(`{"query":"{ hello }"}`, ""))
	if w.Code != 200 {
		t.Errorf("status %d, want 200 as if it were there", w.Code)
	}
}

// TestPanic checks that the answer of gqlgen's server to a panic is JSON, too.
func TestPanic(t *testing.T) {
	for name, run := range map[string]func(context.Context) *graphql.Response{
		"in a resolver": func(context.Context) *graphql.Response { panic("hunter2") },
		"extensions that are not JSON": func(ctx context.Context) *graphql.Response {
			graphql.RegisterExtension(ctx, "bad", func() {})
			return hello(ctx)
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv := newServer(run)
			srv.SetRecoverFunc(func(context.Context, any) error { return errors.New("internal error") })
			w := serve(srv, newPost(`{"query":"{ hello }"}`, responseJSON))
			if a, _ := mustDecode(t, w); w.Code != 500 || len(a.Errors) != 1 || w.Header().Get("Content-Type") != responseJSON+"; charset=utf-8" {
				t.Errorf("%d %s (%v), want 500 and an error", w.Code, w.Body, w.Header())
			}
			if strings.Contains(w.Body.String(), "hunter2") {
				t.Errorf("the answer reveals internals: %s", w.Body)
			}
		})
	}
}
