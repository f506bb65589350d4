package metrics

import (
	"cmp"
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"forge/internal/telemetry"
)

// OperationTimes are the times of the answers to operations of one name.
type OperationTimes struct {
	Name                string
	Count, Failed       float64
	MeanMs, P50Ms       float64
	P99Ms               float64 // within the buckets of the histogram, 30 s at most
	Statements          float64
	DatabaseMs, Retries float64
}

// Operations returns the times of all operations that were answered, since the server started:
// those first whose slowest hundredth took the longest.
func (m *Metrics) Operations() []OperationTimes {
	all := []OperationTimes{}
	add := func(o *operation) {
		if t := o.times(); t.Count > 0 {
			all = append(all, t)
		}
	}
	if named := m.operations.named.known.Load(); named != nil {
		for _, name := range slices.Sorted(maps.Keys(*named)) {
			add((*named)[name])
		}
	}
	add(m.operations.other)
	slices.SortStableFunc(all, func(a, b OperationTimes) int { return cmp.Compare(b.P99Ms, a.P99Ms) })
	return all
}

func (o *operation) times() OperationTimes {
	t := OperationTimes{Name: o.name, Statements: valueOf(o.statements), DatabaseMs: 1000 * valueOf(o.database), Retries: valueOf(o.retries)}
	h := read(o.duration.(prometheus.Metric)).GetHistogram()
	t.Count = float64(h.GetSampleCount())
	if t.Count == 0 {
		return t
	}
	t.MeanMs, t.P50Ms, t.P99Ms = 1000*h.GetSampleSum()/t.Count, 1000*quantile(h, .5), 1000*quantile(h, .99)
	if codes := o.codes.known.Load(); codes != nil {
		for code, total := range *codes {
			if code != "OK" {
				t.Failed += valueOf(total)
			}
		}
	}
	return t
}

// quantile returns the value below which the share q of a histogram's values is, as
// histogram_quantile of Prometheus does. Beyond the last bucket it returns the bound of that.
func quantile(h *dto.Histogram, q float64) float64 {
	rank, lower, below := q*float64(h.GetSampleCount()), 0.0, 0.0
	for _, b := range h.GetBucket() {
		count := float64(b.GetCumulativeCount())
		if count >= rank && count > below {
			return lower + (b.GetUpperBound()-lower)*(rank-below)/(count-below)
		}
		lower, below = b.GetUpperBound(), count
	}
	return lower
}

// Refusal is how many requests a limit has refused.
type Refusal struct {
	Limit telemetry.Limit
	Count float64
}

// Refusals returns the limits that have refused requests since the server started, the one with the
// most first.
func (m *Metrics) Refusals() (all []Refusal) {
	for _, limit := range telemetry.Limits {
		if n := valueOf(m.refused[limit]); n > 0 {
			all = append(all, Refusal{limit, n})
		}
	}
	slices.SortStableFunc(all, func(a, b Refusal) int { return cmp.Compare(b.Count, a.Count) })
	return all
}

func valueOf(c prometheus.Counter) float64 { return read(c).GetCounter().GetValue() }

// read returns a metric as it is now. Writing one that the package has made does not fail.
func read(m prometheus.Metric) *dto.Metric {
	var d dto.Metric
	_ = m.Write(&d)
	return &d
}
