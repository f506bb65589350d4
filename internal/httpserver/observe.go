package httpserver

import (
	"log/slog"
	"net/http"
	"time"

	"forge/internal/metrics"
	"forge/internal/requestid"
)

// observe measures each request and writes a line about it. What the client asked for, and with which values, is not in
// it.
func observe(next http.Handler, m *metrics.Metrics, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, answer, panicked := time.Now(), &answer{ResponseWriter: w}, true
		defer func() {
			took := time.Since(start)
			if panicked {
				answer.code = http.StatusInternalServerError // net/http closes the connection and logs why
			}
			m.Request(route(r), answer.status(), took)
			log.InfoContext(r.Context(), "request", "method", r.Method, "path", r.URL.Path, "status", answer.status(),
				"durationMs", float64(took.Microseconds())/1000, "requestId", requestid.FromContext(r.Context()))
		}()
		next.ServeHTTP(answer, r)
		panicked = false
	})
}

// route returns the pattern that the request matched, so that clients cannot make up new ones.
func route(r *http.Request) string {
	if r.Pattern == "" {
		return "none"
	}
	return r.Pattern
}

// answer remembers the status that was sent.
type answer struct {
	http.ResponseWriter
	code int
}

func (a *answer) WriteHeader(code int) {
	// What is below 200 announces the answer; 101 is one.
	if a.code == 0 && (code >= 200 || code == http.StatusSwitchingProtocols) {
		a.code = code
	}
	a.ResponseWriter.WriteHeader(code)
}

func (a *answer) Write(b []byte) (int, error) {
	if a.code == 0 {
		a.code = http.StatusOK
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// status returns what the client got: 200 if the handler said nothing.
func (a *answer) status() int {
	if a.code == 0 {
		return http.StatusOK
	}
	return a.code
}
