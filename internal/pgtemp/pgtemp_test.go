//go:build unix

package pgtemp

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/lib/pq"
)

// asChild makes this test binary start a cluster and wait to be killed. If it is asReplicated, the
// cluster has a standby.
const (
	asChild      = "FORGE_PGTEMP_CHILD"
	asReplicated = "replicated"
)

func TestMain(m *testing.M) {
	if kind := os.Getenv(asChild); kind != "" {
		address, err := startAs(kind)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(address)
		select {}
	}
	os.Exit(m.Run())
}

func startAs(kind string) (address string, err error) {
	if kind == asReplicated {
		r, err := StartReplicated(context.Background(), 1)
		if err != nil {
			return "", err
		}
		return r.Nodes[1].URL("postgres"), nil
	}
	c, err := Start(context.Background())
	if err != nil {
		return "", err
	}
	return c.URL("postgres"), nil
}

func TestStart(t *testing.T) {
	t.Parallel()
	c, err := Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	db := mustOpen(t, c.URL("postgres"))
	wants := map[string]string{
		"listen_addresses":    "",
		"fsync":               "off",
		"full_page_writes":    "off",
		"max_connections":     "300",
		"TimeZone":            "UTC",
		"server_encoding":     "UTF8",
		"data_directory":      filepath.Join(c.dir, "data"),
		"is_superuser":        "on",
		"data_directory_mode": "0700",
	}
	for name, want := range wants {
		var got string
		if err := db.QueryRow("SELECT current_setting($1)", name).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := db.Ping(); err == nil {
		t.Error("the server still answers after Stop")
	}
	if err := c.Stop(); err != nil {
		t.Errorf("second Stop: %v", err)
	}
}

func TestStartIgnoresTheClientEnvironment(t *testing.T) {
	t.Setenv("PGHOST", "203.0.113.1")
	t.Setenv("PGPORT", "1")
	t.Setenv("PGDATA", "/nowhere")
	c, err := Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := mustOpen(t, c.URL("postgres")).Ping(); err != nil {
		t.Error(err)
	}
	if err := c.Stop(); err != nil {
		t.Error(err)
	}
}

// Root's own temporary directory may be closed to the user that runs the server.
func TestStartWhereOnlyWeCanReach(t *testing.T) {
	temp := mustTempDir(t)
	if err := os.Chmod(temp, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", temp)
	c, err := Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Stop(); err != nil {
		t.Error(err)
	}
}

func TestGoesAwayWithItsProcess(t *testing.T) {
	t.Parallel()
	child, temp := mustStartChild(t, "alone")
	db := mustOpen(t, child.line(t))
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()

	child.kill(t)
	eventually(t, "the server ends", func() bool { return conn.PingContext(t.Context()) != nil })
	eventually(t, "its directory goes", func() bool { return len(clusters(t, temp)) == 0 })
}

func TestGoesAwayWhenKilledWhileStarting(t *testing.T) {
	t.Parallel()
	child, temp := mustStartChild(t, "alone")
	eventually(t, "initdb begins", func() bool {
		found, _ := filepath.Glob(filepath.Join(temp, "*", "data"))
		return len(found) > 0
	})
	child.kill(t)
	eventually(t, "the directory goes", func() bool { return len(clusters(t, temp)) == 0 })
}

func TestStartGivenUp(t *testing.T) {
	temp := mustTempDir(t)
	t.Setenv("TMPDIR", temp)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Start: %v, want %v", err, context.Canceled)
	}
	eventually(t, "the directory goes", func() bool { return len(clusters(t, temp)) == 0 })
}

func TestStartSaysWhatFailed(t *testing.T) {
	temp, bin := mustTempDir(t), mustTempDir(t)
	mustWriteScript(t, filepath.Join(bin, "postgres"), "exit 1")
	mustWriteScript(t, filepath.Join(bin, "pg_ctl"), "exit 1")
	mustWriteScript(t, filepath.Join(bin, "initdb"), "echo no space left; exit 1")
	t.Setenv("TMPDIR", temp)
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	_, err := Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "no space left") || !strings.Contains(err.Error(), bin) {
		t.Errorf("Start: %v, want what initdb said and where it is", err)
	}
	eventually(t, "the directory goes", func() bool { return len(clusters(t, temp)) == 0 })
}

type child struct {
	cmd    *exec.Cmd
	stdout *os.File
}

// mustStartChild runs this test binary as a process that starts a cluster of a kind in the returned
// directory.
func mustStartChild(t *testing.T, kind string) (child, string) {
	t.Helper()
	temp := mustTempDir(t)
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Close() })
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asChild+"="+kind, "TMPDIR="+temp)
	cmd.Stdout, cmd.Stderr = in, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	t.Cleanup(func() {
		cmd.Process.Kill() // a test that failed early has not killed it
		cmd.Wait()
	})
	return child{cmd, out}, temp
}

// line returns the address that the child prints when its cluster has started.
func (c child) line(t *testing.T) string {
	t.Helper()
	line, err := bufio.NewReader(c.stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the child started no cluster: %v", err)
	}
	return strings.TrimSpace(line)
}

// kill kills the child and its process group, so that no code of the child can clean up.
func (c child) kill(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// mustTempDir is like t.TempDir, but the path is short enough for a socket and the user that runs
// the server can enter it.
func mustTempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pgtemp-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

func mustWriteScript(t *testing.T, path, body string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

func mustOpen(t *testing.T, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func clusters(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "forge-pg-*"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// eventually waits until a condition holds that another process brings about.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if done() {
			return
		}
	}
	t.Fatalf("waited two minutes in vain: %s", what)
}
