package process

import "syscall"

// KilledWithParent returns attributes with which a process is killed when the process of the tests
// ends for any reason.
func KilledWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
