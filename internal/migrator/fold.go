package migrator

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"

	"forge/internal/migrator/catalog"
)

// Fold tells a database that the version with a number stands for those that are gone, which came
// right before it: they were joined into one file, which gives the same schema. It reports whether
// the database had the version; one that has not is left as it is.
func (s Source) Fold(ctx context.Context, db *sql.DB, gone []int64, number int64) (had bool, err error) {
	v, err := s.Find(fmt.Sprint(number))
	if err != nil {
		return false, err
	}
	files, err := s.files()
	if err != nil {
		return false, err
	}
	text, err := fs.ReadFile(files, v.File())
	if err != nil {
		return false, err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer tx.Rollback()
	result, err := tx.ExecContext(ctx, fmt.Sprintf("UPDATE %s SET checksum = $1 WHERE version_id = %d AND is_applied", catalog.VersionTable, number), checksum(text))
	if err != nil {
		return false, fmt.Errorf("record the folded version: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return false, err
	}
	for _, g := range gone {
		if _, err := tx.ExecContext(ctx, deleteVersion(g)); err != nil {
			return false, fmt.Errorf("record the folded version: %w", err)
		}
	}
	return true, tx.Commit()
}
