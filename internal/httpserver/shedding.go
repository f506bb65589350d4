package httpserver

import (
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"forge/internal/admission"
	"forge/internal/graphqlhttp"
	"forge/internal/metrics"
	"forge/internal/telemetry"
)

// loadShedder refuses operations while the limiter is full, before anything else is done for them
// and before their bodies are read. A refusal has the same headers as every answer of the API,
// except for a request ID and a trace. It is counted in the metrics. It does not get a line of the
// log by itself, because under overload there are many times more refusals than other requests, and
// their cost is taken from the other requests.
type loadShedder struct {
	admission *admission.Limiter
	next      http.Handler
	metrics   *metrics.Metrics
	log       *slog.Logger
	origins   origins // whose pages may read an answer
	pace      pacer
	unlogged  atomic.Int64 // how many refusals there were since the last line of the log
}

// logEvery is the time whose refusals share one line of the log.
const logEvery = 5 * time.Second

// shedLoad returns the middleware that sheds load. It does nothing if p.Admission is nil.
func shedLoad(p Parts, allowed origins) middleware {
	return func(next http.Handler) http.Handler {
		if p.Admission == nil {
			return next
		}
		return &loadShedder{admission: p.Admission, next: next, metrics: p.Metrics, log: p.Log,
			origins: allowed, pace: newPacer()}
	}
}

// ServeHTTP refuses operations, which come by GET or POST, while the limiter is full. Other
// requests, such as preflights of browsers, always pass.
func (s *loadShedder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	isOperation := r.URL.Path == apiPath && (r.Method == http.MethodPost || r.Method == http.MethodGet)
	if !s.admission.Full() || !isOperation {
		s.next.ServeHTTP(w, r)
		return
	}
	start := time.Now()
	s.metrics.InFlight.Add(1)
	defer s.metrics.InFlight.Add(-1)
	s.pace.wait()
	addSecurityHeaders(w.Header())
	s.addCORS(w.Header(), r)
	status, code := graphqlhttp.RefuseOverload(w, r)
	record := telemetry.Record{Refused: telemetry.Overload, Answered: true, Code: string(code)}
	s.metrics.Count(apiPath, status, time.Since(start), &record)
	if s.unlogged.Add(1) == 1 {
		time.AfterFunc(logEvery, s.logRefusals)
	}
}

// Answers share these header values, so they must not be changed in place.
var (
	exposedValue = []string{strings.Join(exposedHeaders, ", ")}
	varyOrigin   = []string{"Origin"}
)

// addCORS adds the headers by which a browser lets a page of an allowed origin read the answer.
func (s *loadShedder) addCORS(h http.Header, r *http.Request) {
	if s.origins.none() {
		return
	}
	h["Vary"] = varyOrigin
	origin := r.Header["Origin"]
	if len(origin) > 0 && s.origins.allow(origin[0]) {
		h["Access-Control-Allow-Origin"] = origin[:1]
		h["Access-Control-Expose-Headers"] = exposedValue
	}
}

// logRefusals logs how many requests were refused since its last call.
func (s *loadShedder) logRefusals() {
	s.log.Warn("overloaded, requests refused", "requests", s.unlogged.Swap(0), "within", logEvery.String())
}

// pacer spaces refusals. A client that is refused at once sends again at once, thousands of times a
// second, and each refusal costs about 25 µs in this program and as much in the kernel. A client
// has one request under way on each connection, so if its refusal is delayed, it sends fewer
// requests. The pacer lets one request be refused in each paceInterval. The others wait, and the
// kernel keeps their bodies meanwhile.
type pacer struct {
	start time.Time
	next  atomic.Int64 // when the next request may be refused, as nanoseconds since start
}

const (
	paceInterval = time.Millisecond
	// maxPace is the longest delay of a refusal. A request that would have to wait longer is
	// refused at once. This bounds the memory: a waiting request takes about 30 KiB, and at most
	// maxPace/paceInterval of them wait.
	maxPace = 4 * time.Second
)

func newPacer() pacer { return pacer{start: time.Now()} }

// wait returns when the request may be refused.
func (p *pacer) wait() {
	now := int64(time.Since(p.start))
	for {
		next := p.next.Load()
		at := max(next, now)
		if at-now > int64(maxPace) {
			return
		}
		if p.next.CompareAndSwap(next, at+int64(paceInterval)) {
			time.Sleep(time.Duration(at - now))
			return
		}
	}
}
