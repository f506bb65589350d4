package token

import "strings"

// These are the refusals of Authorization headers without a token.
const (
	errTwoHeaders Refusal = "there is more than one Authorization header"
	errScheme     Refusal = "the Authorization header does not say Bearer and a token"
)

// Bearer returns the token in the values of an Authorization header
// (https://www.rfc-editor.org/rfc/rfc6750#section-2.1). It ignores the case of the scheme. It
// returns a Refusal if there is not exactly one token.
func Bearer(values []string) (string, error) {
	if len(values) != 1 {
		return "", errTwoHeaders
	}
	const scheme = "Bearer "
	value := values[0]
	if len(value) <= len(scheme) || !strings.EqualFold(value[:len(scheme)], scheme) {
		return "", errScheme
	}
	text := strings.TrimLeft(value[len(scheme):], " ")
	if text == "" {
		return "", errScheme
	}
	return text, nil
}
