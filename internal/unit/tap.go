package unit

import (
	"context"
	"database/sql"
)

// Tap takes what an ent query reads at the driver, before ent makes entities of it: ent writes the statement, with all
// that its interceptors and policies add, and sees no rows.
type Tap struct {
	// Wrap changes the statement on its way to the database, if it is set.
	Wrap func(query string, args []any) (string, []any)
	// Rows reads the rows. Without it the statement is not run at all: whoever shaped it only wanted ent to complete it.
	Rows func(*sql.Rows) error
}

type tapKey struct{}

// WithTap returns a context whose ent queries go to tap.
func WithTap(ctx context.Context, tap *Tap) context.Context {
	return context.WithValue(ctx, tapKey{}, tap)
}

func tapFrom(ctx context.Context) *Tap {
	tap, _ := ctx.Value(tapKey{}).(*Tap)
	return tap
}
