package database

import (
	"errors"
	"strings"

	"github.com/lib/pq"
)

// unanswered is the error of a statement that was sent to the server, which may have executed it.
type unanswered struct{ error }

func (e unanswered) Unwrap() error { return e.error }

// OutcomeUnknown reports whether err leaves open if PostgreSQL has executed the statement: it was
// sent, and then the connection was lost or the time was up. Within a transaction this matters only
// for the COMMIT. OutcomeUnknown also returns true if PostgreSQL has stored the data but not
// replicated them to a synchronous standby.
func OutcomeUnknown(err error) bool {
	_, ok := errors.AsType[unanswered](err)
	return ok
}

var errNotReplicated = errors.New("committed on this server, but the wait for a synchronous standby was cancelled")

// noticed looks for the warning that a commit was not replicated because the wait for a standby was
// cancelled: PostgreSQL still reports success. The message may be translated, and a proxy may omit
// the name of the routine, so either of them is enough.
func (c *conn) noticed(notice *pq.Error) {
	const message = "canceling wait for synchronous replication"
	if notice.Routine == "SyncRepWaitForLSN" || strings.HasPrefix(notice.Message, message) {
		c.notReplicated = true
	}
}
