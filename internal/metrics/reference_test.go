package metrics

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"forge/internal/database"
	"forge/internal/replica"
)

const referencePage = "../../docs/metrics.md"

const referenceHead = `<!-- Generated: UPDATE_PAGES=1 go test ./internal/metrics -run TestReference -->
# Metrics

` + "`GET /metrics`" + ` serves these metrics for Prometheus. [observability.md](observability.md#metrics) says
what is particular about them. Beside them there are those of the pool (` + "`go_sql_…`" + `), the Go runtime
(` + "`go_…`" + `) and the process (` + "`process_…`" + `). Those of mails, files, webhooks and replicas are there where the
server has these.

| Metric | Labels | Type | Meaning |
| --- | --- | --- | --- |
`

// TestReference compares docs/metrics.md with the metrics that are registered. With UPDATE_PAGES=1
// it writes the page.
func TestReference(t *testing.T) {
	t.Parallel()
	db, err := database.Open("sqlite::memory:", database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	m := New(db)
	m.BuildInfo("1")
	m.Revocations(func() time.Duration { return 0 })
	m.Changes(func() time.Duration { return 0 })
	m.Database(func() (database.State, error) { return database.State{}, nil })
	m.Webhooks(func() (time.Duration, int) { return 0, 0 })
	m.Mails(func() time.Duration { return 0 })
	m.Files(func() int64 { return 0 })
	kinds := kindsOf(t, m)
	m.Replicas(&replica.Set{})
	described := make(chan *prometheus.Desc)
	go func() {
		m.registry.Describe(described)
		close(described)
	}()
	parts := regexp.MustCompile(`^Desc\{fqName: "(forge_\w+)", help: "(.*?)"(?:, unit: ".*")?, constLabels: \{(.*)\}, variableLabels: \{(.*)\}\}$`)
	var rows []string
	for d := range described {
		found := parts.FindStringSubmatch(d.String())
		if found == nil {
			continue // a metric of the process, the runtime or the pool
		}
		labels := regexp.MustCompile(`\w+`).FindAllString(regexp.MustCompile(`="[^"]*"`).ReplaceAllString(found[3], "")+" "+found[4], -1)
		for i, l := range labels {
			labels[i] = "`" + l + "`"
		}
		kind := kinds[found[1]]
		if kind == "" {
			kind = guessedKind(found[1])
		}
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s | %s |\n", found[1], strings.Join(labels, ", "), kind, strings.ReplaceAll(found[2], "|", `\|`)))
	}
	slices.Sort(rows)
	want := referenceHead + strings.Join(slices.Compact(rows), "")
	if os.Getenv("UPDATE_PAGES") != "" {
		if err := os.WriteFile(referencePage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	is, err := os.ReadFile(referencePage)
	if err != nil || string(is) != want {
		t.Errorf("docs/metrics.md is not what is registered (%v): UPDATE_PAGES=1 go test ./internal/metrics -run TestReference writes it", err)
	}
}

// kindsOf returns the kinds of metrics that have a value already. They fit their names.
func kindsOf(t *testing.T, m *Metrics) map[string]string {
	t.Helper()
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]string{}
	for _, f := range families {
		name, kind := f.GetName(), strings.ToLower(f.GetType().String())
		if kinds[name] = kind; strings.HasPrefix(name, "forge_") && kind != guessedKind(name) {
			t.Errorf("%s is a %s, and is named as a %s is", name, kind, guessedKind(name))
		}
	}
	return kinds
}

// guessedKind returns the kind of a metric by its name. Series of vectors have no value before
// somebody counts in them, so their kind cannot be asked.
func guessedKind(name string) string {
	switch {
	case strings.HasSuffix(name, "_total"):
		return "counter"
	case strings.HasSuffix(name, "_duration_seconds"), strings.HasSuffix(name, "_wait_seconds"):
		return "histogram"
	default:
		return "gauge"
	}
}
