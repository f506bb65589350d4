package program

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	traces "go.opentelemetry.io/proto/otlp/trace/v1"

	"forge/test/gqltest"
	"forge/test/process"
)

// mark is the beginning of each secret in these tests. Nothing else contains it, and it is the same
// text in JSON, in URLs and in SQL.
const mark = "zq5ecret"

// secret returns a text that must not appear, named after the place that it is put in.
func secret(where string) string { return mark + where }

// number is a secret for places that take only numbers.
const number = 1717391

var leak = regexp.MustCompile(mark + `[A-Za-z0-9]*|1717391`)

// leaks returns the places of the secrets in a text.
func leaks(text string) []string {
	found := map[string]bool{}
	for _, match := range leak.FindAllString(text, -1) {
		found[strings.TrimPrefix(match, mark)] = true
	}
	return slices.Sorted(maps.Keys(found))
}

// forgeCommand returns a command that runs forge in a process of its own, with an environment. The
// words are further variables, and the command line.
func forgeCommand(t *testing.T, environ []string, words ...string) *exec.Cmd {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	variables, args := split(words)
	cmd := exec.Command(executable, args[1:]...)
	cmd.Env = slices.Concat(environ, []string{asProgram + "=yes"}, variables)
	return cmd
}

// startProcess runs forge in a process of its own.
func startProcess(t *testing.T, words ...string) *server {
	t.Helper()
	s := process.Start(t, forgeCommand(t, []string{"TMPDIR=" + os.TempDir(), "ADDR=127.0.0.1:0"}, words...))
	return &server{Client: gqltest.New(t, s.URL), url: s.URL, log: s.Log, end: func() int {
		s.Stop()
		return 0
	}}
}

// TestSecrets checks that a server in production does not give away what it was sent. It puts
// secrets in every place of a request, in operations that succeed and that fail in every way. Then
// it searches the whole debug log, the metrics and the traces for them, and each answer for those
// that do not belong there.
func TestSecrets(t *testing.T) {
	t.Parallel()
	emptyDatabases(t, func(t *testing.T, address string) {
		c := newCollector(t)
		settings := []string{"FORGE_ENV=production", "AUTH=off", "LOG_LEVEL=debug", "DATABASE_URL=" + withPassword(address), "MIGRATE=on",
			"SLOW_OPERATION=1ms", "HELD_TOO_LONG=1ms", "STATEMENT_TIMEOUT=1s", "LOCK_TIMEOUT=0s", "MAX_BODY_BYTES=65536", "MAX_HEADER_BYTES=8192",
			"MAX_DEPTH=8", "MAX_ALIASES=5", "MAX_COST=3000", "CORS_ORIGINS=https://app.example.com",
			"OTEL_EXPORTER_OTLP_ENDPOINT=" + c.URL, "OTEL_EXPORTER_OTLP_HEADERS=Key=of%20the%20collector,Other=" + secret("CollectorKey")}
		s := startProcess(t, settings...)
		p := &prober{Client: s.Client, t: t, server: s, address: address}
		p.talkative()
		p.stored()
		p.badValues()
		p.badDocuments()
		p.badRequests()
		p.headers()
		p.raw()
		p.broken()
		if strings.HasPrefix(address, "postgres") {
			p.stopped()
		}
		metrics := p.Get("/metrics").Body
		if !strings.Contains(metrics, "forge_refused_total") {
			t.Errorf("the metrics: %s", metrics)
		}
		if found := leaks(metrics); found != nil {
			t.Errorf("the metrics tell %v", found)
		}
		if code := s.end(); code != 0 {
			t.Errorf("exit status %d", code)
		}
		checkLog(t, s.log.String(), `"msg":"request"`, `"msg":"request failed"`, `"msg":"slow operation"`)
		checkTraces(t, c, "POST /graphql", "mutation", "load heroes", "SELECT", "INSERT")
	})
}

// checkLog searches a log for secrets. The log must contain all parts: otherwise the search would
// prove nothing.
func checkLog(t *testing.T, log string, parts ...string) {
	t.Helper()
	for line := range strings.Lines(log) {
		if found := leaks(line); found != nil {
			t.Errorf("the log tells %v: %s", found, line)
		}
		if !json.Valid([]byte(line)) {
			t.Errorf("a line of the log that is not JSON: %s", line)
		}
	}
	for _, want := range parts {
		if !strings.Contains(log, want) {
			t.Errorf("the log is without %s, so this shows nothing:\n%s", want, log)
		}
	}
}

// checkTraces searches everything that a collector received for secrets. The spans with the names
// must be among it, and also spans of failures. A tracestate may appear, because it is meant for
// the collector.
func checkTraces(t *testing.T, c *otlp, names ...string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.wrong) > 0 {
		t.Errorf("the collector refused %q", c.wrong)
	}
	if found := slices.DeleteFunc(leaks(c.raw.String()), func(where string) bool { return where == "State" }); len(found) > 0 {
		t.Errorf("the traces tell %v", found)
	}
	seen, failed := map[string]bool{}, false
	for _, span := range c.spans {
		seen[span.Name] = true
		failed = failed || span.Status.GetCode() == traces.Status_STATUS_CODE_ERROR
		// Numbers are sent in binary, so they are searched here.
		for name, value := range attributes(span) {
			if found := leaks(fmt.Sprint(value)); found != nil {
				t.Errorf("%s of span %s tells %v", name, span.Name, found)
			}
		}
	}
	for _, name := range names {
		if !seen[name] || !failed {
			t.Errorf("there is no span %q, or none of a failure (%t), so this shows nothing", name, failed)
		}
	}
}

// withPassword puts a secret into the address of a server that asks for no password.
func withPassword(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "sqlite" {
		return address
	}
	u.User = url.UserPassword(u.User.Username(), secret("DatabasePassword"))
	return u.String()
}

// prober sends secrets to a server.
type prober struct {
	*gqltest.Client
	t       *testing.T
	server  *server
	address string // of the database
}

// checkAnswer searches an answer for secrets, except for those that the request asked for.
func (p *prober) checkAnswer(what, answer string, may ...string) {
	p.t.Helper()
	for _, found := range leaks(answer) {
		if !slices.Contains(may, found) {
			p.t.Errorf("%s: the answer tells %s: %s", what, found, answer)
		}
	}
}

// op sends an operation, checks the answer and returns it. may are the secrets that the answer may
// contain.
func (p *prober) op(code, query string, variables map[string]any, may ...string) string {
	p.t.Helper()
	answer := p.As(secret("Token")).With("Cookie", "session="+secret("Cookie")).Do(query, variables).Body
	p.checkAnswer(query, answer, may...)
	if got := codeIn(answer); got != code {
		p.t.Errorf("%s: code %q, want %q: %s", query, got, code, answer)
	}
	return answer
}

func codeIn(answer string) string {
	match := regexp.MustCompile(`"code":"([A-Z_]+)"`).FindStringSubmatch(answer)
	if match == nil {
		return ""
	}
	return match[1]
}

// talkative checks that the log is not empty. An empty log would pass all other checks.
func (p *prober) talkative() {
	p.t.Helper()
	p.op("", countUsers, nil)
	gqltest.Eventually(p.t, "the log has the operation", func() error { // its line comes after the answer
		if log := p.server.log.String(); !strings.Contains(log, `"operation":"query"`) {
			return errors.New(log)
		}
		return nil
	})
}

const (
	createUser = `mutation($i: CreateUserInput!) { createUser(input: $i) { user { id username } } }`
	createHero = `mutation($i: CreateHeroInput!) { createHero(input: $i) { hero { id } } }`
)
