package encode

import (
	"encoding/json"
	"testing"
	"unicode/utf8"
)

func TestAppendString(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{"", `""`}, {"Sam", `"Sam"`}, {`"`, `"\""`}, {`\`, `"\\"`}, {"a\nb\rc\td", `"a\nb\rc\td"`}, {"\x00\x1f\b\f", `"\u0000\u001f\u0008\u000c"`},
		{"\x7f", "\"\x7f\""}, {"é Ω 🦸 \U0010FFFF", `"é Ω 🦸 ` + "\U0010FFFF\""}, {"<&>", `"<&>"`}, {"\u2028", "\"\u2028\""}, {`\"\`, `"\\\"\\"`},
	} {
		if got := string(appendString([]byte("x"), []byte(tt.text))); got != "x"+tt.want {
			t.Errorf("appendString(%q) = %s, want %s", tt.text, got[1:], tt.want)
		}
	}
}

// FuzzAppendString expects encoding/json to read the text back unchanged.
func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "Sam", "\x00\"\\\n\u2028<>", "\xff", "🦸"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		written := appendString(nil, []byte(s))
		if !utf8.ValidString(s) {
			return // no database sends such a text
		}
		var got string
		if err := json.Unmarshal(written, &got); err != nil || got != s {
			t.Errorf("appendString(%q) = %s, which reads %q, %v", s, written, got, err)
		}
	})
}

func TestAppendStringAllocates(t *testing.T) {
	space, text := make([]byte, 0, 256), []byte("a \"text\"\n with é and more")
	if n := testing.AllocsPerRun(100, func() { appendString(space, text) }); n > 0 {
		t.Errorf("appendString allocates %v times where there is room", n)
	}
}

func BenchmarkAppendString(b *testing.B) {
	text := []byte(`Somebody with a "name" that the world knows, and é`)
	space := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		appendString(space, text)
	}
}
