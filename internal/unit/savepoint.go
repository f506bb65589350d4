package unit

import (
	"context"
	"fmt"
)

// Savepoint runs do in a savepoint. If do returns an error, its writes are undone, the unit can go
// on, and Savepoint returns that error. Any other error means that the savepoint itself failed,
// and with it the unit. Savepoints may be nested.
func (u *Unit) Savepoint(ctx context.Context, do func() error) error {
	if _, err := u.exec(ctx, nil, "SAVEPOINT part", nil); err != nil {
		return fmt.Errorf("set a savepoint: %w", err)
	}
	before := u.abortedBy()
	if failure := do(); failure != nil {
		// ROLLBACK TO keeps the savepoint. Its release makes an outer one of the same name current.
		for _, statement := range []string{"ROLLBACK TO SAVEPOINT part", "RELEASE SAVEPOINT part"} {
			if _, err := u.exec(ctx, nil, statement, nil); err != nil {
				return fmt.Errorf("go back to a savepoint after %q: %w", failure, err)
			}
		}
		u.setAborted(before)
		return failure
	}
	if _, err := u.exec(ctx, nil, "RELEASE SAVEPOINT part", nil); err != nil {
		return fmt.Errorf("release a savepoint: %w", err)
	}
	return nil
}

// abortedBy returns the failure that rules out a commit, if there is one.
func (u *Unit) abortedBy() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.aborted
}

// setAborted restores the failure that rules out a commit to its value at the savepoint: later
// failures were rolled back.
func (u *Unit) setAborted(before error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.aborted = before
}
