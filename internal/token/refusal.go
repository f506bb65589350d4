package token

import (
	"errors"

	"github.com/golang-jwt/jwt/v5"
)

// Refusal is the reason why a token is refused. It is shown to the sender of the token, so it
// reveals nothing about the content of the token or about the keys.
type Refusal string

// Error returns the reason.
func (r Refusal) Error() string { return string(r) }

// These are the reasons for refusing a token.
const (
	errTooLong   Refusal = "the token is longer than 8192 bytes"
	errMalformed Refusal = "the token is not a signed JSON Web Token"
	errAlgorithm Refusal = "the token's algorithm is not allowed"
	errHeader    Refusal = "the token's header asks for what is not supported"
	errKey       Refusal = "the token's key is not known"
	errSignature Refusal = "the token's signature is not valid"
	errClaims    Refusal = "the token's claims are not valid"
	errExpired   Refusal = "the token has expired"
	errEarly     Refusal = "the token is not valid yet"
	errAudience  Refusal = "the token is for another audience"
	errIssuer    Refusal = "the token is from another issuer"
	errSubject   Refusal = "the token does not say whose it is"
	errRevoked   Refusal = "the token has been revoked"
)

// ErrNoKeys means that a token cannot be verified yet, because the provider's keys have not been
// fetched.
var ErrNoKeys = errors.New("the provider's keys are not there yet; try again")

// refusalOf returns the error to show to the sender of a token. err comes from the JWT library,
// which may have wrapped an error of this package.
func refusalOf(err error) error {
	if refusal, ok := errors.AsType[Refusal](err); ok {
		return refusal
	}
	for _, known := range []struct {
		is      error
		refusal error
	}{
		{ErrNoKeys, ErrNoKeys},
		{jwt.ErrTokenSignatureInvalid, errSignature},
		{jwt.ErrTokenExpired, errExpired},
		{jwt.ErrTokenNotValidYet, errEarly},
		{jwt.ErrTokenUsedBeforeIssued, errEarly},
		{jwt.ErrTokenInvalidIssuer, errIssuer},
		{jwt.ErrTokenInvalidAudience, errAudience},
		{jwt.ErrTokenMalformed, errMalformed},
		{jwt.ErrTokenUnverifiable, errAlgorithm},
	} {
		if errors.Is(err, known.is) {
			return known.refusal
		}
	}
	return errClaims
}
