package database

import (
	"errors"
	"regexp"
	"strings"

	"github.com/lib/pq"
	"modernc.org/sqlite"
)

// quoted matches the quoted values in errors of strconv and PostgreSQL.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// RedactError returns the text of an error for the log, without values that were sent or stored. It
// removes quoted text, except in errors of a database where quotes contain the name of a table,
// column or constraint. PostgreSQL puts the values of a row that violates a constraint into the
// detail, which is not part of the text.
func RedactError(err error) string {
	text := err.Error()
	e, ok := errors.AsType[*pq.Error](err)
	switch {
	case !ok && !fromSQLite(err):
		return quoted.ReplaceAllString(text, `"…"`)
	case !ok:
		return text // SQLite's errors name tables, columns and constraints
	}
	switch e.Code.Class() {
	case "22": // data exception: invalid input syntax for type integer: "…"
		return strings.ReplaceAll(text, e.Message, quoted.ReplaceAllString(beforeColon(e.Message), "…"))
	case "P0": // PL/pgSQL: the author of the function chose the text
		return strings.ReplaceAll(text, e.Message, "…")
	}
	return text
}

// beforeColon replaces the text after the first colon, which in messages of class 22 holds only
// values.
func beforeColon(message string) string {
	what, _, found := strings.Cut(message, ": ")
	if found {
		return what + ": …"
	}
	return what
}

func fromSQLite(err error) bool {
	_, ok := errors.AsType[*sqlite.Error](err)
	return ok
}
