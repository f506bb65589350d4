package database

import (
	"errors"
	"strings"

	"github.com/lib/pq"
)

// unanswered is the error of a statement that the server was sent, and may have carried out.
type unanswered struct{ error }

func (e unanswered) Unwrap() error { return e.error }

// OutcomeUnknown reports whether err leaves open whether PostgreSQL has carried the statement out: it
// was sent, and then the connection broke or time was up. Of a statement within a transaction that
// matters only if it is the COMMIT. It also reports true for what PostgreSQL has stored but not
// replicated as it should have been.
func OutcomeUnknown(err error) bool {
	_, ok := errors.AsType[unanswered](err)
	return ok
}

var errNotReplicated = errors.New("committed on this server, but the wait for a synchronous standby was cancelled")

// outcome returns the error of a statement that has ended. The server's word counts, if there is
// one; a success counts only if no notice has said that it is not replicated.
func (c *conn) outcome(err error) error {
	if err == nil {
		if c.notReplicated {
			c.notReplicated = false
			return unanswered{errNotReplicated}
		}
		return nil
	}
	if _, ok := errors.AsType[*pq.Error](err); ok || c.socket.wire == nil || !c.socket.wire.sent {
		return err
	}
	return unanswered{err}
}

// begin takes note that a statement is about to be sent.
func (c *conn) begin() {
	if c.socket.wire != nil {
		c.socket.wire.sent = false
	}
}

// noticed looks for the warning that a commit was not replicated: the wait for a standby was
// cancelled, and PostgreSQL calls the statement a success. The text may be translated, and a proxy
// may leave out the rest.
func (c *conn) noticed(notice *pq.Error) {
	if notice.Routine == "SyncRepWaitForLSN" || strings.HasPrefix(notice.Message, "canceling wait for synchronous replication") {
		c.notReplicated = true
	}
}
