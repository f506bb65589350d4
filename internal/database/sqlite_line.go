package database

import (
	"context"
)

// SQLite has one writer at a time. Connections that wait for it look again at growing intervals,
// and whoever looks at the right moment is next: 16 writers that waited in this way took 10 times
// as long for their slowest orders as one after the other. So the writers of this process stand in
// a line before they begin. Other processes still wait in SQLite's way.

// AwaitTurn waits until no other writer of this process writes to a SQLite file. The caller has no
// connection while it waits, because the writer before it may need that connection. It then calls
// done, once, when it has written. On other databases AwaitTurn returns at once. If the turn does
// not come within the pool timeout, AwaitTurn returns an *apperr.Error with the code UNAVAILABLE.
func (db *DB) AwaitTurn(ctx context.Context) (done func(), err error) {
	if db.file == nil {
		return func() {}, nil
	}
	line := db.file.writers // holds one element while somebody writes; Go serves those who wait in order
	if err := db.enter(ctx, line, "too many changes wait to be stored; try again"); err != nil {
		return nil, err
	}
	return func() { <-line }, nil
}
