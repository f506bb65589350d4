//go:build linux || darwin || freebsd

package blob

import "syscall"

// freeBytes returns how many bytes a user without privileges can still write to the disk that holds
// folder.
func freeBytes(folder string) (uint64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil {
		return 0, err
	}
	return uint64(s.Bavail) * uint64(s.Bsize), nil
}
