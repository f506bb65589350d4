package entity

import (
	"fmt"
	"strings"
	"unicode"
)

// builders are the lines of ent/schema that make a column for a scalar of the API, with %q for the
// name of the column. The variables blobOnSQLite and decimal are what docs/extending.md has.
var builders = map[string]string{
	"String": "field.String(%q)", "Int": "field.Int32(%q)", "BigInt": "field.Int64(%q)", "Float": "field.Float(%q)", "Boolean": "field.Bool(%q)",
	"Time": "field.Time(%q)", "Bytes": "field.Bytes(%q)", "JSON": "field.JSON(%q, map[string]any{})",
	"Date":      "field.Time(%q).SchemaType(map[string]string{dialect.Postgres: \"date\"})",
	"LocalTime": "field.Time(%q).SchemaType(map[string]string{dialect.Postgres: \"time\"})",
	"Duration":  "field.Int64(%q).GoType(time.Duration(0))",
	"Decimal":   "field.Other(%q, decimal.Decimal{}).SchemaType(map[string]string{dialect.Postgres: \"numeric\", dialect.SQLite: \"text\"})",
	"UUID":      "field.UUID(%q, uuid.UUID{}).SchemaType(map[string]string{dialect.SQLite: \"blob\"})",
	"[String!]": "field.Strings(%q)", "[Int!]": "field.Ints(%q)", "[Float!]": "field.Floats(%q)",
}

// FieldSource returns the line of ent/schema for a column that the API shows as a field of a type,
// which ends in ! if the column is never NULL. It returns "" for a type that is not a scalar's.
func FieldSource(name, typed string) string {
	scalar, required := strings.CutSuffix(typed, "!")
	builder, ok := builders[scalar]
	if !ok {
		return ""
	}
	line := fmt.Sprintf(builder, Snake(name))
	switch nilIsNull := strings.HasPrefix(scalar, "[") || scalar == "JSON" || scalar == "Bytes"; {
	case required:
	case nilIsNull:
		line += ".Optional()"
	default:
		line += ".Optional().Nillable()"
	}
	return line
}

// Snake returns the name of a column for that of a field of the API: owner_id for ownerId.
func Snake(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) && runes[i-1] != '_' {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
