package program

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metricsql"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"forge/test/dbtest"
)

// dashboard has the parts of deploy/grafana/forge.json that the test reads.
type dashboard struct {
	Panels []struct {
		ID      int
		Type    string
		Title   string
		GridPos struct{ H, W, X, Y int }
		Targets []struct{ Expr, LegendFormat string }
	}
	Templating struct {
		List []struct{ Name, Type, Definition string }
	}
}

// scraped are the labels that Prometheus adds.
var scraped = []string{"job", "instance"}

// series has the labels of each series by its name. Names of histograms end in _bucket, _sum and
// _count.
type series map[string][]map[string]string

func parseMetrics(t *testing.T, page string) series {
	t.Helper()
	text := expfmt.NewTextParser(model.UTF8Validation)
	families, err := text.TextToMetricFamilies(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	found := series{}
	for name, family := range families {
		for _, m := range family.Metric {
			labels := map[string]string{}
			for _, pair := range m.Label {
				labels[pair.GetName()] = pair.GetValue()
			}
			if kind := family.GetType(); kind == dto.MetricType_HISTOGRAM || kind == dto.MetricType_SUMMARY {
				found[name+"_sum"] = append(found[name+"_sum"], labels)
				found[name+"_count"] = append(found[name+"_count"], labels)
				bucket := maps.Clone(labels)
				bucket["le"] = "+Inf"
				found[name+"_bucket"] = append(found[name+"_bucket"], bucket)
				continue
			}
			found[name] = append(found[name], labels)
		}
	}
	return found
}

// selected returns the series of a selector. It ignores labels that Prometheus adds.
func (s series) selected(t *testing.T, selector *metricsql.MetricExpr) (found []map[string]string) {
	t.Helper()
	for _, filters := range selector.LabelFilterss {
		for _, labels := range s[filters[0].Value] { // the first one is the name
			if !slices.ContainsFunc(filters[1:], func(f metricsql.LabelFilter) bool { return !passes(t, f, labels) }) {
				found = append(found, labels)
			}
		}
	}
	return found
}

// passes reports whether labels match a filter of a selector. The label of the filter must exist.
func passes(t *testing.T, f metricsql.LabelFilter, labels map[string]string) bool {
	t.Helper()
	if slices.Contains(scraped, f.Label) {
		return true
	}
	value, ok := labels[f.Label]
	equal := value == f.Value
	if f.IsRegexp {
		pattern, err := regexp.Compile("^(?:" + f.Value + ")$")
		if err != nil {
			t.Errorf("%s=~%q: %v", f.Label, f.Value, err)
			return false
		}
		equal = pattern.MatchString(value)
	}
	return ok && equal != f.IsNegative
}

// functions are the functions that the dashboard may use. The parser knows some that Prometheus
// does not have.
var functions = []string{"histogram_quantile", "rate", "sum", "topk"}

// check reports each metric and label of a query that s does not have, and anything that Prometheus
// would refuse. It returns the labels that the result may have.
func (s series) check(t *testing.T, about, query string) []string {
	t.Helper()
	expr, err := metricsql.Parse(strings.ReplaceAll(query, "$__rate_interval", "5m"))
	if err != nil {
		t.Errorf("%s: %s: %v", about, query, err)
		return nil
	}
	function := func(name string) {
		if !slices.Contains(functions, name) {
			t.Errorf("%s: %s is not among the functions %v", about, name, functions)
		}
	}
	metricsql.VisitAll(expr, func(e metricsql.Expr) {
		switch e := e.(type) {
		case *metricsql.MetricExpr:
			if len(s.selected(t, e)) == 0 {
				t.Errorf("%s: nothing matches %s", about, e.AppendString(nil))
			}
		case *metricsql.FuncExpr:
			function(e.Name)
			over, windowed := e.Args[0].(*metricsql.RollupExpr)
			if e.Name == "rate" && (!windowed || over.Window == nil) {
				t.Errorf("%s: %s is over no time", about, e.AppendString(nil))
			}
		case *metricsql.AggrFuncExpr:
			function(e.Name)
			for _, name := range e.Modifier.Args {
				if !slices.Contains(s.within(t, e.Args[len(e.Args)-1]), name) {
					t.Errorf("%s: %s goes by %s, which is not a label there", about, e.AppendString(nil), name)
				}
			}
		}
	})
	return s.within(t, expr)
}

// caches adds the caches whose hits a query shows one by one.
func (s series) caches(t *testing.T, query string, shown map[string]bool) {
	t.Helper()
	expr, err := metricsql.Parse(strings.ReplaceAll(query, "$__rate_interval", "5m"))
	if err != nil {
		return // check has reported it
	}
	metricsql.VisitAll(expr, func(e metricsql.Expr) {
		selector, ok := e.(*metricsql.MetricExpr)
		if !ok || selector.LabelFilterss[0][0].Value != "forge_cache_requests_total" {
			return
		}
		names := map[string]bool{}
		for _, labels := range s.selected(t, selector) {
			names[labels["cache"]] = true
		}
		for name := range names {
			shown[name] = shown[name] || len(names) == 1 || slices.Contains(s.within(t, expr), "cache")
		}
	})
}

// within returns the labels of the result of an expression.
func (s series) within(t *testing.T, expr metricsql.Expr) []string {
	t.Helper()
	switch e := expr.(type) {
	case *metricsql.AggrFuncExpr:
		if e.Name == "sum" {
			return e.Modifier.Args
		}
		return s.within(t, e.Args[len(e.Args)-1])
	case *metricsql.FuncExpr:
		return s.within(t, e.Args[len(e.Args)-1])
	case *metricsql.BinaryOpExpr:
		return s.within(t, e.Left)
	case *metricsql.RollupExpr:
		return s.within(t, e.Expr)
	case *metricsql.MetricExpr:
		labels := slices.Clone(scraped)
		for _, l := range s.selected(t, e) {
			labels = slices.AppendSeq(labels, maps.Keys(l))
		}
		return labels
	}
	t.Errorf("%s is of a kind that the test does not know", expr.AppendString(nil))
	return nil
}

var (
	placeholder = regexp.MustCompile(`\{\{(\w+)\}\}`)
	labelValues = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)
)

// TestDashboard checks every query of the Grafana dashboard against the metrics of a server that
// has answered requests, some with errors.
func TestDashboard(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile(root + "deploy/grafana/forge.json")
	if err != nil {
		t.Fatal(err)
	}
	var board dashboard
	if err := json.Unmarshal(file, &board); err != nil {
		t.Fatal(err)
	}
	s := start(t, "DATABASE_URL="+dbtest.SQLite(t))
	s.Do(countUsers, nil)
	s.Do(countUsers, nil)
	s.Do(`mutation { createTeam(input: {name: " "}) { team { id } } }`, nil)
	s.Get(byHash(hashOf(countUsers), countUsers))
	s.Get(byHash(hashOf(countUsers)))
	page := s.Get("/metrics").Body
	metrics := parseMetrics(t, page)
	// A server without a failure of its own has no series for it, so only the spelling of the codes
	// can be checked.
	metrics["forge_operations_total"] = append(metrics["forge_operations_total"], map[string]string{"operation": "query", "code": "INTERNAL"})
	documented := documentedMetrics(t)
	for name, labels := range documented { // test/replicas compares these with a server that has replicas
		if strings.HasPrefix(name, "forge_replica_") || strings.HasPrefix(name, "forge_host_") {
			of := map[string]string{}
			for _, label := range labels {
				of[label] = "x"
			}
			metrics[name] = append(metrics[name], of)
		}
	}

	queries, ids, shown := 0, map[int]bool{}, map[string]bool{}
	for _, panel := range board.Panels {
		if ids[panel.ID] || panel.Title == "" || panel.GridPos.X+panel.GridPos.W > 24 {
			t.Errorf("panel %d, %q: it has a title, an ID of its own and a place in 24 columns", panel.ID, panel.Title)
		}
		ids[panel.ID] = true
		if panel.Type != "row" && len(panel.Targets) == 0 {
			t.Errorf("%s: nothing is asked", panel.Title)
		}
		for _, target := range panel.Targets {
			queries++
			labels := metrics.check(t, panel.Title, target.Expr)
			metrics.caches(t, target.Expr, shown)
			for _, name := range placeholder.FindAllStringSubmatch(target.LegendFormat, -1) {
				if !slices.Contains(labels, name[1]) {
					t.Errorf("%s: the legend names %s, which is not a label of %s", panel.Title, name[1], target.Expr)
				}
			}
		}
	}
	for _, of := range metrics["forge_cache_requests_total"] {
		if !shown[of["cache"]] {
			t.Errorf("the cache %s is in no panel", of["cache"])
		}
	}
	if !strings.Contains(page, `forge_cache_requests_total{cache="persisted",result="hit"} 1`+"\n") {
		t.Error("the metrics are without the persisted operation that was found")
	}
	if queries < 20 {
		t.Errorf("only %d queries were found", queries)
	}
	variables := map[string]bool{}
	for _, v := range board.Templating.List {
		variables["$"+v.Name], variables["${"+v.Name+"}"] = true, true
		if v.Type != "query" {
			continue
		}
		parts := labelValues.FindStringSubmatch(v.Definition)
		if parts == nil || !slices.Contains(metrics.check(t, "variable "+v.Name, parts[1]), parts[2]) {
			t.Errorf("variable %s: %s", v.Name, v.Definition)
		}
	}
	for _, used := range regexp.MustCompile(`\$\{?[a-z]+\}?`).FindAllString(string(file), -1) {
		if !variables[used] {
			t.Errorf("%s is used, and is not a variable", used)
		}
	}
	checkConventions(t, page)
	checkDocumented(t, metrics, documented)
}

// documentedMetrics returns the labels of each of Forge's own metrics that docs/metrics.md
// names.
func documentedMetrics(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(root + "docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string][]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(forge_\\w+)` \\| ([^|]*)\\|").FindAllStringSubmatch(string(text), -1) {
		documented[row[1]] = regexp.MustCompile(`\w+`).FindAllString(row[2], -1)
		slices.Sort(documented[row[1]])
	}
	return documented
}

// checkDocumented compares Forge's own metrics with those in docs/metrics.md.
func checkDocumented(t *testing.T, metrics series, documented map[string][]string) {
	t.Helper()
	for name, of := range metrics {
		name = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count")
		labels := slices.Sorted(maps.Keys(of[0]))
		labels = slices.DeleteFunc(labels, func(label string) bool { return label == "le" })
		if strings.HasPrefix(name, "forge_") && !slices.Equal(labels, documented[name]) {
			t.Errorf("%s has labels %v; docs/metrics.md says %v", name, labels, documented[name])
		}
	}
	for name := range documented {
		if metrics[name] == nil && metrics[name+"_count"] == nil {
			t.Errorf("docs/metrics.md has %s, which is not told", name)
		}
	}
}

// checkConventions checks the names of Forge's own metrics by
// https://prometheus.io/docs/practices/naming/
func checkConventions(t *testing.T, page string) {
	t.Helper()
	for line := range strings.Lines(page) {
		name, kind, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "# TYPE "), " ")
		if !ok || !strings.HasPrefix(line, "# TYPE forge_") {
			continue
		}
		if counts := strings.HasSuffix(name, "_total"); counts != (kind == "counter") {
			t.Errorf("%s is a %s", name, kind)
		}
		if kind == "histogram" && !strings.HasSuffix(name, "_seconds") {
			t.Errorf("%s: the name of a histogram ends with its unit", name)
		}
		if !strings.Contains(page, "# HELP "+name+" ") {
			t.Errorf("%s says nothing of itself", name)
		}
	}
}
