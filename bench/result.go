package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// result holds all results of a run.
type result struct {
	Date, Machine            string
	Scale, Connections, Pool int
	Database                 string
	Rounds                   []*round
	Statements               map[string]map[string]*statements // by workload and target
}

func newResult(o *options, database string) result {
	return result{
		Date: time.Now().Format("2 January 2006"), Machine: machine(), Database: database,
		Scale: o.scale, Connections: o.connections, Pool: o.pool, Statements: map[string]map[string]*statements{},
	}
}

// count records the number of statements of a request. found is nil if it is not known.
func (r *result) count(l *load, found *statements) {
	if r.Statements[l.workload.name] == nil {
		r.Statements[l.workload.name] = map[string]*statements{}
	}
	r.Statements[l.workload.name][l.server.name] = found
}

// median returns the median of a figure in all rounds of a target on a workload. It returns false
// if there are no rounds.
func (r *result) median(workload, target string, of func(*round) float64) (float64, bool) {
	var all []float64
	for _, round := range r.Rounds {
		if round.Workload == workload && round.Target == target {
			all = append(all, of(round))
		}
	}
	if len(all) == 0 {
		return 0, false
	}
	slices.Sort(all)
	n := len(all)
	return (all[(n-1)/2] + all[n/2]) / 2, true
}

// at returns the part of the result that was measured at a distance.
func (r result) at(rtt time.Duration) *result {
	r.Rounds = slices.DeleteFunc(slices.Clone(r.Rounds), func(round *round) bool { return round.RTT != rtt })
	return &r
}

func rate(r *round) float64 { return float64(r.Requests) / r.Seconds }

// thousand returns a function that returns the figure for 1,000 requests.
func thousand(f func(*round) float64) func(*round) float64 {
	return func(r *round) float64 { return f(r) * 1000 / float64(r.Requests) }
}

func p50(r *round) float64         { return r.P50 }
func p95(r *round) float64         { return r.P95 }
func p99(r *round) float64         { return r.P99 }
func peak(r *round) float64        { return r.Peak }
func serverCPU(r *round) float64   { return r.Server }
func databaseCPU(r *round) float64 { return r.Database }
func clientCPU(r *round) float64   { return r.Client }

// others returns how many processors other programs kept busy.
func others(r *round) float64 { return r.Others / r.Seconds }

// targets returns the names of the measured targets, Forge first.
func (r *result) targets() (names []string) {
	for _, round := range r.Rounds {
		if !slices.Contains(names, round.Target) {
			names = append(names, round.Target)
		}
	}
	return names
}

// ratio returns a target's requests per second divided by those of the hand-written handlers: of
// limit, or of limit-one if limit was not measured. If neither was measured, it divides by those of
// base. If that was not measured either, it returns "–".
func (r *result) ratio(workload, target string) string {
	v, _ := r.median(workload, target, rate)
	for _, other := range []string{"limit", "limit-one", "base"} {
		if of, ok := r.median(workload, other, rate); ok {
			return fmt.Sprintf("%.3f", v/of)
		}
	}
	return "–"
}

// print prints the results of a workload at a distance.
func (r *result) print(w io.Writer, of *workload, rtt time.Duration) {
	r = r.at(rtt)
	fmt.Fprintf(w, "\n%-9s %s", of.name, of.asks)
	if rtt > 0 {
		fmt.Fprintf(w, ", PostgreSQL %s away", rtt)
	}
	fmt.Fprintf(w, "\n          %8s %6s   %6s %6s %6s ms   %7s %7s %7s CPU s/1000   %6s  %-10s %6s\n", "req/s", "ratio", "p50", "p95", "p99", "server", "db", "client",
		"MiB", "statements", "others")
	for _, target := range r.targets() {
		get := func(f func(*round) float64) float64 { v, _ := r.median(of.name, target, f); return v }
		if get(rate) == 0 {
			continue
		}
		fmt.Fprintf(w, "%-9s %8.0f %6s   %6.2f %6.2f %6.2f      %7.3f %7.3f %7.3f              %6.0f  %-10s %6.2f\n", target, get(rate), r.ratio(of.name, target),
			get(p50), get(p95), get(p99), get(thousand(serverCPU)), get(thousand(databaseCPU)), get(thousand(clientCPU)),
			get(peak), r.Statements[of.name][target], get(others))
	}
}

// write writes the result to a file, unless file is "".
func (r *result) write(file string) error {
	if file == "" {
		return nil
	}
	b, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}
