package shared

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"forge/internal/database"
)

// Documents keeps the documents that clients name by their hashes, for all servers of a database.
type Documents struct {
	db        *database.DB
	table     string
	rows      int
	bytes     int
	outage    outage
	added     atomic.Int64 // documents since the last sweep
	addedSize atomic.Int64
	sweeping  atomic.Bool
}

const (
	// largestDocument is the size of a document that is kept, in bytes.
	largestDocument = 64 << 10
	// rowBytes is about what a row takes beside its document.
	rowBytes = 100
)

// NewDocuments returns the documents of a database on PostgreSQL. The table has about rows
// documents with bytes bytes at most.
func NewDocuments(db *database.DB, rows, bytes int, log *slog.Logger) *Documents {
	return &Documents{db: db, table: documents().Name, rows: rows, bytes: bytes,
		outage: outage{log: log, what: "persisted documents are known to this server alone"}}
}

// Get returns the document with a hash of hexadecimal digits. It returns false if there is none, or
// if the database cannot be asked.
func (d *Documents) Get(ctx context.Context, hash string) (document string, ok bool) {
	key, err := hex.DecodeString(hash)
	if err != nil {
		return "", false
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var old bool
	err = d.db.QueryRowContext(ctx, "SELECT document, used_at < now() - interval '1 hour' FROM "+d.table+" WHERE hash = $1", key).Scan(&document, &old)
	if errors.Is(err, sql.ErrNoRows) || errors.Is(err, context.Canceled) {
		return "", false
	}
	if d.outage.note(ctx, err) != nil {
		return "", false
	}
	if old { // it is kept for longer; on a standby it is not
		_, _ = d.db.ExecContext(ctx, "UPDATE "+d.table+" SET used_at = now() WHERE hash = $1", key)
	}
	return document, true
}

// Put keeps a document under its hash. If the database cannot store it, nothing happens.
func (d *Documents) Put(ctx context.Context, hash, document string) {
	key, err := hex.DecodeString(hash)
	if err != nil || len(document) > largestDocument {
		return
	}
	ctx, cancel := within(ctx)
	defer cancel()
	result, err := d.db.ExecContext(ctx, fmt.Sprintf(`INSERT INTO %[1]s AS d (hash, document, bytes, used_at) VALUES ($1, $2, $3, now())
ON CONFLICT (hash) DO UPDATE SET used_at = now() WHERE d.used_at < now() - interval '1 hour'`, d.table), key, document, len(document)+rowBytes)
	if d.outage.note(ctx, err) != nil {
		return
	}
	if n, _ := result.RowsAffected(); n == 0 {
		return
	}
	full := d.added.Add(1) > int64(d.rows/10) || d.addedSize.Add(int64(len(document))) > int64(d.bytes/10)
	if full && d.sweeping.CompareAndSwap(false, true) { // clients may send more than the next sweep waits for
		defer d.sweeping.Store(false)
		_ = d.outage.note(ctx, d.Sweep(ctx))
	}
}

// Sweep removes the documents beyond the limits that were not used for the longest time. Rows that
// another server removes at the same time are left to it.
func (d *Documents) Sweep(ctx context.Context) error {
	if d == nil {
		return nil
	}
	d.added.Store(0)
	d.addedSize.Store(0)
	return sweep(ctx, d.db, "persisted documents", fmt.Sprintf(`DELETE FROM %[1]s WHERE hash IN (SELECT hash FROM %[1]s WHERE hash IN (
    SELECT hash FROM (SELECT hash, row_number() OVER newest AS n, sum(bytes) OVER newest AS total FROM %[1]s
      WINDOW newest AS (ORDER BY used_at DESC, hash)) d WHERE n > $2 OR total > $3)
  LIMIT $1 FOR UPDATE SKIP LOCKED)`, d.table), d.rows, d.bytes)
}
