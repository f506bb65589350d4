package database

import (
	"errors"
	"regexp"
	"strings"

	"github.com/lib/pq"
	"modernc.org/sqlite"
)

// quoted is what an error repeats of what it was given, as strconv and PostgreSQL do.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// RedactError returns the text of an error without values that were sent or stored, for the log. What stands in quotes is left out, unless it is a
// database that names a part of the schema by it. The values of a row that breaks a rule are in what PostgreSQL calls the detail of an error,
// which is no part of the text.
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
	case "P0": // PL/pgSQL: the text is up to who wrote the function
		return strings.ReplaceAll(text, e.Message, "…")
	}
	return text
}

// beforeColon cuts off what a message is about. In no message of class 22 is a colon part of what happened.
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
