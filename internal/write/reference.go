package write

import (
	"context"
	databasesql "database/sql"
	"fmt"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/input"
	"forge/internal/unit"
)

// These keep others from removing a row before the unit of work ends. The check of a foreign key
// would take the first lock a little later. A row that is marked as deleted is updated, so that its
// removal needs the second. SQLite has only one writer at a time, and no such locks.
const (
	keyShared = "FOR KEY SHARE"
	shared    = "FOR SHARE"
)

// findReferences returns NOT_FOUND if the input refers to a row that does not exist, or that the
// viewer may not see. It locks the rows.
func (m *Mutation) findReferences(ctx context.Context, w *Write) error {
	for i, f := range m.fields {
		id, ok := w.values[i].any.(ids.ID)
		if f.to == nil || !ok || f.column == &m.entity.Fields[0] {
			continue
		}
		lock := keyShared
		if f.to.Filtered {
			lock = shared
		}
		found := false
		err := m.lookUp(ctx, f.to, id, lock, func(s *sql.Selector) { s.AppendSelectExpr(sql.Raw("1")) }, func(int) { found = true })
		if err != nil {
			return fmt.Errorf("look for what %s refers to: %w", f.name, err)
		}
		if !found {
			return input.Missing(ctx, f.path, id)
		}
	}
	return nil
}

// lookUp reads a number of the row with an ID, if there is one that the viewer may see. The
// function number adds the number to the columns that are read.
func (m *Mutation) lookUp(ctx context.Context, e *entity.Entity, id ids.ID, lock string, number func(*sql.Selector), found func(int)) error {
	u := unit.FromContext(ctx)
	var statement unit.Statement
	err := m.query(unit.Capture(ctx, &statement), u, e, func(s *sql.Selector) {
		s.Select()
		number(s)
		s.Where(sql.EQ(s.C(e.Fields[0].Column), id.Value()))
		if lock != "" && s.Dialect() == dialect.Postgres {
			s.ForShare(sql.WithLockClause(lock))
		}
	})
	if err != nil {
		return err
	}
	return u.Rows(ctx, func(rows *databasesql.Rows) error {
		for rows.Next() {
			var n int
			if err := rows.Scan(&n); err != nil {
				return err
			}
			found(n)
		}
		return nil
	}, statement.Text, statement.Args...)
}
