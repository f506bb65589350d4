package scalar

import (
	"math"
	"strconv"

	"github.com/shopspring/decimal"
)

// These are the names of the functions that package database gives to SQLite: the exact sum of
// numbers, as a text; the sum of numbers as a float64, divided by their count; the average of
// decimal numbers, as a text; and Bucket, of a time in microseconds.
const (
	SumFunction            = "forge_sum"
	AverageFunction        = "forge_avg"
	DecimalAverageFunction = "forge_decimal_avg"
	BucketFunction         = "forge_bucket"
)

// AverageDigits is how many digits an average of decimal numbers has behind its point at most. It
// is rounded to them, halves away from zero.
const AverageDigits = 16

// Adder adds numbers exactly. The zero value is the sum of no numbers.
type Adder struct {
	small   int64           // the sum of whole numbers, as long as 64 bits hold it
	large   decimal.Decimal // the sum of the others
	count   int64
	invalid bool // something was no number
}

// AddInt adds a whole number.
func (a *Adder) AddInt(n int64) {
	a.count++
	if sum := a.small + n; (sum > a.small) == (n > 0) {
		a.small = sum
		return
	}
	a.large = a.large.Add(decimal.NewFromInt(n))
}

// AddText adds a decimal number that is written as a text. If it is not one, or has more digits
// than a Decimal can have, there is no sum.
func (a *Adder) AddText(text string) {
	a.count++
	n, ok := parseNumber(text)
	if !ok || !n.fits() {
		a.invalid = true
		return
	}
	d, err := decimal.NewFromString(string(n.appendPlain(nil, 0)))
	if err != nil {
		a.invalid = true
		return
	}
	a.large = a.large.Add(d)
}

func (a *Adder) sum() decimal.Decimal { return a.large.Add(decimal.NewFromInt(a.small)) }

// Sum returns the sum as a text. It returns false if nothing was added. If something was no number,
// the text is NaN.
func (a *Adder) Sum() (string, bool) {
	switch {
	case a.invalid:
		return "NaN", true
	case a.large.IsZero():
		return strconv.FormatInt(a.small, 10), a.count > 0
	}
	return a.sum().String(), true
}

// Average returns the sum as a float64, divided by the count. It returns false if nothing was
// added.
func (a *Adder) Average() (float64, bool) {
	if a.invalid {
		return math.NaN(), true
	}
	f, _ := strconv.ParseFloat(a.sum().String(), 64)
	return f / float64(a.count), a.count > 0
}

// DecimalAverage returns the sum divided by the count, as a text. It returns false if nothing was
// added. If something was no number, the text is NaN.
func (a *Adder) DecimalAverage() (string, bool) {
	switch {
	case a.invalid:
		return "NaN", true
	case a.count == 0:
		return "", false
	}
	return a.sum().DivRound(decimal.NewFromInt(a.count), AverageDigits).String(), true
}
