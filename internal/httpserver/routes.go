// Package httpserver serves the API over HTTP. It has the routes, the middleware that requests
// pass, and the start and the end of the server.
package httpserver

import (
	"log/slog"
	"net/http"
	"slices"
	"time"

	"forge/console"
	"forge/internal/admission"
	"forge/internal/cookie"
	"forge/internal/graphqlhttp"
	"forge/internal/health"
	"forge/internal/metrics"
	"forge/internal/provider"
	"forge/internal/stream"
	"forge/internal/telemetry"
	"forge/internal/token"
)

// Parts holds the handlers behind the routes, and what the middleware in front of them needs.
type Parts struct {
	API        http.Handler
	Streams    *stream.Server // nil: there are none
	Playground http.Handler   // nil: there is none
	Console    http.Handler   // the page below /console; nil: there is none
	Schema     http.Handler   // the schema that the console asks for; nil if Console is
	Inbox      http.Handler   // the page of mails that are kept in development; nil: there is none
	Docs       http.Handler   // the pages, below /docs/; nil: there are none
	Ready      http.Handler
	// Providers sends browsers to providers and takes them back. If it is nil, it has no routes.
	Providers *provider.Providers
	// Files serves files and takes uploads. It looks at the signature of each address itself. If it
	// is nil, there are none.
	Files http.Handler
	// Admission is the limiter that the API uses. While it is full, operations are refused before
	// anything else is done for them. If it is nil, none are refused.
	Admission *admission.Limiter
	// Origins are the origins whose pages may use the API, besides the server's own.
	Origins []string
	// Development also allows the origins of this machine, on any port.
	Development bool
	// Local restricts all routes but the probes to requests whose Host is a name of this machine.
	Local bool
	// Tokens verifies bearer tokens. If it is nil, the Authorization header is ignored.
	Tokens *token.Verifier
	// Cookies keeps the tokens of sessions. If it is nil, cookies are ignored.
	Cookies *cookie.Cookies
	// Compression compresses answers of the API for clients that ask for it.
	Compression bool
	Metrics     *metrics.Metrics
	Log         *slog.Logger
	// Slow is how long an operation takes at least to be logged with its statements. 0 means that
	// none is logged.
	Slow   time.Duration
	Tracer *telemetry.Tracer // nil: requests are not traced
}

// apiPath is the path of the API.
const apiPath = "/graphql"

// docsPath is the beginning of the paths of pages.
const docsPath = "/docs/"

// authPath is the beginning of the paths to which browsers go on their way to providers and back.
const authPath = "/auth/"

// filesPath is the beginning of the paths of files.
const filesPath = "/files/"

// middleware returns a handler that does something for a request before or after next.
type middleware func(next http.Handler) http.Handler

// chain returns h behind the middleware. A request passes them in the given order.
func chain(h http.Handler, all ...middleware) http.Handler {
	for _, m := range slices.Backward(all) {
		h = m(h)
	}
	return h
}

// streams returns the middleware that answers requests for streams.
func streams(s *stream.Server) middleware {
	return func(next http.Handler) http.Handler {
		if s == nil {
			return next
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if s.Wants(r) {
				s.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// Routes returns the handler for everything that the server answers. Its two lists name all
// middleware that a request passes on its way to the API, from the outside in. Serve adds one more
// around them, which closes connections while the server shuts down.
func Routes(p Parts) http.Handler {
	allowed := newOrigins(p.Origins, p.Development)
	all := []middleware{
		shedLoad(p, allowed), // first, so that a refusal under overload costs as little as possible
		observe(p),           // everything that is logged about a request from here on has its ID
		setSecurityHeaders,   // before anything answers: refusals have these headers, too
	}
	api := []middleware{
		localHost(p.Local, graphqlhttp.RefuseHost), // before CORS, which allows a rebound name
		guardOrigins(p, allowed),                   // before tokens: a preflight has none
		authenticate(p, allowed),                   // the API finds the viewer on the context
		streams(p.Streams),                         // before compression, which takes memory for each stream
		cookies(p, allowed),                        // after streams, whose answers cannot set cookies
		compress(p.Compression),                    // last: refusals are too short to compress
	}
	page := localHost(p.Local, misdirected)

	mux := http.NewServeMux()
	mux.Handle(apiPath, chain(p.API, api...))
	mux.HandleFunc("GET /healthz", health.Live)
	mux.Handle("GET /readyz", p.Ready)
	mux.Handle("GET /metrics", page(p.Metrics.Handler(p.Log)))
	if p.Providers != nil {
		mux.Handle("GET "+authPath+"{provider}/start", page(http.HandlerFunc(p.Providers.Start)))
		mux.Handle("GET "+authPath+"{provider}/callback", page(http.HandlerFunc(p.Providers.Callback)))
		mux.Handle("POST "+authPath+"{provider}/callback", page(http.HandlerFunc(p.Providers.Callback)))
	}
	if p.Files != nil {
		mux.Handle(filesPath, page(shareFiles(allowed)(p.Files)))
	}
	if p.Inbox != nil {
		inbox := localHost(true, misdirected)(p.Inbox) // even with AUTH=on: its links sign people in
		mux.Handle("GET /inbox", inbox)
		mux.Handle("GET /inbox.json", inbox)
	}
	if p.Docs != nil {
		mux.Handle(docsPath, page(http.StripPrefix(docsPath[:len(docsPath)-1], p.Docs)))
	}
	if p.Console != nil {
		mux.Handle(console.Path, page(p.Console))
		mux.Handle(console.Path+"/", page(p.Console))
		mux.Handle("GET "+console.Path+"/schema.json", chain(p.Schema, localHost(p.Local, misdirected), authenticate(p, allowed), compress(p.Compression)))
	}
	switch {
	case p.Playground != nil:
		mux.Handle("/", page(p.Playground))
	case p.Console != nil:
		mux.Handle("GET /{$}", page(http.RedirectHandler(console.Path, http.StatusFound)))
	}
	return chain(mux, all...)
}
