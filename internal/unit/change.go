package unit

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"
)

// Change says how to run a statement that changes rows.
type Change struct {
	// Autocommit says that the unit writes nothing after this statement. If the statement is also
	// the unit's first, it runs without a transaction and commits by itself. The unit then refuses
	// every later write, with an error that names both statements.
	Autocommit bool
	// Returning is a list of SQL expressions, or empty. The statement returns them for each row
	// that it changes, and Row is called with their values.
	Returning string
	Row       func([]driver.Value) error
	Table     string // the table that the statement changes; required with Returning

	used bool // the statement has run, or ent needs several statements for the change
}

type changeKey struct{}

// WithChange returns a context for one statement that changes rows. The statement runs as c says.
func WithChange(ctx context.Context, c *Change) context.Context {
	return context.WithValue(ctx, changeKey{}, c)
}

func changeFrom(ctx context.Context) *Change {
	c, _ := ctx.Value(changeKey{}).(*Change)
	return c
}

// changeOf returns the Change of ctx if it applies to the statement, and nil otherwise. A Change
// applies to the first statement that changes its table. Earlier statements may come from a hook of
// the entity, which writes to other tables.
func changeOf(ctx context.Context, statement string) *Change {
	c := changeFrom(ctx)
	if c == nil || c.used || c.Table != "" && !changes(statement, c.Table) {
		return nil
	}
	c.used = true
	return c
}

// changes reports whether a statement, written by ent, changes rows of the table.
func changes(statement, table string) bool {
	for _, verb := range []string{"INSERT INTO ", "UPDATE ", "DELETE FROM "} {
		if rest, ok := strings.CutPrefix(statement, verb); ok {
			return len(rest) > len(table)+1 && rest[1:len(table)+1] == table && rest[len(table)+1] == rest[0]
		}
	}
	return false
}

// autocommits reports whether the statement of a change runs without a transaction. With
// SERIALIZABLE or through PgBouncer it does not, because the isolation level and the limits can
// only be set in a transaction.
func (u *Unit) autocommits(c *Change) bool {
	return c != nil && c.Autocommit && !u.begun && !u.db.Options.Serializable && !u.db.Options.PgBouncer
}

// secondWriteError returns the error for a write after a statement that has committed by itself.
// The unit could not undo both together.
func secondWriteError(first, statement string) error {
	return fmt.Errorf("unit: %q has committed by itself, as the operation's last change, and now there is another one: %q; "+
		"do not declare the first to be the last (use read.WithReturning, not read.WithFinalWrite)", first, statement)
}

// returning adds a RETURNING clause to a statement, runs it, and calls c.Row with the returned
// values of each changed row.
func (u *Unit) returning(ctx context.Context, c *Change, statement string, args []any, autocommit bool) (sql.Result, error) {
	changed := 0
	err := u.read(ctx, func(row []driver.Value) error {
		changed++
		return c.Row(row)
	}, statement+" RETURNING "+c.Returning, args, autocommit)
	return driver.RowsAffected(changed), err
}
