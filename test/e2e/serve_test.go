package e2e

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"testing"
)

// soak is whether tests in their long form are to run.
var soak = os.Getenv("FORGE_SOAK") != ""

func TestMain(m *testing.M) {
	_ = os.Unsetenv("FORGE_SOAK") // which is no setting of the programs that are started
	code := m.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// built is the program that all tests start; the first one to need it builds it.
var built struct {
	once sync.Once
	dir  string
	err  error
}

// program returns the path of Forge.
func program(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "forge-e2e-"); built.err != nil {
			return
		}
		if out, err := exec.Command("go", "build", "-o", filepath.Join(built.dir, "forge"), "../..").CombinedOutput(); err != nil {
			built.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return filepath.Join(built.dir, "forge")
}

// serve starts a server, with demo data if the database is empty, and returns its address.
func serve(t *testing.T, databaseURL string, env ...string) string {
	t.Helper()
	cmd := exec.Command(program(t))
	cmd.Env = append(append(os.Environ(), "ADDR=127.0.0.1:0", "DATABASE_URL="+databaseURL), env...)
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

// printSchema writes what forge schema prints to a file.
func printSchema(t *testing.T, path string) {
	t.Helper()
	sdl, err := exec.CommandContext(t.Context(), program(t), "schema").Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		t.Fatalf("forge schema: %v\n%s", err, failed.Stderr)
	}
	if err := errors.Join(err, os.MkdirAll(filepath.Dir(path), 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, sdl, 0o600); err != nil {
		t.Fatal(err)
	}
}
