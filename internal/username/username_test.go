package username

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const most = 50

func TestEnforce(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"ada":                       "ada",
		"Ada":                       "Ada",
		"ada.lovelace-1815_x":       "ada.lovelace-1815_x",
		"Lady Sybil":                "Lady Sybil",
		"  Lady \u00a0\u3000Sybil ": "Lady Sybil",
		"Владимир":                  "Владимир",
		"שלום":                      "שלום",
		"张伟":                        "张伟",
		"é🙂":                        "é🙂",
		"e\u0301":                   "é",    // combined
		"ａｄａ":                       "ada",  // full width
		"ﬁnn":                       "finn", // a ligature
		"𝐚𝐝𝐚":                       "ada",  // mathematical letters
		"a＠b":                       "a@b",
		" \t\u0085eve\u2003\n":      "eve",
		"\u212a":                    "K", // the Kelvin sign
	} {
		got, err := Enforce(name, most)
		if got != want || err != nil {
			t.Errorf("%+q is %+q (%v), want %+q", name, got, err, want)
		}
		if again, err := Enforce(got, most); again != got || err != nil {
			t.Errorf("%+q is %+q (%v) the second time", got, again, err)
		}
	}
}

func TestEnforceRefuses(t *testing.T) {
	t.Parallel()
	for name, why := range map[string]string{
		"a\u200bda":     "U+200B", // zero width space
		"ada\u200d":     "U+200D", // zero width joiner
		"a\u00adda":     "U+00AD", // soft hyphen
		"\u202eada":     "U+202E", // right to left override
		"ada\u2066":     "U+2066",
		"\ufeffada":     "U+FEFF",
		"a\u034fda":     "U+034F", // combining grapheme joiner
		"ada\ufe0f":     "U+FE0F", // variation selector
		"ada\U000e0041": "U+E0041",
		"ada\u115f":     "U+115F", // Hangul filler
		"ada\u3164":     "U+3164",
		"ada\uffa0":     "U+FFA0",
		"ada\u2800":     "U+2800", // Braille blank
		"a\u2028b":      "U+2028",
		"a\nb":          "U+000A",
		"a\u0085b":      "U+0085",
		"ada\ue000":     "not assigned", // private use
		"ada\u0378":     "not assigned",
		"":              "not assigned",
	} {
		if got, err := Enforce(name, most); err == nil || !strings.Contains(err.Error(), why) || !strings.Contains(err.Error(), Allowed) {
			t.Errorf("%+q is %+q (%v), want an error about %s that says what is allowed", name, got, err, why)
		}
	}
}

// TestEnforceLongNames enforces names that are longer before normalization than after, and names
// that are too long to be normalized.
func TestEnforceLongNames(t *testing.T) {
	t.Parallel()
	if got, err := Enforce(strings.Repeat("e\u0302\u0301", most), most); got != strings.Repeat("ế", most) || err != nil {
		t.Errorf("%d accented letters are %+q (%v)", most, got, err)
	}
	if got, err := Enforce(strings.Repeat("\ufdfa", 100_000), most); err == nil || !strings.Contains(err.Error(), "100000 characters; at most 50") {
		t.Errorf("a long name is one of %d bytes (%v)", len(got), err)
	}
}

// FuzzEnforce looks for allowed names that change when they are enforced again, or that contain
// invisible characters.
func FuzzEnforce(f *testing.F) {
	for _, seed := range []string{"ada", " Lady  Sybil", "e\u0301", "a\u200bb", "ﬁ", "\u1100\u1161", "\u0958", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got, err := Enforce(name, most)
		if err != nil {
			return
		}
		again, err := Enforce(got, most)
		hidden := func(r rune) bool { return Invisible(r) || unicode.IsSpace(r) && r != ' ' }
		if again != got || err != nil || got == "" || !utf8.ValidString(got) || !norm.NFC.IsNormalString(got) || strings.TrimSpace(got) != got || strings.ContainsFunc(got, hidden) {
			t.Errorf("%+q is %+q, and then %+q (%v)", name, got, again, err)
		}
	})
}
