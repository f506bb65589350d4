package scalar

import (
	"encoding/json"
	"math"
	"testing"
)

func TestInt(t *testing.T) {
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
		got, ok := Int(tt.value)
		if ok != tt.ok || ok && got != tt.want {
			t.Errorf("Int(%T %v) = %d, %t; want %d, %t", tt.value, tt.value, got, ok, tt.want, tt.ok)
		}
	}
}
