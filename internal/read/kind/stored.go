package kind

import (
	"slices"
	"strconv"
	"strings"

	"entgo.io/ent/dialect"

	"forge/internal/entity"
)

// Conversion returns the expression with which a database returns the values of the column, with %s
// for the column, if its type in the database needs another one than its kind. Otherwise it returns
// "".
func Conversion(f *entity.Field, db string) string {
	switch stored := typeIn(f, db); {
	case f.Kind == entity.String && db == dialect.SQLite && stored == "datetime":
		return "(%s || '')" // the driver makes a time of what comes straight from such a column
	case db == dialect.SQLite:
		return ""
	case (f.Kind == entity.String || f.Kind == entity.ID) && (stored == "character" || stored == "char"):
		return asText // without the blanks that fill it up
	case isArray(f):
		return "to_jsonb(%s)::text"
	case IsLocal(f):
		return "(%s AT TIME ZONE 'UTC')"
	}
	return ""
}

// Document returns the expression for a column of documents or lists that PostgreSQL's operators of
// jsonb compare, with %s for the column. It is "" if that is the column itself.
func Document(f *entity.Field) string {
	switch {
	case isArray(f):
		return "to_jsonb(%s)"
	case typeIn(f, dialect.Postgres) == "json":
		return "%s::jsonb"
	}
	return ""
}

// IsLocal reports whether PostgreSQL stores the times of a column without a zone. They are taken
// for times in UTC.
func IsLocal(f *entity.Field) bool {
	stored := strings.ToLower(f.Stored[dialect.Postgres])
	return f.Kind == entity.Time && strings.HasPrefix(stored, "timestamp") && !strings.HasPrefix(stored, "timestamptz") && !strings.HasSuffix(stored, " with time zone")
}

// isArray reports whether a list is stored as an array of PostgreSQL, and not as a document.
func isArray(f *entity.Field) bool {
	return f.Kind == entity.List && strings.HasSuffix(f.Stored[dialect.Postgres], "[]")
}

// typeIn returns the type that ent/schema names for a database, without its size, or "".
func typeIn(f *entity.Field, db string) string {
	name, _, _ := strings.Cut(f.Stored[db], "(")
	return strings.ToLower(strings.TrimSpace(name))
}

// mostExact is how many digits a number in a column NUMERIC of SQLite may have. It is a float
// there, which keeps so many for certain.
const mostExact = 15

// Stores reports whether a column of the type that ent/schema names for a database can hold values
// of its kind. Beside the types of Takes, these are types of databases that Forge has not made.
func (k *Kind) Stores(f *entity.Field, db string) bool {
	stored, onPostgres := typeIn(f, db), db == dialect.Postgres
	switch f.Kind {
	case entity.Enum:
		if onPostgres {
			return true // its own enums have any name
		}
	case entity.List:
		if onPostgres && isArray(f) {
			return strings.HasPrefix(f.Type, "array.")
		}
	case entity.ID:
		if onPostgres && (stored == "character" || stored == "char") && slices.Equal(k.Stored[db], texts[db]) {
			return true
		}
	case entity.String:
		if onPostgres && (stored == "character" || stored == "char" || stored == "citext") || !onPostgres && stored == "datetime" {
			return true
		}
	case entity.Time:
		if onPostgres && IsLocal(f) {
			return true
		}
	case entity.JSON:
		if onPostgres && stored == "json" {
			return true
		}
	case entity.Decimal:
		_, size, _ := strings.Cut(f.Stored[db], "(")
		digits, _, _ := strings.Cut(strings.TrimSuffix(size, ")"), ",")
		if n, _ := strconv.Atoi(strings.TrimSpace(digits)); !onPostgres && (stored == "numeric" || stored == "decimal") && n > 0 && n <= mostExact {
			return true
		}
	}
	return k.Takes(db, f.Stored[db])
}
