package servers

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"forge/internal/migrator/catalog"
	"forge/test/gqltest"
	"forge/test/process"
)

// follow subscribes to heroes through the balancer until ctx ends. Whenever the stream breaks off,
// it begins another one after the last answer, as EventSource does.
func (c *cluster) follow(ctx context.Context, token string, each func(name string), begun func()) (streams int) {
	last := ""
	for ctx.Err() == nil {
		r, _ := http.NewRequestWithContext(ctx, "POST", c.front+"/graphql",
			strings.NewReader(`{"query":"subscription { heroChanges { changes { hero { name } } } }"}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "text/event-stream")
		r.Header.Set("Authorization", "Bearer "+token)
		if last != "" {
			r.Header.Set("Last-Event-ID", last)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			continue
		}
		streams++
		scan := bufio.NewScanner(response.Body)
		eventsOf(func() (string, bool) { ok := scan.Scan(); return scan.Text(), ok }, func(e event) {
			last = e.id
			begun()
			for _, name := range namesIn(e.data) {
				each(name)
			}
		})
		response.Body.Close()
	}
	return streams
}

// subscriptions follows heroes while the servers of the streams are killed. Everything that was
// acknowledged is told.
func (c *cluster) subscriptions(t *testing.T, admin string) {
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	heard := map[string]bool{}
	var followers, begun sync.WaitGroup
	var streams atomic.Int64
	for range 3 {
		begun.Add(1)
		once := sync.OnceFunc(begun.Done)
		followers.Go(func() {
			streams.Add(int64(c.follow(ctx, admin, func(name string) {
				mu.Lock()
				defer mu.Unlock()
				heard[name] = true
			}, once)))
		})
	}
	begun.Wait()
	made := 0
	create := func() {
		name := fmt.Sprintf("hero %d", made)
		gqltest.Eventually(t, name+" is created", func() error {
			// HAProxy closes the client's connection as well if the server's is lost before an
			// answer.
			got := c.balanced.As(admin).With("Idempotency-Key", name).Send(ctx, `mutation($n: String!) { createHero(input: {name: $n}) { hero { id } } }`, gqltest.Vars{"n": name})
			if !got.OK() {
				return fmt.Errorf("%s", got)
			}
			return nil
		})
		made++
	}
	for round := range 3 {
		for range 10 {
			create()
		}
		c.servers[round].Kill()
		for range 10 {
			create()
		}
		c.servers[round] = c.serve(process.Build(t), round)
		c.ready(t, round, http.StatusOK)
	}
	gqltest.Eventually(t, "all heroes are told", func() error {
		mu.Lock()
		defer mu.Unlock()
		if len(heard) != made {
			return fmt.Errorf("%d of %d", len(heard), made)
		}
		return nil
	})
	cancel()
	followers.Wait()
	t.Logf("3 followers heard of %d heroes over %d streams", made, streams.Load())
}

// ready waits until a server answers its probe with a status.
func (c *cluster) ready(t *testing.T, server, status int) {
	t.Helper()
	gqltest.Eventually(t, fmt.Sprintf("server %d answers %d", server, status), func() error {
		if got := c.at(server).Get("/readyz"); got.Status != status {
			return fmt.Errorf("%s", got)
		}
		return nil
	})
}

// load sends requests through the balancer until the returned function is called, which returns how
// many were answered. A request that fails is an error of the test.
func (c *cluster) load(t *testing.T, token string) (stop func() int64) {
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	var answered atomic.Int64
	for client := range 4 {
		all.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				query, variables := `{ teams(first: 5) { nodes { name heroes(first: 3) { nodes { name } } } } }`, gqltest.Vars(nil)
				if i%5 == 0 {
					query, variables = `mutation($n: String!) { createHero(input: {name: $n}) { hero { id } } }`, gqltest.Vars{"n": fmt.Sprintf("load %d %d", client, i)}
				}
				if got := c.balanced.As(token).Do(query, variables); !got.OK() {
					t.Errorf("a request failed: %s", got)
					return
				}
				answered.Add(1)
				time.Sleep(5 * time.Millisecond)
			}
		})
	}
	stop = func() int64 {
		cancel()
		all.Wait()
		return answered.Load()
	}
	t.Cleanup(func() { stop() })
	return stop
}

// suits is a migration that suits servers from before it.
const suits = "-- +goose Up\nALTER TABLE heroes ADD COLUMN motto text NULL COLLATE \"C\";\n\n-- +goose Down\nALTER TABLE heroes DROP COLUMN motto;\n"

// rollingDeploy replaces all servers by those of a build with another migration, under load. The
// old servers stay ready throughout, and no request fails.
func (c *cluster) rollingDeploy(t *testing.T, admin string) {
	next := process.BuildWith(t, map[string]string{"migrate/postgres/20991231000000_motto.sql": suits})
	stop := c.load(t, admin)
	old := c.servers
	c.servers = append(old[:3:3], c.serve(next, 3), c.serve(next, 4), c.serve(next, 5))
	c.ready(t, 3, http.StatusServiceUnavailable)
	if got := c.at(4).Get("/readyz"); !strings.Contains(got.Body, "20991231000000_motto") || got.Header.Get("Retry-After") == "" {
		t.Errorf("a new server before the migration: %s %v", got, got.Header)
	}
	cmd := c.command(next)
	cmd.Args = append(cmd.Args, "migrate", "up")
	process.Run(t, cmd)
	for i := 3; i < 6; i++ {
		c.ready(t, i, http.StatusOK)
	}
	time.Sleep(1500 * time.Millisecond) // the old servers look at the versions each second
	for i := range old {
		if got := c.at(i).Get("/readyz"); got.Status != 200 {
			t.Errorf("old server %d after the migration: %s", i, got)
		}
	}
	// A server of the old build that starts now, as after a crash, goes on as well.
	old[0].Stop()
	old[0] = c.serve(process.Build(t), 0)
	c.ready(t, 0, http.StatusOK)
	for _, s := range old {
		s.Stop()
	}
	t.Logf("%d requests in a rolling deploy, none failed", stop())
	c.servers = c.servers[3:]
}

// breakingMigration records a version that says that no server from before it goes on. All servers
// say so, and when to ask again.
func (c *cluster) breakingMigration(t *testing.T) {
	db, err := sql.Open("postgres", c.database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `INSERT INTO `+catalog.VersionTable+` (version_id, is_applied, schema, serves)
SELECT 20991231000001, true, schema, 20991231000001 FROM `+catalog.VersionTable+` WHERE version_id = 20991231000000`); err != nil {
		t.Fatal(err)
	}
	for i := range c.servers {
		c.ready(t, i, http.StatusServiceUnavailable)
		got := c.at(i).Get("/readyz")
		if got.Header.Get("Retry-After") == "" || !strings.Contains(got.Body, "newer than this build") {
			t.Errorf("server %d: %s %v", i, got, got.Header)
		}
	}
}

// allAway ends all servers. The balancer answers what Forge answers when it has no database.
func (c *cluster) allAway(t *testing.T) {
	for _, s := range c.servers {
		s.Kill()
	}
	gqltest.Eventually(t, "the balancer has no server", func() error {
		got := c.balanced.Send(t.Context(), `{ teams(first: 1) { nodes { name } } }`, nil)
		if got.Status != 503 || got.Code() != "UNAVAILABLE" || got.Header.Get("Retry-After") == "" || got.Header.Get("Content-Type") != "application/json" {
			return fmt.Errorf("%s %v", got, got.Header)
		}
		return nil
	})
}
