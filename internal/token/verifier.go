package token

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"forge/internal/cache"
	"forge/internal/viewer"
)

// Verifier verifies tokens. It is safe for concurrent use.
type Verifier struct {
	// Revocations is asked for each token. It must be set before the first token is verified. If it
	// is nil, no token counts as revoked, and Forge's own tokens are judged by the clock of this
	// machine.
	Revocations Revocations

	options       Options
	own           *keySet
	provider      *provider // nil if there is none
	parser        *jwt.Parser
	ownRules      *jwt.Validator // for the claims of Forge's own tokens
	providerRules *jwt.Validator // for the claims of the provider's tokens
	now           func() time.Time
	state         atomic.Pointer[state]
}

// Revocations tells which tokens of users have been revoked.
type Revocations interface {
	// ValidAfter returns the time before which all tokens of a user are revoked, or zero if none
	// are. It returns an error if the time is not known at present. The error is shown to the
	// sender of the token.
	ValidAfter(user uuid.UUID) (time.Time, error)
	// Now returns the time of the clock that sets the times in Forge's own tokens.
	Now() time.Time
}

// UnknownError means that it is not known at present whether a token is valid.
type UnknownError struct{ reason error }

// Error returns the reason, which is shown to the sender of the token.
func (e *UnknownError) Error() string { return e.reason.Error() }

// state holds the provider's keys, and the tokens that were verified with them. It is replaced as a
// whole when the keys change.
type state struct {
	keys   *keySet // the provider's keys; nil until they are fetched
	tokens *cache.Cache[verified]
}

// verified is what a verified token says.
type verified struct {
	viewer viewer.Viewer
	// issued is when the token was issued at the earliest: the clock of a provider may be ahead of
	// the database's, by which users' tokens are ended.
	issued, until time.Time
	own           bool // whether one of Forge's own keys signed the token
}

const (
	maxToken = 8 << 10 // bytes
	// leeway is how much another machine's clock may differ from this machine's.
	leeway = 5 * time.Second
	// These are the limits of the cache of verified tokens.
	maxCached      = 20_000
	maxCachedBytes = 8 << 20
)

// NewVerifier returns a verifier with Forge's own keys. If the options name a provider, the
// verifier also accepts its tokens. Fetch and KeepFresh fetch the provider's keys. They are fetched
// again when a token names an unknown key.
func NewVerifier(o Options, own *Keys, log *slog.Logger) *Verifier {
	v := &Verifier{options: o, own: own.all, now: time.Now}
	algorithms := slices.Clone(ownAlgorithms)
	if o.JWKSURL != "" {
		v.provider = newProvider(o.JWKSURL, v.replace, log)
		algorithms = append(algorithms, providerAlgorithms...)
	}
	v.parser = jwt.NewParser(jwt.WithValidMethods(algorithms), jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation())
	rules := []jwt.ParserOption{
		jwt.WithIssuer(o.Issuer), jwt.WithAudience(o.Audience), jwt.WithExpirationRequired(),
		jwt.WithTimeFunc(func() time.Time { return v.now() }),
	}
	v.ownRules = jwt.NewValidator(append(rules, jwt.WithTimeFunc(v.ownNow))...)
	v.providerRules = jwt.NewValidator(append(rules, jwt.WithLeeway(leeway))...)
	v.replace(nil)
	return v
}

// replace sets the provider's keys, and forgets the tokens that were verified with the old ones.
func (v *Verifier) replace(keys *keySet) {
	v.state.Store(&state{keys, cache.New[verified](maxCached, maxCachedBytes, nil)})
}

// Fetch fetches the provider's keys. Without a provider it does nothing. Its error has been logged
// already.
func (v *Verifier) Fetch(ctx context.Context) error {
	if v.provider == nil {
		return nil
	}
	return v.provider.fetch(ctx)
}

// KeepFresh fetches the provider's keys every hour until ctx ends, and more often while fetches
// fail. Without a provider it does nothing.
func (v *Verifier) KeepFresh(ctx context.Context) {
	if v.provider != nil {
		v.provider.keepFresh(ctx)
	}
}

// ownNow returns the time of the clock that sets the times in Forge's own tokens.
func (v *Verifier) ownNow() time.Time {
	if v.Revocations != nil {
		return v.Revocations.Now()
	}
	return v.now()
}

// clock returns the time by which to judge a token. own tells whether Forge has signed the token.
func (v *Verifier) clock(own bool) time.Time {
	if own {
		return v.ownNow()
	}
	return v.now()
}

// Verify returns the viewer whom a token names, and the time when the token was issued. If a
// provider issued it, the time is 5 s earlier than it says, as clocks may differ. The time is zero
// if the token does not state it. The error is a Refusal, ErrNoKeys, or an *UnknownError.
func (v *Verifier) Verify(text string) (viewer.Viewer, time.Time, error) {
	if len(text) > maxToken {
		return viewer.Viewer{}, time.Time{}, errTooLong
	}
	state := v.state.Load()
	found, ok := state.tokens.Get(text)
	if !ok || !v.clock(found.own).Before(found.until) {
		var err error
		if found, state, err = v.check(text, state); err != nil {
			return viewer.Viewer{}, time.Time{}, err
		}
		state.tokens.Add(text, found, cachedBytes)
	}
	if err := v.checkRevoked(&found); err != nil {
		return viewer.Viewer{}, time.Time{}, err
	}
	return found.viewer, found.issued, nil
}

// checkRevoked returns an error if a token has been revoked. It also refuses a token that was
// issued in the future, because a revocation at the present time would not end such a token. There
// is one exception: a token that was issued at exactly the time of the user's last revocation is
// the first new one. It is valid even if this clock is behind.
func (v *Verifier) checkRevoked(found *verified) error {
	var after time.Time
	if v.Revocations != nil && !found.viewer.Stranger {
		var err error
		if after, err = v.Revocations.ValidAfter(found.viewer.ID); err != nil {
			return &UnknownError{err}
		}
	}
	said := found.issued
	if !found.own {
		said = said.Add(leeway)
	}
	switch {
	case found.issued.Before(after):
		return errRevoked
	case said.After(v.clock(found.own).Add(leeway)) && !found.issued.Equal(after):
		return errEarly
	}
	return nil
}

// cachedBytes is roughly the memory that a cached token takes in addition to its text.
const cachedBytes = 256

// check verifies a token that is not in the cache. It also returns the state whose keys were used,
// because the keys may have been replaced meanwhile.
func (v *Verifier) check(text string, now *state) (verified, *state, error) {
	if strings.ContainsFunc(text, notInToken) {
		return verified{}, nil, errMalformed
	}
	var said claims
	var own bool
	token, err := v.parser.ParseWithClaims(text, &said, func(token *jwt.Token) (key any, err error) {
		name, err := nameOfKey(token)
		if err != nil {
			return nil, err
		}
		if key = v.own.find(name); key != nil {
			own = true
			return key, nil
		}
		key, now, err = v.providerKey(name, &said, now)
		return key, err
	})
	if err != nil {
		return verified{}, nil, refusalOf(err)
	}
	if !isAccessToken(token) {
		return verified{}, nil, errHeader
	}
	found, err := v.validate(&said, own)
	return found, now, err
}

// notInToken reports whether a character cannot be in a token. Tokens consist of base64url and
// dots. They are checked beforehand, because the JWT library's decoder would skip line breaks.
func notInToken(c rune) bool {
	return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.')
}

// nameOfKey returns the name of the key that signed a token, from the token's header. If the header
// contains a key, or the address of one, that is ignored: an attacker could have put it there.
func nameOfKey(token *jwt.Token) (keyName, error) {
	for _, name := range []string{"crit", "enc", "b64"} {
		if _, ok := token.Header[name]; ok {
			return keyName{}, errHeader
		}
	}
	id, present := token.Header["kid"]
	name, ok := id.(string)
	if present && (!ok || name == "" || len(name) > maxID) {
		return keyName{}, errKey
	}
	return keyName{name, token.Method.Alg()}, nil
}

// isAccessToken reports whether a token may be used as an access token: its header has no type, or
// the type of access tokens. Other types are for other uses
// (https://www.rfc-editor.org/rfc/rfc8725#section-3.11).
func isAccessToken(token *jwt.Token) bool {
	kind, present := token.Header["typ"]
	name, ok := kind.(string)
	if !present || !ok {
		return !present
	}
	name = strings.TrimPrefix(strings.ToLower(name), "application/")
	return name == "jwt" || name == "at+jwt"
}

// providerKey returns the provider's key with a name, and the state that holds the key. If the key
// is unknown, providerKey fetches the provider's keys again.
func (v *Verifier) providerKey(name keyName, said *claims, now *state) (any, *state, error) {
	switch {
	case !slices.Contains(providerAlgorithms, name.algorithm), v.provider == nil, v.own.has(name.id, ownAlgorithms):
		return nil, nil, errKey
	case said.text("iss") != v.options.Issuer:
		return nil, nil, errIssuer
	}
	if now.keys != nil {
		if key := now.keys.find(name); key != nil {
			return key, now, nil
		}
	}
	v.provider.fetchAgain()
	now = v.state.Load()
	if now.keys == nil {
		return nil, nil, ErrNoKeys
	}
	if key := now.keys.find(name); key != nil {
		return key, now, nil
	}
	return nil, nil, errKey
}

// validate returns the content of a token whose signature is valid. It returns an error if the
// claims of the token are not valid.
func (v *Verifier) validate(said *claims, own bool) (verified, error) {
	rules, slack := v.providerRules, leeway
	if own {
		rules, slack = v.ownRules, 0
	}
	if err := rules.Validate(said); err != nil {
		return verified{}, refusalOf(err)
	}
	found := verified{own: own}
	expires, _ := said.GetExpirationTime() // validated above, so there is no error
	found.until = expires.Add(slack)
	issued, err := said.GetIssuedAt()
	switch {
	case err != nil:
		return verified{}, errClaims
	case issued != nil && own:
		found.issued = issued.Time
	case issued != nil:
		found.issued = issued.Add(-leeway)
	}
	found.viewer, err = v.viewer(said, own)
	return found, err
}

// viewer returns the viewer whom the claims name.
func (v *Verifier) viewer(said *claims, own bool) (viewer.Viewer, error) {
	subject := said.text("sub")
	if subject == "" {
		return viewer.Viewer{}, errSubject
	}
	if own {
		id, ok := userID(subject)
		if !ok {
			return viewer.Viewer{}, errSubject
		}
		session, _ := uuid.Parse(said.text("sid")) // tokens of earlier versions have none
		return viewer.Viewer{ID: id, Role: said.role("role"), Session: session}, nil
	}
	id, known := userID(said.text(v.options.UserClaim))
	if !known {
		id = providerID(v.options.Issuer, subject)
	}
	o := &v.options
	return viewer.Viewer{ID: id, Role: said.role(o.RoleClaim), Roles: said.roles(o.RoleClaim, o.Roles), Tenant: said.tenant(o.TenantClaim), Stranger: !known}, nil
}
