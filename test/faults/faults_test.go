// Package faults breaks what Forge stands on, under load, and looks at what clients get to see and at what is stored. The tests run the
// real program. They have a short form, and a long one for FORGE_SOAK=1.
package faults

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"sync"
	"testing"
	"time"
)

// sized returns how much a test does: short, or in full.
func sized(short, full int) int {
	if os.Getenv("FORGE_SOAK") != "" {
		return full
	}
	return short
}

var buildDir string

func TestMain(m *testing.M) {
	if text := os.Getenv(loadVariable); text != "" {
		if err := sendLoad(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(func() int {
		var err error
		if buildDir, err = os.MkdirTemp("", "forge-faults-"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(buildDir)
		return m.Run()
	}())
}

// program builds Forge, once, and returns its path. It is built with the race detector if the tests are.
var program = sync.OnceValues(func() (string, error) {
	if err := lookAtSources(); err != nil {
		return "", err
	}
	path := filepath.Join(buildDir, "forge")
	args := []string{"build", "-o", path}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "-race" && s.Value == "true" {
				args = append(args, "-race")
			}
		}
	}
	output, err := exec.Command("go", append(args, "forge")...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build Forge: %w\n%s", err, output)
	}
	return path, nil
})

// lookAtSources reads what directories of the module there are. The go command notices, and does not take the result of an earlier run for
// that of a program that has changed since.
func lookAtSources() error {
	return filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "node_modules") {
			return filepath.SkipDir
		}
		return err
	})
}

// atOnce calls do for each number below n, from so many goroutines, and returns when all are done.
func atOnce(goroutines, n int, do func(i int)) {
	work := make(chan int)
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for i := range work {
				do(i)
			}
		})
	}
	for i := range n {
		work <- i
	}
	close(work)
	wg.Wait()
}

// keep calls do again and again, from so many goroutines, until the function that it returns is called; that returns when all
// are done.
func keep(goroutines int, do func(ctx context.Context, i int)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for i := range goroutines {
		wg.Go(func() {
			for ctx.Err() == nil {
				do(ctx, i)
			}
		})
	}
	return sync.OnceFunc(func() {
		cancel()
		wg.Wait()
	})
}

// patience is how long a test waits for what must come at last: far longer than it takes, for machines that are busy.
const patience = 20 * time.Second

// eventually waits until ok, and returns how long that took.
func eventually(t *testing.T, what string, ok func() error) time.Duration {
	t.Helper()
	start := time.Now()
	err := errors.New("not tried")
	for err != nil {
		if err = ok(); err != nil && time.Since(start) > patience {
			t.Fatalf("%s: not within %s: %v", what, patience, err)
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond)
		}
	}
	return time.Since(start)
}
