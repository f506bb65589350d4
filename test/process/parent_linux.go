package process

import "syscall"

// KilledWithParent returns attributes for a new process. With them, the kernel kills the process
// when the process of the tests ends for any reason.
func KilledWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
