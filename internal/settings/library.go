package settings

import (
	"slices"
	"strconv"
	"strings"

	"forge/internal/usage"
)

// foreign is a variable that OpenTelemetry's library reads by itself. It would go on without a value that it does not understand.
type foreign struct {
	names   []string
	allowed string
	ok      func(string) bool
}

// forLibrary are those with values of a form that can be told from others:
// https://opentelemetry.io/docs/specs/otel/protocol/exporter/ and https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/.
var forLibrary = []foreign{
	{exporter("TIMEOUT"), "a whole number of milliseconds from 1 to 3600000", wholeNumber(1, 3_600_000)},
	{exporter("COMPRESSION"), "gzip or none", oneOf("gzip", "none")},
	{exporter("INSECURE"), "true or false", oneOf("true", "false")},
	{
		[]string{"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT", "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
			"OTEL_SPAN_EVENT_COUNT_LIMIT", "OTEL_SPAN_LINK_COUNT_LIMIT", "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT"},
		"a whole number from 0 to 1000000, or -1 for no limit", wholeNumber(-1, 1_000_000),
	},
}

// exporter returns the names of a variable for all that is exported, and for traces alone.
func exporter(name string) []string {
	return []string{"OTEL_EXPORTER_OTLP_" + name, "OTEL_EXPORTER_OTLP_TRACES_" + name}
}

func wholeNumber(least, most int) func(string) bool {
	return func(value string) bool {
		n, err := strconv.Atoi(value)
		return err == nil && least <= n && n <= most
	}
}

func oneOf(values ...string) func(string) bool {
	return func(value string) bool { return slices.Contains(values, strings.ToLower(value)) }
}

// understood returns an error if there is a variable that the library would not understand.
func understood(env map[string]string) error {
	for _, v := range forLibrary {
		for _, name := range v.names {
			if value := strings.TrimSpace(env[name]); value != "" && !v.ok(value) {
				return usage.Errorf("%s=%q is not allowed; allowed: %s", name, value, v.allowed)
			}
		}
	}
	return nil
}
