// Package e2e runs what is written in JavaScript against a Forge that runs as users run it: the browser test of the playground, and the
// public audits of GraphQL over HTTP.
package e2e

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"

	"forge/internal/dbtest"
)

func TestPlayground(t *testing.T) {
	needNode(t)
	npm(t, "../playground", serve(t, dbtest.EmptySQLite(t)))
}

// needNode skips where there is no Node.js; CI has it, and fails without.
func needNode(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("installs packages and starts a browser")
	}
	_, err := exec.LookPath("npm")
	if err != nil && os.Getenv("CI") == "" {
		t.Skip("npm is not there: install Node.js 20 or later to run this")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// npm runs the tests of a folder against a server.
func npm(t *testing.T, dir, url string) {
	t.Helper()
	for _, args := range [][]string{{"ci", "--no-audit", "--no-fund", "--loglevel=error"}, {"test"}} {
		cmd := exec.CommandContext(t.Context(), "npm", args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "FORGE_URL="+url)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("npm %s in %s: %v\n%s", args[0], dir, err, out)
		}
	}
}

// serve builds and starts a server with demo data, and returns its address.
func serve(t *testing.T, databaseURL string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "forge")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "..").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), "ADDR=127.0.0.1:0", "DATABASE_URL="+databaseURL)
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the server did not end well: %v", err)
		}
		if t.Failed() {
			t.Logf("the server's log:\n%s", &log)
		}
	})
	address := regexp.MustCompile(`(http://\S+)/graphql`)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if found := address.FindStringSubmatch(lines.Text()); found != nil {
			return found[1]
		}
	}
	t.Fatal("the server did not tell its address")
	return ""
}
