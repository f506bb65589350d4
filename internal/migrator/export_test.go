package migrate

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"log/slog"
	"time"
)

// The tests are outside of the package, since they use dbtest, which uses the
// package. These take files and tables other than the binary's own.
var (
	UpFiles    = up
	DownFiles  = down
	DiffTables = diff
	PrintFiles = printSQL

	VerifyTables = verify
)

// VerifyFiles is Verify for the files of one dialect, without ent's schema.
func VerifyFiles(ctx context.Context, dialect, path, devURL string) ([]Verdict, error) {
	box, err := newSandbox(ctx, dialect, devURL)
	if err != nil {
		return nil, err
	}
	all, _, err := verifyFiles(ctx, box, dialect, path)
	return all, errors.Join(err, box.close())
}

// UpFilesTo applies the versions up to one, with a limit of its own for locks.
func UpFilesTo(ctx context.Context, db *sql.DB, dialect string, files fs.FS, to int64, lockTimeout time.Duration, log *slog.Logger) error {
	return runner{dialect, files, lockTimeout, log}.up(ctx, db, to)
}

// AskDownFiles undoes versions unless data would be lost.
func AskDownFiles(ctx context.Context, db *sql.DB, dialect string, files fs.FS, n int, log *slog.Logger) error {
	return runner{dialect, files, LockTimeout, log}.down(ctx, db, n, false)
}

// StatusFiles is Status.
func StatusFiles(ctx context.Context, db *sql.DB, dialect string, files fs.FS) (*Report, error) {
	return reportOn(ctx, db, dialect, files)
}

// CheckFiles is Check.
func CheckFiles(ctx context.Context, db *sql.DB, dialect string, files fs.FS) error {
	report, err := reportOn(ctx, db, dialect, files)
	if err != nil {
		return err
	}
	return report.Err()
}
