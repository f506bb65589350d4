package e2e

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"forge/test/process"
)

// needNode skips the test where there is no Node.js. In CI, the test fails instead.
func needNode(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("installs packages from the npm registry")
	}
	_, err := exec.LookPath("npm")
	if err != nil && os.Getenv("CI") == "" {
		t.Skip("npm is not there: install Node.js 20 or later to run this")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// install installs the packages of a folder's lock file, unless they are installed already.
func install(t *testing.T, dir string) {
	t.Helper()
	needNode(t)
	lock, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	// npm ci begins by removing node_modules, and with it this mark of a complete installation.
	installed := filepath.Join(dir, "node_modules", ".installed-package-lock.json")
	if last, err := os.ReadFile(installed); err == nil && bytes.Equal(last, lock) {
		return
	}
	npm(t, dir, nil, "ci", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error")
	if err := os.WriteFile(installed, lock, 0o600); err != nil {
		t.Fatal(err)
	}
}

// npm runs npm in a folder, with settings added to the environment.
func npm(t *testing.T, dir string, env []string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "npm", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("npm %q in %s: %v\n%s", args, dir, err, out)
	}
	if testing.Verbose() {
		t.Logf("%s", out)
	}
}

// script runs a file of the clients' folder with Node.js, with settings added to the environment.
// It returns the process's standard input and output. The end of the test closes the input, and
// waits until the process has ended.
func script(t *testing.T, file string, env ...string) (stdin io.Writer, stdout io.Reader) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", file)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = clients, append(os.Environ(), env...), process.KilledWithParent()
	complaints := new(process.Output)
	cmd.Stderr = complaints
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s complains:\n%s", file, complaints)
		}
	})
	return in, out
}
