package metrics

import (
	"cmp"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"forge/internal/telemetry"
)

// operations measures GraphQL operations by name, of which only so many are told apart: clients choose them.
type operations struct {
	total      *prometheus.CounterVec
	duration   *prometheus.HistogramVec
	statements *prometheus.CounterVec
	database   *prometheus.CounterVec
	retries    *prometheus.CounterVec
	named      series[string, *operation]
	other      *operation // than those with a name of their own
	none       *operation // requests that no operation could be taken from
}

// operation are the series of one name.
type operation struct {
	name                          string
	duration                      prometheus.Observer
	statements, database, retries prometheus.Counter
	codes                         series[string, prometheus.Counter]
}

func (s *operations) init(r *prometheus.Registry) {
	s.total = counter(r, "forge_operations_total",
		"GraphQL requests by operation and by the code of the first error, OK without one. Operations without a name go by their kind, "+
			"those beyond the first so many by other, requests that held none by none.", "operation", "code")
	s.duration = histogram(r, "forge_operation_duration_seconds",
		"Time from the headers of a GraphQL request to the end of its answer, by operation.", duration, "operation")
	s.statements = counter(r, "forge_operation_statements_total", "Statements that operations ran, by operation.", "operation")
	s.database = counter(r, "forge_operation_database_seconds_total", "Time that those statements took, by operation.", "operation")
	s.retries = counter(r, "forge_operation_retries_total",
		"Attempts beyond the first: the one before failed because others were in the way, or the connection broke.", "operation")
	s.other, s.none = s.called("other"), s.called("none")
}

func (s *operations) called(name string) *operation {
	return &operation{name: name, duration: s.duration.WithLabelValues(name), statements: s.statements.WithLabelValues(name),
		database: s.database.WithLabelValues(name), retries: s.retries.WithLabelValues(name)}
}

// of returns the series of an operation, most being how many names have their own.
func (s *operations) of(o *telemetry.Operation, most int) *operation {
	if o == nil {
		return s.none
	}
	if known, ok := s.named.find(o.Name); ok {
		return known
	}
	if s.named.len() >= most {
		return s.other
	}
	return s.named.add(o.Name, func(others int) *operation {
		if others >= most {
			return s.other
		}
		return s.called(o.Name)
	})
}

func (s *operations) count(most int, took time.Duration, r *telemetry.Record) {
	o, code := s.of(r.Operation, most), cmp.Or(r.Code, "OK")
	total, ok := o.codes.find(code)
	if !ok {
		total = o.codes.add(code, func(int) prometheus.Counter { return s.total.WithLabelValues(o.name, code) })
	}
	total.Inc()
	o.duration.Observe(took.Seconds())
	if n, in := r.Database(); n > 0 {
		o.statements.Add(float64(n))
		o.database.Add(in.Seconds())
	}
	if r.Attempts > 1 {
		o.retries.Add(float64(r.Attempts - 1))
	}
}
