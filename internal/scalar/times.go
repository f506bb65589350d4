package scalar

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

const (
	dateForm = "2006-01-02"
	timeForm = "15:04:05.999999"
)

// UnmarshalTime reads a time of RFC 3339. What is below a microsecond is cut off, as no database
// keeps it.
func UnmarshalTime(value any) (time.Time, error) {
	text, _ := value.(string)
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, invalid("%s is not a time: one looks like 2026-01-02T15:04:05Z", quoted(text))
	}
	return t.UTC().Truncate(time.Microsecond), nil
}

// UnmarshalDate reads a day. It is midnight in UTC.
func UnmarshalDate(value any) (time.Time, error) {
	text, _ := value.(string)
	t, err := time.Parse(dateForm, text)
	if err != nil || t.Year() < 1 {
		return t, invalid("%s is not a Date: one looks like 2026-01-02, of a day that there is", quoted(value))
	}
	return t, nil
}

// MarshalDate writes the day of a time.
func MarshalDate(t time.Time) graphql.Marshaler {
	return written(t.AppendFormat(nil, `"`+dateForm+`"`))
}

// AppendDate appends a day, from a text of its own form or of a time at midnight in UTC. It returns
// false for any other text, such as a day of a year past 9999.
func AppendDate(b, text []byte) ([]byte, bool) {
	day, ok := strings.CutSuffix(string(text), "T00:00:00Z")
	if !ok && len(text) != len(dateForm) {
		return b, false
	}
	_, err := UnmarshalDate(day)
	return append(append(append(b, '"'), day...), '"'), err == nil
}

var localTime = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?$`)

// UnmarshalLocalTime reads a time of day, which is exact to the microsecond. It is one of the day
// 0000-01-01 in UTC.
func UnmarshalLocalTime(value any) (time.Time, error) {
	text, _ := value.(string)
	if !localTime.MatchString(text) {
		return time.Time{}, invalid("%s is not a LocalTime: one looks like 15:04:05, with up to six digits after the seconds", quoted(value))
	}
	if len(text) == len("15:04") {
		text += ":00"
	}
	return time.Parse(timeForm, text)
}

// MarshalLocalTime writes the time of day of a time.
func MarshalLocalTime(t time.Time) graphql.Marshaler {
	return written(t.AppendFormat(nil, `"`+timeForm+`"`))
}

// AppendLocalTime appends a time of day, from a text of its own form or of a time on the day
// 0000-01-01 in UTC. It returns false for any other text.
func AppendLocalTime(b, text []byte) ([]byte, bool) {
	clock := string(text)
	if rest, ok := strings.CutPrefix(clock, "0000-01-01T"); ok {
		clock = strings.TrimSuffix(rest, "Z")
	}
	t, err := UnmarshalLocalTime(clock)
	return t.AppendFormat(b, `"`+timeForm+`"`), err == nil
}

var duration = regexp.MustCompile(`^([-+]?)P(?:([0-9]{1,19})W)?(?:([0-9]{1,19})D)?` +
	`(?:T(?:([0-9]{1,19})H)?(?:([0-9]{1,19})M)?(?:([0-9]{1,19})(?:\.([0-9]{1,9}))?S)?)?$`)

// UnmarshalDuration reads a duration of ISO 8601 in weeks, days of 24 hours, hours, minutes and
// seconds. Years and months have no fixed length, so they are not read.
func UnmarshalDuration(value any) (time.Duration, error) {
	text, _ := value.(string)
	parts := duration.FindStringSubmatch(text)
	if parts == nil || text[len(text)-1] == 'P' || text[len(text)-1] == 'T' {
		return 0, invalid("%s is not a Duration: one looks like PT1H30M or P2DT0.5S", quoted(value))
	}
	total := new(big.Int)
	for i, unit := range []time.Duration{7 * 24 * time.Hour, 24 * time.Hour, time.Hour, time.Minute, time.Second} {
		if parts[i+2] != "" {
			n, _ := new(big.Int).SetString(parts[i+2], 10)
			total.Add(total, n.Mul(n, big.NewInt(int64(unit))))
		}
	}
	if fraction := parts[7]; fraction != "" {
		n, _ := strconv.ParseInt(fraction+"000000000"[len(fraction):], 10, 64)
		total.Add(total, big.NewInt(n))
	}
	if parts[1] == "-" {
		total.Neg(total)
	}
	if !total.IsInt64() {
		return 0, invalid("%s is too long for a Duration: it may have up to 292 years", quoted(value))
	}
	return time.Duration(total.Int64()), nil
}

// MarshalDuration writes the duration in hours, minutes and seconds.
func MarshalDuration(d time.Duration) graphql.Marshaler { return written(appendDuration(nil, d)) }

// AppendDuration appends a duration, from a text of its nanoseconds. It returns false for any other
// text.
func AppendDuration(b, nanoseconds []byte) ([]byte, bool) {
	n, err := strconv.ParseInt(string(nanoseconds), 10, 64)
	return appendDuration(b, time.Duration(n)), err == nil
}

func appendDuration(b []byte, d time.Duration) []byte {
	b = append(b, '"')
	n := uint64(d)
	if d < 0 {
		b, n = append(b, '-'), -n
	}
	b = append(b, "PT"...)
	start := len(b)
	for _, unit := range []struct {
		of   time.Duration
		name byte
	}{{time.Hour, 'H'}, {time.Minute, 'M'}} {
		if whole := n / uint64(unit.of); whole > 0 {
			b = append(strconv.AppendUint(b, whole, 10), unit.name)
			n %= uint64(unit.of)
		}
	}
	if n > 0 || len(b) == start {
		b = strconv.AppendUint(b, n/uint64(time.Second), 10)
		if n %= uint64(time.Second); n > 0 {
			digits := strconv.FormatUint(uint64(time.Second)+n, 10)[1:]
			b = append(append(b, '.'), strings.TrimRight(digits, "0")...)
		}
		b = append(b, 'S')
	}
	return append(b, '"')
}
