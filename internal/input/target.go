package input

import (
	"context"
	"fmt"

	"entgo.io/ent"
	"entgo.io/ent/dialect/sql"

	"forge/internal/apperr"
	"forge/internal/ids"
	"forge/internal/read"
	"forge/internal/rule"
	"forge/internal/viewer"
)

// Target is the one row that a mutation changes.
type Target struct {
	ID       ids.ID
	Expected *int32 // the version that the row must have; nil for any
}

// Versions reads the version of a target's row. It returns none if the row does not exist, or the
// viewer may not see it.
type Versions func(context.Context) ([]int, error)

// Is is the condition under which the row may change. It stands in the statement that changes the
// row, so that one of two clients who expect the same version is refused.
func (t Target) Is(s *sql.Selector) {
	s.Where(sql.EQ(s.C("id"), t.ID.UUID))
	if t.Expected != nil {
		s.Where(sql.EQ(s.C("version"), *t.Expected))
	}
}

// Update saves a change, which must be the last one of the mutation and made under the condition
// Is. It returns an error that says why the row did not change. A change of no field only checks
// the condition.
func (t Target) Update(ctx context.Context, change ent.Mutation, save func(context.Context) (int, error), versions Versions) error {
	if len(change.Fields()) == 0 && len(change.ClearedFields()) == 0 {
		return t.Check(ctx, versions)
	}
	n, err := save(read.WithFinalWrite(ctx))
	return t.Changed(ctx, n, err, versions)
}

// Check returns an error if the row does not exist, the viewer may not change it, or it does not
// have the expected version. A viewer who may not change the row does not learn its version.
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
		changeable, err = versions(rule.ForUpdate(ctx))
	}
	switch {
	case err != nil:
		return fmt.Errorf("look whose %s is: %w", t.ID, err)
	case len(changeable) == 0:
		return apperr.Forbidden("", "%s is not yours to change", t.ID)
	case t.Expected != nil && current[0] != int(*t.Expected):
		return apperr.VersionConflict(t.ID, current[0])
	}
	return nil
}

// Changed returns an error if a statement that should have changed the row failed with err, or
// changed n = 0 rows. The error says why.
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
	// The row came into being, or to this version, between the two statements.
	return apperr.Conflict("id", "%s was changed by somebody else at the same moment; try again", t.ID)
}
