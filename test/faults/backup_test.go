package faults

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"forge/test/dbtest"
	"forge/test/gqltest"
)

// TestBackup copies SQLite's file while clients place orders, and serves the copy. Each copy has
// all orders that were acknowledged before it began, and none by half. A copy that is killed leaves
// nothing under its name.
func TestBackup(t *testing.T) {
	t.Parallel()
	address := dbtest.SQLite(t)
	f := start(t, address)
	s := f.opened(lines, 1<<20)
	all := new(placed)
	stop := keep(4, func(context.Context, int) {
		got := f.order(background, s)
		if !got.OK() {
			t.Errorf("beside a backup: %s", got)
			return
		}
		all.add(got)
	})
	defer stop()
	gqltest.Eventually(t, "orders are placed", func() error {
		all.mu.Lock()
		defer all.mu.Unlock()
		if len(all.ids) < 20 {
			return errFew
		}
		return nil
	})
	folder := t.TempDir()
	for _, name := range []string{"first.db", "second.db"} {
		all.mu.Lock()
		before := &placed{ids: append([]string(nil), all.ids...)}
		all.mu.Unlock()
		path := filepath.Join(folder, name)
		backup := command(t, address, nil, "backup", path)
		if output, err := backup.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
		again := command(t, address, nil, "backup", path)
		if output, err := again.CombinedOutput(); err == nil || !strings.Contains(string(output), "not overwritten") {
			t.Errorf("over a copy: %v\n%s", err, output)
		}
		copied := "sqlite:" + path
		b := s.audit(t, copied)
		restored := start(t, copied)
		restored.allStored(before)
		restored.Must(createOrder, s.anyOrder())
		t.Logf("%s has %d orders, %d of them acknowledged before", name, b.orders, len(before.ids))
	}
	killed := filepath.Join(folder, "killed.db")
	cmd := command(t, address, nil, "backup", killed)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gqltest.Eventually(t, "the copy has begun", func() error {
		if parts, err := filepath.Glob(killed + ".*.part"); err != nil || len(parts) == 0 {
			return errFew
		}
		return nil
	})
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if _, err := os.Stat(killed); err == nil {
		s.audit(t, "sqlite:"+killed) // it was complete before
	}
	stop()
	f.allStored(all)
	s.audit(t, address)
}

var errFew = errors.New("not yet")
