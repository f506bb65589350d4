package token

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"forge/internal/ids"
	"forge/internal/viewer"
)

// claims are the claims of a token. Their times are exact to the microsecond.
type claims struct{ jwt.MapClaims }

// UnmarshalJSON reads the claims. It keeps numbers as they are written, so that times lose no
// digits.
func (c *claims) UnmarshalJSON(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(&c.MapClaims)
}

// GetExpirationTime returns the time in the claim exp, or nil if there is no such claim.
func (c *claims) GetExpirationTime() (*jwt.NumericDate, error) { return c.time("exp") }

// GetNotBefore returns the time in the claim nbf, or nil if there is no such claim.
func (c *claims) GetNotBefore() (*jwt.NumericDate, error) { return c.time("nbf") }

// GetIssuedAt returns the time in the claim iat, or nil if there is no such claim.
func (c *claims) GetIssuedAt() (*jwt.NumericDate, error) { return c.time("iat") }

// maxTime is the last second of the year 9999.
const maxTime = 253402300799

// time returns the time in a claim, or nil if the claim is missing. It returns an error if the
// claim is not a number of seconds since 1970, or is after the year 9999.
func (c *claims) time(name string) (*jwt.NumericDate, error) {
	value, present := c.MapClaims[name]
	if !present {
		return nil, nil
	}
	number, _ := value.(json.Number)
	seconds, err := number.Float64()
	if err != nil || seconds < 0 || seconds > maxTime {
		return nil, jwt.ErrInvalidType
	}
	return &jwt.NumericDate{Time: time.UnixMicro(int64(math.Round(seconds * 1e6)))}, nil
}

// text returns the text of a claim, or "" if the claim is missing or is not a string.
func (c *claims) text(name string) string {
	text, _ := c.MapClaims[name].(string)
	return text
}

// role returns Admin if the claim is "ADMIN", or a list that contains it. Upper and lower case make
// no difference. In all other cases, role returns User. If no claim has that name, the name is
// taken for a path: "realm_access.roles" is the member "roles" of the claim "realm_access".
func (c *claims) role(claim string) viewer.Role {
	for _, name := range c.names(claim) {
		if roleOf(name) == viewer.Admin {
			return viewer.Admin
		}
	}
	return viewer.User
}

// roles returns those of the known roles of the application that the claim names. The claim is read
// as by role.
func (c *claims) roles(claim string, known []string) viewer.Roles {
	names := c.names(claim)
	return viewer.NewRoles(slices.DeleteFunc(slices.Clone(known), func(role string) bool {
		return !slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, role) })
	})...)
}

// names returns the texts in a claim that is a text or a list.
func (c *claims) names(claim string) (names []string) {
	switch value := c.at(claim).(type) {
	case string:
		return []string{value}
	case []any:
		for _, entry := range value {
			if name, ok := entry.(string); ok {
				names = append(names, name)
			}
		}
	}
	return names
}

// maxTenant is how many bytes the key of a tenant has at most.
const maxTenant = 255

// tenant returns the tenant in a claim: a text, or a whole number as it is written. It returns ""
// if there is none, or if claim is "".
func (c *claims) tenant(claim string) string {
	if claim == "" {
		return ""
	}
	text, _ := c.at(claim).(string)
	if number, ok := c.at(claim).(json.Number); ok {
		text = number.String()
	}
	if len(text) > maxTenant {
		return ""
	}
	return text
}

// at returns the claim with the name path. If there is none, it follows path from object to object,
// and returns nil if that leads to nothing.
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

// roleOf returns the role with a name. An unknown name means User.
func roleOf(name string) viewer.Role {
	role, _ := viewer.ParseRole(name)
	return max(role, viewer.User)
}

// userID returns the UUID in the ID of a user. It returns false if the text is not the ID of a
// user.
func userID(text string) (uuid.UUID, bool) {
	id, err := ids.Parse(text)
	return id.UUID, err == nil && id.Prefix == user && id.UUID != uuid.Nil
}

// providerNamespace is the namespace of the UUIDs that providerID makes.
var providerNamespace = uuid.MustParse("6a0c5f0e-63b0-4f0a-9d1c-2b7e4d9c8a51")

// providerID returns an ID for somebody who is known to a provider but is not a user of Forge. The
// ID is a UUID of version 5. The IDs of rows have version 7, so no row has this ID.
func providerID(issuer, subject string) uuid.UUID {
	return uuid.NewSHA1(providerNamespace, []byte(issuer+"\x00"+subject))
}
