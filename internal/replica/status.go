package replica

import (
	"time"

	"forge/internal/database"
)

// Status is what is known of a host.
type Status struct {
	Name    string
	Replica bool
	Reads   int64         // how many queries it has answered
	Reason  string        // why a replica is left out, or ""
	Lag     time.Duration // of a replica, at most
	Known   bool          // Lag is known
}

// Status returns what is known of the primary and of each replica, and how many queries that failed
// on a replica were repeated on the primary.
func (s *Set) Status() (hosts []Status, repeated int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range append([]*Host{s.primary}, s.replicas...) {
		status := Status{Name: h.Name, Replica: h != s.primary, Reads: s.reads[h].Load()}
		if status.Replica {
			if err := s.unusable(h, h.state()); err != nil {
				status.Reason = database.RedactError(err)
			}
			status.Lag, status.Known = s.lag(h), !s.lags[h].asOf.IsZero()
		}
		hosts = append(hosts, status)
	}
	return hosts, s.repeated.Load()
}

// Observe has the statements on replicas be observed in the same way as those on the primary. It
// must be called before the first query.
func (s *Set) Observe() {
	for _, h := range s.replicas {
		h.DB.Watch, h.DB.Waited = s.primary.DB.Watch, s.primary.DB.Waited
	}
}
