//go:build !unix

package database

import "os"

// mayWrite reports whether the mode of a file allows writing.
func mayWrite(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().Perm()&0o200 != 0
}
