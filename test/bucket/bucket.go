// Package bucket starts a server of S3 for tests. The server is a module of its own, test/s3, which
// is built when it is needed first.
package bucket

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// program returns the path of the server's program, which it builds once for each test program.
var program = sync.OnceValues(func() (string, error) {
	_, here, _, _ := runtime.Caller(0)
	source := filepath.Join(filepath.Dir(here), "..", "s3")
	if strings.HasPrefix(here, "forge/") { // built with -trimpath
		root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "forge").Output()
		if err != nil {
			return "", fmt.Errorf("go list: %w", err)
		}
		source = filepath.Join(strings.TrimSpace(string(root)), "test", "s3")
	}
	dir, err := os.MkdirTemp("", "forge-s3-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "s3")
	build := exec.Command("go", "build", "-C", source, "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build test/s3: %w\n%s", err, out)
	}
	return path, nil
})

// Server is a server of S3 with one bucket.
type Server struct {
	// Address is that of the bucket, as the setting FILES_URL takes it.
	Address string
	stop    func()
}

// Start starts a server that ends with the test. It keeps everything in memory.
func Start(t testing.TB) *Server {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path)
	cmd.Stderr = t.Output()
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
	stop := sync.OnceFunc(func() {
		in.Close() // the server ends with its input
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
	})
	t.Cleanup(stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the server of S3 did not start: %v", err)
	}
	return &Server{Address: strings.TrimSpace(line), stop: stop}
}

// Stop ends the server. Whoever connects to it then is refused.
func (s *Server) Stop() { s.stop() }
