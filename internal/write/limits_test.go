package write

import (
	"math"
	"strings"
	"testing"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/entsql"
	"github.com/shopspring/decimal"

	"forge/internal/entity"
	"forge/internal/input"
	"forge/internal/schema"
)

// TestLimits reads limits from types of columns and from CHECKs.
func TestLimits(t *testing.T) {
	t.Parallel()
	b := &binder{Contract: Contract{Tables: []*schema.Table{{Name: "things", Annotation: &entsql.Annotation{
		Check: "c > 5",
		Checks: map[string]string{
			"1": "length(a) BETWEEN 1 AND 100", "2": "b >= 0", "3": "d BETWEEN -3 AND 8", "4": `"e" < 10`, "5": "length(f) <= 7",
			"6": "b >= 3 OR c < 2", "7": "(a IS NULL) = (b IS NULL)", "8": "lower(a) <= 3", "9": "g IN (1, 2)", "10": "other >= 9", "11": "h + 0 >= 9",
		},
	}}}}}
	for _, tt := range []struct {
		field entity.Field
		want  limits
	}{
		{entity.Field{Column: "a", Kind: entity.String}, limits{shortest: 1, most: 100, least: math.MinInt64, greatest: math.MaxInt64}},
		{entity.Field{Column: "b", Kind: entity.Int, Type: "int32"}, limits{most: math.MaxInt, least: 0, greatest: math.MaxInt32}},
		{entity.Field{Column: "b", Kind: entity.Int, Type: "int"}, limits{most: math.MaxInt, least: 0, greatest: math.MaxInt32}},
		{entity.Field{Column: "c", Kind: entity.BigInt, Type: "int64"}, limits{most: math.MaxInt, least: 6, greatest: math.MaxInt64}},
		{entity.Field{Column: "d", Kind: entity.Int, Type: "uint8"}, limits{most: math.MaxInt, least: 0, greatest: 8}},
		{entity.Field{Column: "e", Kind: entity.Int, Type: "int8"}, limits{most: math.MaxInt, least: -128, greatest: 9}},
		{entity.Field{Column: "f", Kind: entity.String, Stored: map[string]string{dialect.Postgres: "varchar(5)"}}, limits{most: 5, least: math.MinInt64, greatest: math.MaxInt64}},
		{entity.Field{Column: "g", Kind: entity.Decimal, Stored: map[string]string{dialect.Postgres: "numeric(12, 2)"}}, limits{most: math.MaxInt, least: math.MinInt64, greatest: math.MaxInt64, digits: 12, scale: 2}},
		{entity.Field{Column: "h", Kind: entity.Decimal}, limits{most: math.MaxInt, least: 9, greatest: math.MaxInt64}},
	} {
		if got := b.limitsOf(&entity.Entity{Table: "things"}, &tt.field); got != tt.want {
			t.Errorf("%s of %s: %+v, want %+v", tt.field.Column, tt.field.Type, got, tt.want)
		}
	}
}

// TestRangesOfDecimals checks decimal numbers against CHECKs, and leaves to the database what these
// say of numbers beside whole ones.
func TestRangesOfDecimals(t *testing.T) {
	t.Parallel()
	b := &binder{Contract: Contract{Tables: []*schema.Table{{Name: "things", Annotation: &entsql.Annotation{
		Checks: map[string]string{"1": "price BETWEEN 5 AND 100", "2": "tax >= 0", "3": "weight > 0"},
	}}}}}
	for _, tt := range []struct{ column, value, want string }{
		{"price", "4.99", "price must be at least 5"}, {"price", "5", ""}, {"price", "100.00", ""}, {"price", "100.01", "price must be at most 100"},
		{"tax", "-3", "tax must be at least 0"}, {"tax", "1e400", ""}, {"weight", "0.5", ""}, {"weight", "0", ""},
	} {
		l := b.limitsOf(&entity.Entity{Table: "things"}, &entity.Field{Column: tt.column, Kind: entity.Decimal})
		form := &input.Form{}
		l.check(form, &field{name: tt.column}, decimal.RequireFromString(tt.value))
		got := ""
		if err := form.Err(); err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, tt.want) || (got == "") != (tt.want == "") {
			t.Errorf("%s = %s: %q, want %q", tt.column, tt.value, got, tt.want)
		}
	}
}
