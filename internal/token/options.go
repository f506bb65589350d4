// Package token makes and verifies the bearer tokens of requests. They are JSON Web Tokens (RFC
// 7519): Forge's own, and those of an OpenID Connect provider.
package token

import "time"

// Options are the settings for tokens.
type Options struct {
	Secret   string        // signs Forge's own tokens, as bytes; "" for none
	KeysFile string        // the path of a JSON Web Key Set that signs them; "" for none
	TTL      time.Duration // the lifetime of Forge's own tokens

	Issuer, Audience string // of all tokens

	JWKSURL   string // the address of a provider's keys; "" for no provider
	RoleClaim string // the claim of a provider's tokens with the role: see claims.role
	UserClaim string // the claim of a provider's tokens that may have the ID of a user of Forge

	CursorSecret string // see CursorKey; "" for none
}

// Given reports whether there are keys, or a provider, that tokens can be verified with.
func (o Options) Given() bool { return o.Secret != "" || o.KeysFile != "" || o.JWKSURL != "" }

// MinSecret is the smallest number of bytes of a secret for HS256. It is the size of the hash:
// https://www.rfc-editor.org/rfc/rfc7518#section-3.2.
const MinSecret = 32
