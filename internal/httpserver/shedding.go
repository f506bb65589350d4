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

// door stands before all that is done for a request. When there is no place for an operation it answers soon, with what every answer of
// the API has except for an ID and a trace, and counts it, but writes no line for each: under overload there are many times more of
// these than of others, and what they cost is taken from the others.
type door struct {
	gate     *admission.Gate
	next     http.Handler
	metrics  *metrics.Metrics
	log      *slog.Logger
	origins  origins      // whose pages may read an answer
	turn     atomic.Int64 // when the next may be turned away, after opened
	opened   time.Time
	unlogged atomic.Int64 // how many were turned away since the last line
}

// To be turned away at once makes clients send again at once, each thousands of times a second, and even a refusal has its price: some 25 µs
// here and as much with the kernel. As a connection has one request on its way, one that is told late sends fewer. So one is turned away each
// spacing, and the others wait for their turn while their bodies wait with the kernel. Who would wait for longer than longest is answered at once: each
// that waits takes some 30 KiB of memory, and there are longest/spacing of them at most.
const (
	spacing = time.Millisecond
	longest = 4 * time.Second
)

// quiet is how long those are counted that a line of the log tells of.
const quiet = 5 * time.Second

func newDoor(next http.Handler, p Parts, allowed origins) http.Handler {
	if p.Gate == nil {
		return next
	}
	return &door{gate: p.Gate, next: next, metrics: p.Metrics, log: p.Log, origins: allowed, opened: time.Now()}
}

// ServeHTTP leaves all methods but those of operations to next: a browser's question whether it may send one is answered as ever.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !d.gate.Full() || r.URL.Path != apiPath || r.Method != http.MethodPost && r.Method != http.MethodGet {
		d.next.ServeHTTP(w, r)
		return
	}
	start := time.Now()
	d.metrics.Begin()
	d.wait()
	secure(w.Header())
	d.share(w.Header(), r)
	status, code := graphqlhttp.TurnAway(w, r)
	record := telemetry.Record{Refused: telemetry.Overload, Answered: true, Code: string(code)}
	d.metrics.End(apiPath, status, time.Since(start), &record)
	if d.unlogged.Add(1) == 1 {
		time.AfterFunc(quiet, d.tell)
	}
}

// wait returns when it is the request's turn to be turned away.
func (d *door) wait() {
	now := int64(time.Since(d.opened))
	for {
		next := d.turn.Load()
		turn := max(next, now)
		if turn-now > int64(longest) {
			return
		}
		if d.turn.CompareAndSwap(next, turn+int64(spacing)) {
			time.Sleep(time.Duration(turn - now))
			return
		}
	}
}

// The headers by which a browser lets a page of another origin read an answer, and shared values of theirs.
var (
	exposedHeaders = []string{strings.Join(exposed, ", ")}
	varyOrigin     = []string{"Origin"}
)

// share lets a page read the answer if its origin is one of those that may.
func (d *door) share(h http.Header, r *http.Request) {
	if d.origins.none() {
		return
	}
	h["Vary"] = varyOrigin
	sent := r.Header["Origin"]
	if len(sent) == 0 {
		return
	}
	if d.origins.allow(sent[0]) {
		h["Access-Control-Allow-Origin"] = sent[:1]
		h["Access-Control-Expose-Headers"] = exposedHeaders
	}
}

// tell logs how many were turned away since the first that no line has told of.
func (d *door) tell() {
	d.log.Warn("turned away", "requests", d.unlogged.Swap(0), "within", quiet.String())
}
