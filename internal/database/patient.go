package database

import (
	"context"
	"database/sql/driver"
	"time"
)

// patient opens SQLite connections, and tries again while others are in the way. SQLite waits for locks by itself, but not for the one that
// turns a file to WAL, nor for others that the last connection takes as it closes: these fail at once.
type patient struct{ driver.Connector }

// Connect opens a connection.
func (p patient) Connect(ctx context.Context) (driver.Conn, error) {
	const pause = 5 * time.Millisecond
	for start := time.Now(); ; {
		conn, err := p.Connector.Connect(ctx)
		if err == nil || !Transient(err) || time.Since(start) > busyTimeout {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}
