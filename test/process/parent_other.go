//go:build !linux

package process

import "syscall"

// KilledWithParent does nothing on this system: a process ends when its test does.
func KilledWithParent() *syscall.SysProcAttr { return nil }
