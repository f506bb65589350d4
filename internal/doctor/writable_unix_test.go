//go:build linux || darwin || freebsd

package doctor

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"forge/test/dbtest"
)

// TestNotWritable examines files and folders that the user may not write. Root may write
// everything, so root runs the test as nobody.
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
	logged := filepath.Join(dir, "logged.db") // written with a log, by its header
	copyTo(t, file, logged, 0o644)
	if f, err := os.OpenFile(logged, os.O_WRONLY, 0); err != nil {
		t.Fatal(err)
	} else if _, err = f.WriteAt([]byte{2, 2}, 18); err != nil || f.Close() != nil {
		t.Fatal("the header is not written", err)
	}
	for _, tt := range []struct {
		mode       os.FileMode
		file, want string
	}{
		{0o777, file, "forge.db cannot be written"},
		{0o555, file, "the folder " + dir + " cannot be written"},
		{0o555, logged + "?mode=ro", "let this user write in the folder"},
		{0o555, file + "?mode=ro", "is only read"},
	} {
		if err := os.Chmod(dir, tt.mode); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(program, "-test.run=^TestNotWritable$")
		cmd.Dir, cmd.Env = "/", []string{"DOCTOR_EXAMINES=sqlite:" + tt.file}
		if os.Getuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), tt.want) || strings.Contains(string(out), "can be written") {
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
