//go:build !unix

package devloop

import "os/exec"

func ownGroup(*exec.Cmd) {}

func killGroup(cmd *exec.Cmd) error { return cmd.Process.Kill() }

func endGroup(cmd *exec.Cmd) error { return cmd.Process.Kill() }
