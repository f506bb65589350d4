// Package httpserver carries the API over HTTP: its routes, what every request passes, and how the server starts and
// ends.
package httpserver

import (
	"log/slog"
	"net/http"
	"time"

	"forge/internal/admission"
	"forge/internal/graphqlhttp"
	"forge/internal/health"
	"forge/internal/metrics"
	"forge/internal/telemetry"
	"forge/internal/token"
)

// Parts are what the routes lead to.
type Parts struct {
	API     http.Handler
	Gate    *admission.Gate // when it is full, requests are turned away before they reach the API; nil: none are
	Origins []string        // whose pages may use it, beside this server's own
	// Development has pages that this machine serves, on any port, use the API as well.
	Development bool
	Local       bool            // requests are answered only if they are for a name of this machine's own; probes always
	Tokens      *token.Verifier // says whose requests with a bearer token are; nil: that is not looked at
	Playground  http.Handler    // nil: there is none
	Ready       http.Handler
	Metrics     *metrics.Metrics
	Log         *slog.Logger
	Slow        time.Duration     // an operation that takes longer is logged with its statements; 0: none
	Tracer      *telemetry.Tracer // nil: requests are not traced
}

// apiPath is where operations are sent to.
const apiPath = "/graphql"

// Routes returns the handler of all that the server answers.
func Routes(p Parts) http.Handler {
	allowed := newOrigins(p.Origins, p.Development)
	api := guarded(withBearer(p.Tokens, p.API), allowed, refuseOrigin(p))
	page, told := p.Playground, p.Metrics.Handler(p.Log)
	if p.Local {
		api, told = local(api, http.HandlerFunc(graphqlhttp.RefuseHost)), local(told, misdirected)
		if page != nil {
			page = local(page, misdirected)
		}
	}
	mux := http.NewServeMux()
	mux.Handle(apiPath, api)
	mux.HandleFunc("GET /healthz", health.Live)
	mux.Handle("GET /readyz", p.Ready)
	mux.Handle("GET /metrics", told)
	if page != nil {
		mux.Handle("/", page)
	}
	// The observer comes first of what is done for those that are let in: everything that is logged about a request names its ID.
	return newDoor(&observer{next: contained(secured(mux), p.Log), metrics: p.Metrics, log: p.Log, slow: p.Slow, tracer: p.Tracer}, p, allowed)
}
