//go:build profile

// Profile.go is compiled into Forge for make bench PROFILE=…, beside server.go, and into nothing else: see overlay.json. A server for others has no
// way to ask it for profiles.
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

// profile writes cpu.pprof, of the time from the first signal to the second, and then allocs.pprof, of all time, into the folder PROFILE.
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
