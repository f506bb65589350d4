package tracing

import (
	"context"
	"log/slog"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
)

// redirectLog writes OpenTelemetry's own messages to the log. By itself it would print them on
// standard error as plain text.
func redirectLog(log *slog.Logger) {
	otel.SetLogger(logr.FromSlogHandler(libraryHandler{log}))
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("OpenTelemetry reports an error", "error", err) }))
}

// libraryHandler logs the messages of OpenTelemetry, most of which are about a variable that it
// cannot read. Their attributes repeat the value, which may be the key of a collector, so only the
// name of a file is logged.
type libraryHandler struct{ log *slog.Logger }

// Enabled reports whether the library calls a level a warning or worse:
// https://pkg.go.dev/go.opentelemetry.io/otel#SetLogger.
func (l libraryHandler) Enabled(_ context.Context, level slog.Level) bool { return level >= -1 }

// Handle logs a message.
func (l libraryHandler) Handle(ctx context.Context, record slog.Record) error {
	about := []any{"about", record.Message}
	record.Attrs(func(a slog.Attr) bool {
		if a.Key == "file" {
			about = append(about, a)
		}
		return true
	})
	l.log.WarnContext(ctx, "OpenTelemetry does not understand one of its variables, OTEL_…, and goes on without", about...)
	return nil
}

// WithAttrs returns the same handler: attributes are not logged.
func (l libraryHandler) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup returns the same handler.
func (l libraryHandler) WithGroup(string) slog.Handler { return l }
