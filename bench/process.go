package main

import (
	"os"
	"os/exec"
	"syscall"
	"time"
)

// process is a program that we have started and that we end.
type process struct {
	cmd   *exec.Cmd
	end   syscall.Signal // asks for an orderly end
	ended chan struct{}
}

// startProcess starts cmd as account, or as ourselves if that is nil, its output going to a file unless cmd says otherwise. It has a process group
// of its own, so that Ctrl+C reaches us first; if we are killed, it gets the signal end.
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
		_ = cmd.Wait() // how it ended is in its log
	}()
	return p, nil
}

// stop ends the process, at once if it does not end by itself within 20 s, and returns when it is gone.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(p.end) // it may have ended already
	select {
	case <-p.ended:
	case <-time.After(20 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}
