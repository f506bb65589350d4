//go:build linux || darwin || freebsd

package doctor

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"forge/internal/dbtest"
)

// TestNotWritable examines what a user may not write. Root may write everything, so that root's tests do it as nobody.
func TestNotWritable(t *testing.T) {
	if address := os.Getenv("DOCTOR_EXAMINES"); address != "" {
		report := newDoctor(t, "DATABASE_URL="+address).Examine(t.Context())
		if err := report.Write(os.Stdout); err != nil {
			t.Fatal(err)
		}
		return
	}
	dir, err := os.MkdirTemp("", "forge-doctor-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	program, file := filepath.Join(dir, "tests"), filepath.Join(dir, "forge.db")
	copyTo(t, os.Args[0], program, 0o755)
	copyTo(t, strings.TrimPrefix(dbtest.SQLite(t), "sqlite:"), file, 0o444)
	for _, tt := range []struct {
		mode os.FileMode
		want string
	}{
		{0o777, "forge.db cannot be written"},
		{0o555, "the folder " + dir + " cannot be written"},
	} {
		if err := os.Chmod(dir, tt.mode); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(program, "-test.run=^TestNotWritable$")
		cmd.Dir, cmd.Env = "/", []string{"DOCTOR_EXAMINES=sqlite:" + file}
		if os.Getuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), tt.want) || strings.Contains(string(out), "can be written") {
			t.Errorf("mode %o: %v, want %q in\n%s", tt.mode, err, tt.want, out)
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
