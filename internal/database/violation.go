package database

import (
	"errors"
	"strings"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Rule is a kind of rule that values and rows have to keep to.
type Rule int

// The rules.
const (
	Unique     Rule = iota + 1 // another row has the values
	Reference                  // the row that a foreign key names is not there
	Referenced                 // the row has to stay, as a foreign key names it
	ForeignKey                 // one of the two before, and nobody knows which
	Check                      // a CHECK constraint, or a trigger of SQLite that refuses
	Required                   // a column that may not be NULL
	Exclusion                  // another row is in the way, such as one of an overlapping time
	Length                     // a text is too long for its column
	Range                      // a number or a time is out of the range of its type
	Character                  // a text has a character that the database cannot store
	Form                       // a text is not one of what the column's type can be
)

// ConstraintError says which rule of the database an error reports as broken, as far as the database tells.
type ConstraintError struct {
	Rule    Rule
	Name    string   // of the constraint or index
	Table   string   // that has the constraint: of a foreign key, the one whose rows refer to others
	Columns []string // of the table, or of Referenced the columns of the table that is referred to
	Value   string   // of a single column, up to the first parenthesis in it
}

var postgresRules = map[pqerror.Code]Rule{
	pqerror.UniqueViolation:             Unique,
	pqerror.ForeignKeyViolation:         ForeignKey,
	pqerror.RestrictViolation:           Referenced,
	pqerror.CheckViolation:              Check,
	pqerror.NotNullViolation:            Required,
	pqerror.ExclusionViolation:          Exclusion,
	pqerror.StringDataRightTruncation:   Length,
	pqerror.NumericValueOutOfRange:      Range,
	pqerror.DatetimeFieldOverflow:       Range,
	pqerror.CharacterNotInRepertoire:    Character,
	pqerror.UntranslatableCharacter:     Character,
	pqerror.InvalidTextRepresentation:   Form,
	pqerror.InvalidBinaryRepresentation: Form,
	pqerror.InvalidDatetimeFormat:       Form,
}

// sqliteRules are by extended result codes, https://sqlite.org/rescode.html.
var sqliteRules = map[int]Rule{
	sqlite3.SQLITE_CONSTRAINT_UNIQUE:     Unique,
	sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: Unique,
	sqlite3.SQLITE_CONSTRAINT_ROWID:      Unique,
	sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: ForeignKey,
	sqlite3.SQLITE_CONSTRAINT_TRIGGER:    Check,
	sqlite3.SQLITE_CONSTRAINT_CHECK:      Check,
	sqlite3.SQLITE_CONSTRAINT_NOTNULL:    Required,
	sqlite3.SQLITE_CONSTRAINT_DATATYPE:   Form, // of a STRICT table
	sqlite3.SQLITE_MISMATCH:              Form,
	sqlite3.SQLITE_TOOBIG:                Length,
}

// Violation returns what rule err reports as broken; ok is false if err is about something else.
func Violation(err error) (v ConstraintError, ok bool) {
	if e, is := errors.AsType[*pq.Error](err); is {
		v = ConstraintError{Rule: postgresRules[e.Code], Name: e.Constraint, Table: e.Table}
		v.Columns, v.Value = keyOf(e.Detail)
		if e.Column != "" {
			v.Columns = []string{e.Column}
		}
		if v.Rule == ForeignKey {
			v.Rule = direction(e.Message, err)
		}
	}
	if e, is := errors.AsType[*sqlite.Error](err); is {
		v = ConstraintError{Rule: sqliteRules[e.Code()]}
		subject := subjectOf(e.Error())
		switch {
		case v.Rule == Unique, v.Rule == Required:
			v.Table, v.Columns = columnsIn(subject)
		case v.Rule == ForeignKey:
			v.Rule = direction("", err)
		case e.Code() == sqlite3.SQLITE_CONSTRAINT_TRIGGER && strings.Contains(e.Error(), "FOREIGN KEY constraint failed"):
			v.Rule = Referenced // ON DELETE RESTRICT is a trigger to SQLite
		case v.Rule == Check:
			v.Name = subject
		}
	}
	return v, v.Rule != 0
}

// direction tells which end of a foreign key is at fault: by the message, unless the server speaks another language, and then
// by what the statement did. At the commit there is no statement.
func direction(message string, err error) Rule {
	switch during, _ := errors.AsType[*statementError](err); {
	case strings.HasPrefix(message, "update or delete on "):
		return Referenced
	case strings.HasPrefix(message, "insert or update on "):
		return Reference
	case during == nil:
		return ForeignKey
	case during.deletes:
		return Referenced
	default:
		return Reference
	}
}

// statementError is the failure of a statement, with what is needed of the statement to understand it.
type statementError struct {
	error
	deletes bool
}

// Unwrap returns the failure as the database told it.
func (e *statementError) Unwrap() error { return e.error }

// WithStatement returns the failure of a statement in such a form that Violation knows what the statement did.
func WithStatement(query string, err error) error {
	if v, ok := Violation(err); !ok || v.Rule != ForeignKey {
		return err
	}
	verb, _, _ := strings.Cut(strings.TrimSpace(query), " ")
	switch strings.ToUpper(verb) {
	case "DELETE":
		return &statementError{err, true}
	case "INSERT", "UPDATE":
		return &statementError{err, false}
	}
	return err
}

// keyOf reads the columns, and the value of a single one, in "Key (team_id)=(42) is not present in table …": PostgreSQL tells
// them nowhere else. The words around them depend on the server's language.
func keyOf(detail string) (columns []string, value string) {
	_, rest, _ := strings.Cut(detail, "(")
	list, rest, ok := strings.Cut(rest, ")=(")
	if !ok {
		return nil, ""
	}
	for name := range strings.SplitSeq(list, ", ") {
		columns = append(columns, strings.Trim(name, `"`))
	}
	if len(columns) == 1 {
		value, _, _ = strings.Cut(rest, ")")
	}
	return columns, value
}

// subjectOf returns what "…UNIQUE constraint failed: users.username, users.x (2067)" is about: SQLite tells it nowhere else.
func subjectOf(message string) string {
	i := strings.LastIndex(message, " constraint failed: ")
	if i < 0 {
		return ""
	}
	subject := message[i+len(" constraint failed: "):]
	if i := strings.LastIndex(subject, " ("); i >= 0 {
		subject = subject[:i]
	}
	return subject
}

// columnsIn reads "users.username, users.x".
func columnsIn(list string) (table string, columns []string) {
	for name := range strings.SplitSeq(list, ", ") {
		if of, column, ok := strings.Cut(name, "."); ok {
			table, columns = of, append(columns, column)
		}
	}
	return table, columns
}
