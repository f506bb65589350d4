package settings

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"forge/internal/token"
)

// hidden is how a secret is shown.
func hidden(string) string { return "…" }

// secret returns how a secret is set that a key is made of.
func secret(field func(*Settings) *string) func(*Settings, string) error {
	return func(s *Settings, value string) error {
		switch {
		case value == off:
			return nil
		case len(value) < token.MinSecret:
			return fmt.Errorf("it has %d bytes", len(value))
		}
		*field(s) = value
		return nil
	}
}

// optional returns how a text is set that may be none.
func optional(field func(*Settings) *string) func(*Settings, string) error {
	return func(s *Settings, value string) error {
		switch value {
		case off:
			return nil
		case "":
			return errNotAllowed
		}
		*field(s) = value
		return nil
	}
}

// named returns how a name is set that isName holds for.
func named(field func(*Settings) *string) func(*Settings, string) error {
	return func(s *Settings, value string) error {
		if !isName(value) {
			return errNotAllowed
		}
		*field(s) = value
		return nil
	}
}

// nameAllowed says what isName holds for.
const nameAllowed = "1 to 255 bytes of UTF-8 without control characters, not all of them spaces"

// isName is whether a value can be what others call something: line ends and the like come of mistakes in scripts, and are seen nowhere.
func isName(value string) bool {
	return len(value) <= 255 && utf8.ValidString(value) && strings.TrimSpace(value) != "" && !strings.ContainsFunc(value, unicode.IsControl)
}

// whoFor returns how the issuer or the audience is set, which has to be said of a provider.
func whoFor(field func(*Settings) *string) func(*Settings, string) error {
	return func(s *Settings, value string) error {
		if value == "" && s.Token.JWKSURL != "" {
			return errors.New("with AUTH_JWKS_URL it has to be said whose tokens are taken, and for whom they are made, by AUTH_ISSUER and AUTH_AUDIENCE")
		}
		return named(field)(s, value)
	}
}

// forgeUnlessProvider is the issuer and the audience of Forge's own tokens. Those of a provider are nothing to guess.
func forgeUnlessProvider(s *Settings) string {
	if s.Token.JWKSURL != "" {
		return ""
	}
	return "forge"
}

// setJWKS takes the address of keys. Whoever can change what comes from there can sign in as anybody, so it has to be TLS, or this machine.
func setJWKS(s *Settings, value string) error {
	if value == off {
		return nil
	}
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Host == "" || u.Fragment != "":
		return errNotAllowed
	case u.User != nil:
		return errors.New("it has a user")
	case u.Scheme == "http" && !isLoopbackHost(u.Hostname()):
		return errors.New("what comes over http could be changed on the way")
	case u.Scheme != "https" && u.Scheme != "http":
		return errNotAllowed
	}
	s.Token.JWKSURL = value
	return nil
}
