package bootstrap

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"forge/internal/database"
)

// unwritable returns an error that names the file or folder that cannot be written, if this is the
// reason for err. Otherwise it returns nil. Trying again does not help against such an error.
func unwritable(address string, err error) error {
	path, mode, isFile := database.SQLiteFile(address)
	e, ok := errors.AsType[*sqlite.Error](err)
	if !isFile || !ok {
		return nil
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR:
	default:
		return nil
	}
	dir := filepath.Dir(path)
	probe, err := os.CreateTemp(dir, ".forge-")
	if err != nil && mode == "ro" {
		return fmt.Errorf("this user cannot write in the folder %s (%w), where SQLite keeps files beside a database that others write, to read it too: "+
			"allow it, or read a copy that sqlite3's VACUUM INTO has made", dir, cause(err))
	}
	if err != nil {
		return fmt.Errorf("this user cannot write in the folder %s (%w), where SQLite keeps files beside the database: allow it, or name a file elsewhere", dir, cause(err))
	}
	_ = probe.Close()
	_ = os.Remove(probe.Name())
	if mode == "ro" {
		return nil
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("this user cannot write the file %s (%w): allow it, or name another one", path, cause(err))
	}
	if err == nil {
		_ = file.Close()
	}
	return nil
}

// cause returns the error of the operating system, without the name of the file.
func cause(err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	return err
}
