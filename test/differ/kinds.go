package differ

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/scalar"
)

// plain returns a value that ent has read without pointers, and of one Go type for each kind of
// column. It returns nil for NULL.
func plain(v reflect.Value, of entity.Kind) any {
	if v.Kind() == reflect.Pointer || v.Kind() == reflect.Slice {
		if v.IsNil() {
			return nil
		}
		v = reflect.Indirect(v)
	}
	switch of {
	case entity.Date:
		t := v.Interface().(time.Time)
		return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	case entity.LocalTime:
		t := v.Interface().(time.Time)
		return time.Date(0, 1, 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	case entity.Float32:
		return float32(v.Float())
	case entity.Time, entity.UUID, entity.Decimal, entity.Bytes, entity.JSON, entity.List:
		return v.Interface()
	}
	switch {
	case v.CanInt():
		return v.Int()
	case v.CanUint():
		return int64(v.Uint())
	case v.Kind() == reflect.String:
		return v.String()
	}
	return v.Interface()
}

// received returns the value of a column that a client means.
func (c *contents) received(f *entity.Field, sent any) any {
	text := fmt.Sprint(sent)
	switch f.Kind {
	case entity.ID:
		keys := c.entities[f.Refers].Keys
		id := must(ids.Parse(text))
		if n, ok := id.Int(); ok && keys == ids.Number {
			return n
		}
		if keys == ids.Text {
			return id.Text
		}
		return id.UUID
	case entity.Int, entity.BigInt:
		return must(strconv.ParseInt(text, 10, 64))
	case entity.Float:
		return must(strconv.ParseFloat(text, 64))
	case entity.Float32:
		return float32(must(strconv.ParseFloat(text, 32)))
	case entity.Decimal:
		return must(decimal.NewFromString(text))
	case entity.Time:
		return must(time.Parse(time.RFC3339Nano, text))
	case entity.Date:
		return must(time.Parse(time.DateOnly, text))
	case entity.LocalTime:
		return must(time.Parse("15:04:05.999999", text))
	case entity.Duration:
		return int64(must(scalar.UnmarshalDuration(sent)))
	case entity.UUID:
		return must(uuid.Parse(text))
	case entity.Bytes:
		return must(base64.StdEncoding.DecodeString(text))
	}
	if f.MatchBy != "" {
		return entity.Fold(text)
	}
	return sent
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// sentAs returns a value of a column as a client sends it.
func (c *contents) sentAs(f *entity.Field, value any) any {
	switch f.Kind {
	case entity.ID:
		return idOf(c.entities[f.Refers], value).String()
	case entity.BigInt:
		return fmt.Sprint(value)
	case entity.Int:
		return int(value.(int64))
	case entity.Float32:
		return must(strconv.ParseFloat(strconv.FormatFloat(float64(value.(float32)), 'g', -1, 32), 64))
	case entity.Decimal:
		return value.(decimal.Decimal).String()
	case entity.Time:
		return value.(time.Time).Format(time.RFC3339Nano)
	case entity.Date:
		return value.(time.Time).Format(time.DateOnly)
	case entity.LocalTime:
		return value.(time.Time).Format("15:04:05.999999")
	case entity.Duration:
		return unquoted(scalar.MarshalDuration(time.Duration(value.(int64))))
	case entity.UUID:
		return value.(uuid.UUID).String()
	case entity.Bytes:
		return base64.StdEncoding.EncodeToString(value.([]byte))
	}
	return value
}

func unquoted(m graphql.Marshaler) (text string) {
	var b bytes.Buffer
	m.MarshalGQL(&b)
	if err := json.Unmarshal(b.Bytes(), &text); err != nil {
		panic(err)
	}
	return text
}

// elements returns the elements of a list as the values of a column, and that column.
func elements(f *entity.Field, list any) (*entity.Field, []any) {
	of := &entity.Field{Name: f.Name, Kind: f.Elem, Type: f.Type}
	var all []any
	for i := range reflect.ValueOf(list).Len() {
		all = append(all, plain(reflect.ValueOf(list).Index(i), f.Elem))
	}
	return of, all
}

// hasElements evaluates a condition on a list.
func (c *contents) hasElements(f *entity.Field, op string, list, value any) bool {
	of, all := elements(f, list)
	has := func(wanted any) bool {
		for _, one := range all {
			if compareValues(one, c.received(of, wanted)) == 0 {
				return true
			}
		}
		return false
	}
	switch op {
	case "IsEmpty":
		return (len(all) == 0) == value.(bool)
	case "Has":
		return has(value)
	}
	for _, wanted := range value.([]any) {
		if has(wanted) != (op == "HasEvery") {
			return op == "HasSome"
		}
	}
	return op == "HasEvery"
}

// documentHolds evaluates a condition on a JSON document. Package scalar does this for SQLite, so
// PostgreSQL's operators are what it is compared with.
func documentHolds(op string, has json.RawMessage, value any) bool {
	switch op {
	case "HasKey":
		return scalar.JSONHasKey(has, value.(string))
	case "Contains":
		return scalar.JSONContains(has, []byte(must(scalar.JSONText(value))))
	case "PathEquals":
		in := value.(map[string]any)
		var steps []string
		for _, step := range in["path"].([]any) {
			steps = append(steps, step.(string))
		}
		return scalar.JSONAt(has, steps, []byte(must(scalar.JSONText(in["value"]))))
	}
	return scalar.JSONEqual(has, []byte(must(scalar.JSONText(value))))
}

// documents are JSON documents to compare with, and steps are those of paths in them.
var (
	documents = []string{`{}`, `[]`, `{"b": [true, null, "\u00e4<"], "a": 1.50}`, `"text"`, `12`, `[1, {"x": {}}]`, `{"b": [null]}`, `1`, `[1]`, `{"a": 1.5}`, `[{"x": {}}]`,
		`true`, `null`, `{"x": {}}`, `"\u00e4<"`}
	steps = []string{"b", "a", "x", "0", "1", "-1", "", " 1", "b c"}
)

// compareValues returns which of two values of a column comes first.
func compareValues(x, y any) int {
	switch x := x.(type) {
	case int64:
		return cmp.Compare(x, y.(int64))
	case float64:
		return cmp.Compare(x, y.(float64))
	case float32:
		return cmp.Compare(x, y.(float32))
	case string:
		return cmp.Compare(x, y.(string)) // UTF-8 sorts as code points do
	case time.Time:
		return x.Compare(y.(time.Time))
	case decimal.Decimal:
		return x.Cmp(y.(decimal.Decimal))
	case uuid.UUID:
		other := y.(uuid.UUID)
		return bytes.Compare(x[:], other[:])
	case []byte:
		return bytes.Compare(x, y.([]byte))
	case bool:
		return cmp.Compare(fmt.Sprint(x), fmt.Sprint(y))
	}
	panic(fmt.Sprintf("no order for %T", x))
}

// like returns the value of a column in the type that gqlgen has for it, or what writes it: some
// values have a form in answers that depends on more than their type.
func (q question) like(t reflect.Type, f *entity.Field, value any) any {
	switch {
	case f.Kind == entity.ID:
		value = idOf(q.entities[f.Refers], value)
	case f.Kind == entity.Decimal && f.Scale() >= 0:
		return graphql.MarshalString(value.(decimal.Decimal).StringFixed(int32(f.Scale())))
	case f.Kind == entity.Float32:
		return graphql.WriterFunc(func(w io.Writer) {
			fmt.Fprint(w, strconv.FormatFloat(float64(value.(float32)), 'g', -1, 32))
		})
	case f.Kind == entity.JSON:
		d := json.NewDecoder(bytes.NewReader(value.(json.RawMessage)))
		d.UseNumber()
		var decoded any
		if err := d.Decode(&decoded); err != nil {
			panic(err)
		}
		return decoded
	}
	return convert(reflect.ValueOf(value), t).Interface()
}

// convert converts a value to a type, also the elements of a slice, and what a pointer points to.
func convert(v reflect.Value, t reflect.Type) reflect.Value {
	switch {
	case t.Kind() == reflect.Pointer:
		p := reflect.New(t.Elem())
		p.Elem().Set(convert(v, t.Elem()))
		return p
	case t.Kind() == reflect.Slice && v.Kind() == reflect.Slice && !v.Type().ConvertibleTo(t):
		list := reflect.MakeSlice(t, v.Len(), v.Len())
		for i := range v.Len() {
			list.Index(i).Set(convert(v.Index(i), t.Elem()))
		}
		return list
	}
	return v.Convert(t)
}

// samples returns values to try the conditions of a column with: some that rows have, some close to
// these, and some that no row has.
func (c *contents) samples(name string, f *entity.Field) (list []any) {
	for _, r := range c.rows[name] {
		of, values := f, []any{r.values[f.Column]}
		if values[0] != nil && f.Kind == entity.List {
			of, values = elements(f, values[0])
		}
		for _, value := range values {
			if value == nil {
				continue
			}
			sent := c.sentAs(of, value)
			list = append(list, sent)
			if t, ok := value.(time.Time); ok && of.Kind == entity.Time {
				list = append(list, t.In(time.FixedZone("", 2*60*60)).Format(time.RFC3339Nano))
			}
			if text, ok := sent.(string); ok && of.Kind == entity.String {
				list = append(list, strings.ToUpper(text))
			}
		}
	}
	kind := f.Kind
	if kind == entity.List {
		kind = f.Elem
	}
	switch kind {
	case entity.ID:
		for _, key := range map[ids.Form][]any{ids.UUID: {uuid.UUID{}, uuid.Max}, ids.Number: {int64(0), int64(-1), int64(math.MaxInt64), int64(math.MinInt64)},
			ids.Text: {"nothing", "%", "🦸_"}}[c.entities[f.Refers].Keys] {
			list = append(list, idOf(c.entities[f.Refers], key).String())
		}
	case entity.Int:
		list = append(list, -1<<31, -1, 0, 8, 1<<31-1)
	case entity.BigInt:
		list = append(list, "0", "-9223372036854775808", "9223372036854775807", "9007199254740993")
	case entity.Float, entity.Float32:
		list = append(list, 0.0, 0.1, -1e30, 1e-10)
	case entity.Decimal:
		list = append(list, "0", "0.00", "12.5", "12.500", "-0.001", "99999999999999999999.99")
	case entity.Time:
		list = append(list, "0001-01-01T00:00:00Z", "2026-01-02T15:04:05.5Z", "9999-12-31T23:59:59.999999Z")
	case entity.Date:
		list = append(list, "0001-01-01", "2024-02-29", "9999-12-31")
	case entity.LocalTime:
		list = append(list, "00:00:00", "12:30:00.5", "23:59:59.999999")
	case entity.Duration:
		list = append(list, "PT0S", "PT1H", "-PT0.5S")
	case entity.UUID:
		list = append(list, uuid.Nil.String(), uuid.Max.String())
	case entity.Bytes:
		list = append(list, "", "AA==", "/w==")
	case entity.String:
		list = append(list, "", "a", "ad", "%", "_", "ada_", "da", "ad%", "\U0010FFFF", "ada\U0010FFFF", "\U0010FFFF\U0010FFFF\U0010FFFF",
			"z\uD7FF", "SKU-", "SKU-0", `a"b\`, "'", "\x7F", "ẞ", "READER1@STRASSE.EXAMPLE")
	case entity.Bool:
		list = []any{false, true}
	case entity.Enum:
		list = list[:0]
		for _, v := range f.Values {
			list = append(list, v)
		}
	case entity.JSON:
		return nil
	}
	slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return slices.Compact(list)
}

// stored returns values that rows have, edge values among them, in a Go type that can be converted
// to t.
func (f *filler) stored(of entity.Kind, field *entity.Field, t reflect.Type) (list []any) {
	switch of {
	case entity.ID, entity.UUID:
		id := entity.NewID()
		for i := range id {
			id[i] = byte(f.Uint32())
		}
		return []any{id}
	case entity.String:
		list = append(list, "", strings.Repeat("long ", 80), "ada", "adb", "ada", "Adb")
		for _, text := range AwkwardNames {
			list = append(list, text)
		}
	case entity.Int, entity.BigInt, entity.Duration:
		for _, n := range []int64{math.MinInt64, math.MaxInt64, 1<<53 + 1, 1<<32 - 1, -1 << 31, 1<<31 - 1, -1 << 15, 1<<15 - 1, 1<<16 - 1, -128, 127, 255, -1, 0, 0, 1, 2, 7, 7, 30} {
			if fits(n, t) && (of != entity.Int || n == int64(int32(n))) {
				list = append(list, n)
			}
		}
	case entity.Float:
		list = []any{0.0, 0.1, -1.5, 1e300, 5e-324, math.MaxFloat64, 3.0, -7.25, 0.1}
	case entity.Float32:
		list = []any{float32(0), float32(0.1), float32(-1.5), float32(math.MaxFloat32), float32(3), float32(0.1)}
	case entity.Decimal:
		for _, text := range []string{"0", "-0.01", "12.5", "12.50", "99999.99", "-99999.99", "1.10", "7", "100"} {
			list = append(list, decimal.RequireFromString(text))
		}
	case entity.Bool:
		list = []any{true, false}
	case entity.Time:
		list = []any{time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
			time.Date(1969, 12, 31, 23, 59, 59, 1000, time.UTC), time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC), time.Date(2026, 1, 2, 15, 4, 5, 500_000_000, time.UTC)}
	case entity.Date:
		for _, text := range []string{"0001-01-02", "9999-12-31", "1969-12-31", "2024-02-29", "2026-01-02"} {
			list = append(list, must(scalar.UnmarshalDate(text)))
		}
	case entity.LocalTime:
		for _, text := range []string{"00:00:00", "23:59:59.999999", "12:30:00.5", "12:30:00"} {
			list = append(list, must(scalar.UnmarshalLocalTime(text)))
		}
	case entity.Bytes:
		list = []any{[]byte{0}, []byte{0xff, 0, 0x7f}, []byte("ada")}
		if field == nil || !field.Nullable { // plain ent cannot tell no bytes from NULL on SQLite
			list = append(list, []byte{})
		}
	case entity.JSON:
		for _, text := range []string{`{}`, `[]`, `{"b": [true, null, "\u00e4<"], "a": 1.50}`, `"text"`, `12`, `[1, {"x": {}}]`} {
			if v := reflect.New(t); json.Unmarshal([]byte(text), v.Interface()) == nil {
				list = append(list, v.Elem().Interface())
			}
		}
	case entity.Enum:
		for _, value := range field.Values {
			list = append(list, value)
		}
	case entity.List:
		for _, n := range []int{0, 1, 3} {
			some := reflect.MakeSlice(t, 0, n)
			for range n {
				all := f.stored(field.Elem, field, t.Elem())
				some = reflect.Append(some, reflect.ValueOf(all[f.IntN(len(all))]).Convert(t.Elem()))
			}
			list = append(list, some.Interface())
		}
	}
	return list
}

// fits reports whether a Go type can hold a number.
func fits(n int64, t reflect.Type) bool {
	v := reflect.New(t).Elem()
	if v.CanUint() {
		return n >= 0 && !v.OverflowUint(uint64(n))
	}
	return !v.OverflowInt(n)
}
