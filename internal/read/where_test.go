package read

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"forge/internal/entity"
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

// FuzzAfter wants the texts from a prefix up to what comes after it to be those that start with it.
func FuzzAfter(f *testing.F) {
	for _, s := range []string{"", "a", "ab", "b", "a\U0010FFFF", "\U0010FFFF", "\uD7FF", "\uE000", "a%", "é"} {
		for _, p := range []string{"", "a", "a\U0010FFFF", "\U0010FFFF", "\uD7FF", "\uFFFF"} {
			f.Add(s, p)
			f.Add(p+s, p)
		}
	}
	f.Fuzz(func(t *testing.T, s, prefix string) {
		if !utf8.ValidString(s) || !utf8.ValidString(prefix) {
			return // neither can be stored, nor sent
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

func TestParseInt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		value any
		want  int64
		ok    bool
	}{
		{int64(5), 5, true}, {5, 5, true}, {json.Number("5"), 5, true}, {5.0, 5, true}, {json.Number("-2147483648"), math.MinInt32, true},
		{int64(math.MaxInt32), math.MaxInt32, true}, {int64(math.MaxInt32 + 1), 0, false}, {int64(math.MinInt32 - 1), 0, false},
		{5.5, 0, false}, {1e300, 0, false}, {math.NaN(), 0, false}, {math.Inf(1), 0, false}, {json.Number("5.5"), 0, false}, {json.Number("1e2"), 0, false},
		{json.Number("99999999999999999999"), 0, false}, {"5", 0, false}, {true, 0, false}, {nil, 0, false}, {[]any{1}, 0, false},
	} {
		got, ok := parseInt(tt.value)
		if ok != tt.ok || ok && got != tt.want {
			t.Errorf("parseInt(%T %v) = %d, %t; want %d, %t", tt.value, tt.value, got, ok, tt.want, tt.ok)
		}
	}
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		value any
		want  string // empty if it is refused
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

func TestParseFilter(t *testing.T) {
	t.Parallel()
	e := &entity.Entity{
		Fields: []entity.Field{{Name: "id"}, {Name: "name"}, {Name: "nameIn"}, {Name: "isNil"}},
		Edges:  []entity.Edge{{Name: "team"}, {Name: "teamWith"}},
	}
	for _, tt := range []struct{ name, op, field, edge string }{
		{"not", "not", "", ""}, {"and", "and", "", ""}, {"or", "or", "", ""},
		{"id", "", "id", ""}, {"idIn", "In", "id", ""}, {"nameHasPrefix", "HasPrefix", "name", ""}, {"nameGTE", "GTE", "name", ""},
		{"nameInIn", "In", "nameIn", ""}, {"isNilIsNil", "IsNil", "isNil", ""},
		{"hasTeam", "has", "", "team"}, {"hasTeamWithWith", "hasWith", "", "teamWith"},
		{"nameLike", "?", "", ""}, {"age", "?", "", ""}, {"hasName", "?", "", ""}, {"", "?", "", ""}, {"nam", "?", "", ""},
	} {
		all := parseFilter(e, tt.name)
		if tt.op == "?" {
			if len(all) > 0 {
				t.Errorf("%q is taken for a condition: %+v", tt.name, all[0])
			}
			continue
		}
		if len(all) != 1 {
			t.Errorf("%q can be read in %d ways, want one", tt.name, len(all))
			continue
		}
		f := all[0]
		if f.op != tt.op || f.field != nil && f.field.Name != tt.field || f.edge != nil && f.edge.Name != tt.edge ||
			(f.field == nil) != (tt.field == "") || (f.edge == nil) != (tt.edge == "") {
			t.Errorf("%q is read as %+v, want %+v", tt.name, f, tt)
		}
	}
	for _, name := range []string{"nameIn", "hasTeamWith"} {
		if n := len(parseFilter(e, name)); n != 2 {
			t.Errorf("%q can be read in %d ways, want 2", name, n)
		}
	}
}
