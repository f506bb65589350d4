package tracing

import (
	"context"
	"log/slog"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
)

// listen has OpenTelemetry's own messages, which it would print on standard error as plain text, logged as everything else is.
func listen(log *slog.Logger) {
	otel.SetLogger(logr.FromSlogHandler(library{log}))
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("OpenTelemetry reports an error", "error", err) }))
}

// library takes the messages that OpenTelemetry has for those who run it: a variable that it cannot read, as a rule. What comes along
// repeats the value, which may be the key of a collector, and is not logged; only the name of a file is.
type library struct{ log *slog.Logger }

// Enabled leaves out all below what the library calls a warning: https://pkg.go.dev/go.opentelemetry.io/otel#SetLogger.
func (l library) Enabled(_ context.Context, level slog.Level) bool { return level >= -1 }

func (l library) Handle(ctx context.Context, record slog.Record) error {
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

func (l library) WithAttrs([]slog.Attr) slog.Handler { return l }
func (l library) WithGroup(string) slog.Handler      { return l }
