//go:build profile

// Profile.go is compiled into Forge only for "make bench PROFILE=…", by overlay.json. A server in
// production has no way to write profiles.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"syscall"
)

func init() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	go func() {
		if err := profile(signals); err != nil {
			fmt.Fprintln(os.Stderr, "profile:", err)
			os.Exit(1)
		}
	}()
}

// profile writes two files into the folder PROFILE: cpu.pprof covers the time between the first and
// the second signal, and allocs.pprof the time since the start of the server.
func profile(signals <-chan os.Signal) error {
	dir := os.Getenv("PROFILE")
	<-signals
	cpu, err := os.Create(filepath.Join(dir, "cpu.pprof"))
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return err
	}
	<-signals
	pprof.StopCPUProfile()
	if err := cpu.Close(); err != nil {
		return err
	}
	allocs, err := os.Create(filepath.Join(dir, "allocs.part"))
	if err != nil {
		return err
	}
	if err := pprof.Lookup("allocs").WriteTo(allocs, 0); err != nil {
		return err
	}
	if err := allocs.Close(); err != nil {
		return err
	}
	return os.Rename(filepath.Join(dir, "allocs.part"), filepath.Join(dir, "allocs.pprof"))
}
