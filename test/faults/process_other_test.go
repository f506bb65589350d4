//go:build !linux

package faults

import "syscall"

// tied does nothing here: a process ends when its test does.
func tied() *syscall.SysProcAttr { return nil }
