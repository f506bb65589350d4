package tracing

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// environment is what the variables OTEL_EXPORTER_OTLP_… say that are no settings of Forge:
// https://opentelemetry.io/docs/specs/otel/protocol/exporter/. Settings have checked their times
// and choices.
type environment struct {
	headers map[string]string
	gzip    bool
	timeout time.Duration
	tls     *tls.Config
}

// variable returns the value of OTEL_EXPORTER_OTLP_TRACES_ followed by name, or without TRACES_ if
// that is not set, and the name of the variable.
func variable(name string) (value, full string) {
	for _, prefix := range []string{"OTEL_EXPORTER_OTLP_TRACES_", "OTEL_EXPORTER_OTLP_"} {
		full = prefix + name
		if value = strings.TrimSpace(os.Getenv(full)); value != "" {
			break
		}
	}
	return value, full
}

// readEnvironment reads the variables. It logs, without their values, which of them it cannot use,
// and goes on without them.
func readEnvironment(log *slog.Logger) environment {
	unused := func(name string, err error) {
		log.Warn("a variable of OpenTelemetry has no effect", "variable", name, "error", err)
	}
	e := environment{timeout: exportTime}
	compression, _ := variable("COMPRESSION")
	e.gzip = strings.EqualFold(compression, "gzip")
	if value, _ := variable("TIMEOUT"); value != "" {
		if ms, err := strconv.Atoi(value); err == nil && ms > 0 {
			e.timeout = time.Duration(ms) * time.Millisecond
		}
	}
	var err error
	if e.headers, err = headers(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS")); err != nil {
		unused("OTEL_EXPORTER_OTLP_TRACES_HEADERS", err)
	}
	e.tls = &tls.Config{MinVersion: tls.VersionTLS12}
	if path, name := variable("CERTIFICATE"); path != "" {
		if e.tls.RootCAs, err = authorities(path); err != nil {
			unused(name, err)
		}
	}
	cert, name := variable("CLIENT_CERTIFICATE")
	key, _ := variable("CLIENT_KEY")
	if cert != "" && key != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			unused(name, err)
		} else {
			e.tls.Certificates = []tls.Certificate{pair}
		}
	}
	return e
}

// headers returns the headers that a text in the form of W3C baggage has. It returns an error, and
// the headers that are all right, if one is not.
func headers(text string) (map[string]string, error) {
	all := map[string]string{}
	var wrong error
	for pair := range strings.SplitSeq(text, ",") {
		name, encoded, ok := strings.Cut(pair, "=")
		value, err := url.PathUnescape(strings.TrimSpace(encoded))
		switch name = strings.TrimSpace(name); {
		case strings.TrimSpace(pair) == "":
		case !ok || err != nil || name == "":
			wrong = errors.New("it is not NAME=VALUE, percent-encoded, with commas between several")
		default:
			all[name] = value
		}
	}
	return all, wrong
}

func authorities(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s has no certificate", path)
	}
	return pool, nil
}
