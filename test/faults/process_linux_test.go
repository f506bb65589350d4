package faults

import "syscall"

// tied makes a process end with the tests, however they end.
func tied() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
