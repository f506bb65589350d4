//go:build !unix

package pgtemp

import (
	"errors"
	"os/exec"
)

// An owner is the account that the server runs as.
type owner struct{}

// serverOwner always returns an error, because the watcher needs a unix shell.
func serverOwner() (owner, error) {
	return owner{}, errors.New("a temporary PostgreSQL can be started on unix systems only; " +
		"name a server instead (TEST_DATABASE_URL for tests, DEV_DATABASE_URL for migrate diff)")
}

func (owner) tempDir() (string, error) { return "", errors.ErrUnsupported }

func (owner) detach(*exec.Cmd) {}
