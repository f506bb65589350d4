package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"forge/internal/blob"
	"forge/internal/database"
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

// newFolder reports whether a folder that is not there can be made.
func newFolder(check, path string) Finding {
	parent := filepath.Dir(path)
	if _, err := os.Stat(parent); errors.Is(err, fs.ErrNotExist) || writable(parent) {
		return ok(check, "the folder %s is made with the first file", path)
	}
	return fail(check, "the folder "+path+" cannot be made", "chown or chmod "+parent+", for the user that runs Forge.")
}
