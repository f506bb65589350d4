package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// machine returns the processors and the version of Go. The results depend on both.
func machine() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	_, rest, _ := strings.Cut(string(b), "model name")
	model, _, _ := strings.Cut(strings.TrimLeft(rest, "\t :"), "\n")
	if model == "" {
		model = runtime.GOARCH
	}
	return fmt.Sprintf("%d × %s, %s", runtime.NumCPU(), model, runtime.Version())
}
