package sql

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
	"forge/internal/read/binding"
)

func TestAfter(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		prefix, after string
		ok            bool
	}{
		{"", "", false},
		{"a", "b", true},
		{"ab", "ac", true},
		{"a%", "a&", true},
		{"a_", "a`", true},
		{"z", "{", true},
		{"\x7f", "\u0080", true},
		{"é", "ê", true},
		{"\uD7FF", "\uE000", true},
		{"\uFFFF", "\U00010000", true},
		{"a\U0010FFFF", "b", true},
		{"a\U0010FFFF\U0010FFFF", "b", true},
		{"\uD7FF\U0010FFFF", "\uE000", true},
		{"\U0010FFFF", "", false},
		{"\U0010FFFF\U0010FFFF", "", false},
		{"\U0010FFFFa", "\U0010FFFFb", true},
	} {
		got, ok := after(tt.prefix)
		if got != tt.after || ok != tt.ok {
			t.Errorf("after(%q) = %q, %t; want %q, %t", tt.prefix, got, ok, tt.after, tt.ok)
		}
	}
}

// FuzzAfter checks that a text lies between a prefix and after(prefix) exactly if it begins with
// the prefix.
func FuzzAfter(f *testing.F) {
	for _, s := range []string{"", "a", "ab", "b", "a\U0010FFFF", "\U0010FFFF", "\uD7FF", "\uE000", "a%", "é"} {
		for _, p := range []string{"", "a", "a\U0010FFFF", "\U0010FFFF", "\uD7FF", "\uFFFF"} {
			f.Add(s, p)
			f.Add(p+s, p)
		}
	}
	f.Fuzz(func(t *testing.T, s, prefix string) {
		if !utf8.ValidString(s) || !utf8.ValidString(prefix) {
			return // neither can be stored or sent
		}
		end, bounded := after(prefix)
		if !utf8.ValidString(end) {
			t.Fatalf("after(%q) = %q is not UTF-8", prefix, end)
		}
		between := s >= prefix && (!bounded || s < end)
		if between != strings.HasPrefix(s, prefix) {
			t.Errorf("%q is between %q and %q: %t", s, prefix, end, between)
		}
	})
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		value any
		want  string // empty if the value is refused
	}{
		{"2026-01-02T15:04:05Z", "2026-01-02T15:04:05Z"},
		{"2026-01-02T15:04:05.000006Z", "2026-01-02T15:04:05.000006Z"},
		{"2026-01-02T15:04:05.0000069Z", "2026-01-02T15:04:05.000006Z"},
		{"2026-01-02T15:04:05+02:00", "2026-01-02T13:04:05Z"},
		{"0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"},
		{"", ""}, {"now", ""}, {"2026-01-02", ""}, {"2026-01-02T15:04:05", ""}, {"2026-02-30T15:04:05Z", ""}, {5, ""}, {nil, ""},
	} {
		got, err := parseTime(tt.value)
		if err != nil != (tt.want == "") || err == nil && got.Format(time.RFC3339Nano) != tt.want {
			t.Errorf("parseTime(%v) = %s, %v; want %q", tt.value, got, err, tt.want)
		}
	}
}

// TestArgumentOfEachKind checks that values of all kinds that the engine can read can be compared,
// and of no others.
func TestArgumentOfEachKind(t *testing.T) {
	t.Parallel()
	for of := entity.ID; of <= entity.Other; of++ {
		value := map[entity.Kind]any{
			entity.ID: "track_01h455vb4pex5vsknk084sn02q", entity.Int: 1, entity.Bool: true, entity.Time: "2026-01-02T15:04:05Z",
			entity.String: "X", entity.Enum: "X",
		}[of]
		by := &binding.Filter{Prefix: "track", Field: &entity.Field{Kind: of}, Values: ast.EnumValueList{{Name: "X"}}}
		_, held := binding.KindOf(of)
		if _, err := argument(by, value, "where"); held != (err == nil) {
			t.Errorf("kind %d is held: %t, and compared: %v", of, held, err)
		}
	}
}
