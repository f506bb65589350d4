package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// A Report has the findings of all checks, in the order of the checks.
type Report []Finding

// State returns the worst state of all findings: Fail, Warn or OK.
func (r Report) State() State {
	for _, state := range []State{Fail, Warn} {
		if r.count(state) > 0 {
			return state
		}
	}
	return OK
}

func (r Report) count(state State) (n int) {
	for _, f := range r {
		if f.State == state {
			n++
		}
	}
	return n
}

// unreachable reports whether the database could not be reached.
func (r Report) unreachable() bool {
	return slices.ContainsFunc(r, func(f Finding) bool { return f.State == Fail && (f.Check == "database" || f.Check == "file") })
}

// Write prints the report for people: a line for each finding, and its advice on the next line. An
// advice for several findings comes after the last of them.
func (r Report) Write(w io.Writer) error {
	var out strings.Builder
	for i, f := range r {
		fmt.Fprintf(&out, "%-8s%-12s %s\n", strings.ToUpper(string(f.State)), f.Check, f.Message)
		if f.Advice != "" && (i == len(r)-1 || r[i+1].Check != f.Check || r[i+1].Advice != f.Advice) {
			fmt.Fprintf(&out, "%-8s%-12s %s\n", "", "", f.Advice)
		}
	}
	if failures, warnings := r.count(Fail), r.count(Warn); failures+warnings == 0 {
		out.WriteString("All is well.\n")
	} else {
		fmt.Fprintf(&out, "%s, %s.\n", counted(failures, "failure"), counted(warnings, "warning"))
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func counted(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprint(n, " ", noun)
}

// WriteJSON prints the report for scripts. Later versions may add members to the JSON, but never
// remove one or change its meaning.
func (r Report) WriteJSON(w io.Writer) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(struct {
		State    State     `json:"state"` // "ok", "warn" or "fail"
		Findings []Finding `json:"findings"`
	}{r.State(), r})
}
