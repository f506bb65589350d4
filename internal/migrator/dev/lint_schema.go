package dev

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ariga.io/atlas/sql/schema"
	"entgo.io/ent/dialect"
	"github.com/lib/pq"
)

// A tableChange checks the changes of a table that existed before the file.
type tableChange struct {
	*fileLinter
	table   *schema.Table // the table after the change
	after   snapshot
	dropped map[string]bool // the SQL of the dropped indexes and constraints, without their names
}

// isFresh reports whether the file has added the column.
func (t tableChange) isFresh(column string) bool { return t.fresh[t.subject(column)] }

// subject returns the subject of a finding about a part of the table. If part is empty, the subject
// is the table.
func (t tableChange) subject(part string) string {
	if part == "" {
		return t.table.Name
	}
	return qualified(t.table.Name, part)
}

func (t tableChange) postgres() bool { return t.dialect == dialect.Postgres }

// report adds a finding, unless all reasons are empty.
func (t tableChange) report(rule, part string, reasons ...string) {
	t.reportSafe("", rule, part, reasons...)
}

// reportSafe does the same as report, but with the given advice, unless that is empty.
func (t tableChange) reportSafe(advice, rule, part string, reasons ...string) {
	reasons = slices.DeleteFunc(reasons, func(r string) bool { return r == "" })
	if len(reasons) > 0 {
		t.findSafe(rule, t.subject(part), t.lineOf(t.table.Name, part), strings.Join(reasons, "; "), advice)
	}
}

// when returns the reason if holds is true, and "" otherwise.
func when(holds bool, reason string) string {
	if holds {
		return reason
	}
	return ""
}

// note records which columns are new, and which indexes and constraints are dropped.
func (t tableChange) note(ctx context.Context, changes []schema.Change) error {
	for _, change := range changes {
		if add, ok := change.(*schema.AddColumn); ok {
			t.fresh[t.subject(add.C.Name)] = true
		}
		if p, ok := partOf(change); ok && !p.added {
			definition, err := p.definition(ctx, t.driver, t.table)
			if err != nil {
				return err
			}
			t.dropped[definition] = true
		}
	}
	return nil
}

// wasThere reports whether a change adds an index or a constraint that was there before under
// another name.
func (t tableChange) wasThere(ctx context.Context, change schema.Change) (bool, error) {
	p, ok := partOf(change)
	if !ok || !p.added {
		return false, nil
	}
	definition, err := p.definition(ctx, t.driver, t.table)
	return t.dropped[definition], err
}

// look adds findings about one change.
func (t tableChange) look(ctx context.Context, change schema.Change) error {
	same, err := t.wasThere(ctx, change)
	if err != nil {
		return err
	}
	switch change := change.(type) {
	case *schema.AddColumn:
		return t.addColumn(ctx, change.C)
	case *schema.DropColumn:
		if !t.isFresh(change.C.Name) {
			t.report("drop-column", change.C.Name, rules["drop-column"].why)
		}
	case *schema.ModifyColumn:
		if !t.isFresh(change.To.Name) {
			t.modifyColumn(change)
		}
	case *schema.AddIndex:
		if !same {
			t.uniqueIndex(change.I)
		}
	case *schema.ModifyIndex:
		t.uniqueIndex(change.To)
	case *schema.AddPrimaryKey:
		t.primaryKey()
	case *schema.ModifyPrimaryKey:
		t.primaryKey()
	case *schema.AddCheck:
		t.check("add-check", change.C, same)
	case *schema.ModifyCheck:
		t.check("change-check", change.To, wider(change.From.Expr, change.To.Expr))
	case *schema.AddForeignKey:
		t.foreignKey(change.F, same)
	case *schema.ModifyForeignKey:
		const actions = schema.ChangeUpdateAction | schema.ChangeDeleteAction
		t.foreignKey(change.To, change.Change&^actions == schema.NoChange)
	}
	return nil
}

func (t tableChange) addColumn(ctx context.Context, c *schema.Column) error {
	if needsValue(c) {
		t.report("add-not-null-column", c.Name, rules["add-not-null-column"].why)
	}
	if !t.postgres() || c.Default == nil {
		return nil
	}
	expr, ok := c.Default.(*schema.RawExpr)
	if !ok {
		return nil
	}
	volatile, err := t.volatile(ctx, expr.X)
	if volatile {
		t.report("volatile-default", c.Name, rules["volatile-default"].why)
	}
	return err
}

var calls = regexp.MustCompile(`(\w+)\s*\(`)

// volatile reports whether an expression may result in a different value for each row.
func (t tableChange) volatile(ctx context.Context, expr string) (is bool, err error) {
	var functions []string
	for _, call := range calls.FindAllStringSubmatch(expr, -1) {
		functions = append(functions, call[1])
	}
	err = t.db.QueryRowContext(ctx, "SELECT count(*) > 0 FROM pg_proc WHERE provolatile = 'v' AND proname = ANY ($1)",
		pq.Array(functions)).Scan(&is)
	return is, err
}

func (t tableChange) modifyColumn(c *schema.ModifyColumn) {
	if c.Change.Is(schema.ChangeNull) && !c.To.Type.Null && !t.neverNull(c.To.Name) {
		t.report("set-not-null", c.To.Name, "it fails if there are rows without a value", breaksOld, when(t.postgres(), readsAll))
	}
	if c.Change.Is(schema.ChangeType) && !longer(c) {
		value := "it fails if a value does not fit the new type"
		if !t.postgres() {
			value = "a value that does not fit the new type stays what it was"
		}
		t.report("change-type", c.To.Name, value, "the build before this one still uses it with the old type", when(t.postgres(), rewritesAll))
	}
}

// neverNull reports whether an earlier check already proves to PostgreSQL that a column has no
// NULL. PostgreSQL then need not read the table.
func (t tableChange) neverNull(column string) bool {
	before, ok := t.before.Table(t.table.Name)
	if !t.postgres() || !ok {
		return false
	}
	says := regexp.MustCompile(`^\(*"?` + regexp.QuoteMeta(column) + `"? IS NOT NULL\)*$`)
	return slices.ContainsFunc(before.Checks(), func(c *schema.Check) bool {
		return says.MatchString(c.Expr) && !t.before.unchecked[t.subject(c.Name)]
	})
}

// longer reports whether the only change of a type is that it allows longer texts. Such a change
// affects no row.
func longer(c *schema.ModifyColumn) bool {
	from, ok := c.From.Type.Type.(*schema.StringType)
	to, same := c.To.Type.Type.(*schema.StringType)
	varying := func(s *schema.StringType) bool { return s.T == "text" || s.T == "character varying" }
	return ok && same && varying(from) && varying(to) && collation(c.From) == collation(c.To) &&
		(to.Size == 0 || from.Size > 0 && to.Size >= from.Size)
}

// uniqueIndex reports a unique index. It does not if a column of the index is new and empty,
// because then there are no duplicates.
func (t tableChange) uniqueIndex(i *schema.Index) {
	empty := slices.ContainsFunc(i.Parts, func(p *schema.IndexPart) bool {
		return p.C != nil && t.isFresh(p.C.Name) && p.C.Type.Null && p.C.Default == nil
	})
	if !i.Unique || empty {
		return
	}
	t.report("add-unique-index", i.Name, "it fails if there are duplicates", "the build before this one may still write duplicates",
		when(t.postgres() && !t.buildsIndex(i.Name), "nobody can use the table while its index is built"))
}

func (t tableChange) primaryKey() {
	t.report("change-primary-key", "", "it fails if there are duplicates or rows without a value", breaksOld,
		when(t.postgres(), "nobody can use the table while its index is built"))
}

func (t tableChange) check(rule string, c *schema.Check, wider bool) {
	harmless := wider || t.onlyFresh(c.Expr)
	valid := !t.after.unchecked[t.subject(c.Name)]
	advice := when(wider, "every row meets it, and only PostgreSQL does not know: add it NOT VALID, and VALIDATE CONSTRAINT in a file of its own")
	t.reportSafe(advice, rule, c.Name, when(!harmless && valid, failsOnRows), when(!harmless, breaksOld), when(t.postgres() && valid, readsAll))
}

// onlyFresh reports whether a condition uses only new columns.
func (t tableChange) onlyFresh(expr string) bool {
	fresh := false
	for _, c := range t.table.Columns {
		if mentions(expr, c.Name) {
			if !t.isFresh(c.Name) {
				return false
			}
			fresh = true
		}
	}
	return fresh
}

func (t tableChange) foreignKey(f *schema.ForeignKey, sameRows bool) {
	harmless := sameRows || !slices.ContainsFunc(f.Columns, func(c *schema.Column) bool { return !t.isFresh(c.Name) })
	valid := !t.after.unchecked[t.subject(f.Symbol)]
	t.report("add-foreign-key", f.Symbol, when(!harmless && valid, failsOnRows), when(!harmless, breaksOld),
		when(t.postgres() && valid, fmt.Sprintf("the whole table is read while nobody may write to it or to %q", f.RefTable.Name)))
}

var (
	literal = regexp.MustCompile(`'(?:[^']|'')*'`)
	listed  = regexp.MustCompile(`'(?:[^']|'')*'(?:::[a-z ]+)?(?:\s*,\s*'(?:[^']|'')*'(?:::[a-z ]+)?)*`)
)

// wider reports whether two conditions differ only in that the second allows further values in a
// list, or numbers between wider bounds. It returns false for any other difference, which may be
// stricter.
func wider(from, to string) bool { return longerList(from, to) || widerBounds(from, to) }

// longerList reports whether two conditions differ only in the values of a list, and the second has
// all values of the first.
func longerList(from, to string) bool {
	frame := func(expr string) string { return strings.Join(strings.Fields(listed.ReplaceAllString(expr, "?")), " ") }
	if frame(from) != frame(to) || strings.Count(frame(from), "?") != 1 {
		return false
	}
	if upper := strings.ToUpper(from); strings.Contains(upper, "NOT ") || strings.Contains(upper, "<> ALL") {
		return false
	}
	allowed := literal.FindAllString(to, -1)
	return !slices.ContainsFunc(literal.FindAllString(from, -1), func(v string) bool { return !slices.Contains(allowed, v) })
}

var (
	// bounds matches a condition that is nothing but bounds of columns, or of functions of one
	// column: "length(name) BETWEEN 1 AND 50", which PostgreSQL reports as
	// "((length((name)::text) >= 1) AND (length((name)::text) <= 50))".
	bounds = func() *regexp.Regexp {
		const (
			column = "[\"`]?\\w+[\"`]?"
			term   = `(?:` + column + `|\w+\((?:` + column + `|\(` + column + `\)::[a-z ]+)\))`
			number = `(?:-?\d+|'-?\d+'::[a-z]+)`
			bound  = `\(*` + term + ` (?:[<>]=? ` + number + `|BETWEEN ` + number + ` AND ` + number + `)\)*`
		)
		return regexp.MustCompile(`(?i)^` + bound + `(?: AND ` + bound + `)*$`)
	}()
	numbered = regexp.MustCompile(`(?i)([<>]=?|BETWEEN|AND) '?(-?\d+)(?:'::[a-z]+)?`)
)

// widerBounds reports whether two conditions are nothing but bounds, and differ only in that the
// second has lower lower bounds or higher upper ones.
func widerBounds(from, to string) bool {
	frame := func(expr string) string { return numbered.ReplaceAllString(expr, "$1 ?") }
	if !bounds.MatchString(from) || !bounds.MatchString(to) || frame(from) != frame(to) {
		return false
	}
	after := numbered.FindAllStringSubmatch(to, -1)
	for i, before := range numbered.FindAllStringSubmatch(from, -1) {
		least, err := strconv.ParseInt(before[2], 10, 64)
		most, other := strconv.ParseInt(after[i][2], 10, 64)
		if operator := strings.ToUpper(before[1]); operator == "BETWEEN" || operator[0] == '>' {
			least, most = most, least
		}
		if err != nil || other != nil || least > most {
			return false
		}
	}
	return true
}
