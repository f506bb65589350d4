package adopt

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ariga.io/atlas/sql/postgres"
	atlas "ariga.io/atlas/sql/schema"
	"entgo.io/ent/dialect"
)

// A Kind says how a column is written in ent/schema.
type Kind struct {
	Go       string   // the call of package field, with %q for the name
	Imports  []string // what the call needs beside ent's packages
	Postgres string   // the type there, if it is not the one that ent chooses
	SQLite   string
	Values   []string // of an enum
	Most     int      // the most characters of a text, or 0
	Pointer  bool     // a value that may be NULL is a pointer
	form     string   // what defaults look like: "number", "text", "bool", "time", "date", "uuid", "decimal", "enum", "json", a type of package array, or ""
}

const (
	decimalPackage = "github.com/shopspring/decimal"
	uuidPackage    = "github.com/google/uuid"
	arrayPackage   = "forge/internal/array"
)

var (
	kindBool   = Kind{Go: "field.Bool(%q)", Pointer: true, form: "bool"}
	kindInt16  = Kind{Go: "field.Int16(%q)", Pointer: true, form: "number"}
	kindInt32  = Kind{Go: "field.Int32(%q)", Pointer: true, form: "number"}
	kindInt    = Kind{Go: "field.Int(%q)", Pointer: true, form: "number"}
	kindInt64  = Kind{Go: "field.Int64(%q)", Pointer: true, form: "number"}
	kindFloat  = Kind{Go: "field.Float(%q)", Pointer: true, form: "number"}
	kindReal   = Kind{Go: "field.Float32(%q)", Pointer: true, form: "number"}
	kindString = Kind{Go: "field.String(%q)", Pointer: true, form: "text"}
	kindTime   = Kind{Go: "field.Time(%q)", Pointer: true, form: "time"}
	kindBytes  = Kind{Go: "field.Bytes(%q)"}
	kindJSON   = Kind{Go: "field.JSON(%q, json.RawMessage{})", Imports: []string{"encoding/json"}, form: "json"}
	kindUUID   = Kind{Go: "field.UUID(%q, uuid.UUID{})", Imports: []string{uuidPackage}, SQLite: "blob", Pointer: true, form: "uuid"}
)

func decimalKind(onPostgres, onSQLite string) Kind {
	return Kind{Go: "field.Other(%q, decimal.Decimal{})", Imports: []string{decimalPackage}, Postgres: onPostgres, SQLite: onSQLite, Pointer: true, form: "decimal"}
}

// kindOf returns how a column is written. If it cannot be, it returns the reason.
func (t *Table) kindOf(c *atlas.Column, name string) (k Kind, reason string) {
	if name == dialect.SQLite {
		return t.sqliteKind(c)
	}
	of := c.Type.Type
	if base, ok := t.Domains[c.Name]; ok {
		if strings.HasSuffix(base, "[][]") {
			return k, fmt.Sprintf("its type %s has no kind in Forge", base)
		}
		parsed, err := postgres.ParseType(base)
		if err != nil {
			return k, fmt.Sprintf("its type, the domain %s over %s, has no kind in Forge", c.Type.Raw, base)
		}
		of = parsed
	}
	return postgresKind(of, c.Type.Raw)
}

// postgresKind returns how a column of a type of PostgreSQL is written.
func postgresKind(of atlas.Type, raw string) (k Kind, reason string) {
	text, _ := postgres.FormatType(of)
	text = strings.ReplaceAll(text, "character varying", "varchar")
	switch of := of.(type) {
	case *atlas.BoolType:
		return kindBool, ""
	case *postgres.SerialType:
		return map[string]Kind{"smallserial": kindInt16, "serial": kindInt32, "bigserial": kindInt64}[of.T], ""
	case *atlas.IntegerType:
		switch of.T {
		case "smallint", "int2":
			return kindInt16, ""
		case "bigint", "int8":
			return kindInt64, ""
		}
		return kindInt32, ""
	case *atlas.DecimalType:
		return decimalKind(text, "text"), ""
	case *atlas.FloatType:
		if of.T == "real" || of.T == "float4" {
			return kindReal, ""
		}
		return kindFloat, ""
	case *atlas.StringType:
		k = kindString
		k.Postgres = text
		return k, ""
	case *atlas.TimeType:
		return postgresTime(of)
	case *atlas.JSONType:
		k = kindJSON
		if of.T == "json" {
			k.Postgres = "json"
		}
		return k, ""
	case *atlas.UUIDType:
		return kindUUID, ""
	case *atlas.BinaryType:
		return kindBytes, ""
	case *atlas.EnumType:
		return enumKind(of)
	case *postgres.ArrayType:
		return arrayKind(of)
	case *postgres.UserDefinedType:
		if of.T == "citext" {
			k = kindString
			k.Postgres = "citext"
			return k, ""
		}
	case *postgres.TextSearchType:
		return k, "it holds the words of other columns (" + of.T + "), which Forge searches in a way of its own"
	}
	return k, fmt.Sprintf("its type %s has no kind in Forge", raw)
}

func postgresTime(of *atlas.TimeType) (k Kind, reason string) {
	k = kindTime
	switch of.T {
	case "timestamp with time zone", "timestamptz":
	case "timestamp without time zone", "timestamp":
		k.Postgres = "timestamp"
	case "date":
		k.Postgres, k.SQLite, k.form = "date", "date", "date"
	case "time without time zone", "time":
		k.Postgres, k.form = "time", ""
	default:
		return k, fmt.Sprintf("its type %s has no kind in Forge", of.T)
	}
	return k, ""
}

// enumValue matches a value that ent and the API can have a name for.
var enumValue = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_ -]*$`)

// enumKind returns an enum, or why there is none: one of the values has no name.
func enumKind(of *atlas.EnumType) (k Kind, reason string) {
	names := map[string]bool{}
	for _, value := range of.Values {
		name := strings.ToUpper(strings.Join(words(value), ""))
		if !enumValue.MatchString(value) || names[name] {
			return k, fmt.Sprintf("its type %s has the value %q, for which the API has no name", of.T, value)
		}
		names[name] = true
	}
	return Kind{Go: "field.Enum(%q)", Postgres: of.T, Values: of.Values, Pointer: true, form: "enum"}, ""
}

// arrays holds the types of package array, by PostgreSQL's types of elements.
var arrays = map[string]string{"text": "Texts", "character varying": "Texts", "varchar": "Texts", "smallint": "Ints", "integer": "Ints", "bigint": "BigInts",
	"double precision": "Floats", "boolean": "Bools", "uuid": "UUIDs"}

func arrayKind(of *postgres.ArrayType) (k Kind, reason string) {
	element, _, _ := strings.Cut(strings.TrimSuffix(of.T, "[]"), "(")
	name := arrays[strings.TrimSpace(element)]
	if name == "" || strings.Count(of.T, "[]") > 1 {
		return k, fmt.Sprintf("its type %s has no kind in Forge", of.T)
	}
	return Kind{Go: "field.Other(%q, array." + name + "{})", Imports: []string{arrayPackage}, Postgres: strings.TrimSpace(element) + "[]", SQLite: "json", form: "array." + name}, ""
}

// declared returns the type of a column of SQLite as it was declared, in capitals.
func declared(c *atlas.Column) string { return strings.ToUpper(strings.TrimSpace(c.Type.Raw)) }

// wholeNumbers reports whether SQLite holds whole numbers in columns of a declared type.
func wholeNumbers(declared string) bool {
	return strings.Contains(declared, "INT") && !strings.Contains(declared, "POINT")
}

var sized = regexp.MustCompile(`^(\w[\w ]*?) ?\( ?(\d+) ?(?:, ?(\d+) ?)?\)$`)

// longestExact is how many digits a number of SQLite's columns NUMERIC keeps for certain.
const longestExact = 15

// sqliteKind returns how a column of SQLite is written. The declared type says what a column is
// meant to hold; SQLite itself lets it hold anything.
func (t *Table) sqliteKind(c *atlas.Column) (k Kind, reason string) {
	raw := declared(c)
	base, size, scale := raw, 0, "0"
	if m := sized.FindStringSubmatch(raw); m != nil {
		base, scale = m[1], m[3]
		size, _ = strconv.Atoi(m[2])
	}
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(base, p) })
	}
	switch {
	case has("BOOL"):
		return kindBool, ""
	case wholeNumbers(base) && (has("BIG", "INT8") || t.Wide[c.Name]):
		return kindInt64, ""
	case wholeNumbers(base):
		return kindInt, ""
	case has("DATE", "TIME"):
		k = kindString
		k.SQLite = "datetime" // as a text, whatever the driver makes of such columns
		return k, ""
	case has("CHAR", "CLOB", "TEXT", "STRING", "UUID"):
		k = kindString
		k.Most = size
		return k, ""
	case has("JSON"):
		return kindJSON, ""
	case has("BLOB"):
		return kindBytes, ""
	case has("REAL", "FLOA", "DOUB"):
		return kindFloat, ""
	case has("NUMERIC", "DECIMAL") && size > 0 && size <= longestExact:
		if scale == "" {
			scale = "0"
		}
		return decimalKind(fmt.Sprintf("numeric(%d,%s)", size, scale), fmt.Sprintf("numeric(%d,%s)", size, scale)), ""
	case has("NUMERIC", "DECIMAL", "MONEY", "NUMBER"):
		return kindFloat, ""
	}
	return k, fmt.Sprintf("its type %q does not say what it holds", c.Type.Raw)
}
