package account

import (
	"context"
	"database/sql"
	"fmt"

	"entgo.io/ent/dialect"

	"forge/internal/entity"
	"forge/internal/search"
	"forge/internal/unit"
)

// mergedPages is how many pages of an index a unit of work of forget merges. A page has 4 KB.
const mergedPages = 256

// forget has SQLite remove the words of rows that were changed or removed from the indexes of
// accounts and of what they own. Without this, an index keeps them in its pages until it happens to
// merge these. PostgreSQL needs nothing: its indexes lose them with the rows' old versions.
func (s *Service) forget(ctx context.Context) error {
	account := entity.Account(s.Entities)
	if s.DB.Dialect != dialect.SQLite || account == nil {
		return nil
	}
	for _, e := range append(ownedBy(account, s.Entities), owned{Entity: account}) {
		x := search.Of(e.Entity)
		for pages, more := -mergedPages, x != nil; more; pages = mergedPages {
			err := s.alone(ctx, func(ctx context.Context) (err error) {
				more, err = merged(ctx, x.Merge(pages))
				return err
			})
			if err != nil {
				return fmt.Errorf("remove erased words of %s from its index: %w", e.Name, err)
			}
		}
	}
	return nil
}

// merged runs a statement that merges pages of an index, and reports whether there may be more to
// merge. A statement that finds nothing to merge changes less than two rows.
func merged(ctx context.Context, statement string) (bool, error) {
	before, err := totalChanges(ctx)
	if err != nil {
		return false, err
	}
	if _, err := unit.FromContext(ctx).Exec(ctx, statement); err != nil {
		return false, err
	}
	after, err := totalChanges(ctx)
	return after-before >= 2, err
}

// totalChanges returns how many rows the connection of the unit of work has changed.
func totalChanges(ctx context.Context) (n int64, err error) {
	err = unit.FromContext(ctx).Rows(ctx, func(rows *sql.Rows) error {
		if !rows.Next() {
			return nil
		}
		return rows.Scan(&n)
	}, "SELECT total_changes()")
	return n, err
}
