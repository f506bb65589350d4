package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/credential"
	entmail "forge/ent/mail"
	"forge/ent/signin"
	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/entity"
	"forge/internal/session"
	"forge/internal/unit"
)

// Delete has the viewer's account erased after the grace time, and returns when. If the account has
// a password, it has to be given; after too many wrong ones the error is RATE_LIMITED. If it has
// none, the viewer must have signed in some minutes ago at most.
func (s *Service) Delete(ctx context.Context, secret string) (at time.Time, err error) {
	if s == nil {
		return at, s.offers("")
	}
	a, err := s.signedIn(ctx)
	if err != nil {
		return at, err
	}
	if err := s.mayDelete(ctx, a, secret); err != nil {
		return at, err
	}
	if at, err = now(ctx); err != nil {
		return at, err
	}
	at = at.Add(s.Grace)
	if err := s.Accounts.SetEraseAt(system(ctx), a.ID, at); err != nil {
		return at, fmt.Errorf("have an account erased: %w", err)
	}
	return at, s.tell(ctx, a, telling{What: Deletion, Life: s.Grace})
}

func (s *Service) mayDelete(ctx context.Context, a *Account, secret string) error {
	if a.Hash == "" {
		lately, err := s.Sessions.RecentlyBegun(ctx)
		if err == nil && !lately {
			err = apperr.Forbidden("password", "sign in again, and delete the account within %d minutes", session.Lately/time.Minute)
		}
		return err
	}
	err := s.Narrow.Guard(ctx, func() (bool, error) { return s.Passwords.Verify(ctx, secret, a.Hash) }, "delete account", a.ID.String())
	if errors.Is(err, session.ErrWrong) {
		return apperr.BadInput("password", "password is not the user's password")
	}
	return err
}

// Keep keeps the viewer's account, which was to be erased.
func (s *Service) Keep(ctx context.Context) error {
	if s == nil {
		return s.offers("")
	}
	a, err := s.signedIn(ctx)
	if err != nil {
		return err
	}
	return s.Accounts.SetEraseAt(system(ctx), a.ID, time.Time{})
}

// These bound the work of EraseDue.
const (
	eraseAtOnce = 10               // how many accounts are looked for at a time
	eraseTime   = 30 * time.Second // how long one account may take
	eraseAgain  = time.Hour        // how long an account waits that could not be erased
)

// EraseDue erases accounts whose grace time has passed, and returns how many it has taken up. Each
// has a unit of work of its own. One that cannot be erased, also because of a constraint that the
// database checks at the end, is logged, and is due again after eraseAgain, so that it does not
// keep the others from being erased.
func (s *Service) EraseDue(ctx context.Context) (n int, err error) {
	if n, err = s.eraseAll(ctx); n > 0 {
		err = errors.Join(err, s.forget(ctx))
	}
	return n, err
}

func (s *Service) eraseAll(ctx context.Context) (n int, err error) {
	for {
		due, err := s.due(ctx)
		if err != nil {
			return n, err
		}
		for _, id := range due {
			if err := s.tryToErase(ctx, id); err != nil {
				return n, fmt.Errorf("erase an account: %w", err)
			}
			n++
		}
		if len(due) < eraseAtOnce {
			return n, nil
		}
	}
}

func (s *Service) due(ctx context.Context) ([]uuid.UUID, error) {
	ctx, cancel := context.WithTimeout(ctx, eraseTime)
	defer cancel()
	u := unit.New(s.DB, unit.Snapshot)
	defer u.Rollback()
	ctx = system(unit.NewContext(ctx, u))
	at, err := now(ctx)
	if err != nil {
		return nil, err
	}
	return s.Accounts.ToErase(ctx, at, eraseAtOnce)
}

// tryToErase erases an account that is due, or has it wait. It returns an error if nothing can be
// stored at present.
func (s *Service) tryToErase(ctx context.Context, id uuid.UUID) error {
	within, cancel := context.WithTimeout(ctx, eraseTime)
	defer cancel()
	u := unit.New(s.DB, unit.Write)
	defer u.Rollback()
	at, err := s.eraseIfDue(system(unit.NewContext(within, u)), id)
	if err == nil {
		err = u.Commit(within)
	}
	switch {
	case err == nil && !at.IsZero():
		s.Revoked(id, at)
		return nil
	case err == nil || u.Transient() || within.Err() != nil:
		return err
	}
	u.Rollback()
	s.Log.WarnContext(ctx, "an account cannot be erased, trying again later", "account", id, "error", database.RedactError(err))
	return s.alone(ctx, func(ctx context.Context) error {
		at, err := now(ctx)
		if err != nil {
			return err
		}
		return s.Accounts.SetEraseAt(entity.WithDeleted(ctx), id, at.Add(eraseAgain))
	})
}

// eraseIfDue locks an account, and erases it if it is still due. It returns as of when the
// account's tokens are ended, or the zero time if it was not due: it is gone, was kept, or was
// erased by another server.
func (s *Service) eraseIfDue(ctx context.Context, id uuid.UUID) (validAfter time.Time, err error) {
	locked, err := s.Accounts.Lock(ctx, id)
	if err != nil || locked == nil {
		return validAfter, err
	}
	at, err := now(ctx)
	if err != nil {
		return validAfter, err
	}
	a, err := s.Accounts.Mailbox(entity.WithDeleted(ctx), id)
	if err != nil || a == nil || a.EraseAt.IsZero() || a.EraseAt.After(at) {
		return validAfter, err
	}
	return s.erase(ctx, &a.Account, at)
}

// erase erases an account that is locked: what is personal of it and of its rows, and all by which
// somebody can sign in to it. It returns as of when its tokens are ended.
func (s *Service) erase(ctx context.Context, a *session.Account, now time.Time) (validAfter time.Time, err error) {
	id := a.ID
	if validAfter, err = session.Stamp(ctx, s.Accounts, a.ID); err != nil {
		return validAfter, err
	}
	if err := session.End(ctx, a.ID); err != nil {
		return validAfter, err
	}
	db := ent.FromUnit(ctx)
	for _, remove := range []func() (int, error){
		func() (int, error) { return db.Credential.Delete().Where(credential.UserID(id)).Exec(ctx) },
		func() (int, error) { return db.SignIn.Delete().Where(signin.UserID(id)).Exec(ctx) },
		func() (int, error) {
			return db.Mail.Delete().Where(entmail.Or(entmail.UserID(id), entmail.Recipient(a.Name), entmail.RecipientEqualFold(a.Email))).Exec(ctx)
		},
	} {
		if _, err := remove(); err != nil {
			return validAfter, err
		}
	}
	if err := Erase(ctx, s.Entities, id, now, validAfter); err != nil {
		return validAfter, err
	}
	return validAfter, eraseFiles(ctx, s.Entities, id)
}
