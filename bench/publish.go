package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The chart and the table are between these two lines of performance.md.
const (
	tableStart = "<!-- table: written by bench -publish -->\n"
	tableEnd   = "<!-- end of table -->\n"
)

// publish writes the table of a result into performance.md, and the chart into the same folder.
func publish(from, docs string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	var r result
	if err := json.Unmarshal(b, &r); err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	r = *r.at(0)
	if len(r.Rounds) == 0 {
		return fmt.Errorf("%s has no round without RTT", from)
	}
	if err := insert(filepath.Join(docs, "performance.md"), tableStart, r.table()); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(docs, "performance.svg"), []byte(r.chart()), 0o644)
}

// insert replaces what is in a page between the line start and tableEnd.
func insert(page, start, table string) error {
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), start)
	_, after, found := strings.Cut(rest, tableEnd)
	if !ok || !found {
		return fmt.Errorf("%s has no place for the table, between the lines %q and %q", page, start, tableEnd)
	}
	return os.WriteFile(page, []byte(before+start+table+tableEnd+after), 0o644)
}

// table returns the result as a Markdown table. If a cell has two figures, the first one is
// Forge's.
func (r *result) table() string {
	var b strings.Builder
	b.WriteString("\n![Requests per second of Forge and of other servers, as part of what hand-written handlers reach](performance.svg)\n")
	fmt.Fprintf(&b, "\n%s: %s. Scale %d, %d clients, pools of %d, %s.\n\n", r.Date, r.Machine, r.Scale, r.Connections, r.Pool, r.Database)
	b.WriteString("| | | requests/s | **ratio** | p50 ms | p95 ms | p99 ms | server CPU s / 1,000 | database CPU s / 1,000 | memory MiB | statements |\n")
	b.WriteString("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, w := range workloads {
		if _, ok := r.median(w.name, "forge", rate); !ok {
			continue
		}
		of := func(format string, f func(*round) float64) string { return r.pair(w.name, format, f) }
		fmt.Fprintf(&b, "| %s | %s | %s | **%s** | %s | %s | %s | %s | %s | %s | %s |\n", strings.ToUpper(w.name), w.asks, of("%.0f", rate), r.ratio(w.name, "forge"),
			of("%.2f", p50), of("%.2f", p95), of("%.2f", p99), of("%.3f", thousand(serverCPU)), of("%.3f", thousand(databaseCPU)), of("%.0f", peak),
			r.pairOfStatements(w.name))
	}
	b.WriteString("\n")
	return b.String()
}

// pair returns the medians of Forge and of the hand-written handlers, if those were measured, as
// text.
func (r *result) pair(workload, format string, f func(*round) float64) string {
	forge, _ := r.median(workload, "forge", f)
	text := fmt.Sprintf(format, forge)
	if limit, ok := r.median(workload, "limit", f); ok {
		text += " / " + fmt.Sprintf(format, limit)
	}
	return text
}

func (r *result) pairOfStatements(workload string) string {
	text := r.Statements[workload]["forge"].String()
	if limit := r.Statements[workload]["limit"]; limit != nil {
		text += " / " + limit.String()
	}
	return text
}
