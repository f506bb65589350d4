package program

import (
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"forge/internal/database"
	"forge/test/dbtest"
)

// TestFilesAway starts a server whose S3 does not answer. It serves all else, and is ready.
func TestFilesAway(t *testing.T) {
	t.Parallel()
	s := start(t, "DATABASE_URL="+dbtest.SQLite(t), "DEMO=off", "FILES_URL=s3://key:geheim@127.0.0.1:1/bucket")
	for path, want := range map[string]int{"/readyz": 200, "/healthz": 200, "/files/changed": 403} {
		answer, err := http.Get(s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if answer.StatusCode != want || err != nil || strings.Contains(string(b), "geheim") {
			t.Errorf("%s: %s %s, %v", path, answer.Status, b, err)
		}
	}
	if a := s.Do("{ __typename }", nil); !a.OK() {
		t.Error(a)
	}
	if s.end() != 0 || strings.Contains(s.log.String(), "geheim") || strings.Contains(s.log.String(), "changed") {
		t.Errorf("logged: %s", s.log)
	}
}

// TestFilesFolder starts a server that keeps files beside its database, and another one that keeps
// none. Neither makes a folder before there is a file.
func TestFilesFolder(t *testing.T) {
	t.Parallel()
	address := dbtest.SQLite(t)
	path, _, _ := database.SQLiteFile(address)
	for setting, want := range map[string]int{"FILES_URL=": 403, "FILES_URL=none": 404} {
		s := start(t, "DATABASE_URL="+address, "DEMO=off", "PLAYGROUND=off", setting)
		answer, err := http.Get(s.url + "/files/changed")
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%s: %s, want %d", setting, answer.Status, want)
		}
		if s.end() != 0 {
			t.Error(s.log)
		}
	}
	if _, err := os.Stat(path + "-files"); err == nil {
		t.Error("there is a folder")
	}
}
