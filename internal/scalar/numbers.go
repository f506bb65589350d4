package scalar

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/shopspring/decimal"
)

// UnmarshalInt reads a whole number that a GraphQL Int can have.
func UnmarshalInt(value any) (int64, error) {
	n, ok := Int(value)
	if !ok {
		return 0, invalid("%v is not a whole number from %d to %d", value, math.MinInt32, math.MaxInt32)
	}
	return n, nil
}

// Int returns a value as a whole number. It returns false if a GraphQL Int cannot have the value.
func Int(value any) (int64, bool) {
	var n int64
	switch v := value.(type) {
	case int64:
		n = v
	case int:
		n = int64(v)
	case float64:
		n = int64(v)
		if float64(n) != v {
			return 0, false
		}
	case json.Number:
		parsed, err := v.Int64()
		if err != nil {
			return 0, false
		}
		n = parsed
	default:
		return 0, false
	}
	if n < math.MinInt32 || n > math.MaxInt32 {
		return 0, false
	}
	return n, true
}

// AppendInt appends a number that a GraphQL Int can have (GraphQL specification, section 3.5.1),
// from a text in the form of strconv.FormatInt. It returns false for any other text.
func AppendInt(b, text []byte) ([]byte, bool) {
	digits := bytes.TrimPrefix(text, []byte("-"))
	if len(digits) == 0 || len(digits) > 10 || digits[0] == '0' && len(text) > 1 {
		return b, false
	}
	var n int64
	for _, c := range digits {
		if c < '0' || c > '9' {
			return b, false
		}
		n = n*10 + int64(c-'0')
	}
	if len(digits) < len(text) {
		n = -n
	}
	return append(b, text...), n >= math.MinInt32 && n <= math.MaxInt32
}

// UnmarshalBigInt reads a whole number of at most 64 bits, from a text or a number.
func UnmarshalBigInt(value any) (int64, error) {
	text, ok := numberText(value)
	n, isNumber := parseNumber(text)
	if ok && isNumber && n.scale() == 0 && n.point <= 19 {
		if whole, err := strconv.ParseInt(string(n.appendPlain(nil, 0)), 10, 64); err == nil {
			return whole, nil
		}
	}
	return 0, invalid("%s is not a whole number from %d to %d", quoted(value), math.MinInt64, math.MaxInt64)
}

// MarshalBigInt writes the number as a text, because many clients would round a number.
func MarshalBigInt(n int64) graphql.Marshaler {
	return written(append(strconv.AppendInt([]byte{'"'}, n, 10), '"'))
}

// AppendBigInt appends a number in the form of strconv.FormatInt as a text. It returns false if it
// is not one of 64 bits.
func AppendBigInt(b, digits []byte) ([]byte, bool) {
	_, err := strconv.ParseInt(string(digits), 10, 64)
	return append(append(append(b, '"'), digits...), '"'), err == nil
}

// UnmarshalFloat reads a number that a float64 can hold.
func UnmarshalFloat(value any) (float64, error) {
	if _, isText := value.(string); !isText {
		if text, ok := numberText(value); ok {
			if f, err := strconv.ParseFloat(text, 64); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
				return f, nil
			}
		}
	}
	return 0, invalid("%s is not a number that a Float can have", quoted(value))
}

// AppendFloat appends a number of so many bits in the form in which gqlgen writes Floats. It
// returns false if the text is not a number, or one that JSON does not have.
func AppendFloat(b, text []byte, bits int) ([]byte, bool) {
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return b, false
	}
	if f == 0 {
		f = 0 // SQLite does not keep the sign of zero
	}
	return strconv.AppendFloat(b, f, 'g', -1, bits), true
}

// DecimalText reads a decimal number from a text or a number, and returns it without an exponent.
func DecimalText(value any) (string, error) {
	text, ok := numberText(value)
	n, isNumber := parseNumber(text)
	switch {
	case len(text) > 2*maxDigits+16 || ok && isNumber && !n.fits():
		return "", invalid("this is not a Decimal: it has more than %d digits before or after its point", maxDigits)
	case !ok || !isNumber:
		return "", invalid("%s is not a Decimal: one looks like \"12.50\"", quoted(value))
	}
	return string(n.appendPlain(nil, 0)), nil
}

// UnmarshalDecimal reads a decimal number from a text or a number. It is never rounded.
func UnmarshalDecimal(value any) (decimal.Decimal, error) {
	text, err := DecimalText(value)
	if err != nil {
		return decimal.Decimal{}, err
	}
	return decimal.NewFromString(text)
}

// MarshalDecimal writes the number as a text, with all of its digits.
func MarshalDecimal(d decimal.Decimal) graphql.Marshaler {
	return written([]byte(`"` + d.String() + `"`))
}

// AppendDecimal appends a decimal number as a text with so many digits after its point, or with
// those that it has if scale is negative. It returns false if the text is not a number, or one with
// more digits.
func AppendDecimal(b, text []byte, scale int) ([]byte, bool) {
	n, ok := parseNumber(string(text))
	if !ok || scale >= 0 && n.scale() > scale || n.point > 1<<17 || n.scale() > 1<<14 {
		return b, false
	}
	return append(n.appendPlain(append(b, '"'), scale), '"'), true
}

// DecimalCollation is the name that package database gives to CompareDecimals on SQLite.
const DecimalCollation = "forge_decimal"

// CompareDecimals compares two decimal numbers that are written as texts, for SQLite. Texts that
// are not numbers come last.
func CompareDecimals(a, b string) int {
	x, first := parseNumber(a)
	y, second := parseNumber(b)
	switch {
	case first && second:
		return x.compare(y)
	case first:
		return -1
	case second:
		return 1
	}
	return strings.Compare(a, b)
}
