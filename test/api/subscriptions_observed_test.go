package api_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"forge/internal/gqlexec"
	"forge/internal/metrics"
	"forge/internal/telemetry"
	"forge/internal/viewer"
	"forge/test/dbtest"
)

// TestSubscriptionObserved checks that answers on streams are counted and traced: once for all
// subscribers who get the same, whoever they are, with the statements that they took.
func TestSubscriptionObserved(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		a := newBareAPI(t, url)
		metrics.New(a.db) // which adds statements to records
		a.self = viewer.System
		a.configure(a.following())
		var mu sync.Mutex
		var seen []string
		h := a.handler.(*gqlexec.Handler)
		h.Observe(func(_ time.Duration, r *telemetry.Record) {
			mu.Lock()
			defer mu.Unlock()
			name := "none"
			if r.Operation != nil {
				name = r.Operation.Name + " " + r.Operation.Kind
			}
			statements, _ := r.Database()
			seen = append(seen, fmt.Sprintf("%s %s %t", name, r.Code, statements > 0))
		})
		spans := tracetest.NewInMemoryExporter()
		provider := trace.NewTracerProvider(trace.WithSyncer(spans))
		h.Trace(telemetry.NewTracer(provider, a.db.Dialect))
		want := func(what string, wanted ...string) {
			t.Helper()
			mu.Lock()
			defer mu.Unlock()
			if !slices.Equal(seen, wanted) {
				t.Errorf("%s: observed %q, want %q", what, seen, wanted)
			}
			seen = nil
		}
		tries := 0
		const query = `subscription Followed { heroChanges { changes { hero { name } } } }`
		ann, bob := viewer.Viewer{ID: uuid.New(), Role: viewer.User, Session: uuid.New()}, viewer.Viewer{ID: uuid.New(), Role: viewer.User, Session: uuid.New()}
		first, second := a.subscribe(ann, query, nil, ""), a.subscribe(bob, query, nil, "")
		first.must()
		second.must()
		for together := false; !together; { // now and then they are at different places
			a.caughtUp()
			mu.Lock()
			seen = nil
			mu.Unlock()
			spans.Reset()
			a.Must(`mutation { createHero(input: {name: "H"}) { hero { id } } }`, nil)
			first.must()
			second.must()
			mu.Lock()
			together = len(seen) == 1
			mu.Unlock()
			if tries++; tries == 10 {
				t.Fatalf("each change was answered for each subscriber: %q", seen)
			}
		}
		want("a change", "Followed subscription  true")
		names := map[string]int{}
		for _, span := range spans.GetSpans() {
			names[span.Name]++
		}
		if names["answer"] != 1 || names["subscription"] != 1 || names["load Hero"] == 0 {
			t.Errorf("the spans are %v, want one answer, of one subscription, that loads heroes", names)
		}
		seen = nil
		// Orders are shown to their users alone.
		for _, own := range []string{`orders { totalCount }`, `viewer { username }`, `users { nodes { email } }`} {
			for _, v := range []viewer.Viewer{ann, bob} {
				a.subscribe(v, `subscription Own { live(every: 100) { `+own+` } }`, nil, "").must()
			}
			want("personal answers", "Own subscription  true", "Own subscription  true")
		}
		if got, err := a.subscribe(viewer.Viewer{}, `subscription Bad { heroChanges { nothing } }`, nil, "").next(); err != nil || got.Code() != "GRAPHQL_VALIDATION_FAILED" {
			t.Errorf("got %s, %v", got, err)
		}
		want("a refusal", "none GRAPHQL_VALIDATION_FAILED false")
		a.subscribe(viewer.Viewer{}, `query Once { heroes { totalCount } }`, nil, "").must()
		want("a query", "Once query  true")
	})
}
