package dev

import (
	"fmt"
	"io/fs"
	"slices"

	"forge/internal/migrator/catalog"
)

// These are the rules about changes of rows, which verify sees and lint does not. A file
// acknowledges such a change with a comment:
//
//	-- verify:allow RULE [TABLE[.COLUMN]] REASON
const (
	changeValues = "change-values" // values are overwritten, and down does not restore them
	insertRows   = "insert-rows"   // up adds rows that down does not remove
)

// VerifyRules returns the names of the rules of Verify.
func VerifyRules() []string { return []string{changeValues, insertRows} }

// readAllowances reads the comments of the file that allow something. They may name the tables of
// before.
func (t *trial) readAllowances(before state) error {
	text, err := fs.ReadFile(t.files, t.version.File())
	if err != nil {
		return err
	}
	tables := make(map[string]bool)
	for table := range before.tables {
		tables[table] = true
	}
	t.bad = nil
	// Lint reports the comments that are wrong.
	t.allowances = readAllowances(text, "lint", Rules(), tables, func(int, error) {})
	t.own = readAllowances(text, "verify", VerifyRules(), tables, func(line int, err error) {
		t.bad = append(t.bad, fmt.Sprintf("line %d: %v; it is written -- verify:allow RULE [TABLE[.COLUMN]] REASON", line, err))
	})
	return nil
}

// allows reports whether the file acknowledges one of the rules of lint for a place.
func (t *trial) allows(p catalog.Place, rules ...string) bool {
	return slices.ContainsFunc(t.allowances, func(a *allowance) bool { return a.about(p, rules...) })
}

// excuses reports whether the file acknowledges a rule of verify for a place. If it does, it marks
// the comment as used.
func (t *trial) excuses(p catalog.Place, rule string) bool {
	i := slices.IndexFunc(t.own, func(a *allowance) bool { return a.about(p, rule) })
	if i < 0 {
		return false
	}
	t.own[i].used = true
	return true
}

// judgeAllowances adds a fault for each verify:allow comment that is wrong or was not used. It is
// known that a comment was not used only if everything was tried with rows in all tables.
func (t *trial) judgeAllowances(tried bool, before state) {
	t.verdict.Faults = append(t.verdict.Faults, t.bad...)
	if !tried || before.rows() == 0 || len(t.noted) > 0 {
		return
	}
	for _, a := range t.own {
		if !a.used {
			t.verdict.fault("line %d: there is nothing here that it acknowledges: take it out", a.line)
		}
	}
}
