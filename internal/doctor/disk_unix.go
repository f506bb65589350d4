//go:build linux || darwin || freebsd

package doctor

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

const mayWrite = 2 // W_OK of access(2)

// writable reports whether this process may write to a file or folder.
func writable(path string) bool { return syscall.Access(path, mayWrite) == nil }

// openFiles returns how many files a process may have open, or 0 if that is not known.
func openFiles() uint64 {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return uint64(limit.Cur)
}
