// Package metrics holds the measurements of a server, in the format of Prometheus.
package metrics

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"forge/internal/database"
	"forge/internal/telemetry"
)

// Metrics are the measurements of one server.
type Metrics struct {
	// Names is how many names of operations get series of their own. Later names count as "other".
	// It must be set before the first request.
	Names int
	// InFlight is how many HTTP requests are being answered. The handlers that answer requests
	// change it.
	InFlight atomic.Int64
	// WebSockets and Events measure streams.
	WebSockets, Events *Streams

	registry   *prometheus.Registry
	requests   requests
	operations operations
	refused    map[telemetry.Limit]prometheus.Counter
	documents  lookUps
	persisted  lookUps
}

// New returns the measurements of a server on db: of its requests, of the process, and of the
// database pool. It sets db.Watch and db.Waited.
func New(db *database.DB) *Metrics {
	m := &Metrics{Names: 100, registry: prometheus.NewRegistry(), refused: map[telemetry.Limit]prometheus.Counter{}}
	m.requests.init(m.registry)
	m.operations.init(m.registry)
	m.initStreams()
	refused := counter(m.registry, "forge_refused_total", "Requests that were refused because they passed a limit, by limit.", "limit")
	for _, limit := range telemetry.Limits {
		m.refused[limit] = refused.WithLabelValues(string(limit))
	}
	cache := counter(m.registry, "forge_cache_requests_total",
		"Look-ups in a cache, by cache and result. A document that is found is neither parsed nor planned again; persisted are the texts of those "+
			"that are sent as their hash.", "cache", "result")
	m.documents, m.persisted = newLookUps(cache, "documents"), newLookUps(cache, "persisted")
	m.watch(db)
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "forge_http_requests_in_flight",
			Help: "HTTP requests that are being answered.",
		}, func() float64 { return float64(m.InFlight.Load()) }),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewDBStatsCollector(db.DB, "forge"),
	)
	return m
}

// lookUps counts the look-ups in one cache.
type lookUps struct{ hit, miss prometheus.Counter }

func newLookUps(all *prometheus.CounterVec, cache string) lookUps {
	return lookUps{all.WithLabelValues(cache, "hit"), all.WithLabelValues(cache, "miss")}
}

// watch measures the statements of db, and the waits for its connections. It also adds each
// statement to the record of the request.
func (m *Metrics) watch(db *database.DB) {
	statements := histogram(m.registry, "forge_db_statement_duration_seconds",
		"Time that a statement took, its rows read, by whether it succeeded.",
		[]float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5, 30}, "outcome")
	succeeded, failed := statements.WithLabelValues("ok"), statements.WithLabelValues("error")
	db.Watch = func(ctx context.Context, text string, took time.Duration, err error) {
		if err != nil {
			failed.Observe(took.Seconds())
		} else {
			succeeded.Observe(took.Seconds())
		}
		telemetry.FromContext(ctx).Statement(ctx, text, took, err)
	}
	waits := histogram(m.registry, "forge_db_acquire_wait_seconds", "Time that an operation waited for a database connection.",
		[]float64{.0001, .001, .005, .01, .05, .1, .5, 1, 5, 15}).WithLabelValues()
	db.Waited = func(took time.Duration) { waits.Observe(took.Seconds()) }
}

// Revocations adds a metric: how long ago the server last read which tokens are revoked. It must be
// called at most once, before the first request.
func (m *Metrics) Revocations(age func() time.Duration) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "forge_revocations_age_seconds",
		Help: "Time since the database was last asked, with success, which tokens were revoked. Above 10, requests with a token are refused.",
	}, func() float64 { return age().Seconds() }))
}

// Database adds metrics of what changes are kept by. last returns the state of the database. It
// must be called at most once, before the first request.
func (m *Metrics) Database(last func() (database.State, error)) {
	for name, is := range map[string]struct {
		help  string
		value func(database.State) float64
	}{
		"writable": {"1 if the database can be written, as looked each second; 0 if it can only be read, or is away.", func(s database.State) float64 { return one(s.Writable) }},
		"synced": {"1 if PostgreSQL acknowledges a commit only when a synchronous standby has it; 0 if not, if it is away, and on SQLite.",
			func(s database.State) float64 { return one(s.Synced()) }},
		"fsync":    {"1 if PostgreSQL flushes to its disk; 0 if not, if it is away, and on SQLite.", func(s database.State) float64 { return one(s.Fsync) }},
		"standbys": {"How many standbys stream from the PostgreSQL that Forge writes to.", func(s database.State) float64 { return float64(len(s.Standbys)) }},
		"timeline": {"The timeline of the PostgreSQL that Forge writes to, which grows with each promotion; 0 on a standby.", func(s database.State) float64 { return float64(s.Timeline) }},
	} {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "forge_db_" + name, Help: is.help}, func() float64 {
			s, err := last()
			if err != nil {
				return 0
			}
			return is.value(s)
		}))
	}
}

func one(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Changes adds a metric: how long ago the server last made changes readable in the log. It must be
// called at most once, before the first request.
func (m *Metrics) Changes(age func() time.Duration) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "forge_changes_age_seconds",
		Help: "Time since this server last looked, with success, for changes that were not yet readable in the log. Above 10, clients learn of changes late.",
	}, func() float64 { return age().Seconds() }))
}

// Webhooks adds metrics of webhooks. failing returns how long the endpoint has been failing that
// has failed for longest, and how many endpoints are disabled. The function that it returns counts
// a delivery by its result. Webhooks must be called at most once, before the first request.
func (m *Metrics) Webhooks(failing func() (oldest time.Duration, disabled int)) (count func(result string)) {
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "forge_webhooks_failing_seconds",
			Help: "Time since the first failure of the delivery that has failed for longest, of all servers; 0 if none fails.",
		}, func() float64 { oldest, _ := failing(); return oldest.Seconds() }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "forge_webhooks_disabled",
			Help: "Endpoints of webhooks that are disabled, after failures or by an administrator.",
		}, func() float64 { _, disabled := failing(); return float64(disabled) }))
	deliveries := counter(m.registry, "forge_webhook_deliveries_total",
		"Deliveries of webhooks by this server, by result: delivered, failed, or disabled if the endpoint was as well.", "result")
	for _, result := range []string{"delivered", "failed", "disabled"} {
		deliveries.WithLabelValues(result)
	}
	return func(result string) { deliveries.WithLabelValues(result).Inc() }
}

// Mails adds metrics of mails. age returns how long ago the oldest mail was queued that waits to be
// sent. The function that it returns counts a mail by its result. Mails must be called at most
// once, before the first request.
func (m *Metrics) Mails(age func() time.Duration) (count func(result string)) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "forge_mails_oldest_seconds",
		Help: "Time since the oldest mail was queued that waits to be sent, of all servers; 0 if none waits.",
	}, func() float64 { return age().Seconds() }))
	mails := counter(m.registry, "forge_mails_total",
		"Mails by this server, by result: sent; failed, which are tried again; dead, which are not; or dropped, because there was nobody to send them to, or no room in the queue for a notice.", "result")
	for _, result := range []string{"sent", "failed", "dead", "dropped"} {
		mails.WithLabelValues(result)
	}
	return func(result string) { mails.WithLabelValues(result).Inc() }
}

// Files adds a metric: how many files the last round of the sweep could not remove. It must be
// called at most once, before the first request.
func (m *Metrics) Files(notRemoved func() int64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "forge_files_not_removed",
		Help: "Files that no row has any more, and whose bytes this server's last sweep has tried to remove in vain.",
	}, func() float64 { return float64(notRemoved()) }))
}

// Handler returns the handler of the page that Prometheus reads. It makes one page at a time.
// Requests that come meanwhile share the next page. So it takes at most one processor, and no
// database connection.
func (m *Metrics) Handler(log *slog.Logger) http.Handler {
	return &page{handler: promhttp.HandlerFor(m.registry,
		promhttp.HandlerOpts{ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelError), DisableCompression: true})}
}

// counter returns a new counter that is registered with r.
func counter(r *prometheus.Registry, name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	r.MustRegister(c)
	return c
}

// histogram returns a new histogram that is registered with r.
func histogram(r *prometheus.Registry, name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	r.MustRegister(h)
	return h
}
