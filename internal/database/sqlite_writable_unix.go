//go:build unix

package database

import "syscall"

const writeAccess = 2 // W_OK of access(2)

// mayWrite reports whether this process may write a file. It does not open the file, because
// closing it again would release SQLite's locks.
func mayWrite(path string) bool { return syscall.Access(path, writeAccess) == nil }
