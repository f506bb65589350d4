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

// Verifier tells whose a token is. It is safe for concurrent use.
type Verifier struct {
	// Revocations are asked for each request. Nil: none of the tokens is revoked, and Forge's own are judged by this machine's clock.
	Revocations Revocations

	options  Options
	own      *keySet
	provider *provider // nil if there is none
	parser   *jwt.Parser
	ownRules *jwt.Validator
	rules    *jwt.Validator // of the provider's tokens
	now      func() time.Time
	state    atomic.Pointer[state]
}

// Revocations know when the tokens of users were ended.
type Revocations interface {
	// ValidAfter returns the time before which no token of the user counts, zero if there is none. The error is what to tell the sender of a
	// token if that is not known at present.
	ValidAfter(user uuid.UUID) (time.Time, error)
	// Now returns the time by the clock that Forge's own tokens are issued by.
	Now() time.Time
}

// UnknownError says that a token may hold, and that it cannot be judged at present.
type UnknownError struct{ reason error }

// Error returns the reason, which is for the sender of the token.
func (e *UnknownError) Error() string { return e.reason.Error() }

// state is what changes with the provider's keys: tokens that were verified with others are not remembered.
type state struct {
	keys  *keySet // nil until they were fetched
	known *cache.Cache[known]
}

// known is what a verified token says.
type known struct {
	viewer        viewer.Viewer
	issued, until time.Time
	ours          bool // by one of Forge's own keys
}

const (
	maxToken = 8 << 10
	// leeway is how far the clocks of others may differ from ours.
	leeway = 5 * time.Second
	// How many verified tokens are remembered, and in how many bytes.
	remembered      = 20_000
	rememberedBytes = 8 << 20
)

// NewVerifier returns what checks tokens with Forge's own keys and with those of the provider, if the options name one. These are fetched by
// Fetch and KeepFresh, and when a token names a new one.
func NewVerifier(o Options, own *Keys, log *slog.Logger) *Verifier {
	v := &Verifier{options: o, own: own.all, now: time.Now}
	algorithms := slices.Clone(ownAlgorithms)
	if o.JWKSURL != "" {
		v.provider = newProvider(o.JWKSURL, v.replace, log)
		algorithms = append(algorithms, providerAlgorithms...)
	}
	v.parser = jwt.NewParser(jwt.WithValidMethods(algorithms), jwt.WithStrictDecoding(), jwt.WithoutClaimsValidation())
	rules := []jwt.ParserOption{jwt.WithIssuer(o.Issuer), jwt.WithAudience(o.Audience), jwt.WithExpirationRequired(),
		jwt.WithTimeFunc(func() time.Time { return v.now() })}
	v.ownRules = jwt.NewValidator(append(rules, jwt.WithTimeFunc(v.ownNow))...)
	v.rules = jwt.NewValidator(append(rules, jwt.WithLeeway(leeway))...)
	v.replace(nil)
	return v
}

func (v *Verifier) replace(keys *keySet) {
	v.state.Store(&state{keys, cache.New[known](remembered, rememberedBytes, nil)})
}

// Fetch gets the provider's keys, if there is one. The error has been logged.
func (v *Verifier) Fetch(ctx context.Context) error {
	if v.provider == nil {
		return nil
	}
	return v.provider.fetch(ctx)
}

// KeepFresh fetches the provider's keys every hour, and more often while that fails, until ctx ends.
func (v *Verifier) KeepFresh(ctx context.Context) {
	if v.provider != nil {
		v.provider.keepFresh(ctx)
	}
}

// ownNow returns the time that Forge's own tokens are judged by: that of the clock that stamped them.
func (v *Verifier) ownNow() time.Time {
	if v.Revocations != nil {
		return v.Revocations.Now()
	}
	return v.now()
}

// clock returns the time that a token is judged by.
func (v *Verifier) clock(ours bool) time.Time {
	if ours {
		return v.ownNow()
	}
	return v.now()
}

// Verify returns whose a token is, and when it was issued; zero if it does not say. The error is a Refusal, ErrNoKeys, or an *UnknownError.
func (v *Verifier) Verify(text string) (viewer.Viewer, time.Time, error) {
	if len(text) > maxToken {
		return viewer.Viewer{}, time.Time{}, errTooLong
	}
	state := v.state.Load()
	found, ok := state.known.Get(text)
	if !ok || !v.clock(found.ours).Before(found.until) {
		var err error
		if found, state, err = v.check(text, state); err != nil {
			return viewer.Viewer{}, time.Time{}, err
		}
		state.known.Add(text, found, knownBytes)
	}
	if err := v.current(&found); err != nil {
		return viewer.Viewer{}, time.Time{}, err
	}
	return found.viewer, found.issued, nil
}

// current returns an error if a token was revoked, or could not be. A token that was issued at a time that is still to come would
// outlive its revocation; but one that was issued at the very time of the last revocation is the first after it, whatever clocks say.
func (v *Verifier) current(found *known) error {
	var after time.Time
	if v.Revocations != nil && !found.viewer.Stranger {
		var err error
		if after, err = v.Revocations.ValidAfter(found.viewer.ID); err != nil {
			return &UnknownError{err}
		}
	}
	switch {
	case found.issued.Before(after):
		return errRevoked
	case found.issued.After(v.clock(found.ours).Add(leeway)) && !found.issued.Equal(after):
		return errEarly
	}
	return nil
}

// knownBytes is what a remembered token takes beside its text, about.
const knownBytes = 256

// check verifies a token that is not remembered. It returns the state whose keys it was verified with.
func (v *Verifier) check(text string, now *state) (known, *state, error) {
	if strings.ContainsFunc(text, notInToken) {
		return known{}, nil, errMalformed
	}
	var said claims
	var ours bool
	token, err := v.parser.ParseWithClaims(text, &said, func(token *jwt.Token) (key any, err error) {
		name, err := nameOfKey(token)
		if err != nil {
			return nil, err
		}
		if key = v.own.find(name); key != nil {
			ours = true
			return key, nil
		}
		key, now, err = v.theirs(name, &said, now)
		return key, err
	})
	if err != nil {
		return known{}, nil, refusalOf(err)
	}
	if !isAccessToken(token) {
		return known{}, nil, errHeader
	}
	found, err := v.judge(&said, ours)
	return found, now, err
}

// notInToken is whether a token cannot have a character: it has those of base64url, and dots. The decoder would skip line breaks.
func notInToken(c rune) bool {
	return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.')
}

// nameOfKey returns which key a token says that it was signed with. Keys that a token brings along or links to are not looked at.
func nameOfKey(token *jwt.Token) (keyName, error) {
	for _, name := range []string{"crit", "enc", "b64"} {
		if _, ok := token.Header[name]; ok {
			return keyName{}, errHeader
		}
	}
	id, given := token.Header["kid"]
	name, ok := id.(string)
	if given && (!ok || name == "" || len(name) > maxID) {
		return keyName{}, errKey
	}
	return keyName{name, token.Method.Alg()}, nil
}

// isAccessToken is whether a token's type is none, or one of access tokens. Others are made for other ends
// (https://www.rfc-editor.org/rfc/rfc8725#section-3.11).
func isAccessToken(token *jwt.Token) bool {
	kind, given := token.Header["typ"]
	name, ok := kind.(string)
	if !given || !ok {
		return !given
	}
	name = strings.TrimPrefix(strings.ToLower(name), "application/")
	return name == "jwt" || name == "at+jwt"
}

// theirs returns the provider's key of a name, and the state that it is in.
func (v *Verifier) theirs(name keyName, said *claims, now *state) (any, *state, error) {
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
	v.provider.again()
	now = v.state.Load()
	if now.keys == nil {
		return nil, nil, ErrNoKeys
	}
	if key := now.keys.find(name); key != nil {
		return key, now, nil
	}
	return nil, nil, errKey
}

// judge returns what the claims of a token say whose signature is valid.
func (v *Verifier) judge(said *claims, ours bool) (known, error) {
	rules, slack := v.rules, leeway
	if ours {
		rules, slack = v.ownRules, 0
	}
	if err := rules.Validate(said); err != nil {
		return known{}, refusalOf(err)
	}
	found := known{ours: ours}
	expires, _ := said.GetExpirationTime() // it was validated
	found.until = expires.Add(slack)
	issued, err := said.GetIssuedAt()
	switch {
	case err != nil:
		return known{}, errClaims
	case issued != nil:
		found.issued = issued.Time
	}
	found.viewer, err = v.viewer(said, ours)
	return found, err
}

// viewer returns whom the claims name.
func (v *Verifier) viewer(said *claims, ours bool) (viewer.Viewer, error) {
	subject := said.text("sub")
	if subject == "" {
		return viewer.Viewer{}, errSubject
	}
	if ours {
		id, ok := userID(subject)
		if !ok {
			return viewer.Viewer{}, errSubject
		}
		return viewer.Viewer{ID: id, Role: said.role("role")}, nil
	}
	id, known := userID(said.text(v.options.UserClaim))
	if !known {
		id = stranger(v.options.Issuer, subject)
	}
	return viewer.Viewer{ID: id, Role: said.role(v.options.RoleClaim), Stranger: !known}, nil
}
