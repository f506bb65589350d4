package encode

import (
	"database/sql/driver"
	"encoding/json"
	"math"
	"testing"
	"time"

	"forge/internal/entity"
	"forge/internal/read/binding"
	"forge/internal/read/kind"
	"forge/internal/read/plan"
	"forge/internal/read/rows"
)

// TestAppendColumn checks that a value is written as JSON of the column's kind, or not at all.
// SQLite may hold values of any type in any column.
func TestAppendColumn(t *testing.T) {
	t.Parallel()
	moment := time.Date(2026, 1, 2, 15, 4, 5, 6000, time.UTC)
	injection := `1,"admin":true`
	shows := &entity.Field{Values: []string{"ROCK", "JAZZ"}, Elem: entity.String, Stored: map[string]string{"postgres": "numeric(10, 2)"}}
	id := binding.Column{Name: "id", Kind: entity.ID}
	for _, tt := range []struct {
		kind  entity.Kind
		value driver.Value
		want  string // "" if it cannot be written
	}{
		{entity.Int, int64(0), "0"}, {entity.Int, int64(-7), "-7"}, {entity.Int, int64(math.MaxInt32), "2147483647"}, {entity.Int, int64(math.MinInt32), "-2147483648"},
		{entity.Int, int64(math.MaxInt32 + 1), ""}, {entity.Int, int64(math.MinInt32 - 1), ""}, {entity.Int, int64(math.MaxInt64), ""}, {entity.Int, int64(math.MinInt64), ""},
		{entity.Int, 1.5, ""}, {entity.Int, 3e9, ""}, {entity.Int, math.NaN(), ""}, {entity.Int, "", ""}, {entity.Int, "-", ""}, {entity.Int, "--1", ""},
		{entity.Int, "007", ""}, {entity.Int, "-0", ""}, {entity.Int, "1e3", ""}, {entity.Int, injection, ""}, {entity.Int, []byte(injection), ""},
		{entity.Int, []byte{0xff, 0}, ""}, {entity.Int, true, ""}, {entity.Int, moment, ""}, {entity.Int, "12", "12"},
		{entity.Bool, true, "true"}, {entity.Bool, false, "false"}, {entity.Bool, int64(1), "true"}, {entity.Bool, int64(0), "false"},
		{entity.Bool, int64(2), ""}, {entity.Bool, "t", ""}, {entity.Bool, "", ""}, {entity.Bool, 0.5, ""}, {entity.Bool, []byte("true, 1"), ""},
		{entity.String, "Sam", `"Sam"`}, {entity.String, []byte(`"}`), `"\"}"`}, {entity.String, "a\xff", ""}, {entity.String, []byte{0x80}, ""}, {entity.String, int64(5), `"5"`},
		{entity.Enum, "ROCK", `"ROCK"`}, {entity.Enum, []byte("JAZZ"), `"JAZZ"`}, {entity.Enum, "rock", ""}, {entity.Enum, "", ""}, {entity.Enum, int64(1), ""},
		{entity.Time, moment, `"2026-01-02T15:04:05.000006Z"`}, {entity.Time, []byte("infinity"), ""}, {entity.Time, int64(1), ""}, {entity.Time, "", ""},
		{entity.Time, time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC), ""},
		{entity.BigInt, int64(math.MinInt64), `"-9223372036854775808"`}, {entity.BigInt, "x", ""}, {entity.BigInt, 1.5, ""}, {entity.BigInt, []byte(injection), ""},
		{entity.Float, 1.5, "1.5"}, {entity.Float, math.Copysign(0, -1), "0"}, {entity.Float, 5e-324, "5e-324"}, {entity.Float, 1e300, "1e+300"}, {entity.Float, int64(3), "3"},
		{entity.Float, []byte("0.1"), "0.1"}, {entity.Float, math.NaN(), ""}, {entity.Float, math.Inf(-1), ""}, {entity.Float, []byte("Infinity"), ""}, {entity.Float, injection, ""},
		{entity.Float32, float64(float32(0.1)), "0.1"}, {entity.Float32, 0.1, "0.1"},
		{entity.Decimal, "1.5", `"1.50"`}, {entity.Decimal, []byte("-0.00"), `"0.00"`}, {entity.Decimal, int64(7), `"7.00"`}, {entity.Decimal, "1.005", ""}, {entity.Decimal, "NaN", ""},
		{entity.Decimal, injection, ""}, {entity.Decimal, "1e999999999", ""}, {entity.Decimal, "1e3", `"1000.00"`},
		{entity.Date, "2026-01-02", `"2026-01-02"`}, {entity.Date, time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), `"0001-01-01"`}, {entity.Date, moment, ""},
		{entity.Date, "infinity", ""}, {entity.Date, "0044-03-15 BC", ""}, {entity.Date, "12026-01-02", ""},
		{entity.LocalTime, "15:04:05.120", `"15:04:05.12"`}, {entity.LocalTime, time.Date(0, 1, 1, 15, 4, 5, 6000, time.UTC), `"15:04:05.000006"`},
		{entity.LocalTime, moment, ""}, {entity.LocalTime, "24:00:00", ""},
		{entity.Duration, int64(5_400_000_000_001), `"PT1H30M0.000000001S"`}, {entity.Duration, int64(0), `"PT0S"`}, {entity.Duration, "x", ""},
		{entity.Bytes, []byte{0xff, 0}, `"/wA="`}, {entity.Bytes, []byte{}, `""`},
		{entity.UUID, make([]byte, 16), `"00000000-0000-0000-0000-000000000000"`}, {entity.UUID, []byte("short"), ""},
		{entity.JSON, `{"b": 1.50, "a": [1e2, -0.0, null, "\u00e9\u0041"], "b": 1e400}`, `{"a":[100,0,null,"éA"],"b":1e400}`}, {entity.JSON, int64(5), "5"},
		{entity.JSON, "{", ""}, {entity.JSON, "1 2", ""}, {entity.JSON, "", ""},
		{entity.List, `["a", "\""]`, `["a","\""]`}, {entity.List, "[]", "[]"}, {entity.List, "null", "[]"}, {entity.List, `["a", null]`, ""}, {entity.List, `{}`, ""}, {entity.List, `[[]]`, ""},
	} {
		table := &rows.Table{Width: 2}
		if err := table.Add([]driver.Value{make([]byte, 16), tt.value}, []binding.Column{id, {Name: "x", Kind: tt.kind}}); err != nil {
			t.Errorf("%d %v: %v", tt.kind, tt.value, err)
			continue
		}
		k, _ := kind.Of(tt.kind)
		out := plan.Output{Kind: plan.ValueColumn, Shows: shows, Write: k.Write}
		cell, _ := table.Cell(0, 1)
		b, ok := appendColumn(&out, nil, cell)
		if ok != (tt.want != "") || ok && string(b) != tt.want {
			t.Errorf("kind %d: %v (%T) is written as %s, %t; want %s", tt.kind, tt.value, tt.value, b, ok, tt.want)
		}
		if ok && !json.Valid(b) {
			t.Errorf("kind %d: %v is written as %s, which is no JSON", tt.kind, tt.value, b)
		}
	}
}
