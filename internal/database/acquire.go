package database

import (
	"context"
	"database/sql"
	"time"

	"entgo.io/ent/dialect"

	"forge/internal/apperr"
	"forge/internal/telemetry"
)

// Conn is a connection that was taken out of the pool. Close gives it back, and is called once.
type Conn struct {
	*sql.Conn
	places chan struct{}
	commit time.Duration // may take so long; 0 for no limit
}

// Commit commits the connection's transaction. It does not depend on ctx: a commit that was begun
// may be carried out whatever becomes of its request. An error that is Unanswered leaves open
// whether it was; after any other nothing is stored.
func (c Conn) Commit(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	if c.commit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.commit)
		defer cancel()
	}
	_, err := c.ExecContext(ctx, "COMMIT")
	return err
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
	c := Conn{Conn: conn, places: db.places}
	if db.Dialect == dialect.Postgres {
		c.commit = db.Options.CommitTimeout // SQLite's waits for nobody but the disk
	}
	return c, nil
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
		return &apperr.Error{Code: apperr.CodeUnavailable, Message: "all connections to the database are in use; try again", Cause: errPoolTimeout}
	}
}
