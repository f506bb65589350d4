package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// store holds the data of a run: a copy of the demo data of a scale.
type store interface {
	name(ctx context.Context) (string, error) // the name of the database, with its version
	url() string
	process() *process              // nil if the database runs in the server
	tidy(ctx context.Context) error // makes conditions equal before a round that writes
	// audit returns a sum that orders do not change. It returns an error if stored orders are
	// wrong.
	audit(ctx context.Context) (goods int64, err error)
	// count calls do, which sends n requests. It returns the number of statements of one request,
	// or nil if the database does not count them.
	count(ctx context.Context, n int, do func() error) (*statements, error)
	close()
}

// openStore creates the store, or copies one that an earlier run has kept.
func (b *bench) openStore(ctx context.Context) (store, error) {
	dir := b.reuse
	if dir == "" {
		dir = filepath.Join(b.logs, "database")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if err := os.Chmod(b.logs, 0o755); err != nil { // PostgreSQL may run under another account
		return nil, err
	}
	if b.database == "sqlite" {
		return b.openSQLite(ctx, dir)
	}
	return b.openPostgres(ctx, dir)
}

// statements are the numbers of statements of one request: Work for what it asks for, and Around
// for the beginning and the end of its transaction.
type statements struct{ Work, Around float64 }

func (s *statements) String() string {
	switch {
	case s == nil:
		return "–"
	case s.Around < 0.1: // another program may have begun a transaction
		return fmt.Sprintf("%.1f", s.Work)
	}
	return fmt.Sprintf("%.1f + %.1f", s.Work, s.Around)
}

// forge runs a command of Forge and waits until it ends.
func (b *bench) forge(ctx context.Context, url string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(b.programs, "forge"), args...)
	cmd.Dir = b.logs
	cmd.Env = []string{"DATABASE_URL=" + url, "STATEMENT_TIMEOUT=0s", "IDLE_IN_TRANSACTION_TIMEOUT=0s"}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("forge %s: %w: %s", args[0], err, out)
	}
	return nil
}
