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

// Stamp returns a time to store as an account's ValidAfter. The time is later than the issue of
// every token that the account has, so it ends all of them. Stamp locks the account until the unit
// of work ends, so that no token is issued meanwhile.
//
// The time comes from the database's clock, which all servers share. If that clock was set back,
// tokens may have been issued or ended at times that are now in the future. The returned time is
// later than these times as well, because otherwise an ended token would become valid again.
func Stamp(ctx context.Context, accounts Accounts, account uuid.UUID) (time.Time, error) {
	a, err := lock(ctx, accounts, account)
	if err != nil {
		return time.Time{}, err
	}
	at, err := unit.FromContext(ctx).Now(ctx)
	if err != nil {
		return time.Time{}, fmt.Errorf("read the database's clock: %w", err)
	}
	last, err := ent.FromUnit(ctx).Session.Query().Where(entsession.UserID(account)).Order(ent.Desc(entsession.FieldCreatedAt)).
		Select(entsession.FieldCreatedAt).First(system(ctx))
	if err != nil && !ent.IsNotFound(err) {
		return time.Time{}, fmt.Errorf("look for the last session of a user: %w", err)
	}
	if last != nil && last.CreatedAt.After(at) {
		at = last.CreatedAt
	}
	if a != nil && a.ValidAfter.After(at) {
		at = a.ValidAfter
	}
	return at.UTC().Add(time.Microsecond), nil
}
