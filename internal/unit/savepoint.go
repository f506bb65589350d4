package unit

import (
	"context"
	"fmt"
)

// Savepoint calls do within a savepoint. If do returns an error, Savepoint undoes the writes of do
// and returns the same error, and the unit can go on. If Savepoint returns any other error, the
// savepoint itself failed, and the unit cannot be committed. Savepoints may be nested.
func (u *Unit) Savepoint(ctx context.Context, do func() error) error {
	if _, err := u.exec(ctx, nil, "SAVEPOINT part", nil); err != nil {
		return fmt.Errorf("set a savepoint: %w", err)
	}
	before, undo := u.AbortedBy(), func() {}
	if u.onPart != nil {
		undo = u.onPart()
	}
	if failure := do(); failure != nil {
		// ROLLBACK TO keeps the savepoint. Without its release, an outer savepoint of the same name
		// could not be reached.
		for _, statement := range []string{"ROLLBACK TO SAVEPOINT part", "RELEASE SAVEPOINT part"} {
			if _, err := u.exec(ctx, nil, statement, nil); err != nil {
				return fmt.Errorf("go back to a savepoint after %q: %w", failure, err)
			}
		}
		u.setAborted(before)
		undo()
		return failure
	}
	if _, err := u.exec(ctx, nil, "RELEASE SAVEPOINT part", nil); err != nil {
		return fmt.Errorf("release a savepoint: %w", err)
	}
	return nil
}

// setAborted restores the state at the savepoint, because later errors were rolled back.
func (u *Unit) setAborted(before error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.aborted = before
}
