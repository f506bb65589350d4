package doctor

import (
	"context"
	"fmt"
	"time"

	"forge/internal/database"
	"forge/internal/token"
)

// providerTimeout is how long a provider may take to send its keys.
const providerTimeout = 3 * time.Second

// identity examines the keys that verify tokens. It reports nothing if AUTH is off, or if there is
// no key: the check of the settings reports the latter.
func (d *Doctor) identity(ctx context.Context, _ *database.DB) (found []Finding) {
	s := d.config
	if !s.Auth || !s.Token.Given() {
		return nil
	}
	keys, err := token.ReadKeys(s.Token.Secret, s.Token.KeysFile)
	if err != nil {
		return append(found, fail("identity", fmt.Sprintf("%s=%s: %v", s.NameOf("AUTH_KEYS_FILE"), s.Token.KeysFile, err),
			"`forge serve` does not start like this. Name a JSON Web Key Set of private keys that this user can read."))
	}
	if token.Exposed(s.Token.KeysFile) {
		found = append(found, warn("identity", "other users of this machine can read "+s.Token.KeysFile+", and sign tokens as anybody",
			"chmod o= "+s.Token.KeysFile))
	}
	if s.Token.JWKSURL == "" {
		return append(found, ok("identity", "%s of Forge's own", counted(keys.Len(), "key")))
	}
	ctx, cancel := context.WithTimeout(ctx, providerTimeout)
	defer cancel()
	usable, err := token.CountKeys(ctx, s.Token.JWKSURL)
	switch {
	case err != nil:
		return append(found, warn("identity", "the provider's keys cannot be fetched: "+err.Error(),
			"Until they can, who has a token of the provider gets UNAVAILABLE from a process that starts; others go on with the keys that they have."))
	case usable == 0:
		return append(found, warn("identity", "none of the provider's keys can be used", "See that "+s.NameOf("AUTH_JWKS_URL")+" leads to keys for signing."))
	}
	return append(found, ok("identity", "%s of Forge's own, and %s of the provider", counted(keys.Len(), "key"), counted(usable, "key")))
}
