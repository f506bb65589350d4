// Package webhook delivers subscriptions by POST. An endpoint is a row with an address, a
// subscription, and a position in the log of changes. There is no row for a delivery: its body is
// what the subscription answers at the position.
//
// Each server has a goroutine for each endpoint that is enabled. It takes a lease before it
// delivers, so that one server at a time does. The statement that moves the position also ends the
// lease, or renews it. So deliveries come in order and at least once. See docs/adr/0019-webhooks.md.
package webhook

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/retry"
	"forge/internal/session"
	"forge/internal/stream"
)

// An Executor runs the subscriptions of endpoints.
type Executor interface {
	stream.Executor
	// Start returns the cursor at which a subscription would begin: the one given, or the end of the
	// log. It returns an error if the operation is no subscription that tells of changes, or if the
	// viewer may not run it.
	Start(ctx context.Context, params *graphql.RawParams, after string) (cursor string, err error)
}

// Options are what endpoints need. Times that are 0 have defaults.
type Options struct {
	DB       *database.DB
	Accounts session.Accounts
	// Private allows addresses of private networks and of this machine, and http.
	Private bool
	// Closed says why there are no webhooks on this server. It is "" if there are.
	Closed string
	Log    *slog.Logger

	Timeout time.Duration // of one delivery
	Lease   time.Duration // how long a server that has died keeps its endpoints
	Look    time.Duration // the pause between two looks at the list of endpoints
	Idle    time.Duration // how often the position of an endpoint moves at least
	Retry   retry.Backoff // the pauses after failures
	GiveUp  time.Duration // how long an endpoint may fail before it is disabled
}

// Webhooks are the endpoints of a database.
type Webhooks struct {
	Options
	// Count is called with the result of each delivery: delivered, failed or disabled. It must be
	// set before Run, and may be nil.
	Count func(result string)

	executor Executor
	client   *http.Client
	changed  chan struct{} // has a value after this server has changed an endpoint
	oldest   atomic.Int64  // the Unix nanoseconds since which an endpoint has failed; 0 if none does
	disabled atomic.Int64
}

// maxPause is the longest pause between two attempts.
const maxPause = 3 * time.Hour

// New returns the endpoints of a database. Serve has to be called before they are used.
func New(o Options) *Webhooks {
	for _, t := range []struct {
		value *time.Duration
		usual time.Duration
	}{{&o.Timeout, 10 * time.Second}, {&o.Lease, time.Minute}, {&o.Look, time.Second}, {&o.Idle, 5 * time.Minute}, {&o.GiveUp, 5 * 24 * time.Hour}} {
		if *t.value == 0 {
			*t.value = t.usual
		}
	}
	if o.Retry == (retry.Backoff{}) {
		o.Retry = retry.Backoff{First: 5 * time.Second, Max: maxPause, Jitter: 0.5}
	}
	return &Webhooks{Options: o, client: newClient(o.Private), changed: make(chan struct{}, 1)}
}

// Serve sets what runs the subscriptions. It must be called before any other method.
func (w *Webhooks) Serve(executor Executor) { w.executor = executor }

// Failing returns how long the endpoint has been failing that has failed for longest, and how many
// endpoints are disabled. This is as of the last look at the list.
func (w *Webhooks) Failing() (oldest time.Duration, disabled int) {
	if since := w.oldest.Load(); since != 0 {
		oldest = time.Since(time.Unix(0, since))
	}
	return oldest, int(w.disabled.Load())
}

// open returns FORBIDDEN if there are no webhooks on this server.
func (w *Webhooks) open() error {
	if w.Closed != "" {
		return apperr.Forbidden("", "%s", w.Closed)
	}
	return nil
}

func (w *Webhooks) count(result string) {
	if w.Count != nil {
		w.Count(result)
	}
}
