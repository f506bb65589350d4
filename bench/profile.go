package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// profiled makes Forge write profiles to a folder while do runs. Forge must have been built with
// profile/overlay.json. Otherwise the signal ends it, and profiled returns an error.
func profiled(ctx context.Context, s *server, dir string, do func() error) error {
	last := filepath.Join(dir, "allocs.pprof")
	if err := os.Remove(last); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := s.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	if err := s.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		return err
	}
	for ctx.Err() == nil {
		if _, err := os.Stat(last); err == nil {
			fmt.Printf("\ngo tool pprof -top %s/cpu.pprof\ngo tool pprof -top -sample_index=alloc_space %s\n", dir, last)
			return nil
		}
		select {
		case <-s.ended:
			return errors.New("no profile: Forge has ended; was it built with profile/overlay.json?")
		case <-time.After(20 * time.Millisecond):
		}
	}
	return ctx.Err()
}
