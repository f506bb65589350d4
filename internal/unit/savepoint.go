package unit

import (
	"context"
	"fmt"
)

// Savepoint runs do as a part of the unit that can fail by itself: if it returns an error, what it did is undone, all else stays,
// and the unit goes on. It returns that error, or another one that the whole unit fails with. Savepoints may be nested.
func (u *Unit) Savepoint(ctx context.Context, do func() error) error {
	if _, err := u.exec(ctx, nil, "SAVEPOINT part", nil); err != nil {
		return fmt.Errorf("set a savepoint: %w", err)
	}
	before := u.failure()
	if failure := do(); failure != nil {
		// A savepoint outlives the way back to it; releasing it uncovers an outer one of the same name.
		for _, statement := range []string{"ROLLBACK TO SAVEPOINT part", "RELEASE SAVEPOINT part"} {
			if _, err := u.exec(ctx, nil, statement, nil); err != nil {
				return fmt.Errorf("go back to a savepoint after %q: %w", failure, err)
			}
		}
		u.mend(before)
		return failure
	}
	if _, err := u.exec(ctx, nil, "RELEASE SAVEPOINT part", nil); err != nil {
		return fmt.Errorf("release a savepoint: %w", err)
	}
	return nil
}

// failure returns what has broken the unit so far.
func (u *Unit) failure() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.broken
}

// mend takes note that what has failed since is undone.
func (u *Unit) mend(before error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.broken = before
}
