// Package httpserver serves the API over HTTP: it has the routes, the middleware that requests
// pass, and the start and the end of the server.
package httpserver

import (
	"log/slog"
	"net/http"
	"slices"
	"time"

	"forge/internal/admission"
	"forge/internal/graphqlhttp"
	"forge/internal/health"
	"forge/internal/metrics"
	"forge/internal/telemetry"
	"forge/internal/token"
)

// Parts are the handlers behind the routes, and what the middleware before them needs.
type Parts struct {
	API        http.Handler
	Playground http.Handler // nil: there is none
	Ready      http.Handler
	// Admission is the limiter that the API uses. While it is full, requests are refused before
	// they reach the API. With nil none are.
	Admission *admission.Limiter
	// Origins are the origins whose pages may use the API, beside the server's own.
	Origins []string
	// Development also lets pages use the API that this machine serves, on any port.
	Development bool
	// Local restricts all routes but the probes to requests whose Host is a name of this machine.
	Local bool
	// Tokens verifies bearer tokens. With nil the Authorization header is ignored.
	Tokens *token.Verifier
	// Compression compresses answers of the API for clients that ask for it.
	Compression bool
	Metrics     *metrics.Metrics
	Log         *slog.Logger
	// Slow is the duration from which an operation is logged with its statements. 0: none is.
	Slow   time.Duration
	Tracer *telemetry.Tracer // nil: requests are not traced
}

// apiPath is the path of the API.
const apiPath = "/graphql"

// middleware returns a handler that does something for a request before or after next handles it.
type middleware func(next http.Handler) http.Handler

// chain returns h behind the middleware. A request passes the first one first.
func chain(h http.Handler, all ...middleware) http.Handler {
	for _, m := range slices.Backward(all) {
		h = m(h)
	}
	return h
}

// Routes returns the handler of everything that the server answers. The two lists in it name, from
// the outside in, all that a request passes on its way to the API, and back. Serve adds one handler
// around them, which closes connections while the server shuts down.
func Routes(p Parts) http.Handler {
	allowed := newOrigins(p.Origins, p.Development)
	all := []middleware{
		shedLoad(p, allowed), // first, so that a refusal under overload costs as little as possible
		observe(p),           // everything that is logged about a request from here on has its ID
		setSecurityHeaders,   // before anything answers: refusals have these headers, too
	}
	api := []middleware{
		localHost(p.Local, graphqlhttp.RefuseHost), // before CORS: a rebound name is its own origin
		guardOrigins(p, allowed),                   // before tokens: a preflight has none
		authenticate(p.Tokens),                     // the API finds the viewer on the context
		compress(p.Compression),                    // last: refusals of the others are too short
	}
	page := localHost(p.Local, misdirected)

	mux := http.NewServeMux()
	mux.Handle(apiPath, chain(p.API, api...))
	mux.HandleFunc("GET /healthz", health.Live)
	mux.Handle("GET /readyz", p.Ready)
	mux.Handle("GET /metrics", page(p.Metrics.Handler(p.Log)))
	if p.Playground != nil {
		mux.Handle("/", page(p.Playground))
	}
	return chain(mux, all...)
}
