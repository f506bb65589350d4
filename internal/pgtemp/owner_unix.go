//go:build unix

package pgtemp

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// An owner is the account that the server runs as.
type owner struct {
	account *syscall.Credential // nil for the account of this process
}

// serverOwner returns the account of this process. If that is root, it returns the account postgres
// or nobody instead, because PostgreSQL refuses to run as root.
func serverOwner() (owner, error) {
	if os.Geteuid() != 0 {
		return owner{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			continue
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			continue
		}
		return owner{&syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
	}
	return owner{}, errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as")
}

// tempDir creates an empty directory that only the owner and root can enter.
func (o owner) tempDir() (string, error) {
	var problems []error
	for _, parent := range tempParents() {
		if err := o.canUse(parent); err != nil {
			problems = append(problems, err)
			continue
		}
		dir, err := os.MkdirTemp(parent, "forge-pg-")
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if !socketFits(dir) {
			problems = append(problems, fmt.Errorf("%s: too long a path for a unix socket", dir), os.Remove(dir))
			continue
		}
		if o.account != nil {
			if err := os.Chown(dir, int(o.account.Uid), int(o.account.Gid)); err != nil {
				return "", errors.Join(err, os.Remove(dir))
			}
		}
		return dir, nil
	}
	return "", errors.Join(problems...)
}

// tempParents returns the directories to try, the best one first. If TMPDIR is set, a directory in
// memory is not used.
func tempParents() []string {
	parents := []string{os.TempDir(), "/tmp", "/var/tmp"}
	if os.Getenv("TMPDIR") == "" {
		return append(memoryDirs(), parents...)
	}
	return parents
}

// canUse returns an error if the owner could not use a directory inside dir. The owner must be
// allowed to remove this directory, and to enter all directories above it.
func (o owner) canUse(dir string) error {
	if o.account == nil {
		return nil
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	for needed := os.FileMode(0o003); ; dir, needed = filepath.Dir(dir), 0o001 {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		if info.Mode()&needed != needed {
			return fmt.Errorf("%s: closed to the user who would run PostgreSQL", dir)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// detach makes cmd run as the owner and in a new session, so that Ctrl-C at the terminal does not
// reach it. The watcher would otherwise end before it has cleaned up.
func (o owner) detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: o.account}
}
