package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// dispensable are modules that the commands for source trees need, and no server.
var dispensable = []string{"ariga.io/atlas", "github.com/hashicorp/hcl", "google.golang.org/grpc", "golang.org/x/tools", "github.com/fsnotify/fsnotify", "go/ast"}

// TestServerNeeds lists the packages of a server.
func TestServerNeeds(t *testing.T) {
	t.Chdir("../..")
	out, err := exec.Command("go", "list", "-tags=", "-deps", ".").Output()
	if err != nil || !strings.Contains(string(out), "modernc.org/sqlite\n") {
		t.Fatalf("%v: %s", err, out)
	}
	for pkg := range strings.Lines(string(out)) {
		for _, module := range dispensable {
			if strings.HasPrefix(pkg, module) {
				t.Errorf("a server has %s in it", strings.TrimSpace(pkg))
			}
		}
	}
}

// TestRelease builds a release of all targets, twice: the second time in another folder. The bytes
// are the same, the checksums are right, and this machine's program runs.
func TestRelease(t *testing.T) {
	if os.Getenv("FORGE_SOAK") == "" {
		t.Skip("takes minutes: FORGE_SOAK=1 runs it")
	}
	// The program would take it for a setting. Setenv brings it back at the end.
	t.Setenv("FORGE_SOAK", "")
	if err := os.Unsetenv("FORGE_SOAK"); err != nil {
		t.Fatal(err)
	}
	t.Chdir("../..")
	only, name := targets, "forge_v9.8.7_"+runtime.GOOS+"_"+runtime.GOARCH
	first, second := t.TempDir(), t.TempDir()
	for _, dir := range []string{first, second} {
		if err := release("v9.8.7", dir, only); err != nil {
			t.Fatal(err)
		}
	}
	files, err := os.ReadDir(first)
	if err != nil || len(files) != 2*len(only)+1 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, f := range files {
		if !bytes.Equal(mustRead(t, filepath.Join(first, f.Name())), mustRead(t, filepath.Join(second, f.Name()))) {
			t.Errorf("%s is not the same when it is built again", f.Name())
		}
	}
	check := exec.Command("sha256sum", "--check", "--strict", "SHA256SUMS")
	check.Dir = first
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("the checksums: %v\n%s", err, out)
	}
	var b bom
	if err := json.Unmarshal(mustRead(t, filepath.Join(first, name+".cdx.json")), &b); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, c := range b.Components {
		names[c.Name] = true
		if c.Version == "" || !strings.HasSuffix(c.PURL, c.Name+"@"+c.Version) {
			t.Errorf("a module without a version: %+v", c)
		}
	}
	if !names["std"] || !names["modernc.org/sqlite"] {
		t.Errorf("the list lacks what is in it: %v", names)
	}
	out, err := exec.Command(filepath.Join(first, name), "--version").Output()
	if err != nil || !strings.Contains(string(out), "v9.8.7") {
		t.Errorf("--version prints %q: %v", out, err)
	}
	// Without a source tree, it says the command to run.
	command := exec.Command(filepath.Join(first, name), "migrate", "diff", "more")
	command.Dir = t.TempDir()
	if out, _ := command.CombinedOutput(); command.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), "run: go run . migrate diff more") {
		t.Errorf("migrate diff: status %d, %s", command.ProcessState.ExitCode(), out)
	}
}

func TestReleaseBad(t *testing.T) {
	t.Chdir("../..")
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "old"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ version, out, target, want string }{
		{"", t.TempDir(), "linux/amd64", "is no version"},
		{"v1.2.3 -X main.other=1", t.TempDir(), "linux/amd64", "is no version"},
		{"v1.2.3", full, "linux/amd64", "is not empty"},
		{"v1.2.3", t.TempDir(), "linux", "is no target"},
	} {
		if err := release(c.version, c.out, []string{c.target}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q %q: %v, want %q", c.version, c.target, err, c.want)
		}
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
