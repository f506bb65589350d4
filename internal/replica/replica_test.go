package replica

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"forge/internal/apperr"
	"forge/internal/cursorcipher"
)

// newSet returns a set whose hosts nobody watches, with the time at which it began.
func newSet(o Options, replicas ...string) (*Set, time.Time) {
	o.Log = slog.New(slog.DiscardHandler)
	s := &Set{options: o, cipher: cursorcipher.New(nil), lags: map[*Host]*caughtUp{}, next: make(chan struct{}), began: time.Now()}
	s.primary = &Host{Name: "primary", published: s.sampled, next: make(chan struct{}), last: sample{err: errNotWatched}}
	for _, name := range replicas {
		h := &Host{Name: name, published: s.sampled, next: make(chan struct{}), last: sample{err: errNotWatched}}
		s.replicas, s.lags[h] = append(s.replicas, h), &caughtUp{reason: errNotWatched.Error()}
	}
	return s, s.began
}

// at returns a sample of the cluster that most tests use.
func at(lsn uint64, began time.Time, standby bool) sample {
	return sample{Position: Position{1, 2, 3, lsn}, began: began, standby: standby}
}

func TestNeed(t *testing.T) {
	t.Parallel()
	s, _ := newSet(Options{})
	here := Position{System: 1, Database: 2, Timeline: 3, LSN: 100}
	with := func(change func(*Position)) Position {
		p := here
		change(&p)
		return p
	}
	later := with(func(p *Position) { p.LSN = 101 })
	tests := map[string]struct {
		need []Position
		want bool
	}{
		"none":             {nil, true},
		"the same":         {[]Position{here}, true},
		"an earlier one":   {[]Position{with(func(p *Position) { p.LSN = 99 })}, true},
		"a later one":      {[]Position{later}, false},
		"one of two later": {[]Position{here, later}, false},
		"latest":           {[]Position{with(func(p *Position) { p.LSN = latest })}, false},
		"another timeline": {[]Position{with(func(p *Position) { p.Timeline, p.LSN = 2, 1 })}, false},
		"another system":   {[]Position{with(func(p *Position) { p.System, p.LSN = 9, 1 })}, false},
		"another database": {[]Position{with(func(p *Position) { p.Database, p.LSN = 9, 1 })}, false},
		"two timelines":    {[]Position{here, with(func(p *Position) { p.Timeline, p.LSN = 2, 1 })}, false},
	}
	for name, tt := range tests {
		var texts []string
		for _, p := range tt.need {
			texts = append(texts, p.seal(s.cipher))
		}
		for _, header := range [][]string{texts, {strings.Join(texts, " , ")}} {
			n, err := s.Need(header...)
			if got := n.in(here); err != nil || got != tt.want {
				t.Errorf("%s: %v, %v, want %v", name, got, err, tt.want)
			}
		}
	}
	for _, bad := range []string{"x", here.seal(s.cipher) + "x", here.seal(cursorcipher.New(bytes.Repeat([]byte{1}, 32))), strings.Repeat(here.seal(s.cipher)+",", 101)} {
		_, err := s.Need(bad)
		if e, ok := errors.AsType[*apperr.Error](err); !ok || e.Code != apperr.CodeBadUserInput {
			t.Errorf("%.100q: %v", bad, err)
		}
	}
}

// TestMixedNeed has positions of which one is of another database, and one of a later timeline of
// this one. The server does not take its primary for the one of that timeline.
func TestMixedNeed(t *testing.T) {
	t.Parallel()
	ours, foreign := Position{1, 2, 4, 100}, Position{9, 2, 7, 100}
	for _, needed := range [][]Position{{ours, foreign}, {foreign, ours}} {
		synctest.Test(t, func(t *testing.T) {
			s, _ := newSet(Options{})
			sample := func() { s.primary.publish(at(100, time.Now(), false)) }
			sample()
			time.AfterFunc(time.Millisecond, sample)
			var n Need
			for _, p := range needed {
				n.add(p)
			}
			if _, err := s.Choose(t.Context(), n); err == nil {
				t.Errorf("%v are read on timeline 3", needed)
			}
		})
	}
}

func TestEndOf(t *testing.T) {
	t.Parallel()
	const file = 1 << 20
	for insert, want := range map[uint64]uint64{
		0: 0, 8192: 8192, 8192 + 24: 8192, 8192 + 32: 8192 + 32, 8192 + 40: 8192 + 40, 3*file + 40: 3 * file, 3*file + 48: 3*file + 48,
	} {
		if got := endOf(insert, file); got != want {
			t.Errorf("endOf(%d) = %d, want %d", insert, got, want)
		}
	}
}

// TestLag moves a primary and a replica, and looks at how far the replica counts as behind.
func TestLag(t *testing.T) {
	t.Parallel()
	s, start := newSet(Options{MaxLag: time.Second}, "a")
	h := s.replicas[0]
	after := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	expect := func(want time.Duration, usable bool) {
		t.Helper()
		s.mu.Lock()
		defer s.mu.Unlock()
		if got := s.lag(h); got != want {
			t.Errorf("the lag is %s, want %s", got, want)
		}
		if err := s.unusable(h, h.state()); (err == nil) != usable {
			t.Errorf("it is not read from because %v", err)
		}
	}
	s.primary.publish(at(100, after(0), false))
	h.publish(at(50, after(1), true))
	expect(1<<63-1, false) // nobody knows when the primary was at 50
	h.publish(at(100, after(2), true))
	expect(0, true)
	for ms := 50; ms <= 2000; ms += 50 {
		s.primary.publish(at(100+uint64(ms), after(ms), false))
	}
	expect(2000*time.Millisecond, false)
	h.publish(at(100+1500, after(2001), true))
	expect(500*time.Millisecond, true)
	h.publish(at(100+1549, after(2002), true))
	expect(500*time.Millisecond, true)
	s.primary.publish(sample{err: errors.New("away"), began: after(9000)})
	expect(500*time.Millisecond, true) // without a primary, nothing newer is known
	h.publish(at(2100, after(9001), true))
	expect(0, true)

	other := at(5000, after(9100), false)
	other.Timeline = 2
	s.primary.publish(other) // one that was replaced
	expect(0, true)
	other.Timeline = 4
	s.primary.publish(other)
	expect(7100*time.Millisecond, false)
	follows := at(5000, after(9200), true)
	follows.Timeline = 4
	h.publish(follows)
	expect(0, true)
}

// TestUnusable gives a set samples of replicas that are not to be read from.
func TestUnusable(t *testing.T) {
	t.Parallel()
	for want, change := range map[error]func(*sample){
		nil:          func(*sample) {},
		errPrimary:   func(s *sample) { s.standby = false },
		errCluster:   func(s *sample) { s.System++ },
		errDatabase:  func(s *sample) { s.Database++ },
		errTimeline:  func(s *sample) { s.Timeline++ },
		errRestarted: func(s *sample) { s.err = errRestarted },
	} {
		s, start := newSet(Options{MaxLag: time.Minute}, "a")
		s.primary.publish(at(100, start, false))
		last := at(100, time.Now(), true)
		change(&last)
		s.replicas[0].publish(last)
		if got := s.unusable(s.replicas[0], last); got != want {
			t.Errorf("%v, want %v", got, want)
		}
		if c, _, _ := s.look(Need{}); (c.Host != nil) != (want == nil) {
			t.Errorf("chosen although %v: %v", want, c.Host != nil)
		}
	}
	s, start := newSet(Options{MaxLag: time.Minute}, "a")
	s.replicas[0].publish(at(100, start, true))
	if got := s.unusable(s.replicas[0], s.replicas[0].state()); got != errNoPrimary {
		t.Errorf("without a primary: %v", got)
	}
	s.primary.publish(at(100, start.Add(-time.Hour), false))
	s.replicas[0].publish(at(100, start.Add(-2*maxAge), true))
	if c, _, _ := s.look(Need{}); c.Host != nil {
		t.Error("a replica is chosen that was not sampled for long")
	}
}

// TestTurns chooses among replicas of which some cannot be used.
func TestTurns(t *testing.T) {
	t.Parallel()
	s, start := newSet(Options{MaxLag: time.Minute, Fresh: true}, "away", "a", "b", "late")
	s.primary.publish(at(100, start, false))
	for ms := range 10 {
		s.primary.publish(at(101+uint64(ms), start.Add(time.Duration(50*ms+50)*time.Millisecond), false))
	}
	now := time.Now().Add(time.Second)
	s.replicas[1].publish(at(110, now, true))
	s.replicas[2].publish(at(110, now, true))
	s.replicas[3].publish(at(100, now, true))
	count := func(n Need) map[string]int {
		chosen := map[string]int{}
		for range 30 {
			c, _, _ := s.look(n)
			chosen[c.Name]++
		}
		return chosen
	}
	if got := count(Need{}); got["a"] != 15 || got["b"] != 15 {
		t.Errorf("of those that have caught up, chosen are %v", got)
	}
	if got := count(Need{at: Position{1, 2, 3, 100}, given: true}); got["a"] != 10 || got["b"] != 10 || got["late"] != 10 {
		t.Errorf("of those that have the position, chosen are %v", got)
	}
	if c, waits, _ := s.look(Need{at: Position{1, 2, 3, 111}, given: true}); c.Host != nil || !waits {
		t.Errorf("for a position that comes next: %v, %v, want a wait", c.Host, waits)
	}
	if c, waits, _ := s.look(Need{at: Position{1, 2, 3, latest}, given: true}); c.Host != nil || waits {
		t.Errorf("for what only the primary has: %v, %v", c.Host, waits)
	}
}
