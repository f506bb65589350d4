package settings

import (
	"slices"
	"strconv"
	"strings"

	"forge/internal/usage"
)

// libraryVariable is an environment variable that OpenTelemetry's library reads by itself. The
// library would ignore a value that it does not understand, so Forge checks the value.
type libraryVariable struct {
	names   []string
	allowed string
	ok      func(string) bool
}

// libraryVariables are the variables whose values can be checked:
// https://opentelemetry.io/docs/specs/otel/protocol/exporter/ and
// https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
var libraryVariables = []libraryVariable{
	{exporter("TIMEOUT"), "a whole number of milliseconds from 1 to 3600000", wholeNumber(1, 3_600_000)},
	{exporter("COMPRESSION"), "gzip or none", oneOf("gzip", "none")},
	{exporter("INSECURE"), "true or false", oneOf("true", "false")},
	{
		[]string{"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT", "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
			"OTEL_SPAN_EVENT_COUNT_LIMIT", "OTEL_SPAN_LINK_COUNT_LIMIT", "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT"},
		"a whole number from 0 to 1000000, or -1 for no limit", wholeNumber(-1, 1_000_000),
	},
}

// exporter returns the two names of a variable. One is for everything that is exported, the other
// only for traces.
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

// checkLibrary returns an error if a variable has a value that the library would not understand.
func checkLibrary(env map[string]string) error {
	for _, v := range libraryVariables {
		for _, name := range v.names {
			if value := strings.TrimSpace(env[name]); value != "" && !v.ok(value) {
				return usage.Errorf("%s=%q is not allowed; allowed: %s", name, value, v.allowed)
			}
		}
	}
	return nil
}
