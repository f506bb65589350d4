package token

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"forge/internal/ids"
	"forge/internal/viewer"
)

// Issuer makes access tokens.
type Issuer struct {
	key              *ownKey
	issuer, audience string
	ttl              time.Duration
}

// NewIssuer returns an issuer that signs with the first of the keys, or nil if there is no key.
func NewIssuer(o Options, keys *Keys) *Issuer {
	if keys.first == nil {
		return nil
	}
	return &Issuer{keys.first, o.Issuer, o.Audience, o.TTL}
}

// user is the prefix of the IDs of users.
const user = "user"

// Issue returns a token with the ID id for a session of a user, and the time at which the token
// expires. That is now plus the lifetime of tokens, without fractions of a second. Issue always
// returns the same token for the same arguments.
//
// The token states the time issued to the microsecond. So if tokens are revoked, and another token
// is issued in the same second, the times tell them apart.
func (i *Issuer) Issue(who uuid.UUID, role viewer.Role, session, id uuid.UUID, now, issued time.Time) (text string, expires time.Time, err error) {
	expires = now.Add(i.ttl).Truncate(time.Second).UTC()
	token := jwt.NewWithClaims(i.key.method, jwt.MapClaims{
		"iss":  i.issuer,
		"aud":  i.audience,
		"sub":  ids.ID{Prefix: user, UUID: who}.String(),
		"iat":  json.Number(fmt.Sprintf("%d.%06d", issued.Unix(), issued.Nanosecond()/1000)),
		"exp":  expires.Unix(),
		"jti":  id.String(),
		"sid":  session.String(),
		"role": role.String(),
	})
	token.Header["kid"] = i.key.id
	token.Header["typ"] = "at+jwt" // https://www.rfc-editor.org/rfc/rfc9068#section-2.1
	text, err = token.SignedString(i.key.sign)
	return text, expires, err
}
