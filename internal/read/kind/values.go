package kind

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/shopspring/decimal"

	"forge/internal/entity"
	"forge/internal/scalar"
)

// comparing returns the operators that nearly every kind has, followed by more.
func comparing(more ...string) []string {
	return append([]string{"", "NEQ", "IsNil", "NotNil"}, more...)
}

// types returns the types in the databases, which are separated by bars.
func types(postgres, sqlite string) map[string][]string {
	return map[string][]string{dialect.Postgres: strings.Split(postgres, "|"), dialect.SQLite: strings.Split(sqlite, "|")}
}

// argument returns a Kind's Argument for a function that needs only the value.
func argument[T any](unmarshal func(any) (T, error)) func(*entity.Field, any) (any, error) {
	return func(_ *entity.Field, value any) (any, error) { return unmarshal(value) }
}

// wholeNumber is like argument, for whole numbers. A column may hold fewer of them than its scalar
// has; see Small.
func wholeNumber(unmarshal func(any) (int64, error)) func(*entity.Field, any) (any, error) {
	return func(f *entity.Field, value any) (any, error) {
		n, err := unmarshal(value)
		if Small(f) {
			return bigger(n), err
		}
		return n, err
	}
}

// Small reports whether the column is one of whole numbers, and may have a type on PostgreSQL that
// cannot hold all numbers of its scalar. PostgreSQL takes an argument without a type for one of the
// column's type, and would refuse a larger number instead of comparing it.
func Small(f *entity.Field) bool {
	if f.Kind != entity.Int && f.Kind != entity.BigInt && f.Kind != entity.Duration {
		return false
	}
	_, chosen := f.Stored[dialect.Postgres]
	return chosen || f.Type == "int8" || f.Type == "uint8" || f.Type == "int16"
}

// bigger is a number that PostgreSQL takes for one of 64 bits.
type bigger int64

// FormatParam returns the parameter of a statement with that type.
func (bigger) FormatParam(placeholder string, info *sql.StmtInfo) string {
	if info.Dialect == dialect.Postgres {
		return placeholder + "::int8"
	}
	return placeholder
}

// write returns a Kind's Write for a function that needs only the value.
func write(appendTo func(b, cell []byte) ([]byte, bool)) func(*entity.Field, []byte, []byte) ([]byte, bool) {
	return func(_ *entity.Field, b, cell []byte) ([]byte, bool) { return appendTo(b, cell) }
}

func writeText(_ *entity.Field, b, cell []byte) ([]byte, bool) {
	return scalar.AppendText(b, cell), utf8.Valid(cell)
}

// placeText returns a text. Values that are compared as texts have the same form as the database's
// own.
func placeText(cell []byte) (any, error) { return scalar.UnmarshalText(string(cell)) }

// placeInt returns a number of 64 bits: one that is too large to be shown has a place in the order
// all the same.
func placeInt(cell []byte) (any, error) { return strconv.ParseInt(string(cell), 10, 64) }

func unmarshalBool(value any) (bool, error) {
	on, ok := value.(bool)
	if !ok {
		return false, fmt.Errorf("%v is neither true nor false", value)
	}
	return on, nil
}

func appendBool(b, cell []byte) ([]byte, bool) {
	switch string(cell) { // SQLite stores 1 and 0
	case "true", "1":
		return append(b, "true"...), true
	case "false", "0":
		return append(b, "false"...), true
	}
	return b, false
}

// appendTime appends a time in a year of four digits. A database may hold other values, such as
// infinity.
func appendTime(b, cell []byte) ([]byte, bool) {
	return scalar.AppendText(b, cell), len(cell) > len("2026-01-02T") && cell[4] == '-' && cell[10] == 'T'
}

func placeTime(cell []byte) (any, error) { return time.Parse(time.RFC3339Nano, string(cell)) }

func enumArgument(f *entity.Field, value any) (any, error) {
	text, _ := value.(string)
	i := slices.IndexFunc(f.Values, func(known string) bool { return entity.ValueName(known) == text })
	if i < 0 { // a variable's value may differ in case
		return nil, fmt.Errorf("%.40q is not one of the values that are allowed here", value)
	}
	return f.Values[i], nil
}

func writeEnum(f *entity.Field, b, cell []byte) ([]byte, bool) {
	for _, known := range f.Values {
		if known == string(cell) {
			return append(append(append(b, '"'), entity.ValueName(known)...), '"'), true // a name needs no escapes
		}
	}
	return b, false
}

func appendFloat(b, cell []byte) ([]byte, bool)   { return scalar.AppendFloat(b, cell, 64) }
func appendFloat32(b, cell []byte) ([]byte, bool) { return scalar.AppendFloat(b, cell, 32) }

// unmarshalFloat32 returns the float32 that is nearest to a number. PostgreSQL would round the
// number as well, and SQLite would not.
func unmarshalFloat32(value any) (float64, error) {
	f, err := scalar.UnmarshalFloat(value)
	if near := float64(float32(f)); err == nil && !math.IsInf(near, 0) {
		return near, nil
	}
	return 0, fmt.Errorf("%v is not a number that 32 bits can hold", value)
}

func placeFloat(cell []byte) (any, error) { return strconv.ParseFloat(string(cell), 64) }

// placeFloat32 returns a number as placeFloat does. A cursor has only the digits that 32 bits need.
func placeFloat32(cell []byte) (any, error) {
	f, err := strconv.ParseFloat(string(cell), 32)
	return f, err
}

// trimmedDecimal appends a decimal number without zeros at its end, as a text.
func trimmedDecimal(b, cell []byte) ([]byte, bool) { return scalar.AppendDecimal(b, cell, -1) }

// unquoted returns a Kind's Canonical for a function that appends a value as JSON. A cell that is
// none of the kind's values stays as it is.
func unquoted(appendTo func(b, cell []byte) ([]byte, bool)) func(cell []byte) []byte {
	return func(cell []byte) []byte {
		text, ok := appendTo(nil, cell)
		if !ok {
			return cell
		}
		return bytes.Trim(text, `"`)
	}
}

func writeDecimal(f *entity.Field, b, cell []byte) ([]byte, bool) {
	return scalar.AppendDecimal(b, cell, f.Scale())
}

// placeDate returns a day as a time.
func placeDate(cell []byte) (any, error) { return scalar.UnmarshalDate(string(cell)) }

// placeLocalTime returns a time of day as a time.
func placeLocalTime(cell []byte) (any, error) { return scalar.UnmarshalLocalTime(string(cell)) }

func nanoseconds(value any) (int64, error) {
	d, err := scalar.UnmarshalDuration(value)
	return int64(d), err
}

func writeBytes(_ *entity.Field, b, cell []byte) ([]byte, bool) {
	return scalar.AppendBytes(b, cell), true
}

// text returns a text. Whether it can be stored is checked with the rest of the input.
func text(value any) (string, error) {
	s, ok := value.(string)
	if !ok {
		return "", fmt.Errorf("%v is not a text", value)
	}
	return s, nil
}

// document returns a JSON document as it is stored.
func document(value any) ([]byte, error) {
	text, err := scalar.JSONText(value)
	return []byte(text), err
}

// maxCondition is how many bytes a JSON document may have with which documents are compared. SQLite
// reads it anew for each row.
const maxCondition = 4 << 10

func jsonCondition(value any) (string, error) {
	text, err := scalar.JSONText(value)
	if err == nil && len(text) > maxCondition {
		err = fmt.Errorf("this document has %d bytes; documents are compared with one of at most %d", len(text), maxCondition)
	}
	return text, err
}

// Path returns the path and the value of a condition of type PathInput, the value as JSON. Its
// error is for the client, as is the path of the part that it is about.
func Path(value any) (steps []string, want, at string, err error) {
	input, _ := value.(map[string]any)
	list, _ := input["path"].([]any)
	for _, step := range list {
		text, err := scalar.UnmarshalText(step)
		if err != nil {
			return nil, "", "path", err
		}
		steps = append(steps, text)
	}
	const most = 64
	if len(steps) == 0 || len(steps) > most {
		return nil, "", "path", fmt.Errorf("the path has %d steps; it may have from 1 to %d", len(steps), most)
	}
	want, err = jsonCondition(input["value"])
	return steps, want, "value", err
}

// elementArgument returns an element of a list as JSON, in the form in which ent stores it.
func elementArgument(f *entity.Field, value any) (any, error) {
	arg, err := kinds[f.Elem].Argument(f, value)
	if err != nil {
		return nil, err
	}
	switch v := arg.(type) {
	case string:
		if f.Elem == entity.Decimal {
			return json.RawMessage(`"` + decimal.RequireFromString(v).String() + `"`), nil
		}
		return json.RawMessage(scalar.AppendText(nil, v)), nil
	case float64:
		if f.Elem == entity.Float32 {
			return json.RawMessage(strconv.AppendFloat(nil, v, 'g', -1, 32)), nil
		}
	}
	text, err := json.Marshal(arg)
	return json.RawMessage(text), err
}

func writeList(f *entity.Field, b, cell []byte) ([]byte, bool) {
	one := kinds[f.Elem].Write
	return scalar.AppendList(b, cell, func(b, element []byte) ([]byte, bool) { return one(f, b, element) })
}
