package database

import (
	"context"

	"forge/internal/database/pgwire"
)

// WithTimeouts returns opt with other timeouts of the network connection.
func WithTimeouts(opt Options, timeouts pgwire.Timeouts) Options {
	opt.timeouts = timeouts
	return opt
}

// What a connection keeps.
const (
	PreparedStatements = preparedStatements
	PreparedBytes      = preparedBytes
)

// Lose does what happens when the connections of a pool have become unusable.
func Lose(db *DB) { db.connectionsLost() }

// ShortenLog does once what KeepLogShort does again and again.
func (db *DB) ShortenLog(ctx context.Context) error { return db.shortenLog(ctx) }
