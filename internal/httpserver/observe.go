package httpserver

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"forge/internal/metrics"
	"forge/internal/requestid"
	"forge/internal/telemetry"
)

// observer gives each request its ID and a record, and tells what it holds once the request is answered: in a line of the log, in metrics, and
// in another line if an operation was slow. What the client asked for, and with which values, is in none of them.
type observer struct {
	next    http.Handler
	metrics *metrics.Metrics
	log     *slog.Logger
	slow    time.Duration     // 0: nothing is slow
	tracer  *telemetry.Tracer // nil: nothing is traced
}

func (o *observer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start, answer, panicked := time.Now(), &answer{ResponseWriter: w}, true
	id := requestid.Of(r)
	w.Header()[requestid.Header] = []string{id}
	ctx, record := telemetry.NewContext(r.Context(), id)
	if o.tracer != nil && r.URL.Path == apiPath {
		ctx = o.tracer.Start(ctx, record, r, w.Header())
	}
	r = r.WithContext(ctx)
	o.metrics.Begin()
	defer func() {
		took := time.Since(start)
		if panicked {
			answer.code = http.StatusInternalServerError // net/http closes the connection and logs why
		}
		o.metrics.End(route(r), answer.status(), took, record)
		record.End(route(r), record.RequestID, r.Method, answer.status())
		o.line(r, answer.status(), took, record)
		if o.slow > 0 && took >= o.slow && record.Operation != nil {
			o.slowOperation(ctx, took, record)
		}
	}()
	o.next.ServeHTTP(answer, r)
	panicked = false
}

// line logs the request. The handler is called directly: slog would look up the caller's place in the code for each line.
func (o *observer) line(r *http.Request, status int, took time.Duration, record *telemetry.Record) {
	ctx, handler := r.Context(), o.log.Handler()
	if !handler.Enabled(ctx, slog.LevelInfo) {
		return
	}
	var space [16]slog.Attr
	attrs := append(space[:0],
		slog.String("method", toldMethod(r)),
		slog.String("path", toldPath(r)),
		slog.Int("status", status),
		slog.Float64("durationMs", telemetry.Millis(took)),
		slog.String("requestId", record.RequestID))
	line := slog.NewRecord(time.Now(), slog.LevelInfo, "request", 0)
	line.AddAttrs(operation(attrs, record)...)
	_ = handler.Handle(ctx, line) // there is nowhere to report it
}

// operation appends what is told of a GraphQL request.
func operation(attrs []slog.Attr, record *telemetry.Record) []slog.Attr {
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

// slowOperation logs what an operation that took long did in the database.
func (o *observer) slowOperation(ctx context.Context, took time.Duration, record *telemetry.Record) {
	attrs := append(make([]slog.Attr, 0, 12), slog.Float64("durationMs", telemetry.Millis(took)), slog.String("requestId", record.RequestID))
	attrs = append(operation(attrs, record), slog.Any("shapes", record.Shapes()))
	o.log.LogAttrs(ctx, slog.LevelWarn, "slow operation", attrs...)
}

// route returns the pattern that the request matched, so that clients cannot make up new ones.
func route(r *http.Request) string {
	if r.Pattern == "" {
		return "none"
	}
	return r.Pattern
}
