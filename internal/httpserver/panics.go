package httpserver

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"

	"forge/internal/telemetry"
)

// contained logs a panic of next, and has the connection closed. net/http would do the same, and log the panic's value, in which there may be
// something that was sent.
func contained(next http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			value := recover()
			if value == nil {
				return
			}
			if err, ok := value.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				log.ErrorContext(r.Context(), "panic", "panic", telemetry.Panic(value), "stack", string(debug.Stack()),
					"requestId", telemetry.RequestID(r.Context()))
			}
			panic(http.ErrAbortHandler)
		}()
		next.ServeHTTP(w, r)
	})
}
