package dev

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"forge/internal/migrator"
	"forge/internal/migrator/catalog"
)

// An allowance is a comment in a file that acknowledges findings in it:
//
//	-- lint:allow RULE [TABLE[.COLUMN]] REASON
type allowance struct {
	line         int
	rule, target string
	used         bool
}

var (
	allows     = regexp.MustCompile(`^\s*--\s*(lint|verify):allow\b(.*)$`)
	looksQuali = regexp.MustCompile(`^\w+\.\w+$`)
)

// acknowledged returns the findings that the file does not acknowledge, and findings about comments
// that are wrong or acknowledge nothing. They are in the order of their lines.
func (c *fileLinter) acknowledged() (left []Finding) {
	if c.known == nil {
		return nil // the file was not checked
	}
	if before, _, found := strings.Cut(string(c.file.text), "forge:serves"); found {
		if err := c.servesNone(); err != nil {
			left = append(left, Finding{c.file.path, 1 + strings.Count(before, "\n"), badServes, "", err.Error(), "-- forge:serves VERSION"})
		}
	}
	allowances := c.allowances()
	for _, f := range c.findings {
		if f.Rule == badAllow || !slices.ContainsFunc(allowances, func(a *allowance) bool { return a.covers(f) }) {
			left = append(left, f)
		}
	}
	for _, a := range allowances {
		if !a.used {
			left = append(left, Finding{c.file.path, a.line, unusedAllow, a.rule, "there is nothing here that it acknowledges", "take the line out"})
		}
	}
	slices.SortStableFunc(left, func(a, b Finding) int { return cmp.Compare(a.Line, b.Line) })
	return left
}

// servesNone returns an error if the file names a version in forge:serves that is none before it.
func (c *fileLinter) servesNone() error {
	_, err := migrator.ServedAfter(os.DirFS(filepath.Dir(c.file.path)), c.file.number())
	return err
}

// covers reports whether the allowance acknowledges a finding. If it does, it marks the allowance
// as used.
func (a *allowance) covers(f Finding) bool {
	table, _, _ := strings.Cut(f.Subject, ".")
	if a.rule != f.Rule || a.target != "" && a.target != f.Subject && a.target != table {
		return false
	}
	a.used = true
	return true
}

// allowances returns the allowances of the file. It adds a finding for each one that cannot be
// parsed.
func (c *fileLinter) allowances() []*allowance {
	return readAllowances(c.file.text, "lint", Rules(), c.names, func(line int, err error) {
		c.findings = append(c.findings, Finding{c.file.path, line, badAllow, "", err.Error(), "-- lint:allow RULE [TABLE[.COLUMN]] REASON"})
	})
}

// readAllowances returns the allowances in a file for a tool: lint or verify, which have different
// rules. It calls bad for each one that cannot be parsed. If the word after the rule names a column
// or one of tables, it is the target. The reason follows.
func readAllowances(text []byte, tool string, rules []string, tables map[string]bool, bad func(line int, err error)) (all []*allowance) {
	for i, line := range strings.Split(string(text), "\n") {
		m := allows.FindStringSubmatch(strings.TrimRight(line, "\r"))
		if m == nil || m[1] != tool {
			continue
		}
		a, err := readAllowance(strings.Fields(m[2]), rules, tables)
		if err != nil {
			bad(i+1, err)
			continue
		}
		a.line = i + 1
		all = append(all, a)
	}
	return all
}

// readAllowance parses the words after lint:allow or verify:allow.
func readAllowance(words, rules []string, tables map[string]bool) (*allowance, error) {
	if len(words) == 0 {
		return nil, fmt.Errorf("no rule is named; there are %s", strings.Join(rules, ", "))
	}
	if !slices.Contains(rules, words[0]) {
		return nil, fmt.Errorf("there is no rule %q; there are %s", words[0], strings.Join(rules, ", "))
	}
	a := &allowance{rule: words[0]}
	reason := words[1:]
	if len(reason) > 0 && (tables[reason[0]] || looksQuali.MatchString(reason[0])) {
		a.target, reason = reason[0], reason[1:]
	}
	if len(reason) == 0 {
		return nil, fmt.Errorf("no reason is given for allowing %s", a.rule)
	}
	return a, nil
}

// about reports whether the allowance is for one of the rules and covers a place.
func (a *allowance) about(p catalog.Place, rules ...string) bool {
	return slices.Contains(rules, a.rule) && (a.target == "" || a.target == p.Table || a.target == p.Table+"."+p.Column)
}
