package faults

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"forge/internal/dbtest"
)

// TestAdmission fills a server whose operations all wait for a lock: as many run and wait as may, the others are turned away, and probes
// are answered as ever. When the lock is gone, all that had a place are answered.
func TestAdmission(t *testing.T) {
	t.Parallel()
	const running, queued, others = 3, 4, 20
	address := dbtest.Postgres(t)
	f := start(t, address, fmt.Sprintf("MAX_IN_FLIGHT=%d", running), fmt.Sprintf("MAX_QUEUED=%d", queued), "QUEUE_TIMEOUT=1m")
	db := connect(t, address)
	unlock := locked(t, db)
	placed := make(chan reply, running+queued)
	send := func() { placed <- f.send(background, readTeams, nil) }
	for range running {
		go send()
	}
	waiting(t, db, running)
	for range queued {
		go send()
	}
	eventually(t, "the queue is full", func() error {
		// A server that is full turns away what is no operation, too: it does not look.
		if got := f.send(background, "", nil); got.code() != "UNAVAILABLE" {
			return fmt.Errorf("%s", got)
		}
		return nil
	})
	before := f.metric(refusedByOverload)
	atOnce(others, others, func(int) { wantUnavailable(t, f.send(background, readTeams, nil)) })
	if n := f.metric(refusedByOverload) - before; n != others {
		t.Errorf("%v are counted as turned away, want %d", n, others)
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		if status := f.status(path); status != http.StatusOK {
			t.Errorf("%s of a full server: %d", path, status)
		}
	}
	waiting(t, db, running)
	unlock()
	for range running + queued {
		if got := <-placed; !got.ok() {
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
	first := make(chan reply, 1)
	go func() { first <- f.send(background, readTeams, nil) }()
	waiting(t, db, 1)
	for range 3 {
		wantUnavailable(t, f.send(background, readTeams, nil))
	}
	unlock()
	if got := <-first; !got.ok() {
		t.Errorf("the one that ran: %s", got)
	}
}

// TestOverload sends ten times what the server can do, each request when its time has come, whatever became of those before. In full, with
// the limits as they are when nothing is said, it measures that the server goes on to answer as many as it can, in bounded memory; in short,
// with limits that a short time is enough to pass, only that it goes on.
func TestOverload(t *testing.T) {
	address := dbtest.Postgres(t)
	seed(t, address)
	soak := os.Getenv("FORGE_SOAK") != ""
	settings := []string{"READ_HEADER_TIMEOUT=1m"} // it is the clients that may be slow: they share the machine
	if !soak {
		settings = append(settings, "MAX_IN_FLIGHT=4", "MAX_QUEUED=4")
	}
	f := start(t, address, append(settings, strings.Fields(os.Getenv("OVERLOAD_SETTINGS"))...)...)
	l := &load{forge: f, client: &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConns: 1000, MaxIdleConnsPerHost: 1000}}}
	long := time.Duration(sized(1, 8)) * time.Second
	l.closed(8, long) // plans are made, connections opened
	calm := f.metric("process_resident_memory_bytes")

	// By turns, since what else the machine has to do changes all the time.
	var sustained, overloaded outcome
	for range sized(1, 4) {
		run := l.closed(8, long)
		t.Logf("sustained:           %s", run)
		sustained.add(run)
		run = l.open(10*run.goodput(), long)
		t.Logf("10 times the load:   %s", run)
		overloaded.add(run)
	}
	t.Logf("all in all, sustained: %s\nall in all, overload: %s\nmemory: %.0f MiB before, %.0f MiB at most", &sustained, &overloaded, calm/(1<<20), l.memory/(1<<20))
	if overloaded.good == 0 || overloaded.refused == 0 || overloaded.other > 0 {
		t.Errorf("under overload: %s, want good ones and ones turned away, and nothing else: %v", &overloaded, overloaded.first)
	}
	f.alive()
	if after := l.closed(4, long); after.good == 0 || after.refused+after.other > 0 {
		t.Errorf("after it: %s", after)
	}
	f.idle()
	if soak && overloaded.goodput() < .8*sustained.goodput() {
		t.Errorf("goodput fell from %.0f/s to %.0f/s", sustained.goodput(), overloaded.goodput())
	}
	if soak && l.memory > 512<<20 {
		t.Errorf("%.0f MiB of memory", l.memory/(1<<20))
	}
}

// seed fills a database with demo data.
func seed(t *testing.T, address string) {
	t.Helper()
	if output, err := command(t, address, nil, "seed", "--scale=5").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
}

// load is what is asked of a server: a nested page, as bench/queries/w4.graphql has it.
type load struct {
	*forge
	client *http.Client
	memory float64 // the most that the server had, in bytes
}

const nested = `{"query":"query W4 { users(first: 20) { edges { node { id orders(first: 5) { edges { node { id totalCents items { quantity product { name priceCents } } } } } } } } }"}`

// outcome is what became of a load.
type outcome struct {
	good, refused, other int
	took                 time.Duration
	times                []time.Duration // of the good ones
	first                error           // of the others
}

// add adds what became of another load.
func (o *outcome) add(other *outcome) {
	o.good, o.refused, o.other, o.took = o.good+other.good, o.refused+other.refused, o.other+other.other, o.took+other.took
	o.times = append(o.times, other.times...)
	o.first = cmp.Or(o.first, other.first)
}

// since takes away what an earlier outcome of the same load has.
func (o *outcome) since(early *outcome) *outcome {
	o.good, o.refused, o.took, o.times = o.good-early.good, o.refused-early.refused, o.took-early.took, o.times[len(early.times):]
	return o
}

func (o *outcome) goodput() float64 { return float64(o.good) / o.took.Seconds() }

func (o *outcome) String() string {
	slices.Sort(o.times)
	at := func(q float64) time.Duration {
		if len(o.times) == 0 {
			return 0
		}
		return o.times[int(math.Ceil(q*float64(len(o.times))))-1].Round(100 * time.Microsecond)
	}
	return fmt.Sprintf("%.0f/s good, %.0f/s turned away, %d other; p50 %s, p99 %s", o.goodput(),
		float64(o.refused)/o.took.Seconds(), o.other, at(.5), at(.99))
}

// recorder adds up an outcome.
type recorder struct {
	outcome
	mu sync.Mutex
}

// send sends one request. Its answer is not decoded: the client must not need more of the machine than the server does.
func (l *load) send(ctx context.Context, r *recorder) {
	start := time.Now()
	status, answer, err := l.post(ctx)
	took := time.Since(start)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil && status == http.StatusOK && bytes.HasPrefix(answer, []byte(`{"data":{"users"`)):
		r.good++
		r.times = append(r.times, took)
	case err == nil && status == http.StatusServiceUnavailable && bytes.Contains(answer, []byte(`"UNAVAILABLE"`)):
		r.refused++
	default:
		r.other++
		r.first = cmp.Or(r.first, err, fmt.Errorf("%d %s", status, answer))
	}
}

func (l *load) post(ctx context.Context) (status int, answer []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url+"/graphql", strings.NewReader(nested))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := l.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// closed has clients that each send the next request when they have the answer to the last.
func (l *load) closed(clients int, long time.Duration) *outcome {
	r, start := new(recorder), time.Now()
	stop := keep(clients, func(context.Context, int) { l.send(background, r) })
	time.Sleep(long)
	stop()
	return r.upTo(time.Since(start))
}

// open sends so many requests a second, each when its time has come. What becomes of them counts once the server has been at it for a while. It never has more than 1000 on the way: those that would be more
// are not sent, as an operating system would not let them connect.
func (l *load) open(perSecond float64, long time.Duration) *outcome {
	r, start := new(recorder), time.Now()
	var wg sync.WaitGroup
	defer wg.Wait()
	var onTheWay atomic.Int64
	watch := keep(1, func(context.Context, int) {
		l.memory = max(l.memory, l.metric("process_resident_memory_bytes"))
		time.Sleep(200 * time.Millisecond)
	})
	var early *outcome
	lead := long / 4
	sent := 0
	for time.Since(start) < lead+long {
		if early == nil && time.Since(start) > lead {
			early = r.upTo(time.Since(start))
		}
		for due := int(perSecond * time.Since(start).Seconds()); sent < due; sent++ {
			if onTheWay.Load() >= 1000 {
				continue
			}
			onTheWay.Add(1)
			wg.Go(func() {
				defer onTheWay.Add(-1)
				l.send(background, r)
			})
		}
		time.Sleep(time.Millisecond)
	}
	watch()
	if early == nil {
		early = new(outcome) // the machine had no time for us until now
	}
	return r.upTo(time.Since(start)).since(early)
}

// upTo is what has come so far: what comes later is no part of the goodput.
func (r *recorder) upTo(now time.Duration) *outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	o := r.outcome
	o.times, o.took = slices.Clone(o.times), now
	return &o
}
