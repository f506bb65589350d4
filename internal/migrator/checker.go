package migrate

import (
	"context"
	"database/sql"
	"reflect"
	"sync"
)

// A Checker is Check for who asks again and again. While a table is locked the
// schema cannot be compared; until it can be again, what the last comparison
// said of the same versions holds.
type Checker struct {
	db      *sql.DB
	dialect string

	mu   sync.Mutex
	last *Report // whose schema was compared; nil if none was yet
}

// NewChecker returns a Checker for a database. Any number of goroutines may use it.
func NewChecker(db *sql.DB, dialect string) *Checker {
	return &Checker{db: db, dialect: dialect}
}

// Check returns what the function Check returns.
func (c *Checker) Check(ctx context.Context) error {
	report, err := Status(ctx, c.db, c.dialect)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !report.locked:
		c.last = report
	case c.last != nil && reflect.DeepEqual(c.last.history, report.history):
		report.Drift = c.last.Drift
	}
	return report.Err()
}
