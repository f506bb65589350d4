package program

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"forge/test/dbtest"
)

// TestDefaultCost checks that the default limits allow pages of rows with pages of rows, but not
// 10,000 rows of them.
func TestDefaultCost(t *testing.T) {
	t.Parallel()
	w4, err := os.ReadFile(root + "bench/queries/w4.graphql")
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, "DATABASE_URL="+dbtest.EmptySQLite(t))
	tests := map[string]string{
		string(w4): "",
		`{ heroes(first: 100) { nodes { id name age team { name } owner { username } } } }`:                                                                    "",
		`{ users(first: 100) { nodes { heroes(first: 100) { nodes { id } } } } }`:                                                                              "QUERY_TOO_COMPLEX",
		`{ teams(last: 100) { edges { node { heroes(last: 100) { edges { cursor } } } } } }`:                                                                   "QUERY_TOO_COMPLEX",
		`{ users(first: 25) { nodes { orders(first: 20) { nodes { user { heroes(first: 20) { nodes { id } } } } } } } }`:                                       "QUERY_TOO_COMPLEX",
		`query($n: Int = 100) { users(first: $n) { nodes { orders(first: $n) { nodes { id } } } } }`:                                                           "QUERY_TOO_COMPLEX",
		`{ users { nodes { ...a } } } fragment a on User { orders(first: 100) { nodes { items { product { name } } } } }`:                                      "QUERY_TOO_COMPLEX",
		`{ ` + fmt.Sprintf(strings.Repeat("a%d: users(first: 100) { nodes { heroes(first: 10) { nodes { id } } } } ", 10), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9) + `}`: "QUERY_TOO_COMPLEX",
	}
	for query, code := range tests {
		if body := s.Do(query, nil).Body; codeIn(body) != code || (code != "") != strings.Contains(body, `"limit":10000`) && code != "" {
			t.Errorf("%.120s: %.300s, want %q", query, body, code)
		}
	}
}

// TestGetChangesNothing sends a mutation as a GET request, as a link would.
func TestGetChangesNothing(t *testing.T) {
	t.Parallel()
	s := start(t, "DATABASE_URL="+dbtest.EmptySQLite(t), "DEMO=off")
	const mutation = `mutation { createTeam(input: {name: "By a link"}) { team { id } } }`
	if got := s.Get("/graphql?query=" + url.QueryEscape(mutation)); got.Status != http.StatusMethodNotAllowed || codeIn(got.Body) != "BAD_USER_INPUT" {
		t.Error(got)
	}
	if body := s.Do(`{ teams { totalCount } }`, nil).Body; !strings.Contains(body, `"totalCount":0`) {
		t.Errorf("it was carried out: %s", body)
	}
	if got := s.Do(mutation, nil); got.Status != 200 || codeIn(got.Body) != "" {
		t.Errorf("by POST: %s", got)
	}
}

// speak opens a connection, sends a text, and returns the answer up to the end of the connection.
func (s *server) speak(t *testing.T, words string) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, words); err != nil {
		t.Fatal(err)
	}
	heard, err := io.ReadAll(bufio.NewReader(conn))
	if err != nil && !errors.Is(err, net.ErrClosed) && len(heard) == 0 {
		return err.Error()
	}
	return string(heard)
}

// TestConnectionLimits exceeds each limit of a connection, on a server with low ones.
func TestConnectionLimits(t *testing.T) {
	t.Parallel()
	s := start(t, "DATABASE_URL="+dbtest.EmptySQLite(t), "DEMO=off", "MAX_BODY_BYTES=2048", "MAX_HEADER_BYTES=4096",
		"READ_HEADER_TIMEOUT=200ms", "READ_TIMEOUT=400ms", "IDLE_TIMEOUT=300ms", "MAX_TOKENS=100", "MAX_DEPTH=3", "MAX_ALIASES=2",
		"MAX_ROOT_FIELDS=2", "MAX_DIRECTIVES=1")
	const head = "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
	for _, tt := range []struct{ name, words, begins, has string }{
		{"headers that do not end", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: ", "", ""},
		{"a body that does not come", head + "Content-Length: 100\r\n\r\n{", "HTTP/1.1 408 ", `"code":"TIMEOUT"`},
		{"a body that is too large", head + "Content-Length: 2049\r\n\r\n" + strings.Repeat(" ", 2049), "HTTP/1.1 413 ", "2048 bytes"},
		{"one that does not say so", head + "Transfer-Encoding: chunked\r\n\r\n801\r\n" + strings.Repeat(" ", 2049) + "\r\n0\r\n\r\n", "HTTP/1.1 413 ", "2048 bytes"},
		{"headers that are too large", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: " + strings.Repeat("a", 9000) + "\r\n\r\n", "HTTP/1.1 431 ", ""},
		{"no next request", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 200 ", "ok\n"},
		{"several operations", head + "Content-Length: 26\r\n\r\n[{\"query\":\"{viewer{id}}\"}]", "HTTP/1.1 400 ", "one operation"},
	} {
		if heard := s.speak(t, tt.words); !strings.HasPrefix(heard, tt.begins) || !strings.Contains(heard, tt.has) || tt.begins == "" && strings.Contains(heard, "HTTP/1.1 200") {
			t.Errorf("%s: %q, want %q with %q", tt.name, heard, tt.begins, tt.has)
		}
	}
	for query, code := range map[string]string{
		"{ " + strings.Repeat("viewer { id } ", 30) + "}":             "QUERY_TOO_COMPLEX",
		`{ a: viewer { b: id c: id } }`:                               "TOO_MANY_ALIASES",
		`{ viewer { id } users { totalCount } teams { totalCount } }`: "QUERY_TOO_COMPLEX",
		`{ viewer @include(if: true) { id @skip(if: false) } }`:       "QUERY_TOO_COMPLEX",
		`{ viewer { heroes { nodes { id } } } }`:                      "QUERY_TOO_DEEP",
	} {
		if body := s.Do(query, nil).Body; codeIn(body) != code || !strings.Contains(body, `"limit":`) || !strings.Contains(body, `"actual":`) {
			t.Errorf("%s: %s, want %s with limit and actual", query, body, code)
		}
	}
	metrics := s.Get("/metrics").Body
	for limit, n := range map[string]int{"body": 2, "batch": 1, "tokens": 1, "depth": 1, "aliases": 1, "root_fields": 1, "directives": 1} {
		if want := fmt.Sprintf("\nforge_refused_total{limit=%q} %d\n", limit, n); !strings.Contains(metrics, want) {
			t.Errorf("the metrics are without%s", want)
		}
	}
}

// TestOtherName sends a request with another host name, which any web page can bring about.
func TestOtherName(t *testing.T) {
	t.Parallel()
	const request = "GET /graphql?query={__typename} HTTP/1.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n"
	local := start(t, "DATABASE_URL="+dbtest.EmptySQLite(t), "DEMO=off")
	if heard := local.speak(t, request); !strings.HasPrefix(heard, "HTTP/1.1 421 ") || codeIn(heard) != "FORBIDDEN" || !strings.Contains(heard, "localhost") {
		t.Errorf("%q", heard)
	}
	if heard := local.speak(t, strings.Replace(request, "rebound.example", "localhost:1", 1)); !strings.HasPrefix(heard, "HTTP/1.1 200 ") {
		t.Errorf("by localhost: %q", heard)
	}
	anywhere := start(t, "DATABASE_URL="+dbtest.EmptySQLite(t), "DEMO=off", "AUTH_OFF_ANYWHERE=yes-everyone-is-administrator")
	if heard := anywhere.speak(t, request); !strings.HasPrefix(heard, "HTTP/1.1 200 ") {
		t.Errorf("where everyone is administrator: %q", heard)
	}
}

// TestInvalidIsAnsweredShort sends documents with as many errors and as long names as fit into a
// body. The answer must name errors and be short.
func TestInvalidIsAnsweredShort(t *testing.T) {
	t.Parallel()
	s := start(t, "DATABASE_URL="+dbtest.EmptySQLite(t), "DEMO=off")
	var unknown strings.Builder
	for i := range 9900 {
		fmt.Fprintf(&unknown, "unknown_field_with_a_name_of_some_length_%d ", i)
	}
	var aliased strings.Builder
	for i := range 600 {
		fmt.Fprintf(&aliased, "a%d: users(first: $v) { totalCount } ", i)
	}
	long := strings.Repeat("n", 900_000)
	for _, tt := range []struct{ name, query, code, has string }{
		{"many unknown fields", "{" + unknown.String() + "}", "GRAPHQL_VALIDATION_FAILED", "… and 9850 more errors"},
		{"a long name, repeated by each mistake", "query " + long + " {" + aliased.String() + "}", "QUERY_TOO_COMPLEX", `"actual":900000,"code":"QUERY_TOO_COMPLEX","limit":1000`},
		{"a long value", `{ users(first: "` + long + `") { totalCount } }`, "GRAPHQL_VALIDATION_FAILED", `Int cannot represent`},
		{"a long comment and text", `{ users(where: {username: "` + long[:60_000] + `"}) { totalCount } } #` + long[:60_000], "", `"totalCount":0`},
	} {
		body := s.Do(tt.query, nil).Body
		if codeIn(body) != tt.code || !strings.Contains(body, tt.has) || len(body) > 20_000 || !json.Valid([]byte(body)) {
			t.Errorf("%s: %d bytes, %.400s … %.200s", tt.name, len(body), body, body[max(0, len(body)-200):])
		}
	}
}
