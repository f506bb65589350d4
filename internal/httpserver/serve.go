package httpserver

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"forge/internal/stream"
)

// drainTime is how long running requests may take when the server ends.
const drainTime = 30 * time.Second

// Connection limits what is sent on a connection, and how long its parts may take. Most fields are
// like those of http.Server.
type Connection struct {
	MaxHeaderBytes    int
	ReadHeaderTimeout time.Duration
	ReadTimeout       time.Duration // of a request, headers and body
	WriteTimeout      time.Duration // from a request's headers to the end of its answer
	StallTimeout      time.Duration // for each 8 KiB of an answer that the client reads
	IdleTimeout       time.Duration // until the next request
}

// Serve answers requests on l until ctx ends. It goes on for the delay, so that load balancers can
// notice. Meanwhile it ends the streams, which may be nil. Then it accepts no new requests, and
// returns nil when the running ones are answered, or were cut off after 30 seconds. The contexts of
// requests have the values of ctx, such as a viewer. Serve returns an error if it cannot accept
// connections.
func Serve(ctx context.Context, l net.Listener, handler http.Handler, streams *stream.Server, limits Connection, log *slog.Logger, delay time.Duration) error {
	return serve(ctx, l, handler, streams, limits, log, delay, drainTime)
}

// serve is Serve with drain in the place of drainTime.
func serve(ctx context.Context, l net.Listener, handler http.Handler, streams *stream.Server, limits Connection, log *slog.Logger, delay, drain time.Duration) error {
	var ending atomic.Bool
	srv := &http.Server{
		Handler:           closeAfterAnswers(handler, &ending),
		ReadHeaderTimeout: limits.ReadHeaderTimeout,
		ReadTimeout:       limits.ReadTimeout,
		WriteTimeout:      limits.WriteTimeout,
		IdleTimeout:       limits.IdleTimeout,
		MaxHeaderBytes:    limits.MaxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
		ConnContext:       withConn,
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(listener{l, limits.StallTimeout}) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	ending.Store(true)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		streams.Drain(delay)
	}()
	if delay > 0 {
		log.Info("shutting down, still answering until load balancers have noticed", "delay", delay.String())
		select {
		case err := <-ended:
			return err
		case <-time.After(delay):
		}
	}
	log.Info("finishing requests in flight")
	acceptLast(l)
	_ = l.Close()
	<-ended // now the server knows all accepted connections, and Shutdown waits for them
	finishing, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	err := srv.Shutdown(finishing)
	select { // Shutdown does not know WebSockets
	case <-drained:
	case <-finishing.Done():
	}
	if errors.Is(err, context.DeadlineExceeded) {
		log.Warn("requests were cut off", "after", drain)
		err = srv.Close()
	}
	return err
}

// closeAfterAnswers returns a handler that announces in each answer that the connection closes,
// after ending was set. So the client knows not to send another request on it. If the server closed
// idle connections by itself, a request could be on its way at the same time.
func closeAfterAnswers(next http.Handler, ending *atomic.Bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ending.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
