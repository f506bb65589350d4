package faults

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"forge/test/dbtest"
	"forge/test/gqltest"
)

// TestAdmission fills a server with operations that wait for a lock. As many as allowed run and
// wait, and the others are refused. Probes are answered as usual. When the lock is released, all
// operations that ran or waited are answered.
func TestAdmission(t *testing.T) {
	t.Parallel()
	const running, queued, others = 3, 4, 20
	address := dbtest.Postgres(t)
	f := start(t, address, fmt.Sprintf("MAX_IN_FLIGHT=%d", running), fmt.Sprintf("MAX_QUEUED=%d", queued), "QUEUE_TIMEOUT=1m")
	db := connect(t, address)
	unlock := locked(t, db)
	placed := make(chan gqltest.Answer, running+queued)
	send := func() { placed <- f.Send(background, readTeams, nil) }
	for range running {
		go send()
	}
	waiting(t, db, running)
	for range queued {
		go send()
	}
	gqltest.Eventually(t, "the queue is full", func() error {
		// A full server does not read requests, so it also refuses one that has no operation.
		if got := f.Send(background, "", nil); got.Code() != "UNAVAILABLE" {
			return fmt.Errorf("%s", got)
		}
		return nil
	})
	before := f.metric(refusedByOverload)
	atOnce(others, others, func(int) { wantUnavailable(t, f.Send(background, readTeams, nil)) })
	if n := f.metric(refusedByOverload) - before; n != others {
		t.Errorf("%v are counted as turned away, want %d", n, others)
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		if status := f.Get(path).Status; status != http.StatusOK {
			t.Errorf("%s of a full server: %d", path, status)
		}
	}
	waiting(t, db, running)
	unlock()
	for range running + queued {
		if got := <-placed; !got.OK() {
			t.Errorf("one that had a place: %s", got)
		}
	}
	f.idle()
}

const refusedByOverload = `forge_refused_total{limit="overload"}`

// TestQueueTimeout leaves an operation in the queue for too long.
func TestQueueTimeout(t *testing.T) {
	t.Parallel()
	address := dbtest.Postgres(t)
	f := start(t, address, "MAX_IN_FLIGHT=1", "MAX_QUEUED=5", "QUEUE_TIMEOUT=50ms")
	db := connect(t, address)
	unlock := locked(t, db)
	first := make(chan gqltest.Answer, 1)
	go func() { first <- f.Send(background, readTeams, nil) }()
	waiting(t, db, 1)
	for range 3 {
		wantUnavailable(t, f.Send(background, readTeams, nil))
	}
	unlock()
	if got := <-first; !got.OK() {
		t.Errorf("the one that ran: %s", got)
	}
}

// overload is how many times its sustained load a server gets.
const overload = 10

// TestOverload sends ten times the sustained load: the requests that MAX_IN_FLIGHT clients
// complete, each of which sends the next request when it has an answer. First comes a stream at ten
// times that rate, which does not wait for answers. Then come ten times as many clients, which send
// again at once after a refusal, or heed Retry-After. The long form has the default limits; the
// server must keep answering at 80 % of the sustained rate, in bounded memory. The short form has
// low limits, and only checks that the server keeps answering.
func TestOverload(t *testing.T) {
	address := dbtest.Postgres(t)
	seed(t, address)
	soak := os.Getenv("FORGE_SOAK") != ""
	inFlight := sized(4, 32)
	places := inFlight + sized(4, 1024) // operations that run or wait
	// The clients may be slow, because they share the machine.
	settings := []string{"READ_HEADER_TIMEOUT=1m"}
	if !soak {
		settings = append(settings, "MAX_IN_FLIGHT=4", "MAX_QUEUED=4")
	}
	m := &meter{forge: start(t, address, append(settings, strings.Fields(os.Getenv("OVERLOAD_SETTINGS"))...)...), postmaster: postmaster(t, address)}
	long := time.Duration(sized(1, 12)) * 500 * time.Millisecond
	sustain := load{Clients: inFlight, Long: long}
	m.measure(sustain) // plans are made
	calm := m.metric("process_resident_memory_bytes")

	loads := []struct {
		name   string
		stream bool
		load
		least float64   // the share of the sustained goodput that the server must reach
		share []float64 // in each round
	}{
		{name: "stream", stream: true, load: load{Clients: sized(100, 1000), Long: long}, least: .8},
		{name: "clients that send again at once", load: load{Clients: overload * inFlight, Long: long}, least: .8},
		{name: "clients that heed Retry-After", load: load{Clients: overload * inFlight, Heed: true, Long: long}, least: .8},
		{name: "stream on more connections than are held back", stream: true, load: load{Clients: sized(200, 4000), Long: long}},
	}
	for range sized(1, 3) {
		for i := range loads {
			l := &loads[i]
			// The loads alternate, because the machine's other load changes all the time.
			sustained := m.measure(sustain)
			t.Logf("sustained: %s", sustained)
			if l.stream {
				l.PerSecond = overload * sustained.goodput()
			}
			got := m.measure(l.load)
			t.Logf("%s: %s", l.name, got)
			if got.Good == 0 || got.Other > 0 {
				t.Errorf("%s: want good ones and ones turned away, and nothing else: %s", l.name, got)
			}
			// In the short form, all clients that heed Retry-After wait after their first refusal,
			// which comes before the measurement.
			if tooMany := l.Clients > places; tooMany != (got.Refused > 0) && (soak || !l.Heed) {
				t.Errorf("%s: %d places for %d requests at once: %s", l.name, places, l.Clients, got)
			}
			l.share = append(l.share, got.goodput()/sustained.goodput())
		}
	}
	m.MustLive()
	if after := m.measure(load{Clients: inFlight, Long: long}); after.Good == 0 || after.Refused+after.Other > 0 {
		t.Errorf("after it: %s", after)
	}
	m.idle()
	for _, l := range loads {
		slices.Sort(l.share)
		share := l.share[len(l.share)/2]
		t.Logf("%s: goodput is %.0f %% of the sustained one (median of %d)", l.name, 100*share, len(l.share))
		if soak && share < l.least {
			t.Errorf("%s: goodput fell to %.0f %%", l.name, 100*share)
		}
	}
	t.Logf("memory: %.0f MiB before, %.0f MiB at most", calm/(1<<20), m.memory/(1<<20))
	if soak && m.memory > 512<<20 {
		t.Errorf("%.0f MiB of memory", m.memory/(1<<20))
	}
}

// seed fills a database with demo data.
func seed(t *testing.T, address string) {
	t.Helper()
	if output, err := command(t, address, nil, "seed", "--scale=5").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
}
