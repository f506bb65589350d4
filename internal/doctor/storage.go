package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"forge/internal/blob"
	"forge/internal/database"
	"forge/internal/file"
)

// storage reports whether files can be stored and read, and how full the disk is. It stores a small
// object and removes it. A folder that is not there yet is not made.
func (d *Doctor) storage(ctx context.Context, _ *database.DB) []Finding {
	const check = "files"
	if d.config.Files.URL == "" {
		return nil
	}
	name := d.config.NameOf("FILES_URL")
	storage, err := blob.Open(d.config.Files.URL)
	if err != nil {
		return []Finding{fail(check, err.Error(), "Correct "+name+".")}
	}
	if folder, ok := storage.(*blob.Folder); ok && !folder.Exists() {
		return []Finding{newFolder(check, d.config.Files.URL)}
	}
	status, err := blob.Check(ctx, storage)
	switch {
	case errors.Is(err, blob.ErrFull) || status.Known && status.Free == 0:
		return []Finding{fail(check, status.Place+" has no room", "Free some, or have "+name+" name another place: uploads are refused until then.")}
	case err != nil:
		return []Finding{fail(check, status.Place+" does not work: "+err.Error(), "Correct "+name+", or see why the storage does not answer. Until then files are neither taken nor served, and all else works.")}
	case status.Known && status.Free < d.minFree:
		return []Finding{warn(check, status.Place+" has "+size(status.Free)+" free, less than "+size(d.minFree), "Free some: uploads are refused when nothing is free.")}
	case status.Known:
		return []Finding{ok(check, "%s can be written and read, %s free", status.Place, size(status.Free))}
	}
	return []Finding{ok(check, "%s can be written and read", status.Place)}
}

// newestFiles is how many files have their bytes looked for.
const newestFiles = 100

// bytes reports whether the newest files that rows have are in the storage. After a backup of the
// database alone was restored, or one of the storage alone that is older, some are not.
func (d *Doctor) bytes(ctx context.Context, db *database.DB) []Finding {
	const check = "bytes"
	storage, err := blob.Open(d.config.Files.URL)
	if d.config.Files.URL == "" || err != nil {
		return nil // the check of files says so
	}
	all, err := newest(ctx, db)
	if err != nil {
		return []Finding{warn(check, "the table of files cannot be read: "+database.RedactError(err), "See whether all migrations are applied.")}
	}
	service, missing := file.New(file.Options{Storage: storage, Log: slog.New(slog.DiscardHandler)}), []uuid.UUID(nil)
	for _, id := range all {
		has, err := service.Has(ctx, id)
		if err != nil {
			return nil // as above
		}
		if !has {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		return []Finding{fail(check, fmt.Sprintf("of the %d newest files, %d have no bytes in %s, such as files/%s", len(all), len(missing), storage, missing[0]),
			"Set FILES_URL to where the bytes are, or restore the storage from a backup that is not older than that of the database.")}
	}
	return []Finding{ok(check, "the %d newest files have their bytes", len(all))}
}

func newest(ctx context.Context, db *database.DB) (ids []uuid.UUID, err error) {
	rows, err := db.QueryContext(ctx, fmt.Sprintf("SELECT id FROM files WHERE state = 'stored' AND attached_at IS NOT NULL ORDER BY id DESC LIMIT %d", newestFiles))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id uuid.UUID
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// newFolder reports whether a folder that is not there can be made.
func newFolder(check, path string) Finding {
	parent := filepath.Dir(path)
	if _, err := os.Stat(parent); errors.Is(err, fs.ErrNotExist) || writable(parent) {
		return ok(check, "the folder %s is made with the first file", path)
	}
	return fail(check, "the folder "+path+" cannot be made", "chown or chmod "+parent+", for the user that runs Forge.")
}
