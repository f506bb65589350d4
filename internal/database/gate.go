package database

import (
	"context"
	"database/sql/driver"
	"sync"
	"time"
)

// gate opens connections. After a failure, one goroutine at a time tries, at most each gatePause,
// and all others wait for its result: a server that is away, or comes back, is not asked by each
// request. After a success, everybody opens connections at once again.
type gate struct {
	driver.Connector
	mu     sync.Mutex
	failed time.Time    // when the last attempt failed; zero if it succeeded
	trying *dialAttempt // the attempt that others wait for; nil if there is none
}

// gatePause is the shortest time from a failure to connect to the next attempt.
const gatePause = 50 * time.Millisecond

// dialAttempt is one attempt to connect. err may be read after done is closed.
type dialAttempt struct {
	done      chan struct{}
	err       error
	abandoned bool // because of the caller's own context
}

// Connect opens a connection, or returns the error of the attempt that it waited for.
func (g *gate) Connect(ctx context.Context) (driver.Conn, error) {
	for {
		attempt, mine, pause := g.enter()
		if attempt == nil {
			conn, err := g.open(ctx)
			g.leave(ctx, nil, err)
			return conn, err
		}
		if mine {
			conn, err := g.try(ctx, pause)
			g.leave(ctx, attempt, err)
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-attempt.done:
		}
		if attempt.err != nil && !attempt.abandoned {
			return nil, attempt.err
		}
	}
}

// enter returns nil if the caller may connect at once. Otherwise it returns the attempt to wait
// for, or the caller's own, which begins after a pause.
func (g *gate) enter() (attempt *dialAttempt, mine bool, pause time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.failed.IsZero() {
		return nil, false, 0
	}
	if g.trying != nil {
		return g.trying, false, 0
	}
	g.trying = &dialAttempt{done: make(chan struct{})}
	return g.trying, true, gatePause - time.Since(g.failed)
}

func (g *gate) try(ctx context.Context, pause time.Duration) (driver.Conn, error) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		return g.open(ctx)
	}
}

func (g *gate) open(ctx context.Context) (driver.Conn, error) {
	conn, err := g.Connector.Connect(ctx)
	if err != nil {
		return nil, connectError{err}
	}
	return conn, nil
}

// leave records the result of connecting. An attempt that was abandoned says nothing about the
// server.
func (g *gate) leave(ctx context.Context, attempt *dialAttempt, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	abandoned := err != nil && ctx.Err() != nil
	switch {
	case err == nil:
		g.failed = time.Time{}
	case !abandoned:
		g.failed = time.Now()
	}
	if attempt != nil {
		attempt.err, attempt.abandoned = err, abandoned
		g.trying = nil
		close(attempt.done)
	}
}
