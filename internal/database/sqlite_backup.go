package database

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Backup copies the file of a SQLite database to a new file, as it is at one moment, while others
// read and write it. The copy is complete as soon as there is a file at path. Backup returns an
// error, and changes nothing at path, if there is one already.
func (db *DB) Backup(ctx context.Context, path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	// The copy grows under another name in the same folder.
	part, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.part")
	if err != nil {
		return err
	}
	defer os.Remove(part.Name())
	defer part.Close()
	// Without an argument, the statement has no time limit.
	if _, err := db.ExecContext(ctx, "VACUUM INTO '"+strings.ReplaceAll(part.Name(), "'", "''")+"'"); err != nil {
		return err
	}
	if err := part.Sync(); err != nil {
		return err
	}
	if err := place(part.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// place gives a file a name that no other file may have yet.
func place(file, name string) error {
	err := os.Link(file, name) // unlike a rename, it never overwrites
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, exists := os.Lstat(name); exists == nil {
		return fs.ErrExist
	}
	return os.Rename(file, name) // the file system has no links
}

// syncFolder makes a new name in a folder last through a loss of power, where the system can.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	_ = folder.Sync() // some systems refuse it for folders
	return nil
}
