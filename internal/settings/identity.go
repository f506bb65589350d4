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

// hidden returns what is shown instead of a secret.
func hidden(string) string { return "…" }

// setSecret returns a setter for a secret from which keys are made. The secret may be "none".
func setSecret(field func(*Settings) *string) func(*Settings, string) error {
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

// setOptional returns a setter for a text that may be "none".
func setOptional(field func(*Settings) *string) func(*Settings, string) error {
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

// setName returns a setter for a text that isName accepts.
func setName(field func(*Settings) *string) func(*Settings, string) error {
	return func(s *Settings, value string) error {
		if !isName(value) {
			return errNotAllowed
		}
		*field(s) = value
		return nil
	}
}

// setOptionalName returns a setter for a text that isName accepts, or none.
func setOptionalName(field func(*Settings) *string) func(*Settings, string) error {
	set := setName(field)
	return func(s *Settings, value string) error {
		if value == off {
			return nil
		}
		return set(s, value)
	}
}

// nameAllowed describes the values that isName accepts.
const nameAllowed = "1 to 255 bytes of UTF-8 without control characters, not all of them spaces"

// isName reports whether other programs can use a value as a name. It does not accept control
// characters: a line break at the end, for example, comes from a mistake in a script and is hard to
// see.
func isName(value string) bool {
	return len(value) <= 255 && utf8.ValidString(value) && strings.TrimSpace(value) != "" && !strings.ContainsFunc(value, unicode.IsControl)
}

// setIssuerOrAudience returns a setter for the issuer or the audience of tokens. If tokens come
// from a provider, both must be set.
func setIssuerOrAudience(field func(*Settings) *string) func(*Settings, string) error {
	return func(s *Settings, value string) error {
		if value == "" && s.Token.JWKSURL != "" {
			return errors.New("with AUTH_JWKS_URL it has to be said whose tokens are taken, and for whom they are made, by AUTH_ISSUER and AUTH_AUDIENCE")
		}
		return setName(field)(s, value)
	}
}

// defaultIssuer returns the default for the issuer and the audience. There is none if a provider is
// set: nobody can guess what its tokens say.
func defaultIssuer(s *Settings) string {
	if s.Token.JWKSURL != "" {
		return ""
	}
	return "forge"
}

// setJWKS sets the address of a provider's keys. The address must use HTTPS or be on this machine,
// because somebody who can change the keys on their way can sign in as anybody.
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
