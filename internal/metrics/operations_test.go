package metrics

import (
	"math"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// TestQuantile compares quantiles of a histogram with what they are.
func TestQuantile(t *testing.T) {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "h", Buckets: []float64{1, 2, 4}})
	for range 50 {
		h.Observe(.5)
	}
	for range 49 {
		h.Observe(3)
	}
	h.Observe(100)
	for q, want := range map[float64]float64{.25: .5, .5: 1, .99: 4, 1: 4} {
		if got := quantile(read(h).GetHistogram(), q); math.Abs(got-want) > 1e-9 {
			t.Errorf("the quantile %v is %v, want %v", q, got, want)
		}
	}
}
