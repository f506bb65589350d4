package httpserver

import (
	"net/http"
	"time"

	"github.com/rs/cors"

	"forge/internal/graphqlhttp"
	"forge/internal/requestid"
)

// preflight is how long a browser remembers what it was allowed.
const preflight = 10 * time.Minute

// exposed are the headers of an answer that pages of other origins may read.
var exposed = []string{requestid.Header, "Retry-After", "Traceparent", "Www-Authenticate"}

// guarded lets pages of this server's own origin use the API from a browser, and those of the origins that are named, as browsers write
// them: "https://app.example.com". A POST that a page of another one sends is refused; a GET changes nothing, and such a page cannot read
// the answer. What no browser sent is let through.
//
// Credentials that a browser keeps, such as cookies, are not asked for: the API knows none.
func guarded(api http.Handler, origins []string) (http.Handler, error) {
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(graphqlhttp.RefuseOrigin))
	for _, origin := range origins {
		if err := protection.AddTrustedOrigin(origin); err != nil {
			return nil, err
		}
	}
	api = protection.Handler(api)
	if len(origins) == 0 {
		return api, nil
	}
	return cors.New(cors.Options{
		AllowedOrigins: origins,
		AllowedMethods: []string{http.MethodGet, http.MethodPost},
		AllowedHeaders: []string{"*"}, // a preflight is answered with the headers that it asks for, Authorization too
		ExposedHeaders: exposed,
		MaxAge:         int(preflight.Seconds()),
	}).Handler(api), nil
}
