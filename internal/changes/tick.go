package changes

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"entgo.io/ent/dialect"
)

// tickLock is the key of the advisory lock that is held while a tick is taken.
const tickLock = 0x666f7267_65746963 // "forgetic"

// Channel is the channel of PostgreSQL on which the number of each new tick is sent.
const Channel = "forge_tick"

// Tick makes the changes of all transactions that have committed readable, if there are any. On
// SQLite, they are readable at once. Any server may call it at any time; it must not be called on a
// standby, whose snapshots do not show all running transactions.
//
// The lock is taken before the snapshot: of two ticks, the one with the higher number has seen all
// that the other has. If the transaction IDs are lower than those of the last tick, the database
// was copied into a new server, which counts anew. Then the log begins anew as well, and all
// positions are lost.
func (l *Log) Tick(ctx context.Context) error {
	if l.dialect == dialect.SQLite {
		return nil
	}
	conn, err := l.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("tick the log of changes: %w", err)
	}
	defer conn.Close()
	if _, err = conn.ExecContext(ctx, fmt.Sprintf(`BEGIN ISOLATION LEVEL READ COMMITTED;
SELECT pg_advisory_xact_lock(%[2]d);
WITH last AS (SELECT * FROM %[1]s_ticks ORDER BY id DESC LIMIT 1),
  now AS (SELECT s, pg_snapshot_xmax(s)::text::bigint < last.ended AS anew FROM pg_current_snapshot() s, last),
  swept AS (DELETE FROM %[1]s USING now WHERE anew),
  gone AS (DELETE FROM %[1]s_ticks USING now WHERE anew),
  made AS (INSERT INTO %[1]s_ticks SELECT last.id + 1, CASE WHEN anew THEN last.id + 1 ELSE last.origin END, %[3]s FROM last, now
    WHERE anew OR EXISTS (SELECT FROM %[1]s WHERE xid >= last.ended) OR EXISTS (SELECT FROM %[1]s WHERE xid = ANY (last.running)) RETURNING id)
SELECT pg_notify('%[4]s', id::text) FROM made;
COMMIT`, l.name, int64(tickLock), snapshotColumns("s"), Channel)); err != nil {
		return errors.Join(fmt.Errorf("tick the log of changes: %w", err), rollback(conn))
	}
	return nil
}

// rollback ends the transaction that a failed statement has left open. If that fails too, the
// connection is closed.
func rollback(conn *sql.Conn) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if _, err := conn.ExecContext(ctx, "ROLLBACK"); err == nil {
		return nil
	}
	return conn.Raw(func(any) error { return driver.ErrBadConn })
}

// sweepRows is how many changes one statement of Sweep removes at most.
const sweepRows = 10_000

// Sweep removes changes that are older than keep, and the oldest beyond most, but for the last. It
// returns how many it has removed. Positions from before them are expired then.
func (l *Log) Sweep(ctx context.Context, keep time.Duration, most int64) (removed int64, err error) {
	for {
		n, err := l.sweepSome(ctx, keep, most)
		removed += n
		if err != nil || n < sweepRows {
			return removed, err
		}
	}
}

func (l *Log) sweepSome(ctx context.Context, keep time.Duration, most int64) (int64, error) {
	if l.Turn != nil {
		done, err := l.Turn(ctx)
		if err != nil {
			return 0, fmt.Errorf("sweep the log of changes: %w", err)
		}
		defer done()
	}
	query := fmt.Sprintf(`DELETE FROM %[1]s WHERE seq IN (SELECT seq FROM %[1]s
  WHERE (at < unixepoch() - ?1 OR seq <= (SELECT max(seq) FROM %[1]s) - ?2) AND seq < (SELECT max(seq) FROM %[1]s) ORDER BY seq LIMIT %[2]d)`, l.name, sweepRows)
	if l.dialect != dialect.SQLite {
		// Ticks go first, and for good: whoever then reads from one of them gets ErrExpired.
		if _, err := l.db.ExecContext(ctx, fmt.Sprintf(`DELETE FROM %[1]s_ticks WHERE id IN (SELECT id FROM %[1]s_ticks WHERE id < (SELECT max(id) FROM %[1]s_ticks)
  AND (at < now() - make_interval(secs => $1) OR ended <= (SELECT xid FROM %[1]s ORDER BY xid DESC, seq DESC OFFSET $2 LIMIT 1)) FOR UPDATE SKIP LOCKED)`, l.name), keep.Seconds(), most); err != nil {
			return 0, fmt.Errorf("sweep the log of changes: %w", err)
		}
		query = fmt.Sprintf(`WITH first AS (SELECT ended, running FROM %[1]s_ticks ORDER BY id LIMIT 1)
DELETE FROM %[1]s WHERE (xid, seq) IN (SELECT xid, c.seq FROM %[1]s c, first WHERE xid < ended AND xid <> ALL (running) ORDER BY xid, c.seq LIMIT %[2]d FOR UPDATE OF c SKIP LOCKED)`, l.name, sweepRows)
	}
	args := []any{int64(keep / time.Second), most}
	if l.dialect != dialect.SQLite {
		args = nil
	}
	result, err := l.db.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, fmt.Errorf("sweep the log of changes: %w", err)
	}
	return result.RowsAffected()
}
