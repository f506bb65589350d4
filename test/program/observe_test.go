package program

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"forge/test/dbtest"
	"forge/test/gqltest"
)

// logged returns the lines of the log with a message and the ID of a request. The server has ended.
func (s *server) logged(t *testing.T, message, id string) (found []map[string]any) {
	t.Helper()
	for line := range strings.Lines(s.log.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if entry["msg"] == message && entry["requestId"] == id {
			found = append(found, entry)
		}
	}
	return found
}

// TestOperationsObserved sends operations with every kind of outcome, and checks the log and the
// metrics of each.
func TestOperationsObserved(t *testing.T) {
	t.Parallel()
	s := start(t, "FORGE_ENV=production", "AUTH=off", "DATABASE_URL="+dbtest.EmptySQLite(t), "DEMO=on", "OPERATION_NAMES=3", "SLOW_OPERATION=1ns", "MAX_DEPTH=5")
	const (
		users = `query Users($n: Int) { users(first: $n) { nodes { username heroes(first: 2) { nodes { name } } } } }`
		bad   = `mutation Bad($name: String!) { createTeam(input: {name: $name}) { team { id } } }`
	)
	type fields = map[string]any
	tests := []struct {
		id      string
		request gqltest.Request
		want    fields // nil for a field that must not be there
		counter string
	}{
		{"named", gqltest.Request{Query: users, Variables: fields{"n": 2}},
			fields{"operation": "Users", "kind": "query", "statements": 2.0, "status": 200.0, "code": nil, "hash": "b1572bfeb3e3d542"},
			`forge_operations_total{code="OK",operation="Users"} 2`},
		{"again", gqltest.Request{Query: users, Variables: fields{"n": 3}}, fields{"operation": "Users", "hash": "b1572bfeb3e3d542", "attempts": nil}, ""},
		{"variable", gqltest.Request{Query: users, Variables: fields{"n": "s3cret"}},
			fields{"operation": "Users", "code": "BAD_USER_INPUT", "statements": nil}, `forge_operations_total{code="BAD_USER_INPUT",operation="Users"} 1`},
		{"nameless", gqltest.Request{Query: `{ teams { totalCount } }`}, fields{"operation": "query", "statements": 1.0},
			`forge_operations_total{code="OK",operation="query"} 1`},
		{"refused by a resolver", gqltest.Request{Query: bad, Variables: fields{"name": " "}},
			fields{"operation": "Bad", "kind": "mutation", "code": "BAD_USER_INPUT", "statements": 0.0},
			`forge_operations_total{code="BAD_USER_INPUT",operation="Bad"} 1`},
		{"one name too many", gqltest.Request{Query: `query Fourth { teams { totalCount } }`}, fields{"operation": "Fourth", "code": nil},
			`forge_operations_total{code="OK",operation="other"} 1`},
		{"deep", gqltest.Request{Query: `query Users { users { nodes { heroes { nodes { team { name } } } } } }`},
			fields{"operation": "Users", "code": "QUERY_TOO_DEEP", "refused": "depth", "statements": nil},
			`forge_refused_total{limit="depth"} 1`},
		{"not a document", gqltest.Request{Query: `{ s3cret`}, fields{"operation": nil, "code": "GRAPHQL_PARSE_FAILED", "hash": "a13ab024a2d5878a"},
			`forge_operations_total{code="GRAPHQL_PARSE_FAILED",operation="none"} 1`},
		{"another operation", gqltest.Request{Query: users, OperationName: "s3cret"}, fields{"operation": nil, "code": "GRAPHQL_VALIDATION_FAILED"},
			`forge_operations_total{code="GRAPHQL_VALIDATION_FAILED",operation="none"} 1`},
		{"large", gqltest.Request{Query: "#" + strings.Repeat("s3cret", 1<<20)}, fields{"status": 413.0, "refused": "body", "hash": nil},
			`forge_refused_total{limit="body"} 1`},
	}
	for _, tt := range tests {
		s.With("X-Request-Id", strings.ReplaceAll(tt.id, " ", "-")).SendRequest(t.Context(), tt.request)
	}
	page := s.Get("/metrics").Body
	s.end()
	for _, tt := range tests {
		lines := s.logged(t, "request", strings.ReplaceAll(tt.id, " ", "-"))
		if len(lines) != 1 {
			t.Errorf("%s: %d lines", tt.id, len(lines))
			continue
		}
		for field, want := range tt.want {
			if lines[0][field] != want {
				t.Errorf("%s: %s is %v, want %v; the line is %v", tt.id, field, lines[0][field], want, lines[0])
			}
		}
		if tt.counter != "" && !strings.Contains(page, tt.counter+"\n") {
			t.Errorf("%s: the metrics are without %s", tt.id, tt.counter)
		}
	}
	for _, want := range []string{
		`forge_operation_duration_seconds_count{operation="Users"} 4`,
		`forge_operation_statements_total{operation="Users"} 4`,
		`forge_operation_retries_total{operation="Users"} 0`,
		`forge_cache_requests_total{cache="documents",result="hit"} 3`,
		`forge_cache_requests_total{cache="documents",result="miss"} 6`,
		`forge_http_requests_in_flight 1`,
	} {
		if !strings.Contains(page, "\n"+want) {
			t.Errorf("the metrics are without %s:\n%s", want, page)
		}
	}
	build := regexp.MustCompile(`(?m)^forge_build_info\{.*$`).FindString(page)
	if !strings.Contains(build, `goversion="go1.`) || !strings.Contains(build, `,version="0.0.0-test"} 1`) { // as --version prints it
		t.Errorf("the version of the build: %s", build)
	}
	if strings.Contains(page, "s3cret") || strings.Contains(s.log.String(), "s3cret") {
		t.Errorf("what was sent is told:\n%s", s.log.String())
	}

	slow := s.logged(t, "slow operation", "named")
	if len(slow) != 1 || slow[0]["level"] != "WARN" || slow[0]["operation"] != "Users" || slow[0]["hash"] != "b1572bfeb3e3d542" {
		t.Fatalf("the slow operation: %v", slow)
	}
	shapes, _ := slow[0]["shapes"].([]any)
	from := func(table string) bool {
		return slices.ContainsFunc(shapes, func(shape any) bool {
			s := shape.(map[string]any)
			text, _ := s["sql"].(string)
			return strings.HasPrefix(text, "SELECT ") && strings.Contains(text, "`"+table+"`") && s["count"] == 1.0 && s["ms"] != nil
		})
	}
	if len(shapes) != 2 || !from("users") || !from("heroes") {
		t.Errorf("its statements are %v", shapes)
	}
	if lines := s.logged(t, "slow operation", "not-a-document"); len(lines) > 0 {
		t.Errorf("without an operation there is nothing slow: %v", lines)
	}
}

// TestNothingSlow checks that 0s, and a time that no operation takes, turn off the log of slow
// operations.
func TestNothingSlow(t *testing.T) {
	t.Parallel()
	for _, limit := range []string{"0s", "1h"} {
		s := start(t, "FORGE_ENV=production", "AUTH=off", "DATABASE_URL="+dbtest.SQLite(t), "SLOW_OPERATION="+limit)
		s.With("X-Request-Id", "fast").Do(countUsers, nil)
		s.end()
		if lines := s.logged(t, "slow operation", "fast"); len(lines) > 0 || len(s.logged(t, "request", "fast")) != 1 {
			t.Errorf("SLOW_OPERATION=%s: %v", limit, lines)
		}
	}
}
