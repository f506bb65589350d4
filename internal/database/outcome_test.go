package database

import (
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// sentSession is a session that has sent a statement. It counts the calls of Outdate.
type sentSession struct {
	noSession
	outdated int
}

func (*sentSession) Sent() bool { return true }
func (s *sentSession) Outdate() { s.outdated++ }

// TestOutcome checks which errors leave open what became of a statement that was sent, and which
// end the connections of the pool.
func TestOutcome(t *testing.T) {
	for _, tt := range []struct {
		err              error
		unknown, outdate bool
	}{
		{&pq.Error{Code: "23505"}, false, false},
		{&pq.Error{Code: "57014"}, false, false},
		{&pq.Error{Code: "25006"}, false, true}, // read-only
		{&pq.Error{Code: "57P01"}, false, true}, // shutting down: the statement was rolled back
		{&pq.Error{Code: "57P02"}, false, true}, // crashed
		{&pq.Error{Code: "57P03"}, false, true}, // starting
		{&pq.Error{Code: "08P01"}, true, false}, // PgBouncer has lost the server
		{&pq.Error{Code: "08006"}, true, false}, // the same, of another proxy
		{&net.OpError{Op: "read", Err: errors.New("reset")}, true, false},
	} {
		session := new(sentSession)
		c := &conn{session: session}
		err := c.outcome(fmt.Errorf("while it ran: %w", tt.err))
		if OutcomeUnknown(err) != tt.unknown || (session.outdated > 0) != tt.outdate {
			t.Errorf("%v: unknown %t, outdated %d; want %t, %t", tt.err, OutcomeUnknown(err), session.outdated, tt.unknown, tt.outdate)
		}
	}
}

func TestConnectErrors(t *testing.T) {
	for code, lost := range map[pqerror.Code]bool{"53300": true, "57P03": true, "3D000": true, "28P01": false, "28000": false} {
		if err := unavailable(connectError{&pq.Error{Code: code}}); ConnectionLost(err) != lost {
			t.Errorf("%s: lost %t, want %t", code, ConnectionLost(err), lost)
		}
	}
	if !ConnectionLost(connectError{errors.Join(errors.New("server is in hot standby mode"), errNoPrimary)}) {
		t.Error("standbys alone: not lost")
	}
}
