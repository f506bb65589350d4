package httpserver

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"forge/internal/database"
	"forge/internal/metrics"
	"forge/internal/telemetry"
)

// discardWriter discards an answer.
type discardWriter struct{ header http.Header }

func (w discardWriter) Header() http.Header         { return w.header }
func (w discardWriter) Write(b []byte) (int, error) { return len(b), nil }
func (w discardWriter) WriteHeader(int)             {}

// BenchmarkObserve measures the middleware that all requests pass: the ID, the record, the line of
// the log and the metrics. One request records nothing, and one is an operation with a statement.
func BenchmarkObserve(b *testing.B) {
	const text = "query Book($id: ID!) { book(id: $id) { name } }"
	parsed, err := parser.ParseQuery(&ast.Source{Input: text})
	if err != nil {
		b.Fatal(err)
	}
	document := telemetry.NewDocument(text, parsed)
	b.Run("request", func(b *testing.B) { benchmarkObserve(b, func(*http.Request) {}) })
	b.Run("operation", func(b *testing.B) {
		benchmarkObserve(b, func(r *http.Request) {
			ctx := r.Context()
			record := telemetry.FromContext(ctx)
			record.Runs(document, parsed.Operations[0])
			record.Attempt(1)
			telemetry.FromContext(ctx).Statement(ctx, "SELECT name FROM books WHERE id = $1", time.Millisecond, nil)
			record.Answer("")
		})
	})
}

func benchmarkObserve(b *testing.B, fill func(*http.Request)) {
	b.Helper()
	db, err := database.Open("sqlite::memory:", database.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	handler := Routes(Parts{
		API: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fill(r)
			_, _ = w.Write([]byte("{}"))
		}),
		Ready:   http.NotFoundHandler(),
		Metrics: metrics.New(db),
		Log:     slog.New(slog.NewJSONHandler(io.Discard, nil)),
	})
	r := httptest.NewRequest(http.MethodPost, "/graphql", nil)
	w := discardWriter{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		handler.ServeHTTP(w, r)
	}
}
