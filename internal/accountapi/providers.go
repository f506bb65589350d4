package accountapi

import (
	"context"
	"time"

	"github.com/google/uuid"

	"forge/ent"
	"forge/internal/ids"
	"forge/internal/provider"
	"forge/internal/session"
)

// Identity is an account at a provider that is linked to an account.
type Identity struct {
	ID         ids.ID
	Provider   string
	Email      *string
	CreatedAt  time.Time
	LastUsedAt *time.Time
}

// ProviderLink says where to send a browser that links an account at a provider.
type ProviderLink struct{ URL string }

// LinkedProvider is the answer to a link that is finished.
type LinkedProvider struct{ Identity *Identity }

// Deleted says what is gone.
type Deleted struct{ DeletedID ids.ID }

// AuthProviders returns the providers that people can sign in with.
func (a API) AuthProviders() []*provider.Offer {
	list := []*provider.Offer{}
	for _, offer := range a.Providers.Offers() {
		list = append(list, &offer)
	}
	return list
}

// SignInWithProvider begins a session with a code of a provider's sign-in.
func (a API) SignInWithProvider(ctx context.Context, code, verifier string) (*session.Tokens, error) {
	p, err := a.providers()
	if err != nil {
		return nil, err
	}
	return p.SignIn(ctx, code, verifier)
}

// BeginProviderLink returns an address for the browser of the viewer.
func (a API) BeginProviderLink(ctx context.Context, name, returnTo, challenge string) (*ProviderLink, error) {
	p, err := a.providers()
	if err != nil {
		return nil, err
	}
	address, err := p.BeginLink(ctx, name, returnTo, challenge)
	if err != nil {
		return nil, err
	}
	return &ProviderLink{address}, nil
}

// FinishProviderLink links the account at a provider that a code stands for.
func (a API) FinishProviderLink(ctx context.Context, code, verifier string) (*LinkedProvider, error) {
	p, err := a.providers()
	if err != nil {
		return nil, err
	}
	row, err := p.FinishLink(ctx, code, verifier)
	if err != nil {
		return nil, err
	}
	return &LinkedProvider{identityOf(row)}, a.noticeFactor(ctx)
}

// UnlinkProvider removes an identity of the viewer.
func (a API) UnlinkProvider(ctx context.Context, id ids.ID) (*Deleted, error) {
	p, err := a.providers()
	if err != nil {
		return nil, err
	}
	return &Deleted{id}, p.Unlink(ctx, id)
}

// IdentitiesOf returns the identities of each account.
func IdentitiesOf(ctx context.Context, accounts []uuid.UUID) ([][]*Identity, error) {
	found, err := provider.Identities(ctx, accounts)
	return listsOf(accounts, found, identityOf), err
}

func identityOf(row *ent.Credential) *Identity {
	return &Identity{ID: row.GlobalID(), Provider: provider.Name(row), Email: row.Name, CreatedAt: row.CreatedAt, LastUsedAt: row.LastUsedAt}
}

// listsOf returns what a list of credentials shows for each account, in the order of the accounts.
func listsOf[T any](accounts []uuid.UUID, found map[uuid.UUID][]*ent.Credential, show func(*ent.Credential) *T) [][]*T {
	lists := make([][]*T, len(accounts))
	for i, id := range accounts {
		lists[i] = []*T{}
		for _, row := range found[id] {
			lists[i] = append(lists[i], show(row))
		}
	}
	return lists
}
