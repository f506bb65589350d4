// Package faults breaks the databases, connections and processes that Forge needs, under load, and
// checks the answers and the stored rows. The tests run the real program. They have a short form,
// and a long form with FORGE_SOAK=1.
package faults

import (
	"context"
	"fmt"
	"forge/test/process"
	"os"
	"sync"
	"testing"
)

// sized returns how much a test does, in its short form or in its long form.
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
	if text := os.Getenv(partitionVariable); text != "" { // see TestSilentPartition
		fmt.Fprintln(os.Stderr, forwardTo(text))
		os.Exit(1)
	}
	os.Exit(process.Main(m))
}

// atOnce calls do for each number below n from a number of goroutines, and returns when all calls
// have.
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

// keep calls do again and again from a number of goroutines, until stop is called. stop returns
// when all calls have.
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
