package database

import (
	"errors"
	"strings"

	"github.com/lib/pq"
)

// unanswered is the error of a statement that the server may have executed, because it was sent.
type unanswered struct{ error }

func (e unanswered) Unwrap() error { return e.error }

// OutcomeUnknown reports whether PostgreSQL may have executed the statement that returned err: it
// was sent, and then the connection was lost or the time was up. In a transaction this matters only
// for the COMMIT. OutcomeUnknown is also true if PostgreSQL stored the data but did not replicate
// them to a synchronous standby.
func OutcomeUnknown(err error) bool {
	_, ok := errors.AsType[unanswered](err)
	return ok
}

var errNotReplicated = errors.New("committed on this server, but the wait for a synchronous standby was cancelled")

// noticed looks for PostgreSQL's warning that it cancelled the wait for a standby, so that a commit
// was not replicated. PostgreSQL reports such a commit as a success. The message may be translated,
// and a proxy may omit the name of the routine, so one of the two is enough.
func (c *conn) noticed(notice *pq.Error) {
	const message = "canceling wait for synchronous replication"
	if notice.Routine == "SyncRepWaitForLSN" || strings.HasPrefix(notice.Message, message) {
		c.notReplicated = true
	}
}
