package httpserver

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"

	"forge/internal/metrics"
	"forge/internal/telemetry"
)

// observer gives each request an ID and a record. When the request is answered, it writes the
// record to the log and the metrics. If the operation was slow, it also logs the statements. The
// text of the operation and its values are in none of these. A panic counts as status 500.
type observer struct {
	next    http.Handler
	metrics *metrics.Metrics
	log     *slog.Logger
	slow    time.Duration     // 0: no operation is slow
	tracer  *telemetry.Tracer // nil: nothing is traced
}

// observe returns the middleware that logs, counts and traces requests.
func observe(p Parts) middleware {
	return func(next http.Handler) http.Handler {
		return &observer{next: next, metrics: p.Metrics, log: p.Log, slow: p.Slow, tracer: p.Tracer}
	}
}

// ServeHTTP has the next handler answer the request. If that handler panics, ServeHTTP logs the
// panic and closes the connection. net/http would do the same, but would log the value of the
// panic, which may contain something that the client sent.
func (o *observer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start, sent, id := time.Now(), &statusWriter{ResponseWriter: w}, requestID(r)
	w.Header()[requestIDHeader] = []string{id}
	o.metrics.InFlight.Add(1)
	ctx, record := telemetry.NewContext(r.Context(), id)
	if o.tracer != nil && r.URL.Path == apiPath {
		ctx = o.tracer.Start(ctx, record, r, w.Header())
	}
	r = r.WithContext(ctx)
	defer func() {
		took, panicked := time.Since(start), recover()
		if panicked != nil {
			sent.code = http.StatusInternalServerError
			o.logPanic(ctx, panicked, id)
		}
		if o.tracer != nil {
			record.End(route(r), id, r.Method, sent.status())
		}
		if !record.Stream {
			o.logRequest(r, sent.status(), took, record)
		}
		if o.slow > 0 && took >= o.slow && record.Operation != nil {
			o.logSlow(ctx, took, record)
		}
		o.metrics.InFlight.Add(-1)
		o.metrics.Count(route(r), sent.status(), took, record)
		if panicked != nil {
			panic(http.ErrAbortHandler)
		}
	}()
	o.next.ServeHTTP(sent, r)
}

// logPanic logs a panic, unless it is http.ErrAbortHandler, with which a handler ends the
// connection.
func (o *observer) logPanic(ctx context.Context, panicked any, id string) {
	if err, ok := panicked.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		return
	}
	o.log.ErrorContext(ctx, "panic", "panic", telemetry.Panic(panicked), "stack", string(debug.Stack()), "requestId", id)
}

// logRequest logs the request. It calls the log's handler directly, because slog would look up the
// caller's place in the code for each line.
func (o *observer) logRequest(r *http.Request, status int, took time.Duration, record *telemetry.Record) {
	ctx, handler := r.Context(), o.log.Handler()
	if !handler.Enabled(ctx, slog.LevelInfo) {
		return
	}
	var space [16]slog.Attr
	attrs := append(space[:0],
		slog.String("method", loggedMethod(r)),
		slog.String("path", loggedPath(r)),
		slog.Int("status", status),
		slog.Float64("durationMs", telemetry.Millis(took)),
		slog.String("requestId", record.RequestID))
	line := slog.NewRecord(time.Now(), slog.LevelInfo, "request", 0)
	line.AddAttrs(appendOperation(attrs, record)...)
	_ = handler.Handle(ctx, line) // there is nowhere to report an error of the log
}

// appendOperation appends the attributes that only GraphQL requests have.
func appendOperation(attrs []slog.Attr, record *telemetry.Record) []slog.Attr {
	if op := record.Operation; op != nil {
		attrs = append(attrs, slog.String("operation", op.Name), slog.String("kind", op.Kind))
	}
	if hash := record.ShortHash(); hash != "" {
		attrs = append(attrs, slog.String("hash", hash))
	}
	if record.Attempts > 0 {
		statements, took := record.Database()
		attrs = append(attrs, slog.Int("statements", statements), slog.Float64("databaseMs", telemetry.Millis(took)))
	}
	if record.Attempts > 1 {
		attrs = append(attrs, slog.Int("attempts", record.Attempts))
	}
	if record.Code != "" {
		attrs = append(attrs, slog.String("code", record.Code))
	}
	if record.Refused != "" {
		attrs = append(attrs, slog.String("refused", string(record.Refused)))
	}
	if id := record.TraceID(); id != "" {
		attrs = append(attrs, slog.String("traceId", id))
	}
	return attrs
}

// logSlow logs a slow operation with its statements.
func (o *observer) logSlow(ctx context.Context, took time.Duration, record *telemetry.Record) {
	attrs := append(make([]slog.Attr, 0, 12),
		slog.Float64("durationMs", telemetry.Millis(took)), slog.String("requestId", record.RequestID))
	attrs = append(appendOperation(attrs, record), slog.Any("shapes", record.Shapes()))
	o.log.LogAttrs(ctx, slog.LevelWarn, "slow operation", attrs...)
}

// route returns the pattern of the route that the request matched, or "none". It never returns a
// path that the client chose, because each value becomes a series of the metrics.
func route(r *http.Request) string {
	if r.Pattern == "" {
		return "none"
	}
	return r.Pattern
}

// loggedPath returns the path of a request if it is one of the server's, and "/…" otherwise. Other
// paths are not logged, because people paste secrets into URLs.
func loggedPath(r *http.Request) string {
	switch r.URL.Path {
	case "/", "/graphql", "/healthz", "/readyz", "/metrics":
		return r.URL.Path
	}
	_, path, found := strings.Cut(r.Pattern, " ")
	if found && (strings.HasPrefix(path, authPath) || strings.HasPrefix(path, filesPath)) {
		return path
	}
	return "/…"
}

// loggedMethod returns the method of a request if HTTP defines it, and "…" otherwise.
func loggedMethod(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodOptions, http.MethodConnect, http.MethodTrace:
		return r.Method
	}
	return "…"
}

// requestIDHeader is the header with the ID of a request. A request has it if the sender or a proxy
// chose an ID. Every answer has it.
const requestIDHeader = "X-Request-Id"

// requestID returns the ID that the sender or a proxy chose for the request. If there is none, or
// it cannot be used, requestID returns a new one.
func requestID(r *http.Request) string {
	if id := r.Header.Get(requestIDHeader); isRequestID(id) {
		return id
	}
	return uuid.NewString()
}

// isRequestID reports whether an ID is short and printable. Other IDs could fill the log, or forge
// lines in it.
func isRequestID(id string) bool {
	if id == "" || len(id) > 128 {
		return false
	}
	for _, c := range []byte(id) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

// statusWriter remembers the status of the answer.
type statusWriter struct {
	http.ResponseWriter
	code int
}

// WriteHeader sends the status, and remembers it if it is final. A status below 200 is not final,
// except for 101.
func (w *statusWriter) WriteHeader(code int) {
	if w.code == 0 && (code >= 200 || code == http.StatusSwitchingProtocols) {
		w.code = code
	}
	w.ResponseWriter.WriteHeader(code)
}

func (w *statusWriter) Write(b []byte) (int, error) {
	if w.code == 0 {
		w.code = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Flush sends what was written so far. The middleware that compresses looks for an http.Flusher,
// and does not call Unwrap.
func (w *statusWriter) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// status returns the status that was sent. It is 200 if the handler has set none.
func (w *statusWriter) status() int {
	if w.code == 0 {
		return http.StatusOK
	}
	return w.code
}
