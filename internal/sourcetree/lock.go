package sourcetree

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// lockPause is the time between two tries to lock a tree.
const lockPause = 50 * time.Millisecond

// Lock waits until no other command works on the tree in dir, and has others wait until unlock is
// called or the process ends: dev must not compile what add has half written. The lock is one of
// the folder ent/schema. Before it waits, Lock calls waiting once. It returns an error if ctx ends
// before, or if there is no such tree. On Windows it waits for nobody.
func Lock(ctx context.Context, dir string, waiting func()) (unlock func(), err error) {
	f, err := os.Open(filepath.Join(dir, schemaDir))
	if err != nil {
		return nil, err
	}
	for tries := 0; ; tries++ {
		locked, err := tryLock(f)
		switch {
		case err != nil:
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", schemaDir, err)
		case locked:
			return func() { f.Close() }, nil
		case tries == 0:
			waiting()
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-time.After(lockPause):
		}
	}
}
