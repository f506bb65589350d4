package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/credential"
	"forge/internal/apperr"
	"forge/internal/ids"
	"forge/internal/onetime"
)

// maxIdentities is how many identities an account may have.
const maxIdentities = 20

// passkey is the kind of credentials that are passkeys.
const passkey = "passkey"

// Name returns the name of the provider of an identity.
func Name(identity *ent.Credential) string { return strings.TrimPrefix(identity.Kind, kindPrefix) }

// BeginLink returns an address at which a browser can link what it comes back with to the viewer's
// account. The address is good once. The page goes on with FinishLink. The error is BAD_USER_INPUT,
// UNAUTHENTICATED, or FORBIDDEN if the viewer has not signed in lately: what is linked outlives a
// token that was stolen.
func (p *Providers) BeginLink(ctx context.Context, name, returnTo, challenge string) (string, error) {
	a, err := p.Sessions.Viewer(ctx)
	if err != nil {
		return "", err
	}
	want := wish{Provider: name, ReturnTo: returnTo, Challenge: challenge}
	one, err := p.check(want)
	if err != nil {
		return "", err
	}
	if err := p.Sessions.Fresh(ctx, ""); err != nil {
		return "", err
	}
	token, err := onetime.New(ctx, linkPurpose, a.ID, want, linkLife)
	if err != nil {
		return "", err
	}
	return p.url(one, "start") + "?link=" + token, nil
}

// FinishLink links the person that a code stands for to the viewer's account, for which the code
// was made, and returns the identity. The error is UNAUTHENTICATED if the code or the verifier is
// not good, and CONFLICT if another account has the identity.
func (p *Providers) FinishLink(ctx context.Context, code, verifier string) (*ent.Credential, error) {
	a, err := p.Sessions.Viewer(ctx)
	if err != nil {
		return nil, err
	}
	one, token, was, err := p.exchange(ctx, code, verifier)
	if err != nil {
		return nil, err
	}
	if token.Account != a.ID {
		return nil, errCode
	}
	m := match{account: a}
	if m.identity, err = identity(ctx, one, &was.Person); err != nil {
		return nil, err
	}
	if m.identity != nil && m.identity.UserID != a.ID {
		return nil, apperr.Conflict("", "another account has this account at the provider")
	}
	all, err := identities(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	if len(all) >= maxIdentities && m.identity == nil {
		return nil, apperr.Conflict("", "%d accounts at providers are linked, and no more may be", len(all))
	}
	return p.store(ctx, one, m, &was.Person)
}

// Unlink removes an identity of the viewer's account. The error is NOT_FOUND if it is none of it,
// CONFLICT if there would be no way to sign in any more, and FORBIDDEN if the viewer has not signed
// in lately: with a token that was stolen, users could be kept out of their accounts.
func (p *Providers) Unlink(ctx context.Context, id ids.ID) error {
	a, err := p.Sessions.Viewer(ctx)
	if err != nil {
		return err
	}
	if err := p.Sessions.Fresh(ctx, ""); err != nil {
		return err
	}
	all, err := identities(ctx, a.ID)
	if err != nil {
		return err
	}
	found, others := false, a.Hash != ""
	for _, c := range all {
		switch {
		case c.GlobalID() == id:
			found = true
		case p.find(Name(c)) != nil:
			others = true
		}
	}
	if !others && p.Passkeys {
		if others, err = hasPasskey(ctx, a.ID); err != nil {
			return err
		}
	}
	switch {
	case !found:
		return apperr.NotFound(id)
	case !others:
		return apperr.Conflict("", "this is the last way to sign in to this account: set a password or link another account first")
	}
	if err := ent.FromUnit(ctx).Credential.DeleteOneID(id.UUID).Exec(system(ctx)); err != nil {
		return fmt.Errorf("remove an identity: %w", err)
	}
	return onetime.End(ctx, a.ID, linkPurpose, statePurpose, codePurpose)
}

func hasPasskey(ctx context.Context, account uuid.UUID) (bool, error) {
	there, err := ent.FromUnit(ctx).Credential.Query().
		Where(credential.UserID(account), credential.Kind(passkey)).Exist(system(ctx))
	if err != nil {
		return false, fmt.Errorf("look for passkeys: %w", err)
	}
	return there, nil
}

// Identities returns the identities of accounts, the oldest first. It also works where there are no
// providers any more.
func Identities(ctx context.Context, accounts []uuid.UUID) (map[uuid.UUID][]*ent.Credential, error) {
	all, err := identities(ctx, accounts...)
	byAccount := map[uuid.UUID][]*ent.Credential{}
	for _, c := range all {
		byAccount[c.UserID] = append(byAccount[c.UserID], c)
	}
	return byAccount, err
}

func identities(ctx context.Context, accounts ...uuid.UUID) ([]*ent.Credential, error) {
	all, err := ent.FromUnit(ctx).Credential.Query().
		Where(credential.UserIDIn(accounts...), credential.KindHasPrefix(kindPrefix)).
		Order(credential.ByCreatedAt(), credential.ByID()).All(system(ctx))
	if err != nil {
		return nil, fmt.Errorf("look for identities: %w", err)
	}
	return all, nil
}
