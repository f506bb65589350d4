package unit

import (
	"forge/internal/database"
)

// WantPosition has Commit find out the position of the commit in PostgreSQL's log.
func (u *Unit) WantPosition() { u.positioned = true }

// Position returns a position in PostgreSQL's log after the commit of the unit's transaction. It is
// zero if there was none, or if WantPosition was not called.
func (u *Unit) Position() database.LogPosition {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.position
}

// Host returns the number of the host that the unit runs on: 0 for the primary.
func (u *Unit) Host() int { return u.db.Host }

// Failed reports whether a statement failed for a reason that another server may not have. It is
// false if it took too long.
func (u *Unit) Failed() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.last != nil && !database.TimedOut(u.last)
}
