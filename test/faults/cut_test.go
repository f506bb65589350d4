package faults

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"forge/test/dbtest"
)

// wantStored checks how many orders there are.
func (s *shop) wantStored(t *testing.T, address string, orders int) {
	t.Helper()
	if b := s.audit(t, address); b.orders != orders {
		t.Errorf("%d orders are stored, want %d", b.orders, orders)
	}
}

// TestAnswerIsLost cuts the client off when the answer is on its way. The request, sent again under its key, gets the answer of the
// first one and changes nothing.
func TestAnswerIsLost(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		f := start(t, url)
		s := f.opened(3, 100)
		lost := new(answers)
		cut := "http://" + proxy(t, "tcp", strings.TrimPrefix(f.url, "http://"), lost.filters) + "/graphql"
		fresh := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		order := s.anyOrder()
		lost.next.Store(true)
		if got := post(background, fresh, cut, createOrder, order, "Idempotency-Key", "k"); got.failed == nil {
			t.Fatalf("the answer came through: %s", got)
		}
		s.wantStored(t, url, 1)
		first := post(background, fresh, cut, createOrder, order, "Idempotency-Key", "k")
		second := post(background, fresh, cut, createOrder, order, "Idempotency-Key", "k")
		if !first.ok() || first.body != second.body {
			t.Errorf("the repeats:\n%s\n%s", first, second)
		}
		s.wantStored(t, url, 1)
		f.allStored(&placed{ids: []string{first.text("createOrder.order.id")}})

		// Several at once, one of which is cut off.
		lost.next.Store(true)
		replies := make([]reply, 6)
		var wg sync.WaitGroup
		for i := range replies {
			wg.Go(func() {
				replies[i] = post(background, fresh, cut, createOrder, order, "Idempotency-Key", "at once")
			})
		}
		wg.Wait()
		last := f.mustSend(createOrder, order, "Idempotency-Key", "at once")
		cutOff := 0
		for _, r := range replies {
			if r.failed != nil {
				cutOff++
			} else if r.body != last.body {
				t.Errorf("another answer:\n%s\n%s", r, last)
			}
		}
		if cutOff != 1 {
			t.Errorf("%d clients were cut off, want 1", cutOff)
		}
		s.wantStored(t, url, 2)
	})
}

// TestCommitIsCutOff breaks the connection to PostgreSQL at the commit. Before it nothing is stored, after it everything; Forge cannot
// tell which, and says so. Under a key it finds out by itself.
func TestCommitIsCutOff(t *testing.T) {
	address := dbtest.Postgres(t)
	through, commits := throughProxy(t, address)
	f := start(t, through)
	s := f.opened(3, 100)
	for i, arm := range []func(){func() { commits.before.Store(true) }, func() { commits.after.Store(true) }} {
		arm()
		order := s.anyOrder()
		key := []string{"before", "after"}[i]
		wantUnknown(t, f.send(background, twoOrders, order))
		s.wantStored(t, address, []int{0, 3}[i])
		arm()
		again := f.mustSend(createOrder, order, "Idempotency-Key", key)
		s.wantStored(t, address, []int{1, 4}[i])
		if once := f.mustSend(createOrder, order, "Idempotency-Key", key); once.body != again.body {
			t.Errorf("the repeats:\n%s\n%s", again, once)
		}
		f.allStored(&placed{ids: []string{again.text("createOrder.order.id")}})
	}
	f.idle()
}

const twoOrders = `mutation twoOrders($input: CreateOrderInput!) { a: createOrder(input: $input) { order { id } } b: createOrder(input: $input) { order { id } } }`

// wantUnknown checks an answer that says: nobody knows whether this was stored.
func wantUnknown(t *testing.T, got reply) {
	t.Helper()
	wantUnavailable(t, got)
	if len(got.Errors) != 1 || got.Errors[0].Extensions["outcome"] != "unknown" || !strings.Contains(got.Errors[0].Message, "not known whether") {
		t.Errorf("%s; want an outcome that is unknown", got)
	}
}

// TestKilledAtCommit kills Forge just before the commit, and just after. The next one, on the same database, takes the repeat.
func TestKilledAtCommit(t *testing.T) {
	address := dbtest.Postgres(t)
	through, commits := throughProxy(t, address)
	f := start(t, through)
	s := f.opened(3, 100)
	for i, key := range []string{"before", "after"} {
		order := s.anyOrder()
		killed := make(chan struct{})
		doomed := f
		commits.cut = sync.OnceFunc(func() {
			doomed.kill()
			close(killed)
		})
		if key == "before" {
			commits.before.Store(true)
		} else {
			commits.after.Store(true)
		}
		if got := f.send(background, createOrder, order, "Idempotency-Key", key); got.failed == nil {
			t.Errorf("killed %s the commit, and it answered %s", key, got)
		}
		<-killed
		s.wantStored(t, address, []int{0, 2}[i])
		f = start(t, through)
		again := f.mustSend(createOrder, order, "Idempotency-Key", key)
		s.wantStored(t, address, i+1)
		f.allStored(&placed{ids: []string{again.text("createOrder.order.id")}})
	}
}

// idle checks that no connection of the pool stays in use. What goes on beside requests takes one now and then.
func (f *forge) idle() {
	f.t.Helper()
	eventually(f.t, "all connections come back", func() error {
		if n := f.metric(inUse); n != 0 {
			return fmt.Errorf("%v are in use", n)
		}
		return nil
	})
}
