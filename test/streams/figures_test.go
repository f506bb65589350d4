// Package streams measures what subscriptions cost, with servers that run as processes.
package streams

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"forge/test/dbtest"
	"forge/test/gqltest"
	"forge/test/process"
)

func TestMain(m *testing.M) { os.Exit(process.Main(m)) }

func soak(t *testing.T) {
	if os.Getenv("FORGE_SOAK") == "" {
		t.Skip("prints figures, and takes minutes: FORGE_SOAK=1 runs it")
	}
	t.Setenv("FORGE_SOAK", "") // the program would take it for a setting
	if err := os.Unsetenv("FORGE_SOAK"); err != nil {
		t.Fatal(err)
	}
}

// start starts servers on a new database.
func start(t *testing.T, n int) (servers []*process.Server) {
	return startOn(t, dbtest.EmptyPostgres(t), n)
}

func startOn(t *testing.T, url string, n int) (servers []*process.Server) {
	for range n {
		cmd := exec.CommandContext(t.Context(), process.Build(t), "serve")
		cmd.Env = append(os.Environ(), "DATABASE_URL="+url, "ADDR=127.0.0.1:0", "AUTH=off", "DEMO=off", "MIGRATE=on", "LOG_LEVEL=error")
		cmd.Dir = t.TempDir()
		servers = append(servers, process.Start(t, cmd))
	}
	return servers
}

// told is what a subscriber calls for each change of a hero, with the moment of its arrival.
type told func(name string, at time.Time)

// follow subscribes to the changes of heroes over a WebSocket, until ctx ends. It returns when the
// first answer is there.
func follow(ctx context.Context, t *testing.T, all *sync.WaitGroup, server string, each told) {
	t.Helper()
	c, _, err := websocket.Dial(ctx, strings.Replace(server, "http", "ws", 1)+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(16 << 20)
	send := func(text string) {
		if err := c.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	send(`{"type":"connection_init"}`)
	send(`{"id":"1","type":"subscribe","payload":{"query":"subscription { heroChanges { changes { hero { name } } } }"}}`)
	begun := make(chan struct{})
	all.Go(func() {
		defer c.CloseNow()
		first := true
		for {
			_, b, err := c.Read(ctx)
			if err != nil {
				if first {
					close(begun)
				}
				return
			}
			now := time.Now()
			var m struct {
				Type    string
				Payload struct {
					Data struct {
						HeroChanges struct {
							Changes []struct{ Hero *struct{ Name string } }
						}
					}
				}
			}
			if json.Unmarshal(b, &m) != nil || m.Type != "next" {
				continue
			}
			if first {
				first = false
				close(begun)
			}
			for _, change := range m.Payload.Data.HeroChanges.Changes {
				if change.Hero != nil {
					each(change.Hero.Name, now)
				}
			}
		}
	})
	<-begun
}

// TestLatency prints how long after the answer to a mutation a subscriber is told of its change: one
// who follows the server that made the change, and one who follows another one.
func TestLatency(t *testing.T) {
	soak(t)
	for _, servers := range []int{1, 3} {
		list := start(t, servers)
		for _, rate := range []int{10, 100, 500} {
			t.Run(fmt.Sprintf("%d servers, %d a second", servers, rate), func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				var readers, writers sync.WaitGroup
				var mu sync.Mutex
				made, took := map[string]time.Time{}, make([][]time.Duration, servers)
				arrived := make([]map[string]time.Time, servers)
				for i, s := range list {
					arrived[i] = map[string]time.Time{}
					follow(ctx, t, &readers, s.URL, func(name string, at time.Time) {
						mu.Lock()
						defer mu.Unlock()
						arrived[i][name] = at
					})
				}
				n := min(rate*10, 2000)
				api := gqltest.New(t, list[0].URL)
				tick := time.NewTicker(time.Second / time.Duration(rate))
				for i := range n {
					<-tick.C
					writers.Go(func() {
						name := "hero " + strconv.Itoa(i)
						api.Must(`mutation($n: String!) { createHero(input: {name: $n}) { hero { id } } }`, gqltest.Vars{"n": name})
						mu.Lock()
						defer mu.Unlock()
						made[name] = time.Now()
					})
				}
				tick.Stop()
				writers.Wait()
				gqltest.Eventually(t, "all changes are told", func() error {
					mu.Lock()
					defer mu.Unlock()
					for i := range list {
						if len(arrived[i]) != n {
							return fmt.Errorf("subscriber %d was told of %d of %d", i, len(arrived[i]), n)
						}
					}
					return nil
				})
				cancel()
				readers.Wait()
				for i := range list {
					for name, at := range made {
						took[i] = append(took[i], arrived[i][name].Sub(at))
					}
					slices.Sort(took[i])
					fmt.Printf("%d servers, %3d changes a second, subscriber at server %d: p50 %v, p99 %v\n", servers, rate, i,
						took[i][n/2].Round(time.Millisecond), took[i][n*99/100].Round(time.Millisecond))
				}
			})
		}
	}
}

// TestSubscribers prints what a server does for 1,000 subscribers and 100 changes a second.
func TestSubscribers(t *testing.T) {
	soak(t)
	server := start(t, 1)[0]
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var readers sync.WaitGroup
	var mu sync.Mutex
	const subscribers, rate, seconds = 1000, 100, 20
	answers := 0
	for range subscribers {
		follow(ctx, t, &readers, server.URL, func(string, time.Time) {
			mu.Lock()
			defer mu.Unlock()
			answers++
		})
	}
	before, begun := processor(t, server.Pid()), time.Now()
	api := gqltest.New(t, server.URL)
	tick := time.NewTicker(time.Second / rate)
	var writers sync.WaitGroup
	for i := range rate * seconds {
		<-tick.C
		writers.Go(func() {
			api.Must(`mutation($n: String!) { createHero(input: {name: $n}) { hero { id } } }`, gqltest.Vars{"n": strconv.Itoa(i)})
		})
	}
	writers.Wait()
	wrote := time.Since(begun)
	gqltest.Eventually(t, "all changes are told", func() error {
		mu.Lock()
		defer mu.Unlock()
		if want := rate * seconds * subscribers; answers != want {
			return fmt.Errorf("%d of %d", answers, want)
		}
		return nil
	})
	took := processor(t, server.Pid()) - before
	fmt.Printf("%d subscribers, %d changes in %v, all told after %v: %v of the server's processor, %v for each change told\n", subscribers, rate*seconds,
		wrote.Round(time.Millisecond), time.Since(begun).Round(time.Millisecond), took, took/time.Duration(rate*seconds*subscribers))
	cancel()
	readers.Wait()
}

// processor returns how much time of the processor a process has used.
func processor(t *testing.T, pid int) time.Duration {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		t.Skip(err)
	}
	fields := strings.Fields(string(b[strings.LastIndex(string(b), ")")+1:]))
	var ticks int
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
