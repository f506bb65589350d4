package faults

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"forge/test/gqltest"
	"forge/test/process"
)

// machine is a network namespace, which stands for another machine.
type machine struct {
	t             *testing.T
	name          string
	here, address string // of this machine, and of the other one
}

// newMachine returns a machine at the other end of a cable. It skips the test where network
// namespaces are not allowed.
func newMachine(t *testing.T) *machine {
	t.Helper()
	id := os.Getpid() % 250
	m := &machine{t: t, name: fmt.Sprint("forge", os.Getpid()), here: fmt.Sprintf("10.213.%d.1", id), address: fmt.Sprintf("10.213.%d.2", id)}
	if out, err := exec.Command("ip", "netns", "add", m.name).CombinedOutput(); err != nil {
		t.Skipf("network namespaces are not allowed here: %v %s", err, out)
	}
	t.Cleanup(func() { m.ip("netns", "del", m.name) }) // and the cable with it
	cable := fmt.Sprint("fg", os.Getpid()%100_000)
	m.ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", m.name)
	m.ip("addr", "add", m.here+"/30", "dev", cable)
	m.ip("link", "set", cable, "up")
	m.ip("-n", m.name, "addr", "add", m.address+"/30", "dev", "eth0")
	m.ip("-n", m.name, "link", "set", "eth0", "up")
	return m
}

func (m *machine) ip(args ...string) {
	m.t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		m.t.Fatalf("ip %s: %v %s", strings.Join(args, " "), err, out)
	}
}

// cut has the machine's packets vanish, without a word to either side.
func (m *machine) cut() { m.ip("-n", m.name, "route", "add", "blackhole", m.here+"/32") }

// heal undoes cut.
func (m *machine) heal() { m.ip("-n", m.name, "route", "del", "blackhole", m.here+"/32") }

// serve has the machine listen as the PostgreSQL at an address of a socket, and returns the address
// by which it is reached.
func (m *machine) serve(address string) string {
	m.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		m.t.Fatal(err)
	}
	socket := filepath.Join(u.Query().Get("host"), ".s.PGSQL."+u.Query().Get("port"))
	cmd := exec.Command("ip", "netns", "exec", m.name, os.Args[0])
	cmd.Env = append(os.Environ(), partitionVariable+"="+m.address+":5432 "+socket)
	cmd.Stderr, cmd.SysProcAttr = m.t.Output(), process.KilledWithParent()
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err == nil {
		_, err = out.Read(make([]byte, 1))
	}
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return fmt.Sprintf("postgres://%s@%s:5432%s?sslmode=disable", u.User, m.address, u.Path)
}

// TestSilentPartition has the network between Forge and PostgreSQL lose all packets while clients
// order under keys: nobody is told that the other side is gone. All requests are answered, and when
// the network is back, all goes on, and nothing acknowledged is lost.
func TestSilentPartition(t *testing.T) {
	if os.Getenv("FORGE_SOAK") == "" {
		t.Skip("takes half a minute; FORGE_SOAK=1 runs it")
	}
	m := newMachine(t)
	_, direct := ownPostgres(t)
	f := start(t, m.serve(direct), "MIGRATE=on", "POOL_SIZE=6")
	s := f.opened(10, 1_000_000)
	const clients = 8
	var n, refused atomic.Int64
	var mu sync.Mutex
	var longest time.Duration
	acknowledged := new(placed)
	stop := keep(clients, func(_ context.Context, i int) {
		key := fmt.Sprint("order-", n.Add(1))
		order := s.anyOrder()
		for {
			begin := time.Now()
			var got gqltest.Answer
			if i%4 == 3 {
				got = f.Send(background, `query { products { totalCount nodes { stock } } }`, nil)
			} else {
				got = underKey(f.Client, key).Send(background, createOrder, order)
			}
			mu.Lock()
			longest = max(longest, time.Since(begin))
			mu.Unlock()
			if got.OK() {
				if i%4 != 3 {
					acknowledged.add(got)
				}
				return
			}
			wantUnavailable(t, got)
			refused.Add(1)
			time.Sleep(100 * time.Millisecond)
		}
	})
	defer stop()
	time.Sleep(2 * time.Second)
	for _, cut := range []time.Duration{5 * time.Second, 30 * time.Second} {
		mu.Lock()
		longest = 0
		mu.Unlock()
		refused.Store(0)
		m.cut()
		time.Sleep(cut)
		m.heal()
		healed := time.Now()
		gqltest.Eventually(t, "orders are taken again", func() error {
			got := f.order(background, s)
			if !got.OK() {
				return fmt.Errorf("%s", got)
			}
			acknowledged.add(got)
			return nil
		})
		again := time.Since(healed)
		time.Sleep(2 * time.Second)
		mu.Lock()
		t.Logf("cut off for %s: the longest request took %s; %d were refused; an order was stored %s after the network was back",
			cut, longest.Round(100*time.Millisecond), refused.Load(), again.Round(10*time.Millisecond))
		if longest > 40*time.Second {
			t.Errorf("a request was answered after %s, want some 12 s", longest)
		}
		mu.Unlock()
	}
	stop()
	f.allStored(acknowledged)
	s.audit(t, direct)
}
