package program

import (
	"context"
	"database/sql"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"forge/test/dbtest"
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
		dropTable(t, url)
		s.ready(t) // the earlier answer no longer counts
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

func dropTable(t *testing.T, url string) {
	t.Helper()
	driver, source := "postgres", url
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		driver, source = "sqlite", path
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("DROP TABLE order_items"); err != nil {
		t.Fatal(err)
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
	if status, body := s.get(t, "/readyz"); status != http.StatusOK {
		t.Fatalf("before the end: %d %s", status, body)
	}
	ended := make(chan int, 1)
	go func() { ended <- s.end() }()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		status, body := s.get(t, "/readyz")
		if status == http.StatusServiceUnavailable && strings.Contains(body, "the server is shutting down") {
			break
		}
		if ctx.Err() != nil {
			t.Fatalf("it never says that it leaves: %d %s", status, body)
		}
	}
	if status, body := s.query(t, countUsers); status != http.StatusOK || !strings.Contains(body, `"totalCount"`) {
		t.Errorf("a query after it: %d %s", status, body)
	}
	if status, _ := s.get(t, "/healthz"); status != http.StatusOK {
		t.Errorf("it lives: %d", status)
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
