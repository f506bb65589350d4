package input

import (
	"testing"

	"github.com/shopspring/decimal"

	"forge/internal/apperr"
)

func TestFormDecimal(t *testing.T) {
	t.Parallel()
	for number, want := range map[string]string{
		"0": "", "0.00": "", "-999.99": "", "999.990": "", "1e2": "", "0.005": "price has more than 2 digits after its point", "-0.001": "price has more than 2 digits after its point",
		"1000": "price has more than 3 digits before its point", "1e3": "price has more than 3 digits before its point", "999.999": "price has more than 2 digits after its point",
	} {
		f := Form{Path: "input"}
		f.Decimal("price", decimal.RequireFromString(number), 5, 2)
		got, _ := f.Err().(*apperr.Error)
		if (got == nil) != (want == "") || got != nil && (got.Message != want || got.Field != "input.price") {
			t.Errorf("%s: %v, want %q", number, got, want)
		}
	}
}
