package dev

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"forge/internal/usage"
)

// Answers tell Diff what it cannot know: whether a table or column that is gone was renamed or
// dropped.
type Answers struct {
	// Renames has a text OLD:NEW for each rename: tasks.note:remark or note:remark for a column,
	// and tasks:jobs for a table.
	Renames []string
	// Drops has the names of the dropped columns and tables: tasks.note or note for a column, and
	// tasks for a table.
	Drops []string
	// Ask asks a question and returns whether the answer is yes. If Ask is nil or returns io.EOF, a
	// question that is open is an error.
	Ask func(question string) (yes bool, err error)
}

// A choice decides which of the possible renames are renames, from the answers of the user. It is
// used first for tables, and then for their columns.
type choice struct {
	answers Answers
	used    map[string]bool   // the answers that have fitted something
	moved   map[string]string // the new names of renamed tables, by their old names
	fitting []string          // all answers that would fit
	open    []candidate       // the questions that are not answered
}

// choose returns the candidates that are renames. gone has the names of everything that is gone,
// even of what has no candidate.
func (c *choice) choose(candidates []candidate, gone []string) (chosen []rename, err error) {
	for _, p := range candidates {
		if p.similar || p.table == "" {
			c.fitting = append(c.fitting, "--rename "+p.String())
		}
	}
	for _, name := range gone {
		c.fitting = append(c.fitting, "--drop "+name)
	}
	if chosen, err = c.renamed(candidates); err != nil {
		return nil, err
	}
	dropped, err := c.dropped(gone)
	if err != nil {
		return nil, err
	}
	for _, r := range chosen {
		if dropped[r.old()] {
			return nil, usage.Errorf("--rename %s and --drop %s go against each other", r, r.old())
		}
	}
	for _, p := range candidates {
		if !p.similar || dropped[p.old()] || conflicts(chosen, p.rename) {
			continue
		}
		yes, answered, err := c.ask(p)
		switch {
		case err != nil:
			return nil, err
		case !answered:
			c.open = append(c.open, p)
		case yes:
			chosen = append(chosen, p.rename)
		}
	}
	return chosen, nil
}

// conflicts reports whether another rename already uses the old or the new name of r.
func conflicts(chosen []rename, r rename) bool {
	return slices.ContainsFunc(chosen, func(other rename) bool {
		return other.table == r.table && (other.from == r.from || other.to == r.to)
	})
}

// renamed returns the candidates that the answers --rename name. It returns an error if an answer
// fits several candidates.
func (c *choice) renamed(candidates []candidate) (chosen []rename, err error) {
	for _, answer := range c.answers.Renames {
		if c.used[answer] {
			continue
		}
		var meant []candidate
		for _, p := range candidates {
			if p.fits(c.current(answer)) {
				meant = append(meant, p)
			}
		}
		switch {
		case len(meant) == 0:
			continue
		case len(meant) > 1:
			return nil, usage.Errorf("--rename %s may mean %s; say which", answer, joined(meant))
		case !meant[0].similar && meant[0].table != "":
			return nil, usage.Errorf("--rename %s: the two are not of one type; rename first and change the type in a migration "+
				"of its own, or say --drop %s", answer, meant[0].old())
		case conflicts(chosen, meant[0].rename):
			return nil, usage.Errorf("--rename %s goes against another --rename", answer)
		}
		c.used[answer] = true
		chosen = append(chosen, meant[0].rename)
	}
	return chosen, nil
}

// current returns an answer in which the new name of a renamed table replaces the old one.
func (c *choice) current(answer string) string {
	table, rest, ok := strings.Cut(answer, ".")
	if to := c.moved[table]; ok && to != "" {
		return qualified(to, rest)
	}
	return answer
}

// joined returns the texts of candidates with "or" between them.
func joined(candidates []candidate) string {
	var names []string
	for _, p := range candidates {
		names = append(names, p.String())
	}
	return strings.Join(names, " or ")
}

// dropped returns the names that the answers --drop name. It returns an error if an answer fits
// several names.
func (c *choice) dropped(gone []string) (map[string]bool, error) {
	dropped := make(map[string]bool)
	for _, answer := range c.answers.Drops {
		if c.used["--drop "+answer] {
			continue
		}
		var meant []string
		for _, name := range gone {
			if name == c.current(answer) || strings.HasSuffix(name, "."+answer) {
				meant = append(meant, name)
			}
		}
		switch len(meant) {
		case 0:
			continue
		case 1:
			dropped[meant[0]] = true
			c.used["--drop "+answer] = true
		default:
			return nil, usage.Errorf("--drop %s may mean %s; say which", answer, strings.Join(meant, " or "))
		}
	}
	return dropped, nil
}

// ask asks whether a candidate is a rename. answered is false if there is nobody to ask.
func (c *choice) ask(p candidate) (yes, answered bool, err error) {
	if c.answers.Ask == nil {
		return false, false, nil
	}
	what := "column"
	if p.table == "" {
		what = "table"
	}
	yes, err = c.answers.Ask(fmt.Sprintf("Has the %s %s become %s, with what is in it?", what, p.old(), p.to))
	if errors.Is(err, io.EOF) {
		c.answers.Ask = nil
		return false, false, nil
	}
	return yes, true, err
}

// end returns an error if an answer has fitted nothing, or if a question has no answer.
func (c *choice) end() error {
	for _, answer := range c.answers.Renames {
		if !c.used[answer] {
			return c.noMatch("--rename", answer, "OLD:NEW with a column that is gone and a new one of its type, or two such tables")
		}
	}
	for _, answer := range c.answers.Drops {
		if !c.used["--drop "+answer] {
			return c.noMatch("--drop", answer, "a table or column that is gone")
		}
	}
	if len(c.open) == 0 {
		return nil
	}
	return usage.Errorf("what is gone from ent/schema may be there under a new name; say for each what it is: %s; what is dropped is lost",
		strings.Join(c.openOptions(), "; "))
}

// openOptions returns a text for each question without an answer: the answers that are possible.
func (c *choice) openOptions() (groups []string) {
	for i, p := range c.open {
		if slices.ContainsFunc(c.open[:i], func(o candidate) bool { return o.old() == p.old() }) {
			continue
		}
		group := ""
		for _, other := range c.open[i:] {
			if other.old() == p.old() {
				group += "--rename " + other.String() + " or "
			}
		}
		groups = append(groups, group+"--drop "+p.old())
	}
	return groups
}

// noMatch returns the error about an answer that fits nothing.
func (c *choice) noMatch(option, answer, form string) error {
	if len(c.fitting) == 0 {
		return usage.Errorf("%s %s fits nothing: no table or column is gone", option, answer)
	}
	return usage.Errorf("%s %s fits nothing; it takes %s. These would fit: %s", option, answer, form, strings.Join(c.fitting, ", "))
}
