package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"forge/internal/apperr"
)

var errPoolTimeout = errors.New("no connection came free within the pool timeout")

func unavailable(cause error) *apperr.Error {
	if moved, ok := errors.AsType[*FileError](cause); ok {
		return &apperr.Error{Code: apperr.CodeUnavailable, Message: moved.Reason, Cause: cause}
	}
	message := "the database cannot be reached; try again"
	if tooManyConnections(cause) {
		message = "the database has no connection to spare; try again"
	}
	return &apperr.Error{Code: apperr.CodeUnavailable, Message: message, Cause: cause}
}

// ClientError returns the error to show a client if err can come from any statement: the database
// was too slow, could not be reached, or is read-only. It returns nil for all other errors.
func ClientError(err error) *apperr.Error {
	switch {
	case isPQ(err, pqerror.TRSerializationFailure), isPQ(err, pqerror.TRDeadlockDetected), lockedNow(err):
		return &apperr.Error{Code: apperr.CodeUnavailable, Message: "too many changes of the same things at once; try again", Cause: err}
	case errors.Is(err, context.DeadlineExceeded), isPQ(err, pqerror.QueryCanceled), isPQ(err, pqerror.LockNotAvailable),
		isPQ(err, pqerror.IdleInTransactionSessionTimeout), errors.Is(err, errStatementTimeout):
		return &apperr.Error{Code: apperr.CodeTimeout, Message: "this took too long and was stopped", Cause: err}
	case isPQ(err, pqerror.UndefinedTable), isPQ(err, pqerror.UndefinedColumn):
		return &apperr.Error{Code: apperr.CodeUnavailable, Message: "the database does not have the schema that this server was built for", Cause: err}
	case isPQ(err, pqerror.UndefinedObject): // statements name no other objects that a database may lack
		return &apperr.Error{Code: apperr.CodeBadUserInput, Field: "orderBy", Cause: err,
			Message: "this database cannot order texts by this language, as its PostgreSQL has no such collation of ICU; leave collation out"}
	case unknownZone(err):
		return &apperr.Error{Code: apperr.CodeBadUserInput, Field: "by", Cause: err,
			Message: "this database does not know a time zone that the operation names, as its PostgreSQL has an older list of them; name another place with the same clocks"}
	case Busy(err), isSQLite(err, sqlite3.SQLITE_LOCKED):
		return &apperr.Error{Code: apperr.CodeUnavailable, Message: "the database is locked by another process; try again", Cause: err}
	case isSQLite(err, sqlite3.SQLITE_READONLY), ReadOnly(err):
		return &apperr.Error{Code: apperr.CodeUnavailable, Message: "the database can only be read at present", Cause: err}
	case isSQLite(err, sqlite3.SQLITE_FULL), isPQ(err, pqerror.DiskFull):
		return &apperr.Error{Code: apperr.CodeUnavailable, Message: "the database's disk is full", Cause: err}
	case isSQLite(err, sqlite3.SQLITE_CANTOPEN), isSQLite(err, sqlite3.SQLITE_IOERR), outOfResources(err), ConnectionLost(err), isFileError(err):
		return unavailable(err)
	}
	return nil
}

// unknownZone reports whether PostgreSQL refused the name of a time zone. Statements have no other
// parameters whose values it could refuse in this way, but the options of a connection do.
func unknownZone(err error) bool {
	e := pq.As(err, pqerror.InvalidParameterValue)
	return e != nil && !e.Fatal()
}

// staleStatement reports whether err means that a prepared statement cannot be used any more: the
// server or a proxy has dropped it, or its tables have changed.
func staleStatement(err error) bool {
	return isPQ(err, pqerror.InvalidSQLStatementName) || isPQ(err, pqerror.FeatureNotSupported)
}

// Transient reports whether the same work may succeed at another attempt: err comes from a conflict
// with other transactions, a stale prepared statement, or the interrupt of an earlier statement.
func Transient(err error) bool {
	return isPQ(err, pqerror.TRSerializationFailure) || isPQ(err, pqerror.TRDeadlockDetected) || lockedNow(err) || staleStatement(err) ||
		Busy(err) || isSQLite(err, sqlite3.SQLITE_INTERRUPT)
}

// lockedNow reports whether a statement with NOWAIT met a row that somebody else has locked. After
// lock_timeout the code is the same, but it comes from another function of PostgreSQL.
func lockedNow(err error) bool {
	e, ok := errors.AsType[*pq.Error](err)
	return ok && e.Code == pqerror.LockNotAvailable && e.Routine != "ProcessInterrupts"
}

// Busy reports whether err means that another connection is writing to a SQLite database.
func Busy(err error) bool { return isSQLite(err, sqlite3.SQLITE_BUSY) }

// Aborted reports whether PostgreSQL refused a statement because an earlier one in its transaction
// had failed. The error of the earlier statement says why.
func Aborted(err error) bool { return isPQ(err, pqerror.InFailedSQLTransaction) }

// ReadOnly reports whether err means that the PostgreSQL server is read-only, as a standby is.
func ReadOnly(err error) bool { return isPQ(err, pqerror.ReadOnlySQLTransaction) }

// noPrimary reports whether err comes from a server that is not, or will soon not be, a primary: it
// is read-only, or it is shutting down, has crashed or is starting.
func noPrimary(err *pq.Error) bool {
	switch err.Code {
	case pqerror.ReadOnlySQLTransaction, pqerror.AdminShutdown, pqerror.CrashShutdown, pqerror.CannotConnectNow:
		return true
	}
	return false
}

// connectError is the error of connecting to PostgreSQL.
type connectError struct{ error }

func (e connectError) Unwrap() error { return e.error }

// tooManyConnections reports whether PostgreSQL refused a connection because it has as many as it
// may have.
func tooManyConnections(err error) bool { return isPQ(err, pqerror.TooManyConnections) }

func isFileError(err error) bool {
	_, ok := errors.AsType[*FileError](err)
	return ok
}

// outOfResources reports whether PostgreSQL lacks memory, disk space or connections.
func outOfResources(err error) bool {
	e, ok := errors.AsType[*pq.Error](err)
	return ok && e.Code.Class() == "53"
}

// ConnectionLost reports whether err means that the server cannot be reached, or that the
// connection to it was lost. A server that does not let this program in is reached.
func ConnectionLost(err error) bool {
	if _, ok := errors.AsType[connectError](err); ok {
		e, refused := errors.AsType[*pq.Error](err)
		return !refused || e.Code.Class() != "28"
	}
	if e, ok := errors.AsType[*pq.Error](err); ok {
		switch e.Code.Class() {
		case "08": // connection exception
			return true
		case "57": // operator intervention; a cancelled statement keeps its connection
			return e.Code != pqerror.QueryCanceled
		}
		return e.Code == pqerror.InvalidCatalogName
	}
	_, netErr := errors.AsType[net.Error](err)
	return netErr || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone)
}

func isPQ(err error, code pqerror.Code) bool { return pq.As(err, code) != nil }

// isSQLite reports whether err has the primary result code; see https://sqlite.org/rescode.html.
func isSQLite(err error, code int) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code()&0xff == code
}
