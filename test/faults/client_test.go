package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

type vars = map[string]any

// reply is what a client got for an operation.
type reply struct {
	failed error // there was no answer
	status int
	header http.Header
	body   string

	Data   any
	Errors []struct {
		Message    string
		Path       []any
		Extensions map[string]any
	}
	Extensions struct{ Tx struct{ Attempts int } }
}

// client has room for many requests at once.
var client = &http.Client{
	Transport: &http.Transport{MaxIdleConns: 200, MaxIdleConnsPerHost: 200},
	Timeout:   time.Minute,
}

// send sends an operation and returns what came back.
func (f *forge) send(ctx context.Context, query string, v vars, headers ...string) reply {
	return post(ctx, client, f.url+"/graphql", query, v, headers...)
}

// post sends an operation to an address. The headers are names and values in turn.
func post(ctx context.Context, client *http.Client, url, query string, v vars, headers ...string) (got reply) {
	body, err := json.Marshal(vars{"query": query, "variables": v})
	if err != nil {
		panic(err)
	}
	request, err := http.NewRequestWithContext(ctx, "POST", url, bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	// Sent once: a client of net/http would send it again when the connection broke before the answer.
	request.GetBody = nil
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := client.Do(request)
	if err != nil {
		return reply{failed: err}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return reply{failed: err}
	}
	if err := json.Unmarshal(text, &got); err != nil {
		return reply{failed: fmt.Errorf("the answer is not JSON: %w: %s", err, text)}
	}
	got.status, got.header, got.body = response.StatusCode, response.Header, string(text)
	return got
}

// mustSend is like send and stops the test unless all went well.
func (f *forge) mustSend(query string, v vars, headers ...string) reply {
	f.t.Helper()
	got := f.send(background, query, v, headers...)
	if !got.ok() {
		f.t.Fatalf("%s: %s", query, got)
	}
	return got
}

func (r reply) ok() bool { return r.failed == nil && len(r.Errors) == 0 && r.Data != nil }

// code returns the code of the first error, "" for none, and "no answer" if there was none.
func (r reply) code() string {
	switch {
	case r.failed != nil:
		return "no answer"
	case len(r.Errors) == 0:
		return ""
	}
	code, _ := r.Errors[0].Extensions["code"].(string)
	return code
}

func (r reply) String() string {
	if r.failed != nil {
		return r.failed.Error()
	}
	return strconv.Itoa(r.status) + " " + r.body
}

// at returns what the data has at a path such as "users.nodes.0.username", or nil.
func (r reply) at(path string) any {
	value := r.Data
	for step := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

func (r reply) text(path string) string {
	s, _ := r.at(path).(string)
	return s
}

func (r reply) number(path string) int {
	n, ok := r.at(path).(float64)
	if !ok {
		return -1
	}
	return int(n)
}

// wantUnavailable checks an answer that says: not now, try again. It does not say so of what may be
// stored, unless that has a key.
func wantUnavailable(t *testing.T, got reply) {
	t.Helper()
	again := got.header.Get("Retry-After")
	look := len(got.Errors) == 1 && got.Errors[0].Extensions["outcome"] == "unknown" && got.Errors[0].Extensions["retryAfter"] == nil
	if got.code() != "UNAVAILABLE" || got.status != http.StatusServiceUnavailable || (again == "") != look || got.Data != nil {
		t.Errorf("%s, Retry-After %q; want status 503, UNAVAILABLE, Retry-After unless it may be stored, and data null", got, again)
	}
}

// metric returns the sum of a metric's series that /metrics shows, or the value of a series if the name has its labels.
func (f *forge) metric(name string) float64 {
	f.t.Helper()
	response, err := client.Get(f.url + "/metrics")
	if err != nil {
		f.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	sum, found := 0.0, false
	for line := range strings.SplitSeq(string(text), "\n") {
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

// inUse is how many connections of the pool are in use.
const inUse = "go_sql_in_use_connections"
