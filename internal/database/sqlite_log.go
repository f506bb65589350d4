package database

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// SQLite writes changes to a log first, the file whose name ends in -wal, and starts the log anew
// once all of it is in the database and nobody reads from it. While there are always readers, that
// moment never comes, and the log grows for ever. So KeepLogShort makes the moment come: it lets no
// writer begin until the readers of the log have ended. New readers read the database itself.

const (
	// keptLog is the size to which SQLite cuts the log when it starts it anew.
	keptLog = 4 << 20
	// longLog is the size from which the log is cut although there are writers.
	longLog = 16 << 20
	// tooLongLog is the size from which the writers wait longer for readers.
	tooLongLog = 32 << 20

	logInterval = 500 * time.Millisecond // how often the log is looked at
	logIdle     = 5 * time.Second        // after this time without a change the log is emptied
	// These are how long the writers wait for readers at a time.
	shortLogWait, longLogWait = 50 * time.Millisecond, 1500 * time.Millisecond
)

// KeepLogShort empties the log of a SQLite database until ctx ends: when nobody writes, and when
// the log has become long. It does nothing for other databases, and none that is read-only.
func (db *DB) KeepLogShort(ctx context.Context, log *slog.Logger) {
	if db.file == nil || db.readOnly {
		return
	}
	tick := time.NewTicker(logInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := db.shortenLog(ctx); err != nil && ctx.Err() == nil {
			log.DebugContext(ctx, "the log of the database was not emptied, trying again", "error", RedactError(err))
		}
	}
}

// shortenLog empties the log if it is time to.
func (db *DB) shortenLog(ctx context.Context) error {
	used := db.file.used.Load()
	if used == nil {
		return nil
	}
	info := stat(used.path + "-wal")
	switch {
	case info == nil || info.Size() == 0:
		return nil
	case info.Size() >= tooLongLog:
		return db.emptyLog(ctx, longLogWait)
	case info.Size() >= longLog || time.Since(info.ModTime()) >= logIdle:
		return db.emptyLog(ctx, shortLogWait)
	}
	return nil
}

// emptyLog copies the log into the database, and empties it. Meanwhile nobody writes. It leaves the
// log as long as it is if others still read from it after a time.
func (db *DB) emptyLog(ctx context.Context, wait time.Duration) error {
	done, err := db.AwaitTurn(ctx)
	if err != nil {
		return err
	}
	defer done()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	const waitFor = "PRAGMA busy_timeout = "
	if _, err := conn.ExecContext(ctx, waitFor+milliseconds(wait)); err != nil {
		return err
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), waitFor+milliseconds(busyTimeout))
	var busy, pages, copied int
	if err := conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &copied); err != nil {
		return err
	}
	if busy != 0 {
		return fmt.Errorf("others read from the log or write; %d of its %d pages are in the database", copied, pages)
	}
	return nil
}
