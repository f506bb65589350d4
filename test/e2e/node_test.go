package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// needNode skips where there is no Node.js; CI has it, and fails without.
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

// install installs the packages that the folder's lock file names, unless that is what was installed last.
func install(t *testing.T, dir string) {
	t.Helper()
	needNode(t)
	lock, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	// npm ci begins by removing node_modules, and with it what says that they are whole.
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
