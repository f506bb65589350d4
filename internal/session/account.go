package session

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"forge/internal/database"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// Accounts are the rows that people sign in to. The application stores them. All methods with a
// context work in its unit of work, and their viewer is viewer.System.
type Accounts interface {
	// Find returns an account, or nil if there is none or it is deleted.
	Find(ctx context.Context, id uuid.UUID) (*Account, error)
	// FindLogin returns the account that a login means, or nil if there is none or it is deleted.
	// It is one statement for every login.
	FindLogin(ctx context.Context, login string) (*Account, error)
	// LoginKey returns a form of a login that is the same for all spellings of it. Failures to sign
	// in are counted by this key.
	LoginKey(login string) string
	// Lock returns an account, even a deleted one, or nil if there is none. It locks the account
	// until the unit of work ends, but lets others store rows that refer to it.
	Lock(ctx context.Context, id uuid.UUID) (*Account, error)
	// SetHash stores another hash of the same password. It does not count as a change of the
	// account.
	SetHash(ctx context.Context, id uuid.UUID, hash string) error
	// ChangePassword replaces the hash before with the hash after, and stores validAfter. It
	// returns false, and stores nothing, if the account may not sign in or has another hash by now.
	ChangePassword(ctx context.Context, id uuid.UUID, before, after string, validAfter time.Time) (bool, error)
	// Stamped returns ValidAfter of each account, even of deleted ones, where it is later than the
	// given time. It runs every second.
	Stamped(ctx context.Context, after time.Time) (map[uuid.UUID]time.Time, error)
}

// Account is what Forge has to know of an account.
type Account struct {
	ID     uuid.UUID
	Hash   string // of the password; "" if there is none
	Role   viewer.Role
	Active bool // the account may sign in: it is neither turned off nor deleted
	// ValidAfter is the time before which all tokens are ended, or zero if none were ended.
	ValidAfter time.Time
	// Renew replaces values that are stored in the form of an earlier version. SignIn calls it once
	// the account is locked.
	Renew func(context.Context) error
}

// accepts reports whether the account may use a token that was issued at the given time. No token
// is good for a nil account.
func (a *Account) accepts(issued time.Time) bool {
	return a != nil && a.Active && !issued.Before(a.ValidAfter)
}

// find returns an account, or nil if there is none or it is deleted.
func find(ctx context.Context, db *database.DB, accounts Accounts, id uuid.UUID) (*Account, error) {
	return look(ctx, db, func(ctx context.Context) (*Account, error) { return accounts.Find(ctx, id) })
}

// look returns what find returns. It uses a unit of work of its own, so that no connection is held
// when it returns.
func look(ctx context.Context, db *database.DB, find func(context.Context) (*Account, error)) (*Account, error) {
	u := unit.New(db, unit.Single)
	defer u.Rollback()
	a, err := find(system(unit.NewContext(ctx, u)))
	if err != nil {
		return nil, fmt.Errorf("look for a user: %w", err)
	}
	return a, nil
}

// lock locks an account and returns it, or nil if there is none.
func lock(ctx context.Context, accounts Accounts, id uuid.UUID) (*Account, error) {
	a, err := accounts.Lock(system(ctx), id)
	if err != nil {
		return nil, fmt.Errorf("lock a user: %w", err)
	}
	return a, nil
}

func system(ctx context.Context) context.Context { return viewer.NewContext(ctx, viewer.System) }
