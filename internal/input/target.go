package graph

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"forge/ent"
	"forge/internal/apperr"
	"forge/internal/ids"
	"forge/internal/read"
	"forge/internal/rule"
	"forge/internal/viewer"
)

// target is the one row that a mutation changes.
type target struct {
	id       ids.ID
	expected *int32 // the version that it must have, if the client asks for one
}

// is is the condition under which the row may change. It has a part in the statement that changes it, so that of two
// clients who expect the same version one is refused.
func (t target) is(s *sql.Selector) {
	s.Where(sql.EQ(s.C("id"), t.id.UUID))
	if t.expected != nil {
		s.Where(sql.EQ(s.C("version"), *t.expected))
	}
}

// update saves a change, the mutation's last, under the condition that t.is; version reads what version the row has. If nothing is to change,
// it only checks the condition.
func (t target) update(ctx context.Context, change ent.Mutation, save, version func(context.Context) (int, error)) error {
	if len(change.Fields()) == 0 && len(change.ClearedFields()) == 0 {
		return t.check(ctx, version)
	}
	n, err := save(read.WithFinalWrite(ctx))
	return t.changed(ctx, n, err, version)
}

// check returns the error for a row that is not there, or not the viewer's to change, or does not have the version expected. Of one that
// is somebody else's, not even the version is told.
func (t target) check(ctx context.Context, version func(context.Context) (int, error)) error {
	current, err := version(ctx)
	switch {
	case ent.IsNotFound(err):
		return apperr.NotFound(t.id)
	case err != nil:
		return fmt.Errorf("read the version of %s: %w", t.id, err)
	}
	if viewer.RoleOf(ctx) != viewer.Admin {
		_, err = version(rule.ForUpdate(ctx))
	}
	switch {
	case ent.IsNotFound(err):
		return apperr.Forbidden("", "%s is not yours to change", t.id)
	case err != nil:
		return fmt.Errorf("look whose %s is: %w", t.id, err)
	case t.expected != nil && current != int(*t.expected):
		return apperr.VersionConflict(t.id, current)
	}
	return nil
}

// changed makes of the outcome of a statement, n rows and err, an error that says why the row did not change.
func (t target) changed(ctx context.Context, n int, err error, version func(context.Context) (int, error)) error {
	if err != nil {
		return fmt.Errorf("change %s: %w", t.id, err)
	}
	if n > 0 {
		return nil
	}
	if err := t.check(ctx, version); err != nil {
		return err
	}
	// It came into being, or to this version, between the two statements.
	return apperr.Conflict("id", "%s was changed by somebody else at the same moment; try again", t.id)
}
