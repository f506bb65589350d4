package token

import "os"

// Exposed reports whether every user of the machine may read a file. It returns false if the file
// does not exist.
func Exposed(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().Perm()&0o004 != 0
}
