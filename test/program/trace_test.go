package program

import (
	"bytes"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	traces "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"forge/test/dbtest"
	"forge/test/gqltest"
)

// otlp is a collector that stores what it gets.
type otlp struct {
	*httptest.Server
	mu      sync.Mutex
	spans   []*traces.Span
	raw     bytes.Buffer
	service string
	wrong   []string // requests that do not have the form of OTLP/HTTP
}

func newCollector(t *testing.T) *otlp {
	c := new(otlp)
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

func (c *otlp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	request := new(collector.ExportTraceServiceRequest)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" ||
		r.Header.Get("Key") != "of the collector" || proto.Unmarshal(body, request) != nil {
		c.wrong = append(c.wrong, r.Method+" "+r.URL.Path+" "+r.Header.Get("Content-Type"))
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.raw.Write(body)
	for _, of := range request.ResourceSpans {
		for _, attribute := range of.Resource.Attributes {
			if attribute.Key == "service.name" {
				c.service = attribute.Value.GetStringValue()
			}
		}
		for _, scope := range of.ScopeSpans {
			c.spans = append(c.spans, scope.Spans...)
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// trace has the spans of one trace by name and parent.
type trace []*traces.Span

func (c *otlp) trace(id string) (found trace) {
	for _, span := range c.spans {
		if hex.EncodeToString(span.TraceId) == id {
			found = append(found, span)
		}
	}
	return found
}

// only returns the one span with a name below parent, the hexadecimal ID of a span.
func (tr trace) only(t *testing.T, name, parent string) *traces.Span {
	t.Helper()
	var found []*traces.Span
	for _, span := range tr {
		if span.Name == name && hex.EncodeToString(span.ParentSpanId) == parent {
			found = append(found, span)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d spans %q below %s, want 1; there are %v", len(found), name, parent, []*traces.Span(tr))
	}
	return found[0]
}

// attributes returns the attributes of a span that are texts or whole numbers.
func attributes(span *traces.Span) map[string]any {
	found := map[string]any{}
	for _, a := range span.Attributes {
		if text := a.Value.GetStringValue(); text != "" {
			found[a.Key] = text
		} else {
			found[a.Key] = a.Value.GetIntValue()
		}
	}
	return found
}

func id(span *traces.Span) string { return hex.EncodeToString(span.SpanId) }

const (
	traceID  = "4bf92f3577b34da6a3ce929d0e0e4736"
	unseenID = "5bf92f3577b34da6a3ce929d0e0e4736"
	parentID = "00f067aa0ba902b7"
)

// TestTraces sends operations to a server with a collector, and follows their traces there.
func TestTraces(t *testing.T) {
	t.Parallel()
	emptyDatabases(t, func(t *testing.T, address string) {
		c := newCollector(t)
		s := start(t, "FORGE_ENV=production", "AUTH=off", "DATABASE_URL="+address, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL,
			"OTEL_EXPORTER_OTLP_HEADERS=Key=of%20the%20collector", "OTEL_SERVICE_NAME=shop", "serve", "--migrate", "--demo")
		ask := func(traceparent, requestID, query string) string {
			got := s.With("X-Request-Id", requestID, "Traceparent", traceparent).Do(query, gqltest.Vars{"name": "s3cret"})
			if !got.OK() && !strings.Contains(query, "mutation") {
				t.Errorf("%s: %s", query, got)
			}
			return got.Header.Get("Traceparent")
		}
		const (
			read  = `query Read($name: String!) { users(first: 3, where: {not: {usernameHasPrefix: $name}}) { nodes { username heroes(first: 2) { nodes { name } } } } }`
			write = `mutation Write($name: String!) { createTeam(input: {name: $name}) { team { id } } again: createTeam(input: {name: $name}) { team { id } } }`
		)
		seen := ask("00-"+traceID+"-"+parentID+"-01", "traced", read)
		unseen := ask("00-"+unseenID+"-"+parentID+"-00", "untraced", read)
		own := ask("", "own", write)
		s.Get("/healthz")
		s.end()

		if len(c.wrong) > 0 || c.service != "shop" {
			t.Fatalf("the collector refused %q, and knows service %q", c.wrong, c.service)
		}
		system, verb, statements := "postgresql", "WITH", 1 // for both levels
		if strings.HasPrefix(address, "sqlite") {
			system, verb, statements = "sqlite", "SELECT", 2
		}
		tr := c.trace(traceID)
		request := tr.only(t, "POST /graphql", parentID)
		if want := "00-" + traceID + "-" + id(request) + "-01"; seen != want {
			t.Errorf("the answer names %s, want %s", seen, want)
		}
		if a := attributes(request); request.Kind != traces.Span_SPAN_KIND_SERVER || a["http.request.method"] != "POST" ||
			a["http.route"] != "/graphql" || a["http.response.status_code"] != int64(200) || a["forge.request.id"] != "traced" {
			t.Errorf("the request is %v", request)
		}
		operation := tr.only(t, "query", id(request))
		if a := attributes(operation); a["graphql.operation.name"] != "Read" || a["graphql.operation.type"] != "query" ||
			len(a["graphql.document.hash"].(string)) != 64 || a["forge.statements"] != int64(statements) {
			t.Errorf("the operation is %v", operation)
		}
		users, heroes := tr.only(t, "load User", id(operation)), tr.only(t, "load heroes", id(operation))
		if a := attributes(users); a["forge.batch.rows"] != int64(3) || a["forge.batch.keys"] != int64(0) {
			t.Errorf("the users are %v", users)
		}
		if a := attributes(heroes); a["forge.batch.rows"] != int64(6) || a["forge.batch.keys"] != int64(3) || a["forge.batch.entity"] != "Hero" || a["forge.batch.edge"] != "heroes" {
			t.Errorf("the heroes are %v", heroes)
		}
		for batch, table := range map[*traces.Span]string{users: "users", heroes: "heroes"} {
			if statements == 1 && batch == heroes {
				continue
			}
			statement := tr.only(t, verb, id(batch))
			a := attributes(statement)
			text, _ := a["db.query.text"].(string)
			if statement.Kind != traces.Span_SPAN_KIND_CLIENT || a["db.system.name"] != system || !strings.Contains(text, table) ||
				statement.StartTimeUnixNano < batch.StartTimeUnixNano || statement.EndTimeUnixNano > batch.EndTimeUnixNano {
				t.Errorf("a statement for the %s is %v", table, statement)
			}
		}
		if lines := s.logged(t, "request", "traced"); len(lines) != 1 || lines[0]["traceId"] != traceID {
			t.Errorf("the log has %v", lines)
		}

		if spans := c.trace(unseenID); len(spans) > 0 || !strings.HasPrefix(unseen, "00-"+unseenID+"-") || !strings.HasSuffix(unseen, "-00") {
			t.Errorf("the caller does not record, and the answer names %s: %v", unseen, spans)
		}
		parts := strings.Split(own, "-")
		if len(parts) != 4 || parts[3] != "01" {
			t.Fatalf("the answer names %q", own)
		}
		tr = c.trace(parts[1])
		failed := tr.only(t, "mutation", id(tr.only(t, "POST /graphql", "")))
		if a := attributes(failed); failed.Status.Code != traces.Status_STATUS_CODE_ERROR || a["error.type"] != "CONFLICT" || a["forge.attempts"] != int64(1) {
			t.Errorf("the mutation is %v", failed)
		}
		for _, span := range c.spans {
			if strings.Contains(span.Name, "health") {
				t.Errorf("a probe is traced: %v", span)
			}
		}
		if bytes.Contains(c.raw.Bytes(), []byte("s3cret")) || strings.Contains(s.log.String(), "s3cret") {
			t.Error("a value is told")
		}
	})
}

// TestNoTraces checks that a server without a collector ignores traceparent.
func TestNoTraces(t *testing.T) {
	t.Parallel()
	s := start(t, "DATABASE_URL="+dbtest.SQLite(t))
	answer := s.With("Traceparent", "00-"+traceID+"-"+parentID+"-01").Do(countUsers, nil)
	if got := answer.Header.Get("Traceparent"); got != "" {
		t.Errorf("the answer names a trace: %s", got)
	}
}
