package httpserver

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// drainTime is how long requests in flight may take once the server was told to end.
const drainTime = 30 * time.Second

// Serve answers requests on l until ctx ends. Then it takes no new ones, and returns nil when those in flight are
// answered, or were cut off after 30 seconds.
func Serve(ctx context.Context, l net.Listener, handler http.Handler, log *slog.Logger) error {
	return serve(ctx, l, handler, log, drainTime)
}

func serve(ctx context.Context, l net.Listener, handler http.Handler, log *slog.Logger, drain time.Duration) error {
	srv := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      5 * time.Minute, // for clients that read slowly; an operation ends much sooner
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	log.Info("finishing what is in flight")
	finishing, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	err := srv.Shutdown(finishing)
	if errors.Is(err, context.DeadlineExceeded) {
		log.Warn("requests were cut off", "after", drain)
		err = srv.Close()
	}
	return err
}
