package program

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"

	"forge/test/dbtest"
	"forge/test/gqltest"
)

func TestHealthcheck(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, url string) {
		s := start(t, "DATABASE_URL="+url)
		addr := "ADDR=" + strings.TrimPrefix(s.url, "http://")
		for _, words := range [][]string{{addr, "healthcheck"}, {addr, "healthcheck", "--ready"}} {
			code, stdout, stderr := do(t, words...)
			if code != 0 || strings.Count(stdout, "\n") != 1 || !strings.HasSuffix(stdout, " answers 200 OK\n") || stderr != "" {
				t.Errorf("%v: status %d, stdout %q, stderr %q", words, code, stdout, stderr)
			}
		}
		// If ADDR stands for all interfaces, the probe goes to this machine, and not through a
		// proxy.
		everywhere := "ADDR=:" + s.url[strings.LastIndex(s.url, ":")+1:]
		if code, _, stderr := do(t, everywhere, "HTTP_PROXY=http://127.0.0.1:1", "healthcheck"); code != 0 {
			t.Errorf("%s: status %d, stderr %q", everywhere, code, stderr)
		}
		mustExec(t, url, "DROP TABLE order_items")
		s.unready(t)
		if code, _, stderr := do(t, addr, "healthcheck", "--ready"); code != 1 || !isOneLine(stderr) || !strings.Contains(stderr, "changed by hand") {
			t.Errorf("not ready: status %d, stderr %q", code, stderr)
		}
		if code, _, stderr := do(t, addr, "healthcheck"); code != 0 {
			t.Errorf("a server that is not ready lives: status %d, stderr %q", code, stderr)
		}
		s.end()
		if code, _, stderr := do(t, addr, "healthcheck"); code != 1 || !isOneLine(stderr) || !strings.Contains(stderr, "refused") {
			t.Errorf("no server: status %d, stderr %q", code, stderr)
		}
	})
	if code, _, stderr := do(t, "ADDR=127.0.0.1:0", "healthcheck"); code != 2 || !strings.Contains(stderr, "ADDR") {
		t.Errorf("no port: status %d, stderr %q", code, stderr)
	}
}

// TestHealthcheckOfTheHung probes a server that accepts connections and never answers.
func TestHealthcheckOfTheHung(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if code, _, stderr := do(t, "ADDR="+l.Addr().String(), "healthcheck"); code != 1 || !isOneLine(stderr) {
		t.Errorf("status %d, stderr %q, want 1 and one line", code, stderr)
	}
}

// TestShutdownDelay ends a server with a delay. During the delay it reports that it is not ready,
// and still answers.
func TestShutdownDelay(t *testing.T) {
	t.Parallel()
	s := start(t, "DATABASE_URL="+dbtest.SQLite(t), "SHUTDOWN_DELAY=3s")
	if got := s.Get("/readyz"); got.Status != http.StatusOK {
		t.Fatalf("before the end: %s", got)
	}
	ended := make(chan int, 1)
	go func() { ended <- s.end() }()
	gqltest.Eventually(t, "it says that it leaves", func() error {
		if got := s.Get("/readyz"); got.Status != http.StatusServiceUnavailable || !strings.Contains(got.Body, "the server is shutting down") {
			return errors.New(got.String())
		}
		return nil
	})
	if got := s.Do(countUsers, nil); got.Status != http.StatusOK || !strings.Contains(got.Body, `"totalCount"`) {
		t.Errorf("a query after it: %s", got)
	}
	if got := s.Get("/healthz"); got.Status != http.StatusOK {
		t.Errorf("it lives: %d", got.Status)
	}
	if code := <-ended; code != 0 {
		t.Errorf("exit status %d: %s", code, s.log.String())
	}
}

// TestOpenToAll starts a server that everybody can reach with AUTH=off. That takes two settings,
// and a warning is logged.
func TestOpenToAll(t *testing.T) {
	t.Parallel()
	s := start(t, "ADDR=:0", "AUTH=off", "AUTH_OFF_ANYWHERE=yes-everyone-is-administrator", "DATABASE_URL="+dbtest.SQLite(t))
	if log := s.log.String(); !strings.Contains(log, "level=WARN") || !strings.Contains(log, "whoever can connect is an administrator") {
		t.Errorf("no warning:\n%s", log)
	}
	if log := start(t, "DATABASE_URL="+dbtest.SQLite(t)).log.String(); strings.Contains(log, "administrator") {
		t.Errorf("a warning on loopback:\n%s", log)
	}
}
