package ids

import (
	"math"
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
		if got := (ID{Prefix: id.Prefix, UUID: uuid.MustParse(tt.uuid)}).String(); got != tt.text {
			t.Errorf("String() = %q, want %q", got, tt.text)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, s := range []string{
		"", "_", "user", "user_", "_00000000000000000000000000", "00000000000000000000000000",
		"user_\x00", "user_%00", strings.Repeat("a", 64) + "_1", "user_" + strings.Repeat("a", 5000), "user_0000000000000000000000000é",
		"track_Drum Bass", "track_%", "track_%2", "track_%2f", "track_%41", "track_+", "track_/", "track_%FF", "track_%F0%9F",
		"track_%301h455vb4pex5vsknk084sn02", "track_%2D1",
	} {
		if id, err := Parse(s); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", s, id)
		}
	}
}

// TestTextOfOtherKeys writes IDs whose keys are numbers and texts, and reads them again.
func TestTextOfOtherKeys(t *testing.T) {
	tests := []struct {
		id   ID
		text string
	}{
		{OfNumber("track", 42), "track_42"},
		{OfNumber("track", 0), "track_0"},
		{OfNumber("track", math.MinInt64), "track_-9223372036854775808"},
		{OfNumber("my_track", math.MaxInt64), "my_track_9223372036854775807"},
		{OfText("genre", "Rock"), "genre_Rock"},
		{OfText("genre", "007"), "genre_007"},
		{OfText("genre", "Drum & Bass_2.0~"), "genre_Drum%20%26%20Bass%5F2.0~"},
		{OfText("genre", "Ёж%"), "genre_%D0%81%D0%B6%25"},
		{OfText("genre", "01h455vb4pex5vsknk084sn02q"), "genre_%301h455vb4pex5vsknk084sn02q"},
		{OfText("genre", "zzh455vb4pex5vsknk084sn02q"), "genre_zzh455vb4pex5vsknk084sn02q"},
	}
	for _, tt := range tests {
		if got := tt.id.String(); got != tt.text {
			t.Errorf("%+v is written as %q, want %q", tt.id, got, tt.text)
		}
		if id, err := Parse(tt.text); err != nil || id != tt.id {
			t.Errorf("Parse(%q) = %+v, %v; want %+v", tt.text, id, err, tt.id)
		}
	}
}

func TestKey(t *testing.T) {
	someUUID := uuid.MustParse("01890a5d-ac96-774b-bcce-b302099a8057")
	for _, tt := range []struct {
		id                    ID
		isUUID, isNum, isText bool
	}{
		{ID{Prefix: "x", UUID: someUUID}, true, false, false},
		{OfNumber("x", -5), false, true, true},
		{OfText("x", "-0"), false, false, true},
		{OfText("x", "05"), false, false, true},
		{OfText("x", "9223372036854775808"), false, false, true},
		{OfText("x", "Rock"), false, false, true},
	} {
		for of, want := range []bool{UUID: tt.isUUID, Number: tt.isNum, Text: tt.isText} {
			key, ok := tt.id.Key(Form(of))
			if ok != want || ok && key != (Key{tt.id.UUID, tt.id.Text}) {
				t.Errorf("%s as a key of form %d: %v, %t; want %t", tt.id, of, key, ok, want)
			}
		}
	}
}

func TestOrder(t *testing.T) {
	last := ""
	for range 1000 {
		id := ID{Prefix: "user", UUID: uuid.Must(uuid.NewV7())}.String()
		if id <= last {
			t.Fatalf("%s does not sort after %s", id, last)
		}
		last = id
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"user_01h455vb4pex5vsknk084sn02q", "track_42", "genre_Drum%20%26%20Bass", "genre_%301h455vb4pex5vsknk084sn02q"} {
		f.Add(s)
	}
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
	s := ID{Prefix: "user", UUID: uuid.Must(uuid.NewV7())}.String()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(s); err != nil {
			b.Fatal(err)
		}
	}
}
