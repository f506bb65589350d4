package token

import "os"

// Exposed reports whether all users of the machine may read a file. It returns false if there is no
// such file.
func Exposed(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().Perm()&0o004 != 0
}
