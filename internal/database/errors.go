package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net"
	"strings"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"forge/internal/fault"
)

var errPoolTimeout = errors.New("no connection came free within the pool timeout")

func unavailable(cause error) *fault.Error {
	if moved, ok := errors.AsType[*FileError](cause); ok {
		return &fault.Error{Code: fault.Unavailable, Message: moved.Reason, Cause: cause}
	}
	return &fault.Error{Code: fault.Unavailable, Message: "the database cannot be reached; try again", Cause: cause}
}

// Violated says which rule of the database an error reports as broken.
type Violated struct {
	Unique, ForeignKey, Check bool
	Name                      string   // of the constraint or index; PostgreSQL tells it
	Columns                   []string // of the unique index; SQLite tells them
}

// Violation returns what rule err reports as broken; ok is false if err is about something else.
func Violation(err error) (v Violated, ok bool) {
	if e, is := errors.AsType[*pq.Error](err); is {
		v.Name = e.Constraint
		switch e.Code {
		case pqerror.UniqueViolation:
			v.Unique = true
		case pqerror.ForeignKeyViolation:
			v.ForeignKey = true
		case pqerror.CheckViolation:
			v.Check = true
		default:
			return v, false
		}
		return v, true
	}
	if e, is := errors.AsType[*sqlite.Error](err); is {
		switch e.Code() {
		case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
			v.Unique, v.Columns = true, columnsIn(e.Error())
		case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY, sqlite3.SQLITE_CONSTRAINT_TRIGGER:
			v.ForeignKey = true
		case sqlite3.SQLITE_CONSTRAINT_CHECK:
			v.Check = true
		default:
			return v, false
		}
		return v, true
	}
	return v, false
}

// columnsIn reads "…UNIQUE constraint failed: users.username, users.x (2067)": SQLite tells them nowhere else.
func columnsIn(message string) (columns []string) {
	_, list, _ := strings.Cut(message, "constraint failed: ")
	list, _, _ = strings.Cut(list, " (")
	if _, after, ok := strings.Cut(list, "constraint failed: "); ok {
		list = after
	}
	for name := range strings.SplitSeq(list, ", ") {
		if _, column, ok := strings.Cut(name, "."); ok {
			columns = append(columns, column)
		}
	}
	return columns
}

// Fault returns the client's error for trouble that a database has with any statement: it takes too long, it cannot be
// reached, it cannot be written. It returns nil for everything else.
func Fault(err error) *fault.Error {
	switch {
	case isPQ(err, pqerror.TRSerializationFailure), isPQ(err, pqerror.TRDeadlockDetected):
		return &fault.Error{Code: fault.Unavailable, Message: "too many changes of the same things at once; try again", Cause: err}
	case errors.Is(err, context.DeadlineExceeded), isPQ(err, pqerror.QueryCanceled), isPQ(err, pqerror.LockNotAvailable),
		isPQ(err, pqerror.IdleInTransactionSessionTimeout):
		return &fault.Error{Code: fault.Timeout, Message: "this took too long and was stopped", Cause: err}
	case isPQ(err, pqerror.UndefinedTable), isPQ(err, pqerror.UndefinedColumn):
		return &fault.Error{Code: fault.Unavailable, Message: "the database does not have the schema that this server was built for", Cause: err}
	case Busy(err), isSQLite(err, sqlite3.SQLITE_LOCKED):
		return &fault.Error{Code: fault.Unavailable, Message: "the database is locked by another process; try again", Cause: err}
	case isSQLite(err, sqlite3.SQLITE_READONLY), isPQ(err, pqerror.ReadOnlySQLTransaction):
		return &fault.Error{Code: fault.Unavailable, Message: "the database can only be read at present", Cause: err}
	case isSQLite(err, sqlite3.SQLITE_FULL), isPQ(err, pqerror.DiskFull):
		return &fault.Error{Code: fault.Unavailable, Message: "the database's disk is full", Cause: err}
	case isSQLite(err, sqlite3.SQLITE_CANTOPEN), isSQLite(err, sqlite3.SQLITE_IOERR), lacking(err), Lost(err), isFileError(err):
		return unavailable(err)
	}
	return nil
}

// staleStatement reports whether a prepared statement cannot be used any more: it was dropped by the server or a proxy, or the tables
// have changed since.
func staleStatement(err error) bool {
	return isPQ(err, pqerror.InvalidSQLStatementName) || isPQ(err, pqerror.FeatureNotSupported)
}

// Passing reports whether err comes from others who work on the same rows, from a prepared statement that has gone stale, or from an
// interrupt that was meant for a statement before: the same work, done again, may succeed.
func Passing(err error) bool {
	return isPQ(err, pqerror.TRSerializationFailure) || isPQ(err, pqerror.TRDeadlockDetected) || staleStatement(err) ||
		Busy(err) || isSQLite(err, sqlite3.SQLITE_INTERRUPT)
}

// Busy reports whether err means that others write to a SQLite database.
func Busy(err error) bool { return isSQLite(err, sqlite3.SQLITE_BUSY) }

// Aborted reports whether err only says that PostgreSQL has refused a statement because one before it failed.
func Aborted(err error) bool { return isPQ(err, pqerror.InFailedSQLTransaction) }

func isFileError(err error) bool {
	_, ok := errors.AsType[*FileError](err)
	return ok
}

// lacking reports whether PostgreSQL has too little of something: memory, connections.
func lacking(err error) bool {
	e, ok := errors.AsType[*pq.Error](err)
	return ok && e.Code.Class() == "53"
}

// Lost reports whether err means that there is no server, or no longer a connection to it.
func Lost(err error) bool {
	if e, ok := errors.AsType[*pq.Error](err); ok {
		switch e.Code.Class() {
		case "08": // connection exception
			return true
		case "57": // operator intervention, of which a cancelled statement is no more than that
			return e.Code != pqerror.QueryCanceled
		}
		return e.Code == pqerror.InvalidCatalogName
	}
	_, netErr := errors.AsType[net.Error](err)
	return netErr || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone)
}

func isPQ(err error, code pqerror.Code) bool { return pq.As(err, code) != nil }

// isSQLite compares primary result codes, https://sqlite.org/rescode.html.
func isSQLite(err error, code int) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code()&0xff == code
}
