package sql

import (
	"strings"
	"testing"
	"unicode/utf8"
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
