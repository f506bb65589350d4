package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// store holds the data that are measured: a copy, for this run alone, of what Forge's own seed makes of a scale.
type store interface {
	name(ctx context.Context) (string, error) // with the version
	url() string
	process() *process              // nil if the server is its own
	tidy(ctx context.Context) error // before a round that writes, so that all begin alike
	// audit returns what orders must not change, and an error if something is wrong with those that are stored.
	audit(ctx context.Context) (goods int64, err error)
	// count returns how many statements a request takes when do sends n of them, and how many more only begin and end transactions. It
	// returns nothing if the database does not count.
	count(ctx context.Context, n int, do func() error) (*statements, error)
	close()
}

// openStore makes the store, or a copy of one that was made before and kept.
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
	if err := os.Chmod(b.logs, 0o755); err != nil { // PostgreSQL may run as somebody else
		return nil, err
	}
	if b.database == "sqlite" {
		return b.openSQLite(ctx, dir)
	}
	return b.openPostgres(ctx, dir)
}

// statements are those of one request: that do its work, and that begin and end its transaction.
type statements struct{ Work, Around float64 }

func (s *statements) String() string {
	switch {
	case s == nil:
		return "–"
	case s.Around < 0.1: // something else may have begun a transaction meanwhile
		return fmt.Sprintf("%.1f", s.Work)
	}
	return fmt.Sprintf("%.1f + %.1f", s.Work, s.Around)
}

// forge runs a command of Forge to its end.
func (b *bench) forge(ctx context.Context, url string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(b.programs, "forge"), args...)
	cmd.Dir = b.logs
	cmd.Env = []string{"DATABASE_URL=" + url, "STATEMENT_TIMEOUT=0s"}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("forge %s: %w: %s", args[0], err, out)
	}
	return nil
}
