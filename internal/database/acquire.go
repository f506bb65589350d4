package database

import (
	"context"
	"database/sql"
	"time"

	"forge/internal/fault"
	"forge/internal/telemetry"
)

// Conn is a connection that was taken out of the pool. Close gives it back, and is called once.
type Conn struct {
	*sql.Conn
	places chan struct{}
}

// Close gives the connection back.
func (c Conn) Close() error {
	err := c.Conn.Close()
	<-c.places
	return err
}

// Acquire takes a connection out of the pool, waiting for the pool timeout at most. Give it back with Close.
func (db *DB) Acquire(ctx context.Context) (Conn, error) {
	start := time.Now()
	conn, err := db.acquire(ctx)
	if db.Waited != nil {
		db.Waited(time.Since(start))
	}
	return conn, err
}

func (db *DB) acquire(ctx context.Context) (Conn, error) {
	if err := db.enter(ctx); err != nil {
		return Conn{}, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		<-db.places
		if ctx.Err() == nil {
			err = unavailable(err)
		}
		return Conn{}, err
	}
	return Conn{conn, db.places}, nil
}

// enter waits until fewer connections are acquired than there may be. The pool could be asked to wait as well, but only with a context that has a
// timer, and nearly always there is nothing to wait for.
func (db *DB) enter(ctx context.Context) error {
	select {
	case db.places <- struct{}{}:
		return nil
	default:
	}
	late := time.NewTimer(db.Options.PoolTimeout)
	defer late.Stop()
	select {
	case db.places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-late.C:
		telemetry.FromContext(ctx).Refuse(telemetry.PoolTimeout)
		return &fault.Error{Code: fault.Unavailable, Message: "all connections to the database are in use; try again", Cause: errPoolTimeout}
	}
}
