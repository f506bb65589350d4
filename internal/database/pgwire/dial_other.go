//go:build !linux

package pgwire

import "syscall"

// boundUnacknowledged does nothing. On this system only deadlineConn and the system's defaults
// limit how long data may stay unacknowledged.
func boundUnacknowledged(_, _ string, _ syscall.RawConn) error { return nil }
