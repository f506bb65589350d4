// Package metrics counts and times what the server does, in the form that Prometheus reads.
package metrics

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"forge/internal/database"
)

// Metrics are the measurements of one server.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

// New returns the measurements of a server on db: its own, those of the process, and those of db's pool.
func New(db *database.DB) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "forge_http_requests_total",
			Help: "HTTP requests that were answered, by route and status code.",
		}, []string{"route", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "forge_http_request_duration_seconds",
			Help:    "Time from the headers of an HTTP request to the end of its answer, by route and status code.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"route", "code"}),
	}
	statements := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "forge_db_statement_duration_seconds",
		Help:    "Time that a statement took, its rows read, by whether it succeeded.",
		Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5, 30},
	}, []string{"outcome"})
	waits := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:    "forge_db_acquire_wait_seconds",
		Help:    "Time that an operation waited for a database connection.",
		Buckets: []float64{.0001, .001, .005, .01, .05, .1, .5, 1, 5, 15},
	})
	watch(db, statements, waits)
	m.registry.MustRegister(
		m.requests,
		m.duration,
		statements,
		waits,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewDBStatsCollector(db.DB, "forge"),
	)
	return m
}

// watch has db tell of its statements, and of the waits for its connections.
func watch(db *database.DB, statements *prometheus.HistogramVec, waits prometheus.Histogram) {
	succeeded, failed := statements.WithLabelValues("ok"), statements.WithLabelValues("error")
	db.Watch = func(_ context.Context, _ string, took time.Duration, err error) {
		if err != nil {
			failed.Observe(took.Seconds())
		} else {
			succeeded.Observe(took.Seconds())
		}
	}
	db.Waited = func(took time.Duration) { waits.Observe(took.Seconds()) }
}

// Request counts an HTTP request. route is one of the few that the server has, not the path that a client chose.
func (m *Metrics) Request(route string, code int, took time.Duration) {
	status := strconv.Itoa(code)
	m.requests.WithLabelValues(route, status).Inc()
	m.duration.WithLabelValues(route, status).Observe(took.Seconds())
}

// Handler returns the page that Prometheus reads.
func (m *Metrics) Handler(log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelError)})
}
