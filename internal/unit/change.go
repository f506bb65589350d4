package unit

import (
	"context"
	"database/sql"
	"database/sql/driver"
)

// Change is what there is to know of a statement that changes rows.
type Change struct {
	// Alone says that nothing is stored after this statement, and nothing read. The database makes it atomic by itself: if it is the
	// unit's first, it gets no transaction.
	Alone bool
	// Returning is the list of expressions that the statement is to return of the rows it changes, handed to Row. Empty for none.
	Returning string
	Row       func([]driver.Value) error
}

type changeKey struct{}

// WithChange returns a context for one statement that changes rows.
func WithChange(ctx context.Context, c *Change) context.Context {
	return context.WithValue(ctx, changeKey{}, c)
}

func changeFrom(ctx context.Context) *Change {
	c, _ := ctx.Value(changeKey{}).(*Change)
	return c
}

// alone reports whether a statement in ctx can do without a transaction. Where PostgreSQL must be told of an isolation level or of limits,
// that takes one.
func (u *Unit) alone(ctx context.Context) bool {
	c := changeFrom(ctx)
	return c != nil && c.Alone && !u.db.Options.Serializable && !u.db.Options.PgBouncer
}

// returning runs a statement and hands over what it returns of the rows that it changes.
func (u *Unit) returning(ctx context.Context, c *Change, statement string, args []any) (sql.Result, error) {
	changed := 0
	err := u.Read(ctx, func(row []driver.Value) error {
		changed++
		return c.Row(row)
	}, statement+" RETURNING "+c.Returning, args)
	return driver.RowsAffected(changed), err
}
