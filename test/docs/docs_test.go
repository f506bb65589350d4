package docs

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"forge/test/process"
)

// TestMain runs the tests in the folder docs, whose pages name files relative to it.
func TestMain(m *testing.M) {
	if err := os.Chdir("../../docs"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(process.Main(m))
}

// serve starts a program on a database in memory, in a folder of its own, and returns its address.
func serve(t *testing.T, program, dir string, env []string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Dir, cmd.Env = dir, append(env, "ADDR=127.0.0.1:0", "DATABASE_URL=sqlite::memory:")
	return process.Start(t, cmd).URL
}

// serveOn starts a program on a database, and returns its address.
func serveOn(t *testing.T, program, dir, databaseURL string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "ADDR=127.0.0.1:0", "DATABASE_URL="+databaseURL)
	return process.Start(t, cmd).URL
}
