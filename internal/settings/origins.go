package settings

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// setOrigins sets a list of origins. Each one must be written as browsers write it in the Origin
// header, because the two are compared byte for byte (RFC 6454, section 6.2).
func setOrigins(s *Settings, value string) error {
	origins, err := originsIn(value)
	if err == nil {
		s.Origins = origins
	}
	return err
}

// originsIn returns the origins in a list, or nil for none.
func originsIn(value string) (origins []string, err error) {
	if value == "none" {
		return nil, nil
	}
	for origin := range strings.SplitSeq(value, ",") {
		origin = strings.TrimSpace(origin)
		if err := checkOrigin(origin); err != nil {
			return nil, err
		}
		if slices.Contains(origins, origin) {
			return nil, fmt.Errorf("%q is there twice", origin)
		}
		origins = append(origins, origin)
	}
	return origins, nil
}

func checkOrigin(origin string) error {
	if origin == "" {
		return errors.New("an origin is empty")
	}
	if strings.Contains(origin, "@") {
		return errors.New("an origin names a user")
	}
	if strings.Contains(origin, "*") {
		return fmt.Errorf("%q is a pattern, and each origin is to be named", origin)
	}
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" {
		return fmt.Errorf("%q does not begin with https:// or http:// and a host", origin)
	}
	if u.Host != strings.TrimPrefix(origin, u.Scheme+"://") {
		return fmt.Errorf("%q has more than a scheme, a host and a port", origin)
	}
	if origin != strings.ToLower(origin) {
		return fmt.Errorf("%q has capital letters, which browsers do not send", origin)
	}
	if strings.ContainsFunc(origin, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return fmt.Errorf("%q is not written in ASCII, as browsers send it: a host of other letters begins with xn--", origin)
	}
	if port := u.Port(); strings.HasSuffix(u.Host, ":") || u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		return fmt.Errorf("%q names the port that is meant without one, and browsers leave it out", origin)
	}
	return nil
}

// showOrigins returns a value as error messages show it. A value with an @ is hidden, because it
// may contain a password.
func showOrigins(value string) string {
	if strings.Contains(value, "@") {
		return "…"
	}
	return value
}
