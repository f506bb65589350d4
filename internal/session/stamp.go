package session

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	entsession "forge/ent/session"
	"forge/internal/unit"
)

// Stamp returns the time to store as a user's tokens_valid_after. The time is later than the issue
// of every token that the user has, so it ends them all. Stamp locks the user's row until the unit
// of work ends, so that no token is issued meanwhile.
//
// The time comes from the database's clock, which all servers share. If that clock was set back,
// tokens may have been issued or ended at times in the future. The stamp is later than those times
// as well; otherwise an ended token would become valid again.
func Stamp(ctx context.Context, user uuid.UUID) (time.Time, error) {
	db := ent.FromUnit(ctx)
	u, err := lock(ctx, db, user)
	if err != nil && !ent.IsNotFound(err) {
		return time.Time{}, fmt.Errorf("lock a user: %w", err)
	}
	at, err := unit.FromContext(ctx).Now(ctx)
	if err != nil {
		return time.Time{}, fmt.Errorf("read the database's clock: %w", err)
	}
	last, err := db.Session.Query().Where(entsession.UserID(user)).Order(ent.Desc(entsession.FieldCreatedAt)).
		Select(entsession.FieldCreatedAt).First(system(ctx))
	if err != nil && !ent.IsNotFound(err) {
		return time.Time{}, fmt.Errorf("look for the last session of a user: %w", err)
	}
	if last != nil && last.CreatedAt.After(at) {
		at = last.CreatedAt
	}
	if u != nil && u.TokensValidAfter != nil && u.TokensValidAfter.After(at) {
		at = *u.TokensValidAfter
	}
	return at.UTC().Add(time.Microsecond), nil
}
