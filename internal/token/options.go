// Package token makes and checks the bearer tokens by which a request says who it comes from: JSON Web Tokens (RFC 7519), Forge's own and
// those of an OpenID Connect provider.
package token

import "time"

// Options are what an operator decides about tokens.
type Options struct {
	Secret   string // that Forge's own tokens are signed with, as bytes; "" for none
	KeysFile string // the path of a JSON Web Key Set that they are signed with; "" for none
	TTL      time.Duration

	Issuer, Audience string // of all tokens

	JWKSURL   string // where a provider publishes its keys; "" for no provider
	RoleClaim string // of the provider's tokens: see claims.role
	UserClaim string // of the provider's tokens: the one that may hold the ID of a Forge user

	CursorSecret string // "" for none: see CursorKey
}

// Given reports whether there is something that tokens can be checked with.
func (o Options) Given() bool { return o.Secret != "" || o.KeysFile != "" || o.JWKSURL != "" }

// MinSecret is how many bytes a secret for HS256 has at least: as many as its hash, https://www.rfc-editor.org/rfc/rfc7518#section-3.2.
const MinSecret = 32
