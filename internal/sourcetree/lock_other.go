//go:build !unix

package sourcetree

import "os"

// tryLock locks nothing.
func tryLock(*os.File) (bool, error) { return true, nil }
