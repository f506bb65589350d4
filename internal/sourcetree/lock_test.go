//go:build unix

package sourcetree

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestLock has one command wait for another one.
func TestLock(t *testing.T) {
	t.Parallel()
	dir, waited := t.TempDir(), 0
	if _, err := Lock(t.Context(), dir, func() { waited++ }); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no tree: %v", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, schemaDir), 0o755); err != nil {
		t.Fatal(err)
	}
	unlock, err := Lock(t.Context(), dir, func() { waited++ })
	if err != nil {
		t.Fatal(err)
	}
	within, cancel := context.WithTimeout(t.Context(), 3*lockPause)
	defer cancel()
	if _, err := Lock(within, dir, func() { waited++ }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second command: %v", err)
	}
	go func() {
		time.Sleep(2 * lockPause)
		unlock()
	}()
	again, err := Lock(t.Context(), dir, func() { waited++ })
	if err != nil {
		t.Fatal(err)
	}
	again()
	if waited != 2 {
		t.Errorf("%d were told that they wait, want 2", waited)
	}
}
