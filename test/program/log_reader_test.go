package program

import (
	"net/http"
	"os"
	"testing"

	"forge/test/dbtest"
	"forge/test/gqltest"
	"forge/test/process"
)

// TestLogReaderEnds ends the reader of the log. The server goes on answering.
func TestLogReaderEnds(t *testing.T) {
	t.Parallel()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := forgeCommand(t, os.Environ(), "ADDR=127.0.0.1:0", "DATABASE_URL="+dbtest.SQLite(t))
	cmd.Stderr = writer
	s := process.Start(t, cmd)
	writer.Close()
	reader.Close()
	for range 3 { // each writes a line to nobody
		if got := gqltest.New(t, s.URL).Get("/healthz"); got.Status != http.StatusOK {
			t.Errorf("%s, want 200", got)
		}
	}
	s.Stop()
}
