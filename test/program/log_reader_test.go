package program

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"testing"

	"forge/test/dbtest"
)

// TestLogReaderEnds ends the reader of the log. The server goes on answering.
func TestLogReaderEnds(t *testing.T) {
	t.Parallel()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(executable)
	cmd.Env = append(os.Environ(), asProgram+"=yes", "ADDR=127.0.0.1:0", "DATABASE_URL="+dbtest.SQLite(t))
	cmd.Stderr = writer
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }() // it may have ended
	writer.Close()
	reader.Close()
	var url string
	for lines := bufio.NewScanner(stdout); url == "" && lines.Scan(); {
		if found := regexp.MustCompile(`(http://\S+)/graphql`).FindStringSubmatch(lines.Text()); found != nil {
			url = found[1]
		}
	}
	for range 3 { // each request writes a log line that nobody reads
		res, err := http.Get(url + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("status %d, want 200", res.StatusCode)
		}
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}
