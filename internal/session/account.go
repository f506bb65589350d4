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

// Accounts are the accounts that people sign in to. The application stores them. Each method with a
// context works in the unit of work of that context, with viewer.System as the viewer.
type Accounts interface {
	// Find returns an account. It returns nil if there is none, or if the account is deleted.
	Find(ctx context.Context, id uuid.UUID) (*Account, error)
	// FindLogin returns the account that a login means. It returns nil if there is none, or if the
	// account is deleted. It runs one statement, whatever the login is.
	FindLogin(ctx context.Context, login string) (*Account, error)
	// FindEmail returns the account with an email, or with one that is like it: see email.Same. It
	// returns nil if there is none, or if the account is deleted.
	FindEmail(ctx context.Context, email string) (*Account, error)
	// Create stores a new account without a password, and returns it. The error is CONFLICT if
	// another account has the email.
	Create(ctx context.Context, a NewAccount) (*Account, error)
	// LoginKey returns the same text for all spellings of a login. Failures to sign in are counted
	// by it.
	LoginKey(login string) string
	// Lock locks an account until the unit of work ends, and returns it, even if it is deleted.
	// Others may still store rows that refer to the account. Lock returns nil if there is no such
	// account.
	Lock(ctx context.Context, id uuid.UUID) (*Account, error)
	// SetHash stores another hash of the same password. This does not count as a change of the
	// account.
	SetHash(ctx context.Context, id uuid.UUID, hash string) error
	// ChangePassword replaces the hash before with the hash after, and stores validAfter. If the
	// account may not sign in, or has another hash than before, it stores nothing and returns
	// false.
	ChangePassword(ctx context.Context, id uuid.UUID, before, after string, validAfter time.Time) (bool, error)
	// Stamped returns the ValidAfter of each account, even of a deleted one, whose ValidAfter is
	// later than the given time. It runs every second.
	Stamped(ctx context.Context, after time.Time) (map[uuid.UUID]time.Time, error)
}

// Account is what package session has to know of an account.
type Account struct {
	ID     uuid.UUID
	Name   string // what the account is called, for people
	Email  string // "" if there is none
	Hash   string // the hash of the password; "" if there is no password
	Role   viewer.Role
	Active bool // the account may sign in: it is neither turned off nor deleted
	// EmailVerified says that the account has an email, and that its owner has proved to read mails
	// to it.
	EmailVerified bool
	// ValidAfter is the time before which all tokens of the account were ended. It is zero if none
	// were ended.
	ValidAfter time.Time
	// Renew replaces values that an earlier version has stored in another form. SignIn calls it
	// after it has locked the account.
	Renew func(context.Context) error
}

// NewAccount is an account to be stored.
type NewAccount struct {
	// Username is a wish, which may be "". The application makes a name of it that no other account
	// has.
	Username      string
	Email         string // "" for none
	EmailVerified bool
}

// accepts reports whether the account may use a token that was issued at the given time. A nil
// account accepts no token.
func (a *Account) accepts(issued time.Time) bool {
	return a != nil && a.Active && !issued.Before(a.ValidAfter)
}

// find returns an account. It returns nil if there is none, or if the account is deleted.
func find(ctx context.Context, db *database.DB, accounts Accounts, id uuid.UUID) (*Account, error) {
	return look(ctx, db, func(ctx context.Context) (*Account, error) { return accounts.Find(ctx, id) })
}

// look returns what the function find returns. It calls find in a unit of work apart.
func look(ctx context.Context, db *database.DB, find func(context.Context) (*Account, error)) (*Account, error) {
	u, end := unit.Apart(ctx, db)
	defer end()
	a, err := find(system(unit.NewContext(ctx, u)))
	if err != nil {
		return nil, fmt.Errorf("look for a user: %w", err)
	}
	return a, nil
}

// lock locks an account and returns it. It returns nil if there is none.
func lock(ctx context.Context, accounts Accounts, id uuid.UUID) (*Account, error) {
	a, err := accounts.Lock(system(ctx), id)
	if err != nil {
		return nil, fmt.Errorf("lock a user: %w", err)
	}
	return a, nil
}

func system(ctx context.Context) context.Context { return viewer.NewContext(ctx, viewer.System) }
