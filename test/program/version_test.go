package program

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestVersion checks that --version prints the version of the application, and that the image has
// the version of server.go.
func TestVersion(t *testing.T) {
	t.Parallel()
	if code, stdout, stderr := do(t, "--version"); code != 0 || !strings.HasPrefix(stdout, "forge version 0.0.0-test") || stderr != "" {
		t.Errorf("status %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	source, err := os.ReadFile(root + "server.go")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`\nvar version = "([0-9]+\.[0-9]+\.[0-9]+)"\n`).FindSubmatch(source)
	image, err := os.ReadFile(root + "Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	if version == nil || strings.Count(string(image), "ARG VERSION="+string(version[1])) != 2 {
		t.Errorf("the version of server.go is %q; both stages of the Dockerfile want it", version)
	}
}
