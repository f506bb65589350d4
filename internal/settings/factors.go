package settings

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"forge/internal/token"
)

// setFactorSecrets sets the secrets from which the keys of second factors are made.
func setFactorSecrets(s *Settings, value string) error {
	if value == off {
		return nil
	}
	secrets := strings.Split(value, ",")
	for _, secret := range secrets {
		if len(secret) < token.MinSecret {
			return fmt.Errorf("one has %d bytes", len(secret))
		}
	}
	s.Token.FactorSecrets = secrets
	return nil
}

func defaultRPID(s *Settings) string {
	if s.Production {
		return off
	}
	return "localhost"
}

// setRPID sets the domain of passkeys.
func setRPID(s *Settings, value string) error {
	if value == off {
		s.PasskeyRPID = ""
		return nil
	}
	if err := checkOrigin("https://" + value); err != nil || strings.Contains(value, ":") {
		return errNotAllowed
	}
	s.PasskeyRPID = value
	return nil
}

// ofAndroid is the origin of an app for Android: the SHA-256 of the certificate that has signed it.
var ofAndroid = regexp.MustCompile(`^android:apk-key-hash:[A-Za-z0-9_-]{43}$`)

// setPasskeyOrigins sets the origins of pages and apps that may use passkeys. Browsers refuse
// others anyway, but a mistake is easier to find at the start.
func setPasskeyOrigins(s *Settings, value string) error {
	var pages, apps []string
	for origin := range strings.SplitSeq(value, ",") {
		if origin = strings.TrimSpace(origin); ofAndroid.MatchString(origin) {
			apps = append(apps, origin)
		} else {
			pages = append(pages, origin)
		}
	}
	var origins []string
	if len(pages) > 0 {
		var err error
		if origins, err = originsIn(strings.Join(pages, ",")); err != nil {
			return err
		}
	}
	for _, origin := range origins {
		u, err := url.Parse(origin)
		switch host := u.Hostname(); {
		case err != nil:
			return err
		case host != s.PasskeyRPID && !strings.HasSuffix(host, "."+s.PasskeyRPID):
			return fmt.Errorf("%q is not of PASSKEY_RP_ID", origin)
		case u.Scheme != "https" && host != "localhost":
			return fmt.Errorf("%q has no TLS, and browsers use passkeys with it alone", origin)
		}
	}
	s.PasskeyOrigins = append(origins, apps...)
	return nil
}

// setPasskeys turns passkeys on or off. In production nobody can guess whose they are.
func setPasskeys(s *Settings, value string) error {
	if err := setBool(&s.Passkeys, value); err != nil {
		return err
	}
	if s.Passkeys && (s.PasskeyRPID == "" || s.Production && len(s.PasskeyOrigins) == 0) {
		s.Passkeys = false
		return errors.New("it is not said which pages they are for")
	}
	return nil
}
