package tracing

import (
	"context"
	"log/slog"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
)

// redirectLog makes OpenTelemetry write its own messages to log. By default OpenTelemetry prints
// them as plain text to standard error.
func redirectLog(log *slog.Logger) {
	otel.SetLogger(logr.FromSlogHandler(libraryHandler{log}))
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("OpenTelemetry reports an error", "error", err) }))
}

// libraryHandler logs the messages of OpenTelemetry. Most of them are about an environment variable
// that OpenTelemetry cannot read. Their attributes contain the variable's value, which may be a
// secret. So only the attribute with the name of a file is logged.
type libraryHandler struct{ log *slog.Logger }

// Enabled reports whether a message is a warning or worse. OpenTelemetry gives these the level -1
// or higher: https://pkg.go.dev/go.opentelemetry.io/otel#SetLogger.
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

// WithAttrs returns the same handler, because attributes are not logged.
func (l libraryHandler) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup returns the same handler, because groups are not logged.
func (l libraryHandler) WithGroup(string) slog.Handler { return l }
