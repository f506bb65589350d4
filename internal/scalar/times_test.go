package scalar

import (
	"testing"
	"time"
)

func TestUnmarshalTime(t *testing.T) {
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
		got, err := UnmarshalTime(tt.value)
		if err != nil != (tt.want == "") || err == nil && got.Format(time.RFC3339Nano) != tt.want {
			t.Errorf("UnmarshalTime(%v) = %s, %v; want %q", tt.value, got, err, tt.want)
		}
	}
}
