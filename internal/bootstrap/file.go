package bootstrap

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"forge/internal/database"
)

// haveFile returns an error if a SQLite file is missing and SQLite must not, or cannot, create it.
// SQLite itself reports everything else that is wrong with a file.
func haveFile(address string, make bool) error {
	path, mode, ok := database.SQLiteFile(address)
	if !ok || !missing(path) {
		return nil
	}
	switch dir := filepath.Dir(path); {
	case missing(dir):
		return fmt.Errorf("there is no directory %s for a database to be in", dir)
	case mode != "":
		return fmt.Errorf("there is no database at %s, and with mode=%s none is made; without it `migrate up` makes it", path, mode)
	case !make:
		return fmt.Errorf("there is no database at %s; `migrate up` makes it", path)
	}
	return nil
}

func missing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}
