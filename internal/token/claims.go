package token

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"forge/internal/ids"
	"forge/internal/viewer"
)

// claims are what a token says, with times to the microsecond.
type claims struct{ jwt.MapClaims }

// UnmarshalJSON keeps numbers as they are written.
func (c *claims) UnmarshalJSON(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(&c.MapClaims)
}

// GetExpirationTime returns exp, nil if it is missing.
func (c *claims) GetExpirationTime() (*jwt.NumericDate, error) { return c.time("exp") }

// GetNotBefore returns nbf, nil if it is missing.
func (c *claims) GetNotBefore() (*jwt.NumericDate, error) { return c.time("nbf") }

// GetIssuedAt returns iat, nil if it is missing.
func (c *claims) GetIssuedAt() (*jwt.NumericDate, error) { return c.time("iat") }

// latest is the last second that a time can be in, that of the year 9999.
const latest = 253402300799

func (c *claims) time(name string) (*jwt.NumericDate, error) {
	value, given := c.MapClaims[name]
	if !given {
		return nil, nil
	}
	number, _ := value.(json.Number)
	seconds, err := number.Float64()
	if err != nil || seconds < 0 || seconds > latest {
		return nil, jwt.ErrInvalidType
	}
	return &jwt.NumericDate{Time: time.UnixMicro(int64(math.Round(seconds * 1e6)))}, nil
}

// text returns a claim that is a text, and else "".
func (c *claims) text(name string) string {
	text, _ := c.MapClaims[name].(string)
	return text
}

// role returns the role that a claim gives: an administrator's if it is ADMIN, or a list that has it, in capital letters or not. Where
// there is no claim of that name, the name is a path: realm_access.roles is the member roles of the claim realm_access.
func (c *claims) role(claim string) viewer.Role {
	switch value := c.at(claim).(type) {
	case string:
		return roleOf(value)
	case []any:
		for _, entry := range value {
			if name, _ := entry.(string); roleOf(name) == viewer.Admin {
				return viewer.Admin
			}
		}
	}
	return viewer.User
}

func (c *claims) at(path string) any {
	if value, ok := c.MapClaims[path]; ok {
		return value
	}
	var value any = map[string]any(c.MapClaims)
	for name := range strings.SplitSeq(path, ".") {
		object, _ := value.(map[string]any)
		value = object[name]
	}
	return value
}

func roleOf(name string) viewer.Role {
	if strings.EqualFold(name, adminRole) {
		return viewer.Admin
	}
	return viewer.User
}

// userID returns the user of an ID that clients see.
func userID(text string) (uuid.UUID, bool) {
	id, err := ids.Parse(text)
	return id.UUID, err == nil && id.Prefix == user && id.UUID != uuid.Nil
}

// elsewhere is the namespace of IDs for people whom a provider knows, and Forge does not.
var elsewhere = uuid.MustParse("6a0c5f0e-63b0-4f0a-9d1c-2b7e4d9c8a51")

// stranger returns the ID of somebody whom a provider knows by a subject. It is of version 5 and the IDs of rows are of version 7, so no row
// belongs to it.
func stranger(issuer, subject string) uuid.UUID {
	return uuid.NewSHA1(elsewhere, []byte(issuer+"\x00"+subject))
}
