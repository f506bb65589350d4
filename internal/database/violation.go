package database

import (
	"errors"
	"strings"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Rule is a kind of constraint.
type Rule int

// These are the kinds of constraints, each with what violates it.
const (
	Unique     Rule = iota + 1 // another row has the same values
	Reference                  // a foreign key refers to a row that does not exist
	Referenced                 // a foreign key refers to the row that is deleted or changed
	ForeignKey                 // Reference or Referenced, the database does not tell which
	Check                      // a CHECK constraint, or a trigger of SQLite that aborts
	Required                   // NULL in a column that is NOT NULL
	Exclusion                  // another row excludes it, such as one with an overlapping time
	Length                     // a text that is too long for its column
	Range                      // a number or a time outside the range of its type
	Character                  // a character that the database cannot store
	Form                       // a text that the column's type does not accept
)

// ConstraintError describes a constraint that was violated. Fields that the database does not
// report are empty.
type ConstraintError struct {
	Rule  Rule
	Name  string // the name of the constraint or index
	Table string // the table with the constraint; for a foreign key, the table that refers
	// Columns are columns of Table. If Rule is Referenced, they are columns of the table that is
	// referred to.
	Columns []string
	Value   string // the value, if there is a single column, up to the first ")" in it
	// Values are those of the columns, if there are several and PostgreSQL reports which value is
	// whose.
	Values []string
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

// sqliteRules are the rules by extended result code, https://sqlite.org/rescode.html.
var sqliteRules = map[int]Rule{
	sqlite3.SQLITE_CONSTRAINT_UNIQUE:     Unique,
	sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: Unique,
	sqlite3.SQLITE_CONSTRAINT_ROWID:      Unique,
	sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: ForeignKey,
	sqlite3.SQLITE_CONSTRAINT_TRIGGER:    Check,
	sqlite3.SQLITE_CONSTRAINT_CHECK:      Check,
	sqlite3.SQLITE_CONSTRAINT_NOTNULL:    Required,
	sqlite3.SQLITE_CONSTRAINT_DATATYPE:   Form, // in a STRICT table
	sqlite3.SQLITE_MISMATCH:              Form,
	sqlite3.SQLITE_TOOBIG:                Length,
}

// Violation returns the constraint that err reports as violated. It returns false if err reports
// none.
func Violation(err error) (v ConstraintError, ok bool) {
	if e, is := errors.AsType[*pq.Error](err); is {
		v = ConstraintError{Rule: postgresRules[e.Code], Name: e.Constraint, Table: e.Table}
		v.Columns, v.Value, v.Values = keyOf(e.Detail)
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
			v.Rule = Referenced // SQLite implements ON DELETE RESTRICT as a trigger
		case v.Rule == Check:
			v.Name = subject
		}
	}
	return v, v.Rule != 0
}

// direction returns which end of a foreign key is at fault. It reads this from the message, or from
// the kind of statement if the message is in another language. At a COMMIT neither may tell, and
// direction returns ForeignKey.
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

// statementError is the error of a statement, and says whether the statement was a DELETE.
type statementError struct {
	error
	deletes bool
}

// Unwrap returns the error that the database returned.
func (e *statementError) Unwrap() error { return e.error }

// WithStatement returns err with the kind of its statement added, if Violation needs the kind to
// tell Reference from Referenced. It returns other errors unchanged.
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

// keyOf reads the columns from a detail like "Key (band_id)=(42) is not present in table …", and
// the value if there is a single column, or else the values. PostgreSQL reports them nowhere else.
// The words around the parentheses depend on the server's language.
func keyOf(detail string) (columns []string, value string, values []string) {
	_, rest, _ := strings.Cut(detail, "(")
	list, rest, ok := strings.Cut(rest, ")=(")
	if !ok {
		return nil, "", nil
	}
	for name := range strings.SplitSeq(list, ", ") {
		columns = append(columns, strings.Trim(name, `"`))
	}
	if len(columns) == 1 {
		value, _, _ = strings.Cut(rest, ")")
		return columns, value, nil
	}
	if end := strings.LastIndexByte(rest, ')'); end >= 0 {
		values = strings.Split(rest[:end], ", ")
	}
	if len(values) != len(columns) { // a text has a comma in it
		values = nil
	}
	return columns, "", values
}

// subjectOf returns "bands.name, bands.x" for the message "…UNIQUE constraint failed: bands.name,
// bands.x (2067)". SQLite reports these names nowhere else.
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

// columnsIn returns the table and the columns of a text like "bands.name, bands.x".
func columnsIn(list string) (table string, columns []string) {
	for name := range strings.SplitSeq(list, ", ") {
		if of, column, ok := strings.Cut(name, "."); ok {
			table, columns = of, append(columns, column)
		}
	}
	return table, columns
}
