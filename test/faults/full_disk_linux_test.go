package faults

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"forge/internal/database"
)

// onSmallDisk runs Forge with its database on a disk of a few megabytes, which is mounted only for
// that process. It returns the path at which the test can use the directory.
func onSmallDisk(t *testing.T, megabytes int) (f *forge, dir string) {
	t.Helper()
	mount := t.TempDir()
	plain := command(t, "sqlite:"+filepath.Join(mount, "forge.db"), nil)
	cmd := exec.Command("/bin/sh", "-c", `mount -t tmpfs -o size="$1"m tmpfs "$2" && shift 2 && exec "$@"`, "sh", fmt.Sprint(megabytes), mount, plain.Path)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = plain.Dir, append(plain.Env, "PATH="+os.Getenv("PATH")), plain.SysProcAttr
	if os.Getuid() == 0 {
		cmd.SysProcAttr.Unshareflags = syscall.CLONE_NEWNS
	} else {
		// An ordinary user may mount in a user namespace, where it is root.
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	if err := mayMount(t, cmd.SysProcAttr); err != nil {
		t.Skipf("no disk can be mounted here: %v", err)
	}
	f = run(t, cmd)
	return f, filepath.Join("/proc", fmt.Sprint(cmd.Process.Pid), "root", mount)
}

func mayMount(t *testing.T, attr *syscall.SysProcAttr) error {
	t.Helper()
	try := exec.Command("mount", "-t", "tmpfs", "tmpfs", t.TempDir())
	try.SysProcAttr = attr
	if output, err := try.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, output)
	}
	return nil
}

// TestDiskIsFull fills the disk of a SQLite database under load, and empties it again.
func TestDiskIsFull(t *testing.T) {
	f, dir := onSmallDisk(t, 16)
	s := f.opened(10, 1_000_000)
	acknowledged := new(placed)
	ballast := filepath.Join(dir, "ballast")
	for round := range 2 {
		for range 50 {
			acknowledged.add(f.Must(createOrder, s.anyOrder()))
		}
		fill(t, ballast)
		var full, taken atomic.Int64
		atOnce(4, 400, func(int) {
			got := f.order(background, s)
			switch {
			case got.OK():
				taken.Add(1)
				acknowledged.add(got)
			default:
				full.Add(1)
				wantUnavailable(t, got)
				if len(got.Errors) == 0 || !strings.Contains(got.Errors[0].Message, "disk is full") {
					t.Errorf("%s\nwant it to say that the disk is full", got)
				}
			}
		})
		if full.Load() == 0 {
			t.Fatal("the disk was never full")
		}
		// Stored orders can still be read.
		f.allStored(acknowledged)
		f.MustLive()
		if status := f.Get("/healthz").Status; status != http.StatusOK {
			t.Errorf("/healthz has status %d on a full disk, want 200", status)
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		for range 50 {
			acknowledged.add(f.Must(createOrder, s.anyOrder()))
		}
		t.Logf("round %d: %d orders stored, %d of them while the disk was full, and %d refused", round+1, len(acknowledged.ids), taken.Load(), full.Load())
	}
	f.allStored(acknowledged)
	f.idle()
	file := "sqlite:" + copied(t, dir)
	if b := s.audit(t, file); b.orders != len(acknowledged.ids) {
		t.Errorf("%d orders are stored, %d were acknowledged", b.orders, len(acknowledged.ids))
	}
	wantIntact(t, connect(t, file))
}

// fill writes a file until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	zeros, err := os.Open("/dev/zero")
	if err != nil {
		t.Fatal(err)
	}
	defer zeros.Close()
	if _, err := io.Copy(file, io.LimitReader(zeros, 1<<30)); err == nil {
		t.Fatal("a gigabyte fits on the disk")
	}
}

// copied copies the database to a directory that SQLite can use, because SQLite does not open a
// path through /proc. Nobody may write to the database during the copy.
func copied(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	for _, name := range []string{"forge.db", "forge.db-wal"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(to, "forge.db")
}

func wantIntact(t *testing.T, db *database.DB) {
	t.Helper()
	var found string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&found); err != nil || found != "ok" {
		t.Errorf("integrity_check: %s, %v", found, err)
	}
}
