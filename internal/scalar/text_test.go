package scalar

import (
	"encoding/json"
	"testing"
	"unicode/utf8"
)

func TestAppendText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{"", `""`}, {"Sam", `"Sam"`}, {`"`, `"\""`}, {`\`, `"\\"`}, {"a\nb\rc\td", `"a\nb\rc\td"`}, {"\x00\x1f\b\f", `"\u0000\u001f\u0008\u000c"`},
		{"\x7f", "\"\x7f\""}, {"é Ω 🦸 \U0010FFFF", `"é Ω 🦸 ` + "\U0010FFFF\""}, {"<&>", `"<&>"`}, {"\u2028", "\"\u2028\""}, {`\"\`, `"\\\"\\"`},
	} {
		if got := string(AppendText([]byte("x"), []byte(tt.text))); got != "x"+tt.want {
			t.Errorf("AppendText(%q) = %s, want %s", tt.text, got[1:], tt.want)
		}
	}
}

// FuzzAppendText expects encoding/json to read the text back unchanged.
func FuzzAppendText(f *testing.F) {
	for _, s := range []string{"", "Sam", "\x00\"\\\n\u2028<>", "\xff", "🦸"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		written := AppendText(nil, []byte(s))
		if !utf8.ValidString(s) {
			return // no database sends such a text
		}
		var got string
		if err := json.Unmarshal(written, &got); err != nil || got != s {
			t.Errorf("AppendText(%q) = %s, which reads %q, %v", s, written, got, err)
		}
	})
}

func TestAppendTextAllocates(t *testing.T) {
	space, text := make([]byte, 0, 256), []byte("a \"text\"\n with é and more")
	if n := testing.AllocsPerRun(100, func() { AppendText(space, text) }); n > 0 {
		t.Errorf("AppendText allocates %v times where there is room", n)
	}
}

func BenchmarkAppendText(b *testing.B) {
	text := []byte(`Somebody with a "name" that the world knows, and é`)
	space := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		AppendText(space, text)
	}
}
