package metrics

import (
	"log/slog"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"forge/internal/database"
	"forge/internal/telemetry"
)

// TestOperationNames has many clients send many names at once: a limited number of names have
// series of their own, and all operations are counted.
func TestOperationNames(t *testing.T) {
	t.Parallel()
	db, err := database.Open("sqlite::memory:", database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	m := New(db)
	m.Names = 5
	var clients sync.WaitGroup
	for client := range 8 {
		clients.Go(func() {
			for i := range 200 {
				_, r := telemetry.NewContext(t.Context(), "")
				r.Operation = &telemetry.Operation{Name: "Op" + strconv.Itoa(client*1000+i)}
				if i%10 == 0 {
					r.Operation.Name = "Known"
				}
				r.Attempt(1 + i%2)
				r.Answer("")
				m.Count("/graphql", 200, time.Millisecond, r)
			}
		})
	}
	clients.Wait()
	w := httptest.NewRecorder()
	m.Handler(slog.New(slog.DiscardHandler)).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	names, operations, retries := map[string]bool{}, 0, 0
	for line := range strings.Lines(w.Body.String()) {
		name, rest, _ := strings.Cut(line, "{")
		labels, value, _ := strings.Cut(rest, "} ")
		n, _ := strconv.Atoi(strings.TrimSpace(value))
		switch name {
		case "forge_operations_total":
			operations += n
			names[labels] = true
		case "forge_operation_retries_total":
			retries += n
		}
	}
	if len(names) != 6 || !names[`code="OK",operation="other"`] {
		t.Errorf("the names are %v, want 5 names and other", names)
	}
	if operations != 1600 || retries != 800 {
		t.Errorf("%d operations with %d retries are counted, want 1600 with 800", operations, retries)
	}
	if !strings.Contains(w.Body.String(), "\nforge_http_requests_in_flight 0\n") {
		t.Error("requests are still in flight")
	}
}
