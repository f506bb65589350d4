package replica

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"forge/internal/database"
)

// These are the reasons for which a replica is not read from.
var (
	errRestarted = errors.New("it has restarted")
	errSeveral   = errors.New("its address leads to several servers, and what one of them has says nothing of the others: name each of them")
	errPrimary   = errors.New("it is a primary and no replica: only a server in recovery is read from")
	errCluster   = errors.New("it belongs to another cluster: its system identifier is not the primary's")
	errDatabase  = errors.New("its address names another database than DATABASE_URL")
	errTimeline  = errors.New("it does not follow the primary: its timeline is another one")
	errNoPrimary = errors.New("the primary has not answered since the start, so nobody knows whose replica it is")
)

// behindError is the reason of a replica that is too far behind.
type behindError struct{ most time.Duration }

func (e behindError) Error() string {
	return fmt.Sprintf("it is more than %s behind the primary, which MAX_REPLICA_LAG does not allow", e.most)
}

// mark says that at a time the primary was at an LSN.
type mark struct {
	at  time.Time
	lsn uint64
}

// caughtUp is what a Set knows of a replica beside its last sample.
type caughtUp struct {
	asOf time.Time // it has all that the primary had then; zero if that is not known
	// primaryOn is the timeline on which it was a primary when it answered last; 0 if it was none.
	primaryOn uint32
	reason    string // why it is not read from, as it was logged; "" if it is
	logged    time.Time
}

// logPause is the shortest time between two lines of the log about a replica.
const logPause = time.Second

// sampled is called after each sample.
func (s *Set) sampled(h *Host) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := h.state()
	if c := s.lags[h]; c != nil && last.err == nil {
		c.primaryOn = 0
		if !last.standby && last.System == s.known.System {
			c.primaryOn = last.Timeline
		}
	}
	switch {
	case h == s.primary:
		s.note(last)
	case last.err == nil && last.comparable(s.known.Position):
		s.catchUp(s.lags[h], last.LSN)
	}
	for _, h := range s.replicas {
		s.report(h)
	}
	close(s.next)
	s.next = make(chan struct{})
}

// note notes a sample of the primary. That of an older timeline comes from a primary that others
// have replaced.
func (s *Set) note(last sample) {
	if last.err != nil || last.standby || last.System == s.known.System && last.Timeline < s.known.Timeline {
		return
	}
	if !last.comparable(s.known.Position) {
		s.marks = nil
	}
	s.known = last
	if n := len(s.marks); n > 0 && last.began.Sub(s.marks[n-1].at) < interval/2 {
		return
	}
	old := slices.IndexFunc(s.marks, func(m mark) bool { return last.began.Sub(m.at) < 2*s.options.MaxLag })
	s.marks = append(slices.Delete(s.marks, 0, max(old, 0)), mark{last.began, last.LSN})
	for _, h := range s.replicas { // those that have it already need not be sampled again
		if at := h.state(); at.err == nil && at.comparable(last.Position) {
			s.catchUp(s.lags[h], at.LSN)
		}
	}
}

// catchUp notes that a replica is at an LSN.
func (s *Set) catchUp(c *caughtUp, lsn uint64) {
	if lsn >= s.known.LSN {
		c.asOf = s.known.began
		return
	}
	for _, m := range slices.Backward(s.marks) {
		if m.lsn <= lsn {
			if m.at.After(c.asOf) {
				c.asOf = m.at
			}
			return
		}
	}
}

// lag returns how far a replica is behind the primary at most. The lag does not grow while the
// primary is away. The caller holds mu.
func (s *Set) lag(h *Host) time.Duration {
	asOf := s.lags[h].asOf
	if asOf.IsZero() {
		return time.Duration(1<<63 - 1)
	}
	return max(0, s.known.began.Sub(asOf))
}

// unusable returns why a replica is not read from, or nil. The caller holds mu.
func (s *Set) unusable(h *Host, last sample) error {
	switch known := s.known; {
	case last.err != nil:
		return last.err
	case h.leadsToSeveral(last):
		return errSeveral
	case !last.standby:
		return errPrimary
	case known.System == 0:
		return errNoPrimary
	case last.System != known.System:
		return errCluster
	case last.Database != known.Database:
		return errDatabase
	case last.Timeline != known.Timeline:
		return errTimeline
	case s.lag(h) > s.options.MaxLag:
		return behindError{s.options.MaxLag}
	}
	return nil
}

// report logs a replica that is left out from now on, and one that is read from again. The caller
// holds mu.
func (s *Set) report(h *Host) {
	last, c := h.state(), s.lags[h]
	if last.err == errNotWatched || s.known.System == 0 && s.primary.state().err == errNotWatched {
		return // it is about to be known
	}
	err := s.unusable(h, last)
	reason := ""
	if err != nil {
		reason = database.RedactError(err)
	}
	if late, ok := err.(behindError); ok && s.lags[h].asOf.IsZero() && s.known.began.Sub(s.began) < late.most {
		return // it may be that far behind, or may not
	}
	if reason == c.reason || !c.logged.IsZero() && time.Since(c.logged) < logPause {
		return
	}
	c.reason, c.logged = reason, time.Now()
	if reason != "" {
		s.options.Log.WarnContext(context.Background(), "a replica is left out of reads", "replica", h.Name, "reason", reason)
		return
	}
	s.options.Log.InfoContext(context.Background(), "a replica is read from", "replica", h.Name)
}
