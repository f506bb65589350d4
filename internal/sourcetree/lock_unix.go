//go:build unix

package sourcetree

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// tryLock locks a file or a folder until it is closed. It returns false if somebody else has locked
// it.
func tryLock(f *os.File) (bool, error) {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
