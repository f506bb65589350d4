package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSwitchover makes another machine the primary, as before work on a machine, again and again.
// It prints how long orders waited, and for what. No client sees an error.
func TestSwitchover(t *testing.T) {
	if os.Getenv("FORGE_SOAK") == "" {
		t.Skip("takes two minutes; FORGE_SOAK=1 runs it")
	}
	c := newCluster(t, false)
	c.setUp()
	s := c.open()
	s.settle = 5 * time.Second
	stop := s.load()
	defer stop()
	s.during("nothing happens", func() {})
	for range 8 {
		from, begin := c.primary(), time.Now()
		s.during("switchover", func() { c.switchover(from) })
		if len(s.writes.refused)+len(s.reads.refused) > 0 {
			t.Errorf("clients saw errors: %v, %v", s.writes.refused, s.reads.refused)
		}
		s.explain(begin)
		c.awaitStandbys(2)
	}
	stop()
	s.audit()
}

// explain prints which part of the longest pause of orders since begin was whose.
func (s *haShop) explain(begin time.Time) {
	s.t.Helper()
	down := s.logged(begin, "received fast shutdown request")
	off := s.logged(down, "database system is shut down")
	promote := s.logged(off, "received promote request")
	standby := s.logged(promote, "is now a candidate for quorum synchronous standby")
	ready := s.logged(promote, "database system is ready to accept connections")
	round := func(from, to time.Time) time.Duration { return to.Sub(from).Round(10 * time.Millisecond) }
	s.t.Logf("PostgreSQL shuts down %s, Patroni hands over %s, PostgreSQL is promoted %s, then a standby follows %s, then Forge %s",
		round(down, off), round(off, promote), round(promote, ready), round(ready, standby), round(standby, s.writes.ended))
}

// logged returns the time of the first line with a text that a PostgreSQL has logged since a time.
func (c *cluster) logged(since time.Time, text string) (first time.Time) {
	c.t.Helper()
	const layout = "2006-01-02 15:04:05.000 MST"
	for _, m := range c.machines {
		log, err := os.ReadFile(filepath.Join(m.dir, "patroni.log"))
		c.must(err)
		for line := range strings.Lines(string(log)) {
			if !strings.Contains(line, text) {
				continue
			}
			at, err := time.Parse(layout, line[:min(len(line), len(layout))])
			if err == nil && !at.Before(since.Truncate(time.Millisecond)) && (first.IsZero() || at.Before(first)) {
				first = at
			}
		}
	}
	if first.IsZero() {
		c.t.Fatalf("no PostgreSQL has logged %q", text)
	}
	return first
}
