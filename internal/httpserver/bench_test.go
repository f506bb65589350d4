package httpserver

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"forge/internal/database"
	"forge/internal/metrics"
)

// nobody is a client that takes no notice.
type nobody struct{ header http.Header }

func (n nobody) Header() http.Header         { return n.header }
func (n nobody) Write(b []byte) (int, error) { return len(b), nil }
func (n nobody) WriteHeader(int)             {}

// BenchmarkObserve measures what is done around each request: its ID, its log line, its metrics.
func BenchmarkObserve(b *testing.B) {
	db, err := database.Open("sqlite::memory:", database.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	handler := Routes(Parts{
		API:     http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }),
		Ready:   http.NotFoundHandler(),
		Metrics: metrics.New(db),
		Log:     slog.New(slog.NewJSONHandler(io.Discard, nil)),
	})
	r := httptest.NewRequest(http.MethodPost, "/graphql", nil)
	w := nobody{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		handler.ServeHTTP(w, r)
	}
}
