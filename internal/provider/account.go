package provider

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/credential"
	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/email"
	"forge/internal/session"
	"forge/internal/unit"
)

// maxEmail is how many characters an email of a person may have. A longer one is ignored.
const maxEmail = 254

// maxUsername is how many bytes a username of a person may have. A longer one is ignored.
const maxUsername = 1000

// tidy removes what is not used of a person, such as an email that the provider has not verified.
// Such an email proves nothing, and would keep its owner from using it.
func (who *Person) tidy(c *Config) {
	parsed, err := email.Parse(who.Email)
	if err != nil || utf8.RuneCountInString(parsed) > maxEmail || c.TrustEmail != nil && !*c.TrustEmail {
		who.Verified = false
	}
	if who.Email = parsed; !who.Verified {
		who.Email = ""
	}
	if len(who.Username) > maxUsername {
		who.Username = ""
	}
}

// key returns what tells a person from all others at a provider. No URL of an issuer has a # in it.
func (who *Person) key() string { return who.Issuer + "#" + who.Subject }

// match is what is known here of a person.
type match struct {
	identity *ent.Credential  // nil if the person was never here
	account  *session.Account // of the identity, or with the email; nil if there is none
}

// match looks for a person. It returns a fault if the person can neither sign in nor sign up.
func (p *Providers) match(ctx context.Context, one *provider, who *Person) (m match, err error) {
	if m.identity, err = identity(ctx, one, who); err != nil {
		return m, err
	}
	switch {
	case m.identity != nil:
		m.account, err = p.Accounts.Find(system(ctx), m.identity.UserID)
	case who.Email != "":
		m.account, err = p.Accounts.FindEmail(system(ctx), who.Email)
	}
	switch {
	case err != nil:
		return m, fmt.Errorf("look for an account: %w", err)
	case m.identity != nil && (m.account == nil || !m.account.Active):
		return m, fault(codeAccountClosed)
	case m.account == nil && !one.SignUp:
		return m, fault(codeSignUpClosed)
	case m.account != nil && m.identity == nil && !owns(m.account, who):
		return m, fault(codeEmailKnown) // whoever has it may have taken an email that is not theirs
	case m.account != nil && !m.account.Active:
		return m, fault(codeAccountClosed)
	}
	return m, nil
}

// owns reports whether an account has the email of a person, and its owner has proved that. An
// email that is only like it, such as one with "ss" for "ß", may be somebody else's.
func owns(a *session.Account, who *Person) bool {
	return a.EmailVerified && email.Same(a.Email, who.Email)
}

// mayGoOn returns a fault if a code for the person would be of no use. account is the one that
// wants to link, or uuid.Nil.
func (p *Providers) mayGoOn(ctx context.Context, one *provider, who *Person, account uuid.UUID) error {
	if account == uuid.Nil {
		_, err := p.match(ctx, one, who)
		return err
	}
	known, err := identity(ctx, one, who)
	if err == nil && known != nil && known.UserID != account {
		return fault(codeLinkedElsewhere)
	}
	return err
}

// identity returns the identity of a person, or nil if there is none.
func identity(ctx context.Context, one *provider, who *Person) (*ent.Credential, error) {
	found, err := ent.FromUnit(ctx).Credential.Query().
		Where(credential.Kind(one.kind()), credential.Key(who.key())).Only(system(ctx))
	if err != nil && !ent.IsNotFound(err) {
		return nil, fmt.Errorf("look for an identity: %w", err)
	}
	return found, nil
}

// SignIn begins a session for the person that a code stands for. A person who was never here is
// linked to the account that has the email, if the provider and this server have verified it.
// Otherwise they get a new account, if the provider may make some. The error is UNAUTHENTICATED if
// the code or the verifier is not good, and FORBIDDEN with the reason reason if the person may not
// sign in.
func (p *Providers) SignIn(ctx context.Context, code, verifier string) (*session.Tokens, error) {
	one, token, was, err := p.exchange(ctx, code, verifier)
	if err != nil {
		return nil, err
	}
	if token.Account != uuid.Nil {
		return nil, errCode // it is for FinishLink
	}
	m, err := p.match(ctx, one, &was.Person)
	if f, ok := errors.AsType[fault](err); ok {
		return nil, refused(f)
	}
	if err != nil {
		return nil, err
	}
	if m.account, err = p.account(ctx, m, &was.Person); err != nil {
		return nil, err
	}
	if _, err := p.store(ctx, one, m, &was.Person); err != nil {
		return nil, err
	}
	return p.Sessions.Begin(ctx, m.account.ID, session.Method(one.kind()))
}

func refused(f fault) error {
	return &apperr.Error{Code: apperr.CodeForbidden, Message: "this account at the provider cannot sign in here", More: map[string]any{"reason": string(f)}}
}

// account returns the account of a match, which is locked, or makes it.
func (p *Providers) account(ctx context.Context, m match, who *Person) (*session.Account, error) {
	if m.account == nil {
		made, err := p.Accounts.Create(system(ctx), session.NewAccount{Username: who.Username, Email: who.Email, EmailVerified: who.Verified})
		if err != nil {
			return nil, fmt.Errorf("make an account: %w", err)
		}
		return made, nil
	}
	locked, err := p.Accounts.Lock(system(ctx), m.account.ID)
	switch {
	case err != nil:
		return nil, fmt.Errorf("lock an account: %w", err)
	case locked == nil || !locked.Active:
		return nil, refused(codeAccountClosed)
	case m.identity != nil:
		return locked, nil
	}
	// Both may have changed before the account was locked.
	again, err := p.Accounts.FindEmail(system(ctx), who.Email)
	if err != nil {
		return nil, fmt.Errorf("look for an account: %w", err)
	}
	if again == nil || again.ID != locked.ID || !owns(again, who) {
		return nil, refused(codeEmailKnown)
	}
	return locked, nil
}

// store stores that the account of a match has the person as an identity, and has just used it. The
// account is locked. The error is CONFLICT if another account has the identity by now.
func (p *Providers) store(ctx context.Context, one *provider, m match, who *Person) (*ent.Credential, error) {
	now, err := unit.FromContext(ctx).Now(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the database's clock: %w", err)
	}
	db := ent.FromUnit(ctx).Credential
	if m.identity != nil {
		change := db.UpdateOneID(m.identity.ID).SetLastUsedAt(now)
		if who.Email != "" {
			change.SetName(who.Email)
		}
		used, err := change.Save(system(ctx))
		if ent.IsNotFound(err) {
			return nil, errCode // it was unlinked meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("store the use of an identity: %w", err)
		}
		return used, nil
	}
	add := db.Create().SetUserID(m.account.ID).SetKind(one.kind()).SetKey(who.key()).SetCreatedAt(now).SetConfirmedAt(now).SetLastUsedAt(now)
	if who.Email != "" {
		add.SetName(who.Email)
	}
	added, err := add.Save(system(ctx))
	if err != nil {
		return nil, taken(fmt.Errorf("store an identity: %w", err))
	}
	return added, nil
}

// taken returns CONFLICT in the place of the database's error about an identity that is there
// already.
func taken(err error) error {
	if v, ok := database.Violation(err); ok && v.Rule == database.Unique {
		return apperr.Conflict("", "another account has this account at the provider")
	}
	return err
}
