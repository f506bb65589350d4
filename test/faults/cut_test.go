package faults

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"forge/test/dbtest"
	"forge/test/gqltest"
)

// underKey returns the client with an idempotency key for its requests.
func underKey(c *gqltest.Client, key string) *gqltest.Client { return c.With("Idempotency-Key", key) }

// wantStored checks the number of stored orders.
func (s *shop) wantStored(t *testing.T, address string, orders int) {
	t.Helper()
	if b := s.audit(t, address); b.orders != orders {
		t.Errorf("%d orders are stored, want %d", b.orders, orders)
	}
}

// TestAnswerIsLost cuts the client off while the answer is on its way. The same request under the
// same key gets the first answer and changes nothing.
func TestAnswerIsLost(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, url string) {
		f := start(t, url)
		s := f.opened(3, 100)
		lost := new(answers)
		fresh := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		cut := gqltest.New(t, "http://"+dbtest.Forward(t, "tcp", strings.TrimPrefix(f.URL, "http://"), filtered(lost.filters))).Through(fresh)
		order := s.anyOrder()
		lost.next.Store(true)
		if got := underKey(cut, "k").Send(background, createOrder, order); got.Err == nil {
			t.Fatalf("the answer came through: %s", got)
		}
		s.wantStored(t, url, 1)
		first := underKey(cut, "k").Send(background, createOrder, order)
		second := underKey(cut, "k").Send(background, createOrder, order)
		if !first.OK() || first.Body != second.Body {
			t.Errorf("the repeats:\n%s\n%s", first, second)
		}
		s.wantStored(t, url, 1)
		f.allStored(&placed{ids: []string{first.Text("createOrder.order.id")}})

		// Of several concurrent requests with one key, one loses its connection during the commit.
		lost.next.Store(true)
		replies := make([]gqltest.Answer, 6)
		var wg sync.WaitGroup
		for i := range replies {
			wg.Go(func() {
				replies[i] = underKey(cut, "at once").Send(background, createOrder, order)
			})
		}
		wg.Wait()
		last := underKey(f.Client, "at once").Must(createOrder, order)
		cutOff := 0
		for _, r := range replies {
			if r.Err != nil {
				cutOff++
			} else if r.Body != last.Body {
				t.Errorf("another answer:\n%s\n%s", r, last)
			}
		}
		if cutOff != 1 {
			t.Errorf("%d clients were cut off, want 1", cutOff)
		}
		s.wantStored(t, url, 2)
	})
}

// TestCommitIsCutOff breaks the connection to PostgreSQL at the commit. If it breaks before the
// commit, nothing is stored. If it breaks after the commit, everything is. Forge cannot know which
// is the case, and says so. With an idempotency key, it finds out by itself.
func TestCommitIsCutOff(t *testing.T) {
	address := dbtest.Postgres(t)
	through, commits := throughProxy(t, address)
	f := start(t, through)
	s := f.opened(3, 100)
	for i, arm := range []func(){func() { commits.before.Store(true) }, func() { commits.after.Store(true) }} {
		arm()
		order := s.anyOrder()
		key := []string{"before", "after"}[i]
		wantUnknown(t, f.Send(background, twoOrders, order))
		s.wantStored(t, address, []int{0, 3}[i])
		arm()
		again := underKey(f.Client, key).Must(createOrder, order)
		s.wantStored(t, address, []int{1, 4}[i])
		if once := underKey(f.Client, key).Must(createOrder, order); once.Body != again.Body {
			t.Errorf("the repeats:\n%s\n%s", again, once)
		}
		f.allStored(&placed{ids: []string{again.Text("createOrder.order.id")}})
	}
	f.idle()
}

const twoOrders = `mutation twoOrders($input: CreateOrderInput!) { a: createOrder(input: $input) { order { id } } b: createOrder(input: $input) { order { id } } }`

// wantUnknown checks that an answer says that the mutation may or may not be stored.
func wantUnknown(t *testing.T, got gqltest.Answer) {
	t.Helper()
	wantUnavailable(t, got)
	if len(got.Errors) != 1 || got.Errors[0].Extensions["outcome"] != "unknown" || !strings.Contains(got.Errors[0].Message, "not known whether") {
		t.Errorf("%s; want an outcome that is unknown", got)
	}
}

// TestCommitOfAKilledForge kills Forge just before a commit, and just after one. The next process
// on the same database answers the repeated request.
func TestCommitOfAKilledForge(t *testing.T) {
	address := dbtest.Postgres(t)
	through, commits := throughProxy(t, address)
	f := start(t, through)
	s := f.opened(3, 100)
	for i, key := range []string{"before", "after"} {
		order := s.anyOrder()
		killed := make(chan struct{})
		doomed := f
		commits.cut = sync.OnceFunc(func() {
			doomed.Kill()
			close(killed)
		})
		if key == "before" {
			commits.before.Store(true)
		} else {
			commits.after.Store(true)
		}
		if got := underKey(f.Client, key).Send(background, createOrder, order); got.Err == nil {
			t.Errorf("killed %s the commit, and it answered %s", key, got)
		}
		<-killed
		s.wantStored(t, address, []int{0, 2}[i])
		f = start(t, through)
		again := underKey(f.Client, key).Must(createOrder, order)
		s.wantStored(t, address, i+1)
		f.allStored(&placed{ids: []string{again.Text("createOrder.order.id")}})
	}
}

// idle checks that all connections come back to the pool. Background work uses one now and then.
func (f *forge) idle() {
	f.t.Helper()
	gqltest.Eventually(f.t, "all connections come back", func() error {
		if n := f.metric(inUse); n != 0 {
			return fmt.Errorf("%v are in use", n)
		}
		return nil
	})
}
