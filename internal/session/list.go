package session

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	entsession "forge/ent/session"
	"forge/internal/apperr"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// Listed describes a session to its user.
type Listed struct {
	Family          uuid.UUID // identifies the session
	Began           time.Time // the first time that is known, if an earlier version began the session
	Used            time.Time // when it was begun or refreshed last
	Method          Method    // "" if an earlier version began the session
	Address, Client string    // of the client that used it last; "" if they are not known
}

// List returns the sessions of accounts: those that can go on, the last used one first. An account
// has at most 100. It runs in the unit of work of ctx, and takes the same number of statements for
// any number of accounts.
func List(ctx context.Context, accounts []uuid.UUID) (map[uuid.UUID][]Listed, error) {
	now, err := unit.FromContext(ctx).Now(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the database's clock: %w", err)
	}
	// Of each family, the unused token is the last one.
	found, err := ent.FromUnit(ctx).Session.Query().
		Where(entsession.UserIDIn(accounts...), entsession.UsedAtIsNil(), entsession.ExpiresAtGT(now)).
		Order(ent.Desc(entsession.FieldCreatedAt, entsession.FieldID)).All(system(ctx))
	if err != nil {
		return nil, fmt.Errorf("list the sessions of %d accounts: %w", len(accounts), err)
	}
	lists := make(map[uuid.UUID][]Listed, len(accounts))
	for _, row := range found {
		l := Listed{row.Family, row.CreatedAt, row.CreatedAt, Method(row.Method), row.Address, row.Client}
		if row.BeganAt != nil {
			l.Began = *row.BeganAt
		}
		if of := lists[row.UserID]; len(of) < mostSessions {
			lists[row.UserID] = append(of, l)
		}
	}
	return lists, nil
}

// Owner returns the account that a session belongs to. It returns the zero UUID if there is no such
// session.
func Owner(ctx context.Context, family uuid.UUID) (uuid.UUID, error) {
	row, err := ent.FromUnit(ctx).Session.Query().Where(entsession.Family(family)).First(system(ctx))
	switch {
	case ent.IsNotFound(err):
		return uuid.Nil, nil
	case err != nil:
		return uuid.Nil, fmt.Errorf("look for a session: %w", err)
	}
	return row.UserID, nil
}

// EndOne ends a session of an account. Its refresh token is no longer valid. Its access tokens are
// valid until they expire.
func (s *Sessions) EndOne(ctx context.Context, account, family uuid.UUID) error {
	return endFamily(ctx, s.accounts, account, family)
}

// errNoSession is the error for a token that does not say to which session it belongs.
var errNoSession = &apperr.Error{Code: apperr.CodeForbidden,
	Message: "the token of this request does not say which session it belongs to: sign in, or refresh the session, and try again"}

// EndOthers ends all sessions of the viewer but the one that the request belongs to, and returns
// how many there were. It returns FORBIDDEN if the viewer's token does not say which one that is,
// and UNAUTHENTICATED if that session has ended itself.
func (s *Sessions) EndOthers(ctx context.Context) (int, error) {
	v := viewer.FromContext(ctx)
	switch {
	case v.ID == uuid.Nil:
		return 0, apperr.Unauthenticated()
	case v.Session == uuid.Nil:
		return 0, errNoSession
	}
	if _, err := lock(ctx, s.accounts, v.ID); err != nil {
		return 0, err
	}
	if err := Holds(ctx, v); err != nil {
		return 0, err
	}
	lists, err := List(ctx, []uuid.UUID{v.ID})
	if err != nil {
		return 0, err
	}
	_, err = ent.FromUnit(ctx).Session.Delete().Where(entsession.UserID(v.ID), entsession.FamilyNEQ(v.Session)).Exec(system(ctx))
	if err != nil {
		return 0, fmt.Errorf("end the other sessions of a user: %w", err)
	}
	others := slices.DeleteFunc(lists[v.ID], func(l Listed) bool { return l.Family == v.Session })
	return len(others), nil
}

// Holds returns UNAUTHENTICATED if the session that the viewer's token belongs to has ended. Access
// tokens outlive their session for some minutes, and whoever has such a token must neither end the
// sessions of the user who has ended this one, nor complete another way to sign in. If the token
// says nothing of a session, Holds returns nil.
func Holds(ctx context.Context, v viewer.Viewer) error {
	if v.Session == uuid.Nil {
		return nil
	}
	there, err := ent.FromUnit(ctx).Session.Query().
		Where(entsession.UserID(v.ID), entsession.Family(v.Session), entsession.UsedAtIsNil()).Exist(system(ctx))
	if err != nil {
		return fmt.Errorf("look for a session: %w", err)
	}
	if !there {
		return errEnded
	}
	return nil
}
