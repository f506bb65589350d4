package encode

import (
	"database/sql/driver"
	"encoding/json"
	"math"
	"testing"
	"time"

	"forge/internal/entity"
	"forge/internal/read/binding"
	"forge/internal/read/plan"
	"forge/internal/read/rows"
)

// TestAppendColumn checks that a value is written as JSON of the column's kind, or not at all.
// SQLite may hold values of any type in any column.
func TestAppendColumn(t *testing.T) {
	t.Parallel()
	moment := time.Date(2026, 1, 2, 15, 4, 5, 6000, time.UTC)
	injection := `1,"admin":true`
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
		{entity.Float, 1.5, ""}, {entity.Bytes, []byte("1"), ""}, {entity.JSON, []byte("{}"), ""}, {entity.UUID, make([]byte, 16), ""}, {entity.Other, "1", ""}, {entity.BigInt, int64(1), ""},
	} {
		table := &rows.Table{Width: 2}
		if err := table.Add([]driver.Value{make([]byte, 16), tt.value}, []binding.Column{id, {Name: "x", Kind: tt.kind}}); err != nil {
			t.Errorf("%d %v: %v", tt.kind, tt.value, err)
			continue
		}
		out := plan.Output{Kind: plan.OutputOf(tt.kind), Values: []string{"ROCK", "JAZZ"}}
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
