package faults

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"forge/test/gqltest"
)

type vars = gqltest.Vars

// wantUnavailable checks that an answer is UNAVAILABLE and asks the client to try again. If the
// mutation may have been stored, the answer must not ask for that.
func wantUnavailable(t *testing.T, got gqltest.Answer) {
	t.Helper()
	again := got.Header.Get("Retry-After")
	look := len(got.Errors) == 1 && got.Errors[0].Extensions["outcome"] == "unknown" && got.Errors[0].Extensions["retryAfter"] == nil
	if got.Code() != "UNAVAILABLE" || got.Status != http.StatusServiceUnavailable || (again == "") != look || got.Data != nil {
		t.Errorf("%s, Retry-After %q; want status 503, UNAVAILABLE, Retry-After unless it may be stored, and data null", got, again)
	}
}

// metric returns the value of a series of /metrics, or the sum of all series if name has no labels.
func (f *forge) metric(name string) float64 {
	f.t.Helper()
	sum, found := 0.0, false
	for line := range strings.SplitSeq(f.Get("/metrics").Body, "\n") {
		series, value, _ := strings.Cut(line, " ")
		if base, _, _ := strings.Cut(series, "{"); base != name && series != name {
			continue
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			f.t.Fatalf("%s: %v", line, err)
		}
		sum, found = sum+n, true
	}
	if !found {
		f.t.Fatalf("/metrics has no %s", name)
	}
	return sum
}

// inUse is the metric of the connections of the pool that are in use.
const inUse = "go_sql_in_use_connections"
