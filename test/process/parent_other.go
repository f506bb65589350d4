//go:build !linux

package process

import "syscall"

// KilledWithParent returns nil, because this system cannot kill a process with its parent.
func KilledWithParent() *syscall.SysProcAttr { return nil }
