package process

import "syscall"

// KilledWithParent makes a process end with the tests, however they end.
func KilledWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
