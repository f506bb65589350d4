package scalar

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"
)

// maxDigits is how many digits a number may have before its point, and how many after it. It is the
// largest precision that PostgreSQL's numeric can be declared with.
const maxDigits = 1000

// number is a decimal number: 0.digits × 10^point. digits neither begins nor ends with a zero, and
// is empty for zero. So equal numbers have equal fields, and nothing has to be expanded.
type number struct {
	negative bool
	digits   string
	point    int
}

// parseNumber parses a number as JSON writes it (RFC 8259, section 6). It returns false if the text
// is no number, or has an exponent of more than nine digits.
func parseNumber(text string) (n number, ok bool) {
	text, n.negative = strings.CutPrefix(text, "-")
	mantissa, exponent, hasExponent := cutExponent(text)
	whole, fraction, hasFraction := strings.Cut(mantissa, ".")
	if !isDigits(whole) || hasFraction && !isDigits(fraction) || len(whole) > 1 && whole[0] == '0' {
		return n, false
	}
	if hasExponent {
		var err error
		if n.point, err = strconv.Atoi(exponent); err != nil || len(exponent) > 10 || !isDigits(strings.TrimLeft(exponent[:1], "+-")+exponent[1:]) {
			return n, false
		}
	}
	digits := whole + fraction
	n.point += len(whole)
	n.digits = strings.TrimLeft(digits, "0")
	n.point -= len(digits) - len(n.digits)
	n.digits = strings.TrimRight(n.digits, "0")
	if n.digits == "" {
		n = number{}
	}
	return n, true
}

func cutExponent(text string) (mantissa, exponent string, found bool) {
	i := strings.IndexAny(text, "eE")
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+1:], true
}

func isDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return text != ""
}

// scale returns how many digits the number has after its point.
func (n number) scale() int { return max(0, len(n.digits)-n.point) }

// fits reports whether the number is short enough to be written without an exponent.
func (n number) fits() bool { return n.point <= maxDigits && n.scale() <= maxDigits }

// appendPlain appends the number without an exponent, with at least scale digits after its point.
// The number must fit.
func (n number) appendPlain(b []byte, scale int) []byte {
	if n.negative {
		b = append(b, '-')
	}
	if n.point <= 0 {
		b = append(b, '0')
	} else {
		whole := min(n.point, len(n.digits))
		b = appendZeros(append(b, n.digits[:whole]...), n.point-whole)
	}
	if scale = max(scale, n.scale()); scale == 0 {
		return b
	}
	b = append(b, '.')
	zeros := min(scale, max(0, -n.point))
	fraction := n.digits[min(len(n.digits), max(0, n.point)):]
	return appendZeros(append(appendZeros(b, zeros), fraction...), scale-zeros-len(fraction))
}

func appendZeros(b []byte, n int) []byte {
	for range n {
		b = append(b, '0')
	}
	return b
}

// append appends the number in the one form that it has in JSON: without an exponent if it has at
// most 21 digits before its point, and at most six zeros after it.
func (n number) append(b []byte) []byte {
	if n.point > -6 && n.point <= 21 {
		return n.appendPlain(b, 0)
	}
	if n.negative {
		b = append(b, '-')
	}
	b = append(b, n.digits[0])
	if len(n.digits) > 1 {
		b = append(append(b, '.'), n.digits[1:]...)
	}
	return strconv.AppendInt(append(b, 'e'), int64(n.point-1), 10)
}

// compare returns -1, 0 or 1 if n is less than other, equal to it, or greater.
func (n number) compare(other number) int {
	if n.sign() != other.sign() || n.sign() == 0 {
		return cmp.Compare(n.sign(), other.sign())
	}
	return n.sign() * cmp.Or(cmp.Compare(n.point, other.point), strings.Compare(n.digits, other.digits))
}

func (n number) sign() int {
	switch {
	case n.digits == "":
		return 0
	case n.negative:
		return -1
	}
	return 1
}

// Exact reports whether a number of a document, as it is written there, stays what it is if it is
// read as a float64.
func Exact(written string) bool {
	n, ok := parseNumber(written)
	f, err := strconv.ParseFloat(written, 64)
	again, same := parseNumber(strconv.FormatFloat(f, 'e', -1, 64))
	return ok && err == nil && same && n == again
}

// IsWhole reports whether a number, as JSON writes it, has no fraction: neither 1.0 nor 1e2 has
// one.
func IsWhole(written string) bool {
	n, ok := parseNumber(written)
	return ok && n.scale() == 0
}

// numberText returns the text of a number in a variable or in a document, or the text itself. It
// returns false for any other value.
func numberText(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case int64:
		return strconv.FormatInt(v, 10), true
	case int:
		return strconv.Itoa(v), true
	case float64:
		return strconv.FormatFloat(v, 'e', -1, 64), true
	}
	return "", false
}
