//go:build linux || darwin || freebsd

package bootstrap

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"forge/internal/application"
	"forge/internal/database"
	"forge/internal/settings"
	"forge/migrate"
	"forge/test/dbtest"
)

// TestUnwritable starts Forge on files and folders that its user may not write. The errors must not
// say "try again". Root may write everything, so root runs the test as nobody.
func TestUnwritable(t *testing.T) {
	if address := os.Getenv("BOOTSTRAP_OPENS"); address != "" {
		s := &settings.Settings{DatabaseURL: address, Migrate: true, Pool: database.Options{}}
		db, err := Open(t.Context(), s)
		if err == nil {
			err = Schema(t.Context(), s, application.Application{Migrations: migrate.Files}, db, slog.New(slog.DiscardHandler))
		}
		fmt.Println("error:", err)
		return
	}
	dir, err := os.MkdirTemp("", "forge-bootstrap-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = os.Chmod(dir, 0o700)
		_ = os.RemoveAll(dir)
	})
	program, file := filepath.Join(dir, "tests"), filepath.Join(dir, "forge.db")
	copyTo(t, os.Args[0], program, 0o755)
	copyTo(t, strings.TrimPrefix(dbtest.SQLite(t), "sqlite:"), file, 0o444)
	logged := filepath.Join(dir, "logged.db")
	inWAL(t, file, logged)
	for _, tt := range []struct {
		mode       os.FileMode
		file, want string
	}{
		{0o777, file, "cannot write the file " + file},
		{0o555, file, "cannot write in the folder " + dir},
		{0o555, filepath.Join(dir, "new.db"), "cannot write in the folder " + dir},
		{0o555, logged + "?mode=ro", "cannot write in the folder " + dir},
		{0o555, file + "?mode=ro", "error: <nil>"},
		{0o777, filepath.Join(dir, "new.db"), "error: <nil>"},
	} {
		if err := os.Chmod(dir, tt.mode); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(program, "-test.run=^TestUnwritable$")
		cmd.Dir, cmd.Env = "/", []string{"BOOTSTRAP_OPENS=sqlite:" + tt.file}
		if os.Getuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), tt.want) || strings.Contains(string(out), "try again") {
			t.Errorf("%s, mode %o: %v, want %q in\n%s", tt.file, tt.mode, err, tt.want, out)
		}
	}
}

func copyTo(t *testing.T, from, to string, mode os.FileMode) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, content, mode)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// inWAL copies a SQLite file and marks the copy in its header as one with a write-ahead log:
// https://sqlite.org/fileformat.html, offset 18.
func inWAL(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		content[18], content[19] = 2, 2
		err = os.WriteFile(to, content, 0o444)
	}
	if err != nil {
		t.Fatal(err)
	}
}
