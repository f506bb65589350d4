package unit

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"
)

// Change is what there is to know of a statement that changes rows.
type Change struct {
	// Alone says that nothing is stored after this statement, and nothing read. The database makes it atomic by itself: if it is the
	// unit's first, it gets no transaction.
	Alone bool
	// Returning is the list of expressions that the statement is to return of the rows it changes, handed to Row. Empty for none.
	Returning string
	Row       func([]driver.Value) error
	Table     string // whose rows it changes, where Returning asks for some

	used bool // by a statement, or by several together, none of which is the one
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

// changeOf returns what there is to know of a statement that ent runs in ctx, or nil: the first one
// that changes the right table is meant. A hook of the entity may store something of its own.
func changeOf(ctx context.Context, statement string) *Change {
	c := changeFrom(ctx)
	if c == nil || c.used || c.Table != "" && !changes(statement, c.Table) {
		return nil
	}
	c.used = true
	return c
}

// changes reports whether a statement of ent's changes rows of a table.
func changes(statement, table string) bool {
	for _, verb := range []string{"INSERT INTO ", "UPDATE ", "DELETE FROM "} {
		if rest, ok := strings.CutPrefix(statement, verb); ok {
			return len(rest) > len(table)+1 && rest[1:len(table)+1] == table && rest[len(table)+1] == rest[0]
		}
	}
	return false
}

// alone reports whether a change can do without a transaction. Where PostgreSQL must be told of an isolation level or of limits,
// that takes one.
func (u *Unit) alone(c *Change) bool {
	return c != nil && c.Alone && !u.begun && !u.db.Options.Serializable && !u.db.Options.PgBouncer
}

// storedError says that a statement was refused because the unit can no longer be all or nothing.
func storedError(first, statement string) error {
	return fmt.Errorf("unit: %q has committed by itself, as the operation's last change, and now there is another one: %q; "+
		"let the first not be the last (read.WithReturning in the place of read.WithFinalWrite)", first, statement)
}

// returning runs a statement and hands over what it returns of the rows that it changes.
func (u *Unit) returning(ctx context.Context, c *Change, statement string, args []any, alone bool) (sql.Result, error) {
	changed := 0
	err := u.read(ctx, func(row []driver.Value) error {
		changed++
		return c.Row(row)
	}, statement+" RETURNING "+c.Returning, args, alone)
	return driver.RowsAffected(changed), err
}
