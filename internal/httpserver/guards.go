package httpserver

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rs/cors"

	"forge/internal/graphqlhttp"
	"forge/internal/requestid"
)

// preflight is how long a browser remembers what it was allowed.
const preflight = 10 * time.Minute

// exposed are the headers of an answer that pages of other origins may read.
var exposed = []string{requestid.Header, "Retry-After", "Traceparent", "Www-Authenticate"}

// origins are those whose pages may use the API from a browser, beside the server's own.
type origins struct {
	named map[string]bool // in lower case, as browsers write them: "https://app.example.com"
	local bool            // and every page that this machine itself serves: "http://localhost:5173"
}

func newOrigins(named []string, local bool) origins {
	o := origins{named: map[string]bool{}, local: local}
	for _, origin := range named {
		o.named[strings.ToLower(origin)] = true
	}
	return o
}

// none reports whether no page of another origin may.
func (o origins) none() bool { return len(o.named) == 0 && !o.local }

// allow reports whether pages of an origin may, which is written as in the Origin header.
func (o origins) allow(origin string) bool {
	if o.named[strings.ToLower(origin)] {
		return true
	}
	host, found := strings.CutPrefix(origin, "http://")
	if !found {
		host, found = strings.CutPrefix(origin, "https://")
	}
	return found && o.local && isLocal(host)
}

// guarded lets pages of this server's own origin use the API from a browser, and those that are
// allowed. A POST that another page sends, and its question whether it may, is answered by refuse; a
// GET changes nothing, and such a page cannot read the answer. What no browser sent is let through.
//
// Credentials that a browser keeps, such as cookies, are not asked for: the API knows none.
func guarded(api http.Handler, allowed origins, refuse http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(refuse)
	protected := protection.Handler(api)
	var shared http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if allowed.allow(r.Header.Get("Origin")) {
			api.ServeHTTP(w, r)
			return
		}
		protected.ServeHTTP(w, r)
	})
	if !allowed.none() {
		shared = cors.New(cors.Options{
			AllowOriginFunc: allowed.allow,
			AllowedMethods:  []string{http.MethodGet, http.MethodPost},
			AllowedHeaders:  []string{"*"}, // a preflight is answered with the headers that it asks for, Authorization too
			ExposedHeaders:  exposed,
			MaxAge:          int(preflight.Seconds()),
		}).Handler(shared)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asks := r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
		if asks && !allowed.allow(r.Header.Get("Origin")) {
			refuse.ServeHTTP(w, r)
			return
		}
		shared.ServeHTTP(w, r)
	})
}

// refuseOrigin answers what a page of an origin that is not allowed has sent. In development the
// answer and a line of the log name the setting that allows it, as the browser tells its page nothing.
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

// isOrigin reports whether a text is an origin as browsers write it, and no longer than those are.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && len(text) < 300 && u.User == nil && u.Host != "" &&
		(u.Scheme == "http" || u.Scheme == "https") && text == u.Scheme+"://"+u.Host
}
