package upload

import (
	"context"
	databasesql "database/sql"
	"fmt"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"forge/ent"
	entfile "forge/ent/file"
	"forge/internal/apperr"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// These bound what one account has uploaded, or may upload, that no row has yet: the number of
// files, and their bytes together, as a multiple of what one file may have.
const (
	maxOpen      = 100
	maxOpenFiles = 10
)

// leastCounted is how many bytes a file counts for at least in what an account may keep. So the
// number of files is bounded as well.
const leastCounted = 4 << 10

// mayOpen returns RATE_LIMITED if the viewer has too much that is in no row, and FORBIDDEN if the
// viewer's account keeps too much in all, with one more file of so many bytes. A file that is
// announced already is not counted a second time. Until the unit of work of ctx ends, others wait
// here that are of the same account, so that they do not pass the bounds together.
func (u *Uploads) mayOpen(ctx context.Context, id uuid.UUID, size int64) error {
	if err := lock(ctx); err != nil {
		return err
	}
	others := entfile.And(entfile.IDNEQ(id), entfile.StateNEQ(entfile.StateRemoved))
	open, err := ent.FromUnit(ctx).File.Query().Where(own(ctx), others).Select(entfile.FieldSize).Limit(maxOpen).All(system(ctx))
	if err != nil {
		return fmt.Errorf("look for uploads: %w", err)
	}
	together := size
	for _, f := range open {
		together += f.Size
	}
	if len(open) >= maxOpen || together > maxOpenFiles*u.Files.MaxBytes() {
		return apperr.New(apperr.CodeRateLimited, "", "too many of your uploads are in no row yet: at most %d files, and %d bytes; what no row has within a day is removed",
			maxOpen, maxOpenFiles*u.Files.MaxBytes())
	}
	account := viewer.FromContext(ctx).ID
	if u.MaxAccountBytes == 0 || account == uuid.Nil {
		return nil
	}
	kept, err := counted(ctx, entfile.And(entfile.UserID(account), others))
	if err == nil && kept+max(size, leastCounted) > u.MaxAccountBytes {
		err = apperr.Forbidden("", "your files would have more than %d bytes together, of which each counts for %d at least; remove some first", u.MaxAccountBytes, leastCounted)
	}
	return err
}

// lock has other units of work wait that lock the viewer's account as well, until that of ctx ends.
// On SQLite, one writes at a time in any case.
func lock(ctx context.Context) error {
	work := unit.FromContext(ctx)
	if work.Dialect() != dialect.Postgres {
		return nil
	}
	err := work.Rows(ctx, func(rows *databasesql.Rows) error {
		rows.Next()
		return nil
	}, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", "forge uploads "+viewer.FromContext(ctx).ID.String())
	if err != nil {
		return fmt.Errorf("wait for other uploads of the account: %w", err)
	}
	return nil
}

// counted returns how many bytes files count for.
func counted(ctx context.Context, those func(*sql.Selector)) (bytes int64, err error) {
	var sums []struct{ Sum int64 }
	err = ent.FromUnit(ctx).File.Query().Where(those).Aggregate(func(s *sql.Selector) string {
		size := s.C(entfile.FieldSize)
		return fmt.Sprintf("CAST(COALESCE(SUM(CASE WHEN %[1]s < %[2]d THEN %[2]d ELSE %[1]s END), 0) AS bigint) AS sum", size, leastCounted)
	}).Scan(system(ctx), &sums)
	if err != nil || len(sums) == 0 {
		return 0, err
	}
	return sums[0].Sum, nil
}
