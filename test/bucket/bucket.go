// Package bucket starts a server of S3 for tests. The server is a module of its own, test/s3, which
// is built when it is needed first.
package bucket

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// program returns the path of the server's program, which it builds once for each test program.
var program = sync.OnceValues(func() (string, error) {
	source, err := source()
	if err != nil {
		return "", err
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

// source returns the folder of the module, in a folder above the test's own.
func source() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, "test", "s3")
		if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
			return path, nil
		}
		if filepath.Dir(dir) == dir {
			return "", errors.New("there is no test/s3 above this package")
		}
	}
}

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
