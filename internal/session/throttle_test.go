package session

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"forge/internal/apperr"
)

// clock is a clock that tests can set.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func (c *clock) pass(d time.Duration) { c.Time = c.Add(d) }

func retryAfter(err error) int {
	f, ok := errors.AsType[*apperr.Error](err)
	if !ok || f.Code != apperr.CodeRateLimited {
		return 0
	}
	return f.More["retryAfter"].(int)
}

func TestThrottle(t *testing.T) {
	t.Parallel()
	c := &clock{time.Now()}
	th := newThrottle(nil, c.now, freeFailures)
	fail := func() {
		t.Helper()
		a, err := th.begin(t.Context(), about("ada", "192.0.2.1"))
		if err != nil {
			t.Fatalf("refused: %v", err)
		}
		a.failed()
	}
	refused := func(want int) {
		t.Helper()
		if _, err := th.begin(t.Context(), about("ada", "192.0.2.1")); retryAfter(err) != want {
			t.Fatalf("%v, want RATE_LIMITED for %d s", err, want)
		}
	}
	for range 5 {
		fail()
	}
	for _, wait := range []int{15, 30, 60, 120, 240, 480, 900, 900} {
		refused(wait)
		c.pass(time.Duration(wait)*time.Second - 300*time.Millisecond)
		refused(1)
		c.pass(300 * time.Millisecond)
		fail()
	}
	if a, err := th.begin(t.Context(), about("ada", "192.0.2.2")); err != nil {
		t.Errorf("from another address: %v", err)
	} else {
		a.undecided()
	}
	c.pass(15 * time.Minute)
	a, err := th.begin(t.Context(), about("ada", "192.0.2.1"))
	if err != nil {
		t.Fatal(err)
	}
	a.succeeded()
	for range 4 {
		fail()
	}
	c.pass(15 * time.Minute)
	for range 5 {
		fail()
	}
	refused(15)
	c.pass(30 * time.Minute)
	for range 5 {
		fail()
	}
	refused(15)
}

// TestThrottleAtOnce begins more attempts at once than may fail.
func TestThrottleAtOnce(t *testing.T) {
	t.Parallel()
	th := newThrottle(nil, time.Now, freeFailures)
	var in []attempt
	for range 100 {
		if a, err := th.begin(t.Context(), about("ada")); err == nil {
			in = append(in, a)
		} else if retryAfter(err) == 0 {
			t.Fatal(err)
		}
	}
	if len(in) != freeFailures {
		t.Errorf("%d were let in, want %d", len(in), freeFailures)
	}
	for _, a := range in {
		a.undecided()
	}
	if n := th.known.Len(); n != 0 {
		t.Errorf("%d are remembered who did not fail", n)
	}
}

func TestThrottleIsBounded(t *testing.T) {
	t.Parallel()
	th := newThrottle(nil, time.Now, freeFailures)
	for i := range tracked + 1000 {
		a, err := th.begin(t.Context(), about(fmt.Sprint(i)))
		if err != nil {
			t.Fatal(err)
		}
		a.failed()
	}
	if n := th.known.Len(); n != tracked {
		t.Errorf("%d are remembered, want %d", n, tracked)
	}
}
