// Package faults breaks what Forge stands on, under load, and looks at what clients get to see and at what is stored. The tests run the
// real program. They have a short form, and a long one for FORGE_SOAK=1.
package faults

import (
	"context"
	"fmt"
	"forge/test/process"
	"os"
	"sync"
	"testing"
)

// sized returns how much a test does: short, or in full.
func sized(short, full int) int {
	if os.Getenv("FORGE_SOAK") != "" {
		return full
	}
	return short
}

func TestMain(m *testing.M) {
	if text := os.Getenv(loadVariable); text != "" {
		if err := sendLoad(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(process.Main(m))
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
