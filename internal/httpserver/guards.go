package httpserver

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/rs/cors"

	"forge/internal/graphqlhttp"
	"forge/internal/replica"
	"forge/internal/stream"
	"forge/internal/telemetry"
)

// All answers share the values of the security headers, so they must not be changed in place. With
// the headers that are added later, an answer of the API has eight. Go keeps no more than eight in
// a small map, which TestHeadersFit checks.
var (
	nosniff     = []string{"nosniff"}
	loadNothing = []string{"default-src 'none'; frame-ancestors 'none'"}
	sameOrigin  = []string{"same-origin"}
	noStore     = []string{"no-store"}
)

// addSecurityHeaders adds the headers that protect an answer in a browser. The browser takes the
// answer for its Content-Type and nothing else. It neither shows the answer in a frame nor lets
// pages of other origins embed it. As a page, the answer loads nothing. Neither the browser nor a
// proxy stores it. A handler may change these headers. None of them restricts pages that CORS
// allows.
func addSecurityHeaders(h http.Header) {
	h["Cache-Control"] = noStore
	h["X-Content-Type-Options"] = nosniff
	h["Content-Security-Policy"] = loadNothing
	h["Cross-Origin-Resource-Policy"] = sameOrigin
}

// setSecurityHeaders is the middleware that adds the security headers to every answer.
func setSecurityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		addSecurityHeaders(w.Header())
		next.ServeHTTP(w, r)
	})
}

// localHost returns the middleware that passes on only requests whose Host is a name of this
// machine. Other requests are answered by refuse. If on is false, all requests pass.
//
// Listening on a loopback address does not keep pages of the web away. After a page is loaded, it
// can make its own name resolve to 127.0.0.1 (DNS rebinding). This server is then of the same
// origin as the page. But the page cannot choose the Host that the browser sends.
func localHost(on bool, refuse http.HandlerFunc) middleware {
	return func(next http.Handler) http.Handler {
		if !on {
			return next
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if isLocal(r.Host) {
				next.ServeHTTP(w, r)
				return
			}
			refuse(w, r)
		})
	}
}

// misdirected refuses a request for another path than the API's, because of its Host.
func misdirected(w http.ResponseWriter, r *http.Request) {
	telemetry.FromContext(r.Context()).Refuse(telemetry.Host)
	http.Error(w, graphqlhttp.LocalNames, http.StatusMisdirectedRequest)
}

// isLocal reports whether a Host, with or without a port, is localhost, a name that ends with
// .localhost, or a loopback address. Browsers ask no name server for these (RFC 6761, section 6.3).
func isLocal(host string) bool {
	if rest, bracketed := strings.CutPrefix(host, "["); bracketed {
		address, port, closed := strings.Cut(rest, "]")
		return closed && isPort(port) && isLoopback(address)
	}
	if colon := strings.IndexByte(host, ':'); colon >= 0 {
		if !isPort(host[colon:]) {
			return false
		}
		host = host[:colon]
	}
	// A fully qualified name ends with a dot (RFC 1034, section 3.1). An address does not.
	const name = "localhost"
	if full, dotted := strings.CutSuffix(host, "."); dotted {
		if len(full) < len(name) || !strings.EqualFold(full[len(full)-len(name):], name) {
			return false
		}
		host = full
	}
	if n := len(host) - len(name); n >= 0 && strings.EqualFold(host[n:], name) {
		return n == 0 || n > 1 && host[n-1] == '.'
	}
	return isLoopback(host)
}

func isLoopback(address string) bool {
	if address == "" || address[0] != ':' && (address[0] < '0' || address[0] > '9') {
		return false // a name, for which ParseAddr would allocate an error
	}
	ip, err := netip.ParseAddr(address)
	return err == nil && ip.Unmap().IsLoopback()
}

// isPort reports whether s, which follows a host, is empty or a colon and digits.
func isPort(s string) bool {
	return s == "" || s[0] == ':' && strings.Trim(s[1:], "0123456789") == ""
}

// preflightTTL is how long a browser remembers the answer to a preflight.
const preflightTTL = 10 * time.Minute

// exposedHeaders are the headers of an answer that pages of other origins may read.
var exposedHeaders = []string{requestIDHeader, "Retry-After", "Traceparent", "Www-Authenticate", replica.Header}

// origins are the origins whose pages may use the API from a browser, besides the server's own.
type origins struct {
	named map[string]bool // in lower case, as browsers write them: "https://app.example.com"
	local bool            // all origins of this machine as well: "http://localhost:5173"
}

func newOrigins(named []string, local bool) origins {
	o := origins{named: map[string]bool{}, local: local}
	for _, origin := range named {
		o.named[strings.ToLower(origin)] = true
	}
	return o
}

// none reports whether no origin but the server's own is allowed.
func (o origins) none() bool { return len(o.named) == 0 && !o.local }

// isNamed reports whether an origin is named. origin is a value of the Origin header.
func (o origins) isNamed(origin string) bool { return o.named[strings.ToLower(origin)] }

// allow reports whether pages of an origin may use the API. origin is a value of the Origin header.
func (o origins) allow(origin string) bool {
	if o.isNamed(origin) {
		return true
	}
	host, found := strings.CutPrefix(origin, "http://")
	if !found {
		host, found = strings.CutPrefix(origin, "https://")
	}
	return found && o.local && isLocal(host)
}

// guardOrigins returns the middleware that lets pages use the API from a browser, if they are of
// the server's own origin or of an allowed one. It refuses a POST from any other page, and its
// preflight. It does not refuse a GET, which changes nothing and whose answer such a page cannot
// read, except for a WebSocket, whose messages every page could read. Requests that no browser sent
// pass.
//
// Credentials that a browser stores, such as cookies, are allowed to pages of the origins that are
// named, if the API uses cookies at all.
func guardOrigins(p Parts, allowed origins) middleware {
	refuse := refuseOrigin(p)
	return func(next http.Handler) http.Handler {
		guard := http.NewCrossOriginProtection()
		guard.SetDenyHandler(refuse)
		protected := guard.Handler(next)
		var shared http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if allowed.allow(r.Header.Get("Origin")) {
				next.ServeHTTP(w, r)
				return
			}
			protected.ServeHTTP(w, r)
		})
		credentials := shared
		if !allowed.none() {
			options := cors.Options{
				AllowOriginFunc: allowed.allow,
				AllowedMethods:  []string{http.MethodGet, http.MethodPost},
				AllowedHeaders:  []string{"*"}, // including Authorization
				ExposedHeaders:  exposedHeaders,
				MaxAge:          int(preflightTTL.Seconds()),
			}
			handler := shared
			shared = cors.New(options).Handler(handler)
			options.AllowCredentials = true
			credentials = cors.New(options).Handler(handler)
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			isPreflight := r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
			origin := r.Header.Get("Origin")
			switch {
			case (isPreflight || stream.IsUpgrade(r) && isForeign(r)) && !allowed.allow(origin):
				refuse.ServeHTTP(w, r)
			case p.Cookies != nil && allowed.isNamed(origin):
				credentials.ServeHTTP(w, r)
			default:
				shared.ServeHTTP(w, r)
			}
		})
	}
}

var protection = http.NewCrossOriginProtection()

// isForeign reports whether a page of another origin has sent the request, by whatever method: a
// page opens a WebSocket by GET.
func isForeign(r *http.Request) bool {
	unsafe := *r
	unsafe.Method = http.MethodPost
	return protection.Check(&unsafe) != nil
}

// refuseOrigin returns the handler for requests from pages of origins that are not allowed. It
// refuses them. In development, the answer and a line of the log name the setting that allows the
// origin, because the browser tells its page nothing.
func refuseOrigin(p Parts) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		if !p.Development || !isOrigin(origin) {
			origin = ""
		} else {
			p.Log.WarnContext(r.Context(), "a page of another origin was refused: CORS_ORIGINS="+origin+" lets it in")
		}
		graphqlhttp.RefuseOrigin(w, r, origin)
	})
}

// isOrigin reports whether a text is an origin as browsers write it, and shorter than 300 bytes.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && len(text) < 300 && u.User == nil && u.Host != "" &&
		(u.Scheme == "http" || u.Scheme == "https") && text == u.Scheme+"://"+u.Host
}
