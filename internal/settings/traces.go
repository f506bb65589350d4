package settings

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"forge/internal/tracing"
)

// off is the value that leaves a setting unused.
const off = "none"

// setCollector sets the address of a collector. Traces go to the path /v1/traces below this
// address.
func setCollector(s *Settings, value string) error {
	if err := setTraces(s, value); err != nil || value == off {
		return err
	}
	joined, err := url.JoinPath(value, "v1", "traces")
	s.Traces.Endpoint = joined
	return err
}

// setTraces sets the full address that traces go to.
func setTraces(s *Settings, value string) error {
	if value == off {
		s.Traces.Endpoint = ""
		return nil
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return errNotAllowed
	}
	if u.User != nil {
		return errors.New("it has a user; secrets go in OTEL_EXPORTER_OTLP_HEADERS")
	}
	s.Traces.Endpoint = value
	return nil
}

// redactURL returns an address in which the user and the password are hidden.
func redactURL(value string) string {
	u, err := url.Parse(value)
	if err != nil {
		return "…"
	}
	if u.User != nil {
		u.User = url.User("xxxxx")
	}
	return u.String()
}

// defaultTraces returns the address that traces go to if it is not set by itself: the collector's,
// or "none".
func defaultTraces(s *Settings) string {
	if s.Traces.Endpoint == "" {
		return off
	}
	return s.Traces.Endpoint
}

// setHeaders sets headers. They are written NAME=VALUE with commas between them, and are
// percent-encoded as in W3C baggage.
func setHeaders(s *Settings, value string) error {
	if value == off {
		return nil
	}
	headers := map[string]string{}
	for pair := range strings.SplitSeq(value, ",") {
		name, encoded, ok := strings.Cut(pair, "=")
		decoded, err := url.PathUnescape(strings.TrimSpace(encoded))
		if name = strings.TrimSpace(name); !ok || err != nil || !isToken(name) || strings.ContainsAny(decoded, "\r\n\x00") {
			return errNotAllowed
		}
		headers[name] = decoded
	}
	s.Traces.Headers = headers
	return nil
}

// isToken reports whether a name is allowed for a header:
// https://www.rfc-editor.org/rfc/rfc9110#name-tokens
func isToken(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c) })
}

func setServiceName(s *Settings, value string) error {
	if !isName(value) {
		return errNotAllowed
	}
	s.Traces.Service = value
	return nil
}

func setSampler(s *Settings, value string) error {
	if !slices.Contains(tracing.Samplers, value) {
		return errNotAllowed
	}
	s.Traces.Sampler = value
	return nil
}

func setSamplerRatio(s *Settings, value string) error {
	ratio, err := strconv.ParseFloat(value, 64)
	if err != nil || !(0 <= ratio && ratio <= 1) {
		return errNotAllowed
	}
	s.Traces.Ratio = ratio
	return nil
}
