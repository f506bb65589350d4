package factor

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/credential"
	"forge/internal/apperr"
	"forge/internal/database"
	"forge/internal/ids"
	"forge/internal/onetime"
	"forge/internal/session"
)

// mostPasskeys is how many passkeys an account may have.
const mostPasskeys = 20

var errNoPasskeys = apperr.Forbidden("", "this server offers no passkeys: set PASSKEYS=on, PASSKEY_RP_ID and PASSKEY_ORIGINS")

// BeginPasskey returns the options with which a browser makes a passkey for the viewer. They
// are good once. The viewer must have signed in lately, or give a code.
// The error is CONFLICT if the viewer has mostPasskeys.
func (f *Factors) BeginPasskey(ctx context.Context, code *string) (options any, err error) {
	if !f.Passkeys {
		return nil, errNoPasskeys
	}
	err = f.trusted(ctx, code, func(a *session.Account) error {
		o, err := ownerWithRoom(ctx, a)
		if err != nil {
			return err
		}
		party, err := f.party("")
		if err != nil {
			return err
		}
		creation, s, err := party.BeginRegistration(o, webauthn.WithExclusions(webauthn.Credentials(o.passkeys).CredentialDescriptors()))
		if err != nil {
			return fmt.Errorf("make the options of a passkey: %w", err)
		}
		options = creation.Response
		return onetime.Put(ctx, registerPasskey, s.Challenge, a.ID, s, tokenLife)
	})
	return options, err
}

var errNotMade = apperr.BadInput("response", "this is not the answer of a browser to the options of beginPasskey, or it came too late, or twice, or from another page")

// FinishPasskey stores the passkey that a browser has made with the options of BeginPasskey, under
// a name that may be nil. The error is BAD_USER_INPUT if the response is not good, and CONFLICT if
// the passkey is stored already, or if the viewer has mostPasskeys.
func (f *Factors) FinishPasskey(ctx context.Context, response any, name *string) (*ent.Credential, error) {
	if !f.Passkeys {
		return nil, errNoPasskeys
	}
	parsed, err := parsedAs(response, protocol.ParseCredentialCreationResponseBytes)
	if err != nil {
		return nil, errNotMade
	}
	data := parsed.Response.CollectedClientData
	if inForeignFrame(data) {
		return nil, errNotMade
	}
	a, err := f.sessions.Viewer(ctx)
	if err != nil {
		return nil, err
	}
	o, err := ownerWithRoom(ctx, a)
	if err != nil {
		return nil, err
	}
	s, of, err := challenged(ctx, registerPasskey, data.Challenge)
	switch {
	case err != nil:
		return nil, orRefused(err, errNotMade)
	case of != a.ID:
		return nil, errNotMade
	}
	party, err := f.party(data.Origin)
	if err != nil {
		return nil, err
	}
	made, err := party.CreateCredential(o, s, parsed)
	if err != nil {
		return nil, errNotMade
	}
	return store(ctx, a.ID, made, name)
}

// store stores a new passkey of an account.
func store(ctx context.Context, account uuid.UUID, made *webauthn.Credential, name *string) (*ent.Credential, error) {
	data, err := encoded(made)
	if err != nil {
		return nil, err
	}
	row, err := ent.FromUnit(ctx).Credential.Create().SetUserID(account).SetKind(kindPasskey).SetKey(passkeyKey(made.ID)).
		SetNillableName(name).SetData(data).Save(system(ctx))
	if v, ok := database.Violation(err); ok && v.Rule == database.Unique {
		return nil, apperr.Conflict("response", "this passkey is registered already")
	}
	if err != nil {
		return nil, fmt.Errorf("store a passkey: %w", err)
	}
	return row, nil
}

// RemovePasskey removes a passkey of the viewer, who must have signed in lately, or give a code.
// The error is NOT_FOUND if the viewer has no such passkey.
func (f *Factors) RemovePasskey(ctx context.Context, id ids.ID, code *string) error {
	return f.trusted(ctx, code, func(a *session.Account) error {
		n, err := ent.FromUnit(ctx).Credential.Delete().
			Where(credential.ID(id.UUID), credential.UserID(a.ID), credential.Kind(kindPasskey)).Exec(system(ctx))
		switch {
		case err != nil:
			return fmt.Errorf("remove a passkey: %w", err)
		case n == 0:
			return apperr.NotFound(id)
		}
		return nil
	})
}

// owner is an account with its passkeys, for package webauthn.
type owner struct {
	id       uuid.UUID
	name     string
	passkeys []webauthn.Credential
}

// WebAuthnID returns the user handle: the account's key.
func (o *owner) WebAuthnID() []byte { return o.id[:] }

// WebAuthnName returns the name that devices show.
func (o *owner) WebAuthnName() string { return o.name }

// WebAuthnDisplayName returns the name that devices show.
func (o *owner) WebAuthnDisplayName() string { return o.name }

// WebAuthnCredentials returns the account's passkeys.
func (o *owner) WebAuthnCredentials() []webauthn.Credential { return o.passkeys }

// ownerWithRoom returns an account with its passkeys. It returns CONFLICT if it may not have one
// more.
func ownerWithRoom(ctx context.Context, a *session.Account) (*owner, error) {
	o := &owner{id: a.ID, name: a.Name}
	rows, err := of(ctx, a.ID, kindPasskey).All(system(ctx))
	if err != nil {
		return nil, fmt.Errorf("look for passkeys: %w", err)
	}
	if len(rows) >= mostPasskeys {
		return nil, apperr.Conflict("", "you have %d passkeys, and may not have more: remove one first", len(rows))
	}
	for _, row := range rows {
		c, err := decoded(row)
		if err != nil {
			return nil, err
		}
		o.passkeys = append(o.passkeys, *c)
	}
	return o, nil
}

// passkeyKey returns the key of the row of a passkey. An ID may have 1,023 bytes.
func passkeyKey(id []byte) string {
	sum := sha256.Sum256(id)
	return hex.EncodeToString(sum[:])
}

// encoded returns a passkey as it is stored. What only the first look at it needs is left out.
func encoded(c *webauthn.Credential) ([]byte, error) {
	c.Attestation = webauthn.CredentialAttestation{}
	data, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode a passkey: %w", err)
	}
	return data, nil
}

// decoded returns the passkey in a row.
func decoded(row *ent.Credential) (*webauthn.Credential, error) {
	c := new(webauthn.Credential)
	if err := json.Unmarshal(*row.Data, c); err != nil {
		return nil, fmt.Errorf("decode a passkey: %w", err)
	}
	return c, nil
}
