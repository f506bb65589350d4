// Package token makes and verifies the bearer tokens of requests. All are JSON Web Tokens (RFC
// 7519). Forge signs tokens itself, and also accepts those of an OpenID Connect provider.
package token

import "time"

// Options are the settings for tokens.
type Options struct {
	Secret   string        // signs Forge's own tokens; "" for none
	KeysFile string        // the path of a JSON Web Key Set that signs them; "" for none
	TTL      time.Duration // the lifetime of Forge's own tokens

	Issuer, Audience string // of both kinds of tokens

	JWKSURL   string // the address of a provider's keys; "" for no provider
	RoleClaim string // the claim of a provider's tokens that has the role, as claims.role reads it
	UserClaim string // the claim of a provider's tokens that may have the ID of a user of Forge
	// TenantClaim is the claim of a provider's tokens that has the viewer's tenant; "" for none.
	TenantClaim string
	Roles       []string // the roles of the application's own that RoleClaim may name

	CursorSecret  string   // the secret for CursorKey; "" for none
	FactorSecrets []string // the secrets for FactorKeys; the first one seals
}

// Given reports whether there is a key or a provider, so that tokens can be verified.
func (o Options) Given() bool { return o.Secret != "" || o.KeysFile != "" || o.JWKSURL != "" }

// MinSecret is the smallest number of bytes of a secret for HS256. RFC 7518 demands as many bytes
// as the hash has: https://www.rfc-editor.org/rfc/rfc7518#section-3.2.
const MinSecret = 32
