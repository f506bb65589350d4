package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// This file reads from /proc how much processor time and memory processes have used.

// ticks is the number of the kernel's units of processor time in a second. It is the same on all
// architectures that Go supports.
const ticks = 100

// stat returns the fields of /proc/PID/stat, beginning with the state. It returns nil if the
// process does not exist.
func stat(pid string) []string {
	b, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return nil
	}
	// The name before it may contain spaces.
	return strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
}

// seconds returns the sum of some fields of stat, converted to seconds.
func seconds(fields []string) (sum float64) {
	for _, f := range fields {
		n, _ := strconv.ParseFloat(f, 64)
		sum += n / ticks
	}
	return sum
}

// cpu returns the processor time of the process and its children in seconds. It includes children
// that have ended.
func (p *process) cpu() float64 {
	pid := strconv.Itoa(p.cmd.Process.Pid)
	own := stat(pid)
	if own == nil {
		return 0
	}
	sum := seconds(own[11:15]) // includes the children that have ended
	found, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range found {
		if child := stat(filepath.Base(filepath.Dir(path))); child != nil && child[1] == pid {
			sum += seconds(child[11:13])
		}
	}
	return sum
}

// ownCPU returns the processor time of this program, in seconds.
func ownCPU() float64 { return seconds(stat("self")[11:13]) }

// machineCPU returns the processor time of all programs on the machine, in seconds.
func machineCPU() float64 {
	b, _ := os.ReadFile("/proc/stat")
	line, _, _ := strings.Cut(string(b), "\n")
	f := strings.Fields(line)
	if len(f) < 9 {
		return 0
	}
	return seconds(f[1:4]) + seconds(f[6:9]) // neither idle nor waiting for a disk
}

// forgetPeak starts a new measurement of peak.
func (p *process) forgetPeak() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0)
}

// peak returns the largest resident memory since forgetPeak, in MiB.
func (p *process) peak() float64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	kib, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, _ := strconv.ParseFloat(kib, 64)
	return n / 1024
}
