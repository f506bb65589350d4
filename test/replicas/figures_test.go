package replicas

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"forge/internal/replica"
	"forge/test/gqltest"
)

// TestFigures prints what docs/scale.md says of replicas: how many queries each host answers, and
// what positions cost.
func TestFigures(t *testing.T) {
	if os.Getenv("FORGE_SOAK") == "" {
		t.Skip("prints figures: FORGE_SOAK=1 runs it")
	}
	c := cluster(t, 2)
	for n := range 3 {
		settings := []string{"READS=primary"}
		if n > 0 {
			settings = nil
		}
		f := serve(t, c.Nodes[0].URL("postgres"), c.Nodes[1:1+n], settings...)
		if n > 0 {
			f.usable(t, c.Nodes[1:1+n]...)
		}
		made := f.Must(createHero, gqltest.Vars{"n": fmt.Sprint("Figures ", n)})
		id, at := made.Text("createHero.hero.id"), made.Header.Get(replica.Header)
		before := f.reads()
		reads, writes := load(t, f, id, at, 4, 5*time.Second)
		fmt.Printf("%d replicas: %d queries, p50 %s, p99 %s; %d updates, p50 %s, p99 %s; answered by %v\n", n,
			len(reads), quantile(reads, 50), quantile(reads, 99), len(writes), quantile(writes, 50), quantile(writes, 99), f.since(before))
	}
}

// load has clients send nine queries for each update, with their positions, for some time. It
// returns how long each took.
func load(t *testing.T, f *forge, id, at string, clients int, long time.Duration) (reads, writes []time.Duration) {
	var mu sync.Mutex
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			at := at
			for n, start := 1, time.Now(); time.Since(start) < long; n++ {
				query, variables := readHero, gqltest.Vars{"id": id}
				if n%10 == 0 {
					query, variables = updateHero, gqltest.Vars{"id": id, "age": n % 100}
				}
				began := time.Now()
				a := f.after(at).Send(context.Background(), query, variables)
				took := time.Since(began)
				if !a.OK() {
					t.Error(a)
				}
				at = a.Header.Get(replica.Header)
				mu.Lock()
				if n%10 == 0 {
					writes = append(writes, took)
				} else {
					reads = append(reads, took)
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return reads, writes
}

func quantile(all []time.Duration, percent int) time.Duration {
	slices.Sort(all)
	return all[len(all)*percent/100].Round(10 * time.Microsecond)
}
