package webhook

import (
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"":                               0,
		"0":                              0,
		"120":                            2 * time.Minute,
		"10800":                          3 * time.Hour,
		"10801":                          3 * time.Hour,
		"4000000000":                     0,
		"-1":                             0,
		"1.5":                            0,
		"soon":                           0,
		"Fri, 02 Jan 2026 03:05:05 GMT":  time.Minute,
		"Fri, 02 Jan 2026 03:04:05 GMT":  0,
		"Thu, 01 Jan 2026 03:04:05 GMT":  0,
		"Sat, 02 Jan 2027 03:04:05 GMT":  3 * time.Hour,
		"2026-01-02T03:05:05Z":           0,
		"Fri, 02 Jan 2026 03:05:05 +100": 0,
	} {
		if got := retryAfter(header, now); got != want {
			t.Errorf("Retry-After: %s: a pause of %v, want %v", header, got, want)
		}
	}
}
