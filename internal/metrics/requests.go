package metrics

import (
	"cmp"
	"maps"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"forge/internal/telemetry"
)

// Count counts an HTTP request that was answered. route is the pattern of a route, and not a path
// that the client chose.
func (m *Metrics) Count(route string, status int, took time.Duration, r *telemetry.Record) {
	m.requests.count(route, status, took, r.Stream)
	if r.Looked && r.Hash == "" {
		m.documents.hit.Inc()
	} else if r.Looked {
		m.documents.miss.Inc()
	}
	switch r.Persisted {
	case telemetry.Hit:
		m.persisted.hit.Inc()
	case telemetry.Miss:
		m.persisted.miss.Inc()
	}
	if r.Refused != "" {
		m.Refused(r.Refused)
	}
	if r.Answered {
		m.operations.count(m.Names, took, r)
	}
}

// Answered counts an answer to a GraphQL operation that was made without a request of its own: for
// a stream, for example.
func (m *Metrics) Answered(took time.Duration, r *telemetry.Record) {
	m.operations.count(m.Names, took, r)
}

// Refused counts a request that exceeded a limit. Count calls it for the limit in the record.
func (m *Metrics) Refused(limit telemetry.Limit) { m.refused[limit].Inc() }

// durationBuckets are the bounds, in seconds, of the histograms of how long clients wait. They must
// not be changed.
var durationBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

// requests measures HTTP requests.
type requests struct {
	total    *prometheus.CounterVec
	duration *prometheus.HistogramVec
	known    series[requestKey, requestSeries]
}

// requestKey holds the labels of a series of requests.
type requestKey struct {
	route  string
	status int
}

// requestSeries are the measurements for one requestKey.
type requestSeries struct {
	total    prometheus.Counter
	duration prometheus.Observer
}

func (s *requests) init(r *prometheus.Registry) {
	s.total = counter(r, "forge_http_requests_total", "HTTP requests that were answered, by route and status code.", "route", "code")
	s.duration = histogram(r, "forge_http_request_duration_seconds",
		"Time from the headers of an HTTP request to the end of its answer, by route and status code.", durationBuckets, "route", "code")
}

// count counts a request. The duration of a stream is not measured: its client decides it.
func (s *requests) count(route string, status int, took time.Duration, stream bool) {
	key := requestKey{route, status}
	found, ok := s.known.find(key)
	if !ok {
		found = s.known.add(key, func(int) requestSeries {
			code := strconv.Itoa(status)
			return requestSeries{s.total.WithLabelValues(route, code), s.duration.WithLabelValues(route, code)}
		})
	}
	found.total.Inc()
	if !stream {
		found.duration.Observe(took.Seconds())
	}
}

// operations measures GraphQL operations by name. Clients choose the names, so only a limited
// number of names get series of their own.
type operations struct {
	total      *prometheus.CounterVec
	duration   *prometheus.HistogramVec
	statements *prometheus.CounterVec
	database   *prometheus.CounterVec
	retries    *prometheus.CounterVec
	named      series[string, *operation]
	other      *operation // operations whose names have no series of their own
	none       *operation // requests without an operation
}

// operation holds the measurements for one name.
type operation struct {
	name                          string
	duration                      prometheus.Observer
	statements, database, retries prometheus.Counter
	codes                         series[string, prometheus.Counter]
}

func (s *operations) init(r *prometheus.Registry) {
	s.total = counter(r, "forge_operations_total",
		"GraphQL requests, and answers on streams, by operation and by the code of the first error, OK without one. Operations without a name go by their kind, "+
			"those beyond the first so many by other, requests that held none by none.", "operation", "code")
	s.duration = histogram(r, "forge_operation_duration_seconds",
		"Time from the headers of a GraphQL request to the end of its answer, by operation.", durationBuckets, "operation")
	s.statements = counter(r, "forge_operation_statements_total", "Statements that operations ran, by operation.", "operation")
	s.database = counter(r, "forge_operation_database_seconds_total", "Time that those statements took, by operation.", "operation")
	s.retries = counter(r, "forge_operation_retries_total",
		"Attempts beyond the first: the one before failed because others were in the way, or the connection broke.", "operation")
	s.other, s.none = s.newOperation("other"), s.newOperation("none")
}

func (s *operations) newOperation(name string) *operation {
	return &operation{name: name, duration: s.duration.WithLabelValues(name), statements: s.statements.WithLabelValues(name),
		database: s.database.WithLabelValues(name), retries: s.retries.WithLabelValues(name)}
}

// of returns the measurements for an operation. At most maxNames names have their own.
func (s *operations) of(o *telemetry.Operation, maxNames int) *operation {
	if o == nil {
		return s.none
	}
	if known, ok := s.named.find(o.Name); ok {
		return known
	}
	if s.named.len() >= maxNames {
		return s.other
	}
	return s.named.add(o.Name, func(others int) *operation {
		if others >= maxNames {
			return s.other
		}
		return s.newOperation(o.Name)
	})
}

func (s *operations) count(maxNames int, took time.Duration, r *telemetry.Record) {
	o, code := s.of(r.Operation, maxNames), cmp.Or(r.Code, "OK")
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

// series holds measurements by their labels. They are found without a lock. There are few of them,
// and none is ever removed, so adding one copies the whole map.
type series[K comparable, V any] struct {
	known atomic.Pointer[map[K]V]
	mu    sync.Mutex // guards add
}

func (s *series[K, V]) find(key K) (V, bool) {
	if known := s.known.Load(); known != nil {
		v, ok := (*known)[key]
		return v, ok
	}
	var none V
	return none, false
}

// add returns the value for the key. If there is none, it adds the one that create returns. create
// is called with the number of values so far.
func (s *series[K, V]) add(key K, create func(others int) V) V {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.find(key); ok {
		return v
	}
	changed := map[K]V{}
	if known := s.known.Load(); known != nil {
		changed = maps.Clone(*known)
	}
	changed[key] = create(len(changed))
	s.known.Store(&changed)
	return changed[key]
}

func (s *series[K, V]) len() int {
	if known := s.known.Load(); known != nil {
		return len(*known)
	}
	return 0
}
