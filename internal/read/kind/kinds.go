package kind

import (
	"slices"

	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/scalar"
)

// kinds holds the kinds of columns that the engine can read. With a schema that shows a column of
// another kind, the server does not start.
//
// Keys have no functions here. Packages sql, rows and encode read and write them, as they need the
// prefix of the entity.
var kinds = map[entity.Kind]*Kind{
	entity.ID: {Types: "keys", scalar: "ID", Operators: comparing(among...)},
	entity.String: {Types: "String, Text", scalar: "String", Orders: true, Operators: comparing(slices.Concat(ordering, []string{"HasPrefix", "HasSuffix", "Contains", "EqualFold", "ContainsFold"})...), SQL: "text", Stored: texts,
		Argument: argument(scalar.UnmarshalText), Value: argument(text), Write: writeText, Place: placeText},
	entity.Int: {Types: "Int, Int8, Int16, Int32, Uint8, Uint16", scalar: "Int", Orders: true, Operators: comparing(ordering...), SQL: "int8", Stored: integers,
		Argument: wholeNumber(scalar.UnmarshalInt), Value: argument(scalar.UnmarshalInt), Write: write(scalar.AppendInt), Place: placeInt},
	entity.Bool: {Types: "Bool", scalar: "Boolean", Operators: comparing(), SQL: "bool", Stored: types("boolean|bool", "bool|boolean"),
		Argument: argument(unmarshalBool), Write: write(appendBool)},
	entity.Time: {Types: "Time", scalar: "Time", Orders: true, Operators: comparing(ordering...), SQL: "timestamptz",
		Stored:   types("timestamptz|timestamp with time zone", "datetime"),
		Argument: argument(scalar.UnmarshalTime), Write: write(appendTime), Place: placeTime},
	entity.Enum: {Types: "Enum", Orders: true, Operators: comparing(among...), SQL: "text", Stored: texts,
		Argument: enumArgument, Write: writeEnum, Place: placeText},
	entity.UUID: {Types: "UUID", scalar: "UUID", Operators: comparing(among...), SQL: "bytea", Convert: asBytes, Stored: uuids,
		Argument: argument(scalar.UnmarshalUUID), Write: write(scalar.AppendUUID)},
	entity.BigInt: {Types: "Int64, Uint, Uint32, Uint64", scalar: "BigInt", Orders: true, Operators: comparing(ordering...), SQL: "int8", Stored: integers,
		Argument: wholeNumber(scalar.UnmarshalBigInt), Value: argument(scalar.UnmarshalBigInt), Write: write(scalar.AppendBigInt), Place: placeInt},
	entity.Float: {Partial: true, Types: "Float", scalar: "Float", Orders: true, Operators: comparing(ordering...), SQL: "float8",
		Stored:   types("double precision|float8", "real|double|double precision|float"),
		Argument: argument(scalar.UnmarshalFloat), Write: write(appendFloat), Place: placeFloat},
	entity.Float32: {Partial: true, Types: "Float32", scalar: "Float", Orders: true, Operators: comparing(ordering...), SQL: "float8",
		Stored:   types("real|float4", "real|double|double precision|float"),
		Argument: argument(unmarshalFloat32), Write: write(appendFloat32), Canonical: unquoted(appendFloat32), Place: placeFloat32},
	entity.Decimal: {Partial: true, Types: "Other(decimal.Decimal)", scalar: "Decimal", Orders: true, Operators: comparing(ordering...), SQL: "text", Convert: asText, Collation: scalar.DecimalCollation,
		Stored:   types("numeric|decimal", "text|varchar"),
		Argument: argument(scalar.DecimalText), Value: argument(scalar.UnmarshalDecimal), Write: writeDecimal, Canonical: unquoted(trimmedDecimal), Place: placeText},
	entity.Date: {Partial: true, Types: "Time (date)", scalar: "Date", Orders: true, Operators: comparing(ordering...), SQL: "text", Convert: asText, Stored: types("date", "date|datetime"),
		Argument: argument(scalar.UnmarshalDate), Write: write(scalar.AppendDate), Canonical: unquoted(scalar.AppendDate), Place: placeDate},
	entity.LocalTime: {Partial: true, Types: "Time (time)", scalar: "LocalTime", Orders: true, Operators: comparing(ordering...), SQL: "text", Convert: asText,
		Stored:   types("time|time without time zone", "datetime"),
		Argument: argument(scalar.UnmarshalLocalTime), Write: write(scalar.AppendLocalTime), Canonical: unquoted(scalar.AppendLocalTime), Place: placeLocalTime},
	entity.Duration: {Types: "Int64 (time.Duration)", scalar: "Duration", Orders: true, Operators: comparing(ordering...), SQL: "int8", Stored: integers,
		Argument: wholeNumber(nanoseconds), Value: argument(nanoseconds), Write: write(scalar.AppendDuration), Place: placeInt},
	entity.Bytes: {Types: "Bytes", scalar: "Bytes", Operators: comparing(among...), SQL: "bytea", Stored: types("bytea", "blob"),
		Argument: argument(scalar.UnmarshalBytes), Write: writeBytes},
	entity.JSON: {Partial: true, Types: "JSON", scalar: "JSON", Operators: comparing("HasKey", "Contains", "PathEquals"), SQL: "text", Convert: asText, Stored: documents,
		Argument: argument(jsonCondition), Value: argument(document), Write: write(scalar.AppendJSON)},
}

// keys says how the databases store keys, by their form.
var keys = map[ids.Form]*Kind{
	ids.UUID:   {SQL: "bytea", Convert: asBytes, Stored: uuids},
	ids.Number: {SQL: "int8", Stored: types("smallint|integer|bigint|int|int2|int4|int8|smallserial|serial|bigserial", "smallint|integer|bigint|int|tinyint")},
	ids.Text:   {SQL: "text", Stored: texts},
}

// list is the kind entity.List. Its elements are of one of kinds.
var list = &Kind{Partial: true, Types: "Strings, Ints, Floats, JSON of a slice of scalars", Operators: []string{"IsNil", "NotNil", "Has", "HasEvery", "HasSome", "IsEmpty"}, SQL: "text", Convert: asText,
	Stored: documents, Argument: elementArgument, Write: writeList}

const (
	asText  = "%s::text"
	asBytes = "uuid_send(%s)" // the 16 bytes: lib/pq would format a uuid as text
)

var (
	among     = []string{"In", "NotIn"}
	ordering  = append(slices.Clip(among), "GT", "GTE", "LT", "LTE")
	texts     = types("text|varchar|character varying", "text|varchar")
	integers  = types("smallint|integer|bigint|int|int2|int4|int8", "smallint|integer|bigint|int|tinyint")
	uuids     = types("uuid", "blob|uuid")
	documents = types("jsonb", "json|text|blob")
)
