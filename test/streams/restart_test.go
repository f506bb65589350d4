package streams

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"forge/internal/database"
	"forge/internal/pgtemp"
	"forge/test/gqltest"
)

// TestPostgresRestarts stops PostgreSQL and starts it again while heroes are created. Subscribers of
// two servers keep their connections, and are told of every hero whose creation was acknowledged.
func TestPostgresRestarts(t *testing.T) {
	t.Parallel()
	cluster, err := pgtemp.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	})
	url := cluster.URL("postgres")
	durable(t, url)
	servers := startOn(t, url, 2)
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	defer readers.Wait()
	defer cancel()
	var mu sync.Mutex
	heard := []map[string]bool{{}, {}}
	for i, s := range servers {
		follow(ctx, t, &readers, s.URL, func(name string, _ time.Time) {
			mu.Lock()
			defer mu.Unlock()
			heard[i][name] = true
		})
	}
	api := gqltest.New(t, servers[0].URL)
	var made []string
	create := func(n int) {
		for range n {
			name := "hero " + strconv.Itoa(len(made))
			got := api.Do(`mutation($n: String!) { createHero(input: {name: $n}) { hero { id } } }`, gqltest.Vars{"n": name})
			if got.OK() {
				made = append(made, name)
			}
		}
	}
	create(20)
	if err := cluster.Halt(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second) // so that servers have looked for it in vain
	if err := cluster.Resume(); err != nil {
		t.Fatal(err)
	}
	gqltest.Eventually(t, "heroes are created again", func() error {
		before := len(made)
		if create(1); len(made) == before {
			return fmt.Errorf("none was created")
		}
		return nil
	})
	create(20)
	gqltest.Eventually(t, "all are told", func() error {
		mu.Lock()
		defer mu.Unlock()
		for i := range servers {
			for _, name := range made {
				if !heard[i][name] {
					return fmt.Errorf("the subscriber of server %d was not told of %s", i, name)
				}
			}
		}
		return nil
	})
}

// durable has commits be on the disk before they are acknowledged. Otherwise ticks could be lost in a
// crash, and cursors with them.
func durable(t *testing.T, url string) {
	t.Helper()
	db, err := database.Open(url, database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{"ALTER SYSTEM SET synchronous_commit = on", "SELECT pg_reload_conf()"} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}
