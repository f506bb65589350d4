//go:build !unix

package database

import "os"

// mayWrite reports whether a file may be written, as far as its mode says so.
func mayWrite(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().Perm()&0o200 != 0
}
