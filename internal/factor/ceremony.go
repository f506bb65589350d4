package factor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"

	"forge/ent"
	"forge/ent/credential"
	"forge/internal/apperr"
	"forge/internal/onetime"
	"forge/internal/session"
	"forge/internal/unit"
)

// party returns this server as the relying party of WebAuthn, for a response that says that it is
// from a page of an origin. If there are no Origins, the origin is good if it is RPID, whatever its
// port.
func (f *Factors) party(origin string) (*webauthn.WebAuthn, error) {
	origins := f.Origins
	if len(origins) == 0 {
		origins = []string{"http://" + f.RPID}
		if u, err := url.Parse(origin); err == nil && u.Hostname() == f.RPID {
			origins = []string{u.Scheme + "://" + u.Host}
		}
	}
	limit := webauthn.TimeoutConfig{Timeout: tokenLife, TimeoutUVD: tokenLife}
	party, err := webauthn.New(&webauthn.Config{
		RPID: f.RPID, RPDisplayName: f.Issuer, RPOrigins: origins,
		// A page of another origin may not use passkeys in a frame.
		RPTopOriginVerificationMode: protocol.TopOriginImplicitVerificationMode,
		AttestationPreference:       protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			RequireResidentKey: protocol.ResidentKeyRequired(),
			ResidentKey:        protocol.ResidentKeyRequirementRequired,
			UserVerification:   protocol.VerificationRequired,
		},
		Timeouts: webauthn.TimeoutsConfig{Login: limit, Registration: limit},
	})
	if err != nil {
		return nil, fmt.Errorf("be a relying party: %w", err)
	}
	return party, nil
}

// inForeignFrame reports whether a response is from a frame in a page of another origin that the
// browser does not name. If it does, package webauthn checks that it is one of the Origins.
func inForeignFrame(data protocol.CollectedClientData) bool {
	return data.CrossOrigin && data.TopOrigin == ""
}

// BeginSignIn returns the options with which a browser signs somebody in by a passkey. They are
// good once. Anybody may ask for them, so the answer is RATE_LIMITED or UNAVAILABLE after too many.
func (f *Factors) BeginSignIn(ctx context.Context) (options any, err error) {
	if !f.Passkeys {
		return nil, errNoPasskeys
	}
	if err := f.sessions.Ask(ctx, useChallenge); err != nil {
		return nil, err
	}
	party, err := f.party("")
	if err != nil {
		return nil, err
	}
	assertion, s, err := party.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, fmt.Errorf("make the options of a sign-in: %w", err)
	}
	return assertion.Response, onetime.Put(onetime.From(ctx, f.sessions.Client(ctx)), useChallenge, s.Challenge, uuid.Nil, s, tokenLife)
}

// errPasskey is the error for everything that can be wrong, so that it does not reveal which
// passkeys exist.
var errPasskey = &apperr.Error{Code: apperr.CodeUnauthenticated, Message: "this passkey is not good here, or came too late, or the user may not sign in"}

// SignIn begins a session for the account of a passkey, with which a browser has answered the
// options of BeginSignIn. Whatever is wrong, the error is the same UNAUTHENTICATED, or
// RATE_LIMITED.
func (f *Factors) SignIn(ctx context.Context, response any) (*session.Tokens, error) {
	if !f.Passkeys {
		return nil, errNoPasskeys
	}
	if err := f.sessions.Ask(ctx, useChallenge); err != nil {
		return nil, err
	}
	parsed, err := parsedAs(response, protocol.ParseCredentialRequestResponseBytes)
	if err != nil {
		return nil, errPasskey
	}
	data := parsed.Response.CollectedClientData
	if inForeignFrame(data) {
		return nil, errPasskey
	}
	s, _, err := challenged(ctx, useChallenge, data.Challenge)
	if err != nil {
		return nil, orRefused(err, errPasskey)
	}
	row, err := f.lockPasskey(ctx, parsed.RawID)
	if row == nil || err != nil {
		return nil, orRefused(err, errPasskey)
	}
	stored, err := decoded(row)
	if err != nil {
		return nil, err
	}
	party, err := f.party(data.Origin)
	if err != nil {
		return nil, err
	}
	o := &owner{id: row.UserID, passkeys: []webauthn.Credential{*stored}}
	used, err := party.ValidateDiscoverableLogin(func(_, _ []byte) (webauthn.User, error) { return o, nil }, s, parsed)
	switch {
	case err != nil:
		return nil, errPasskey
	case used.Authenticator.CloneWarning:
		f.Log.WarnContext(ctx, "a passkey was refused, as its counter went back: there may be a copy of it",
			"account", row.UserID, "passkey", row.GlobalID())
		return nil, errPasskey
	}
	if err := wasUsed(ctx, row, used); err != nil {
		return nil, err
	}
	return f.sessions.Begin(ctx, row.UserID, session.ByPasskey)
}

// lockPasskey returns the row of the passkey with an ID, and locks its account. It returns nil if
// there is none.
func (f *Factors) lockPasskey(ctx context.Context, id []byte) (*ent.Credential, error) {
	find := func() (*ent.Credential, error) {
		return first(ent.FromUnit(ctx).Credential.Query().Where(credential.Kind(kindPasskey), credential.Key(passkeyKey(id))).Only(system(ctx)))
	}
	row, err := find()
	if row == nil || err != nil {
		return nil, err
	}
	if a, err := f.lock(ctx, row.UserID); err != nil || a == nil || !a.Active {
		return nil, err
	}
	return find() // the counter may have changed until the account was locked
}

// wasUsed stores the counter of a passkey that was used, and when.
func wasUsed(ctx context.Context, row *ent.Credential, used *webauthn.Credential) error {
	data, err := encoded(used)
	if err != nil {
		return err
	}
	now, err := unit.FromContext(ctx).Now(ctx)
	if err != nil {
		return fmt.Errorf("read the database's clock: %w", err)
	}
	if err := row.Update().SetData(data).SetLastUsedAt(now).Exec(system(ctx)); err != nil {
		return fmt.Errorf("store the counter of a passkey: %w", err)
	}
	return nil
}

// challenged returns what was kept with the challenge of a response, which is then used up, and the
// account that it was made for.
func challenged(ctx context.Context, purpose, challenge string) (s webauthn.SessionData, account uuid.UUID, err error) {
	t, err := onetime.Use(ctx, purpose, challenge)
	if err != nil {
		return s, account, err
	}
	return s, t.Account, t.Data(&s)
}

// parsedAs parses the JSON of a browser's response.
func parsedAs[T any](response any, parse func([]byte) (T, error)) (parsed T, err error) {
	text, err := json.Marshal(response)
	if err != nil {
		return parsed, err
	}
	return parse(text)
}

// orRefused returns refused if err is nil or says that a challenge is not good. Otherwise it
// returns err.
func orRefused(err, refused error) error {
	if err == nil || errors.Is(err, onetime.ErrInvalid) {
		return refused
	}
	return err
}
