package main

import (
	"os"
	"os/exec"
	"syscall"
	"time"
)

// process is a program that bench has started and will end.
type process struct {
	cmd   *exec.Cmd
	end   syscall.Signal // the signal that asks for an orderly end
	ended chan struct{}
}

// startProcess starts cmd under an account. If account is nil, that is the account of this process.
// The output of the program goes to a file, unless cmd says otherwise. The program gets its own
// process group, so that Ctrl+C does not reach it directly. If this process is killed, the program
// gets the signal end.
func startProcess(cmd *exec.Cmd, account *syscall.Credential, end syscall.Signal, output string) (*process, error) {
	log, err := os.Create(output)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	if cmd.Stdout == nil {
		cmd.Stdout = log
	}
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: account, Pdeathsig: end}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd, end, make(chan struct{})}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait() // the log of the process says how it ended
	}()
	return p, nil
}

// stop asks the process to end, and kills it after 20 s. It returns when the process has ended.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(p.end) // the process may have ended already
	select {
	case <-p.ended:
	case <-time.After(20 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}
