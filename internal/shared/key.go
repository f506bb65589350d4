package shared

import (
	"context"
	"crypto/rand"
	"fmt"

	"forge/internal/database"
)

// These are the purposes of keys.
const (
	Cursors = "cursors" // encrypts cursors
	Files   = "files"   // signs addresses of files
)

// keySize is the length of a key in bytes.
const keySize = 32

// Key returns the key for a purpose that the database keeps. If there is none yet, it stores one:
// own, or a new one if own is nil. Any number of servers may call it at once, and all get the same
// key. It returns an error if there is no key and none can be stored.
func Key(ctx context.Context, db *database.DB, purpose string, own []byte) (key []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if key, err = stored(ctx, db, purpose); err != nil || key != nil {
		return key, err
	}
	if own == nil {
		own = make([]byte, keySize)
		rand.Read(own) // never fails
	}
	table := keys(db.Dialect).Name
	if _, err := db.ExecContext(ctx, "INSERT INTO "+table+" (purpose, key) VALUES ($1, $2) ON CONFLICT DO NOTHING", purpose, own); err != nil {
		return nil, fmt.Errorf("store the key of %s: %w", purpose, err)
	}
	// Another server may have been first.
	if key, err = stored(ctx, db, purpose); err == nil && key == nil {
		err = fmt.Errorf("the key of %s was removed", purpose)
	}
	return key, err
}

// stored returns the key for a purpose, or nil if there is none.
func stored(ctx context.Context, db *database.DB, purpose string) (key []byte, err error) {
	rows, err := db.QueryContext(ctx, "SELECT key FROM "+keys(db.Dialect).Name+" WHERE purpose = $1", purpose)
	if err != nil {
		return nil, fmt.Errorf("read the key of %s: %w", purpose, err)
	}
	defer rows.Close()
	if rows.Next() {
		if err := rows.Scan(&key); err != nil {
			return nil, err
		}
		if len(key) != keySize {
			return nil, fmt.Errorf("the key of %s has %d bytes in the database, want %d", purpose, len(key), keySize)
		}
	}
	return key, rows.Err()
}

// HasKey reports whether the database keeps a key for a purpose.
func HasKey(ctx context.Context, db *database.DB, purpose string) (bool, error) {
	key, err := stored(ctx, db, purpose)
	return key != nil, err
}
