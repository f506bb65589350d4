package ids

import (
	"strings"
	"testing"

	"github.com/google/uuid"
)

func TestText(t *testing.T) {
	// Valid pairs of the TypeID specification, version 0.3: spec/valid.yml.
	tests := []struct{ text, uuid string }{
		{"prefix_00000000000000000000000000", "00000000-0000-0000-0000-000000000000"},
		{"prefix_00000000000000000000000001", "00000000-0000-0000-0000-000000000001"},
		{"prefix_0000000000000000000000000g", "00000000-0000-0000-0000-000000000010"},
		{"prefix_00000000000000000000000010", "00000000-0000-0000-0000-000000000020"},
		{"prefix_7zzzzzzzzzzzzzzzzzzzzzzzzz", "ffffffff-ffff-ffff-ffff-ffffffffffff"},
		{"prefix_0123456789abcdefghjkmnpqrs", "0110c853-1d09-52d8-d73e-1194e95b5f19"},
		{"prefix_01h455vb4pex5vsknk084sn02q", "01890a5d-ac96-774b-bcce-b302099a8057"},
		{"pre_fix_00000000000000000000000000", "00000000-0000-0000-0000-000000000000"},
	}
	for _, tt := range tests {
		id, err := Parse(tt.text)
		if err != nil {
			t.Errorf("Parse(%q): %v", tt.text, err)
		}
		if got := id.UUID.String(); got != tt.uuid {
			t.Errorf("Parse(%q) = %s, want %s", tt.text, got, tt.uuid)
		}
		if got := (ID{id.Prefix, uuid.MustParse(tt.uuid)}).String(); got != tt.text {
			t.Errorf("String() = %q, want %q", got, tt.text)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, s := range []string{
		"", "_", "user", "user_", "_00000000000000000000000000", "00000000000000000000000000",
		"user_0000000000000000000000000", "user_000000000000000000000000000", "user_80000000000000000000000000",
		"user_0000000000000000000000000u", "user_0123456789ABCDEFGHJKMNPQRS", "user_01890a5d-ac96-774b-bcce-b302099a8057",
		"user_\x00", strings.Repeat("a", 1000) + "_1", "user_0000000000000000000000000é",
	} {
		if id, err := Parse(s); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", s, id)
		}
	}
}

func TestOrder(t *testing.T) {
	last := ""
	for range 1000 {
		id := ID{"user", uuid.Must(uuid.NewV7())}.String()
		if id <= last {
			t.Fatalf("%s does not sort after %s", id, last)
		}
		last = id
	}
}

func FuzzParse(f *testing.F) {
	f.Add("user_01h455vb4pex5vsknk084sn02q")
	f.Fuzz(func(t *testing.T, s string) {
		if id, err := Parse(s); err == nil && id.String() != s {
			t.Errorf("Parse(%q).String() = %q", s, id)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	u, buf := uuid.Must(uuid.NewV7()), make([]byte, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		Append(buf, "user", u)
	}
}

func BenchmarkParse(b *testing.B) {
	s := ID{"user", uuid.Must(uuid.NewV7())}.String()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(s); err != nil {
			b.Fatal(err)
		}
	}
}
