package httpserver

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// drainTime is how long requests in flight may take once the server was told to end.
const drainTime = 30 * time.Second

// Connection bounds what a connection may send, and how long each part of that may take, as the fields of http.Server do.
type Connection struct {
	MaxHeaderBytes    int
	ReadHeaderTimeout time.Duration
	ReadTimeout       time.Duration // of a request, headers and body
	WriteTimeout      time.Duration // from a request's headers to the end of its answer
	StallTimeout      time.Duration // for each 8 KiB of an answer that its client reads
	IdleTimeout       time.Duration // until the next request
}

// Serve answers requests on l until ctx ends, and for the delay after that, so that whoever sends them can notice. Then it takes
// no new ones, and returns nil when those in flight are answered, or were cut off after 30 seconds. The contexts of requests have the values of
// ctx, such as a viewer.
func Serve(ctx context.Context, l net.Listener, handler http.Handler, limits Connection, log *slog.Logger, delay time.Duration) error {
	return serve(ctx, l, handler, limits, log, delay, drainTime)
}

func serve(ctx context.Context, l net.Listener, handler http.Handler, limits Connection, log *slog.Logger, delay, drain time.Duration) error {
	var leaving atomic.Bool
	srv := &http.Server{
		Handler:           lastAnswers(handler, &leaving),
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
	go func() { ended <- srv.Serve(gathering{l, limits.StallTimeout}) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	leaving.Store(true)
	if delay > 0 {
		log.Info("not ready any more, and answering until others have noticed", "delay", delay.String())
		select {
		case err := <-ended:
			return err
		case <-time.After(delay):
		}
	}
	log.Info("finishing what is in flight")
	lastConnections(l)
	_ = l.Close()
	<-ended // what was accepted is known to the server from here on, and Shutdown waits for it
	finishing, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	err := srv.Shutdown(finishing)
	if errors.Is(err, context.DeadlineExceeded) {
		log.Warn("requests were cut off", "after", drain)
		err = srv.Close()
	}
	return err
}

// lastAnswers has each answer of a server that is leaving be the last one on its connection. A connection that is closed in this way
// cannot cross a request that is on its way; one that is closed while it is idle can.
func lastAnswers(next http.Handler, leaving *atomic.Bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if leaving.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
