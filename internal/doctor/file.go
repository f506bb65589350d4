package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"forge/internal/database"
)

// path returns the path of the SQLite file. It returns false if the database is PostgreSQL or is in
// memory.
func (d *Doctor) path() (path string, isFile bool) {
	path, isFile = strings.CutPrefix(d.config.DatabaseURL, "sqlite:")
	path, _, _ = strings.Cut(path, "?")
	return path, isFile && path != ":memory:"
}

// readOnly reports whether the database's address says that SQLite only reads it.
func (d *Doctor) readOnly() bool { return strings.HasSuffix(d.config.DatabaseURL, "?mode=ro") }

// address returns the address with which to examine the database. With this address, SQLite does
// not create a missing file. It also does not give a write-ahead log to a file that has none, such
// as a backup.
func (d *Doctor) address() string {
	path, isFile := d.path()
	switch {
	case !isFile:
		return d.config.DatabaseURL
	case inWAL(path):
		return "sqlite:" + path + "?mode=rw" // with mode=ro, SQLite would leave the log behind
	}
	return "sqlite:" + path + "?mode=ro"
}

// inWAL reports whether a SQLite file uses a write-ahead log. The byte at offset 18 tells it:
// https://sqlite.org/fileformat.html.
func inWAL(path string) bool {
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer file.Close()
	header := make([]byte, 20)
	_, err = file.ReadAt(header, 0)
	return err == nil && header[18] == 2
}

// file examines the file of a SQLite database, its folder and its disk. It does not open the
// database.
func (d *Doctor) file(context.Context, *database.DB) []Finding {
	path, isFile := d.path()
	if !isFile {
		return nil
	}
	folder := filepath.Dir(path)
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return []Finding{fail("file", folder+" is not a folder", "Make it, and give it to the user that runs Forge.")}
	}
	if !d.readOnly() && !writable(folder) {
		return []Finding{fail("file", "the folder "+folder+" cannot be written, and SQLite keeps its log beside the database",
			"chown or chmod the folder, for the user that runs Forge.")}
	}
	switch _, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return []Finding{fail("file", path+" does not exist", "`forge migrate up` makes it, and so does the first start of the server.")}
	case err != nil:
		return []Finding{fail("file", err.Error(), "Give the file to the user that runs Forge.")}
	case d.readOnly():
		return []Finding{ok("file", "is only read")}
	case !writable(path):
		return []Finding{fail("file", path+" cannot be written", "chown or chmod it, for the user that runs Forge.")}
	}
	return d.disk(folder)
}

// disk reports whether the disk has enough free space.
func (d *Doctor) disk(folder string) []Finding {
	free, err := freeBytes(folder)
	if err != nil {
		return []Finding{{"file", Skipped, "the free space of the disk is not known: " + err.Error(), ""}}
	}
	if free < d.minFree {
		return []Finding{fail("file", fmt.Sprintf("the disk of %s has %s free, less than %s", folder, size(free), size(d.minFree)),
			"Free some, or move the database: when the disk is full every mutation is answered with UNAVAILABLE.")}
	}
	return []Finding{ok("file", "can be written, %s free on its disk", size(free))}
}

func size(bytes uint64) string {
	if bytes < 1<<30 {
		return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30))
}
