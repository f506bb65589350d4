package input

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"forge/internal/apperr"
	"forge/internal/ids"
	"forge/internal/rule"
	"forge/internal/viewer"
)

// Target is the one row that a mutation changes.
type Target struct {
	ID       ids.ID
	Expected *int32 // the version that the row must have, or nil if any version will do
	Deletes  bool   // the row is to be deleted, or to be restored
}

// Versions reads the version of a target's row. The result is empty if the row does not exist, or
// if the viewer may not see it.
type Versions func(context.Context) ([]int, error)

// Is adds the condition under which the row may change to a statement. The statement that changes
// the row must have this condition itself: when two clients expect the same version, only the first
// then changes the row.
func (t Target) Is(s *sql.Selector) {
	s.Where(sql.EQ(s.C("id"), t.ID.Value()))
	if t.Expected != nil {
		s.Where(sql.EQ(s.C("version"), *t.Expected))
	}
}

// Check returns an error if the row does not exist, if the viewer may not change it, or if it does
// not have the expected version. The order matters: someone who may not change the row does not
// learn its version.
func (t Target) Check(ctx context.Context, versions Versions) error {
	current, err := versions(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("read the version of %s: %w", t.ID, err)
	case len(current) == 0:
		return apperr.NotFound(t.ID)
	}
	changeable := current
	if viewer.RoleOf(ctx) != viewer.Admin {
		changeable, err = versions(t.forChange(ctx))
	}
	switch {
	case err != nil:
		return fmt.Errorf("look whose %s is: %w", t.ID, err)
	case len(changeable) == 0:
		return NotYours(ctx, "", t.ID)
	case t.Expected != nil && current[0] != int(*t.Expected):
		return apperr.VersionConflict(t.ID, current[0])
	}
	return nil
}

func (t Target) forChange(ctx context.Context) context.Context {
	if t.Deletes {
		return rule.ForDelete(ctx)
	}
	return rule.ForUpdate(ctx)
}

// Changed judges the result of a statement that should have changed the row: n is the number of
// rows that changed. It returns an error that says why, if the statement failed or changed no row.
func (t Target) Changed(ctx context.Context, n int, err error, versions Versions) error {
	if err != nil {
		return fmt.Errorf("change %s: %w", t.ID, err)
	}
	if n > 0 {
		return nil
	}
	if err := t.Check(ctx, versions); err != nil {
		return err
	}
	// The row is there now and has the expected version: it was changed between the two statements.
	return apperr.Conflict("id", "%s was changed by somebody else at the same moment; try again", t.ID)
}
