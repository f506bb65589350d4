// Package account has the life of an account beside its sessions: what is proved by mail, and what
// follows from it. The application stores the accounts; see Accounts.
//
// Somebody who is not signed in gets the same answer after the same work, whether there is such an
// account or not: a request stores what was asked for in the queue of mails, and the account is
// looked up when the mail is sent. See docs/adr/0026-accounts.md.
package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/credential"
	"forge/internal/apperr"
	"forge/internal/clientip"
	"forge/internal/database"
	"forge/internal/entity"
	"forge/internal/gqlexec"
	"forge/internal/mail"
	"forge/internal/onetime"
	"forge/internal/password"
	"forge/internal/read"
	"forge/internal/session"
	"forge/internal/unit"
	"forge/internal/viewer"
)

// Account is what this package has to know of an account.
type Account struct {
	session.Account
	EmailKey string    // the same for all spellings of Email
	Verified time.Time // when it was proved that mails to Email are read; zero if it was not
	EraseAt  time.Time // when the account will be erased; zero if it will not
}

// Accounts are accounts that may have an email. Each method works in the unit of work of its
// context, with viewer.System as the viewer.
type Accounts interface {
	session.Accounts
	// Mailbox returns an account. It returns nil if there is none, or if the account is deleted.
	Mailbox(ctx context.Context, id uuid.UUID) (*Account, error)
	// FindMailbox returns the account with an email, in whatever spelling. It returns nil if there
	// is none, or if the account is deleted.
	FindMailbox(ctx context.Context, email string) (*Account, error)
	// SetEmail stores another email, and when it was proved. It returns CONFLICT if another account
	// has it.
	SetEmail(ctx context.Context, id uuid.UUID, email string, verified time.Time) error
	// SetVerified stores when the email was proved.
	SetVerified(ctx context.Context, id uuid.UUID, at time.Time) error
	// SetEraseAt stores when an account will be erased, or with the zero time that it will not.
	SetEraseAt(ctx context.Context, id uuid.UUID, at time.Time) error
	// ToErase returns accounts that are to be erased by now, also deleted ones, and most at most.
	ToErase(ctx context.Context, now time.Time, most int) ([]uuid.UUID, error)
	// SetPassword stores the hash of another password, or of none if it is "", and validAfter.
	SetPassword(ctx context.Context, id uuid.UUID, hash string, validAfter time.Time) error
}

// These are the kinds of mails that the setting ACCOUNT_MAILS can list.
const (
	Verify = "verify" // proves an email
	Reset  = "reset"  // leads to a new password
	Change = "change" // changes an email
	Link   = "link"   // signs in by a link
	Code   = "code"   // signs in by a code
)

// Kinds are all of these.
var Kinds = []string{Verify, Reset, Change, Link, Code}

// These are the templates, and the purposes of tokens. A kind that has one mail has the template
// and the purpose of its own name.
const (
	changeNew = "change-new" // goes to the new address
	changeOld = "change-old" // goes to the present address
	changed   = "changed"    // tells of a change
	agreed    = "change-agreed"
)

// Templates are the names of all templates.
var Templates = []string{Verify, Reset, changeNew, changeOld, Link, Code, changed}

// lives says how long tokens are good.
var lives = map[string]time.Duration{
	Verify: 24 * time.Hour, changeNew: 24 * time.Hour, changeOld: 24 * time.Hour,
	Reset: time.Hour, Link: 15 * time.Minute, Code: 10 * time.Minute,
}

// Options are what a Service needs.
type Options struct {
	DB        *database.DB
	Accounts  Accounts
	Sessions  *session.Sessions
	Passwords *password.Hasher
	Mails     *mail.Mails // nil if this server sends no mails
	Page      string      // the address of the application's page that links lead to
	Kinds     []string    // the kinds of mails that are offered
	Proxies   []netip.Prefix
	Grace     time.Duration // how long after Delete an account is erased
	// ExportBytes is how many bytes of JSON the rows of an export may have.
	ExportBytes int
	Entities    []*entity.Entity // all entities of the application
	Query       read.Query       // runs a query of the application
	// Uploaded returns what an export says of the files that an account has uploaded. It may be
	// nil.
	Uploaded func(ctx context.Context, account uuid.UUID, most int) ([]json.RawMessage, error)
	// Revoked is told which tokens were ended.
	Revoked func(account uuid.UUID, at time.Time)
	// Narrow and Wide slow down what is tried again and again: by address and account, and by
	// network, from which many people may come.
	Narrow, Wide *session.Limiter
	Log          *slog.Logger
}

// Service is the life of accounts. It is safe for concurrent use.
type Service struct{ Options }

// New returns a Service. It makes the mails of o.Mails.
func New(o Options) *Service {
	s := &Service{o}
	if o.Mails != nil {
		s.compose()
	}
	return s
}

// offers returns FORBIDDEN if this server does not offer a kind of mails.
func (s *Service) offers(kind string) error {
	switch {
	case s == nil:
		return apperr.Forbidden("", "nobody can sign in to this server: set AUTH_SECRET")
	case s.Mails == nil:
		return apperr.Forbidden("", "this server sends no mails: set MAIL_URL")
	case !slices.Contains(s.Kinds, kind):
		return apperr.Forbidden("", "this server does not offer that: ACCOUNT_MAILS does not list %s", kind)
	}
	return nil
}

// Offers reports whether this server offers a kind of mails.
func (s *Service) Offers(kind string) bool { return s.offers(kind) == nil }

// signedIn returns the viewer's account. It returns UNAUTHENTICATED if there is none, or if the
// viewer's token or its session was ended. It reads in units of work apart, so that no connection
// is held while tries are counted and passwords hashed.
func (s *Service) signedIn(ctx context.Context) (*Account, error) {
	v := viewer.FromContext(ctx)
	if v.ID == uuid.Nil || v.Stranger {
		return nil, apperr.Unauthenticated()
	}
	if err := session.Check(ctx, s.DB, s.Accounts, v); err != nil {
		return nil, err
	}
	u, end := unit.Apart(ctx, s.DB)
	defer end()
	apart := unit.NewContext(ctx, u)
	if err := session.Holds(apart, v); err != nil {
		return nil, err
	}
	a, err := s.Accounts.Mailbox(system(apart), v.ID)
	switch {
	case err != nil:
		return nil, fmt.Errorf("look for an account: %w", err)
	case a == nil:
		return nil, apperr.Unauthenticated()
	}
	return a, nil
}

// errToken is the error for everything that can be wrong with a token of a mail.
var errToken = apperr.BadInput("token", "this token is not good, or no longer: ask for another mail")

// mailed is kept with the token of a mail.
type mailed struct {
	Email  string // the address that it was sent to, or that the account is to get
	Key    string // of the account's email when the token was made
	Change string // which change of an email it belongs to
}

// take uses a token of a mail, and locks its account. It returns errToken if the token is not good,
// if the account may not sign in, or if the account has another email by now. Wrong tokens are
// counted by network.
func (s *Service) take(ctx context.Context, purpose, token string) (a *Account, of mailed, err error) {
	if err := s.good(ctx, purpose, token); err != nil {
		return nil, of, err
	}
	if a, of, err = s.find(ctx, purpose, token); err != nil {
		return nil, of, err
	}
	if a == nil {
		return nil, of, errToken
	}
	if _, err := onetime.Use(ctx, purpose, token); err != nil {
		return nil, of, wrongToken(err)
	}
	return a, of, nil
}

// find is take without the use. It locks the account before the token is used, because whoever
// removes all tokens of an account has locked it before.
func (s *Service) find(ctx context.Context, purpose, token string) (*Account, mailed, error) {
	var of mailed
	found, err := onetime.Find(ctx, purpose, token)
	if errors.Is(err, onetime.ErrInvalid) {
		return nil, of, nil
	}
	if err == nil {
		err = found.Data(&of)
	}
	if err != nil {
		return nil, of, err
	}
	if _, err = s.Accounts.Lock(system(ctx), found.Account); err != nil {
		return nil, of, fmt.Errorf("lock an account: %w", err)
	}
	a, err := s.Accounts.Mailbox(system(ctx), found.Account)
	if err != nil || a == nil || !a.Active || a.EmailKey != of.Key {
		return nil, of, err
	}
	return a, of, nil
}

// wrongToken returns errToken for a token that is not good, and other errors unchanged.
func wrongToken(err error) error {
	if errors.Is(err, session.ErrWrong) || errors.Is(err, onetime.ErrInvalid) {
		return errToken
	}
	return err
}

// proved stores that the owner of an account reads mails to its email. If that was not known
// before, somebody else may have made the account to have it one day. So the password and all other
// ways to sign in that were set before end, with all sessions, and so does a deletion that was
// asked for. The caller has locked the account.
func (s *Service) proved(ctx context.Context, a *Account) error {
	if !a.Verified.IsZero() {
		return nil
	}
	if err := s.end(ctx, a, ""); err != nil {
		return err
	}
	if _, err := ent.FromUnit(ctx).Credential.Delete().Where(credential.UserID(a.ID)).Exec(system(ctx)); err != nil {
		return fmt.Errorf("remove the credentials of an account: %w", err)
	}
	if err := s.Accounts.SetEraseAt(system(ctx), a.ID, time.Time{}); err != nil {
		return fmt.Errorf("keep an account: %w", err)
	}
	return s.verified(ctx, a)
}

// verified stores that the email of an account is proved now.
func (s *Service) verified(ctx context.Context, a *Account) (err error) {
	if a.Verified, err = now(ctx); err == nil {
		err = s.Accounts.SetVerified(system(ctx), a.ID, a.Verified)
	}
	if err != nil {
		return fmt.Errorf("store that an email is proved: %w", err)
	}
	return nil
}

// end gives an account another password, or none if hash is "", and ends all of its sessions and
// tokens. The caller has locked the account.
func (s *Service) end(ctx context.Context, a *Account, hash string) error {
	at, err := session.Stamp(ctx, s.Accounts, a.ID)
	if err != nil {
		return err
	}
	if err := s.Accounts.SetPassword(system(ctx), a.ID, hash, at); err != nil {
		return fmt.Errorf("set a password: %w", err)
	}
	if err := session.End(ctx, a.ID); err != nil {
		return err
	}
	gqlexec.BeforeCommit(ctx, func() { s.Revoked(a.ID, at) })
	return nil
}

// network returns the network of the client.
func (s *Service) network(ctx context.Context) string {
	return clientip.Network(clientip.Address(ctx, s.Proxies)).String()
}

// link returns the address that a mail leads to. The token is behind a #, so that browsers send it
// to no server, and it is in no log.
func (s *Service) link(kind, token string) string {
	before, _, _ := strings.Cut(s.Page, "#")
	return before + "#" + kind + "=" + token
}

func system(ctx context.Context) context.Context { return viewer.NewContext(ctx, viewer.System) }

// alone calls f in a unit of work of its own, as the system, and commits it.
func (s *Service) alone(ctx context.Context, f func(context.Context) error) error {
	u := unit.New(s.DB, unit.Write)
	defer u.Rollback()
	if err := f(system(unit.NewContext(ctx, u))); err != nil {
		return err
	}
	return u.Commit(ctx)
}
