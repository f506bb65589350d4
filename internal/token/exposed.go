package token

import "os"

// Exposed reports whether others than the owner and the group of a file may read it. "" is no file.
func Exposed(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().Perm()&0o004 != 0
}
