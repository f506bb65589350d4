package dev

import (
	"regexp"
	"strings"

	"entgo.io/ent/dialect"

	"forge/internal/migrator"
)

// This file finds in the text of statements what a comparison of schemas cannot show.

// namePattern matches an SQL name, and has a group for its last part. In the text for sqlPattern,
// {} stands for namePattern, and a space for any white space.
const namePattern = "(?:[\"`]?\\w+[\"`]?\\.)?[\"`]?(\\w+)[\"`]?"

func sqlPattern(text string) *regexp.Regexp {
	text = strings.ReplaceAll(text, "{}", namePattern)
	return regexp.MustCompile(`(?is)` + strings.ReplaceAll(text, " ", `\s+`))
}

// patterns match statements as code returns them, without comments and strings.
var patterns = struct {
	rename, dropTable, dropColumn, alterTable, truncate, deletes, update, where,
	drops, cascade, onDelete, concurrently, createIndex, usingIndex *regexp.Regexp
}{
	rename:       sqlPattern(`^ALTER (TABLE|INDEX) (?:IF EXISTS )?(?:ONLY )?{} RENAME (?:(COLUMN|CONSTRAINT) )?(?:{} )?TO {}`),
	dropTable:    sqlPattern(`^DROP TABLE (?:IF EXISTS )?(.*)`),
	dropColumn:   sqlPattern(`\bDROP COLUMN (?:IF EXISTS )?{}`),
	alterTable:   sqlPattern(`^ALTER TABLE (?:IF EXISTS )?(?:ONLY )?{}`),
	truncate:     sqlPattern(`^TRUNCATE (?:TABLE )?(?:ONLY )?{}`),
	deletes:      sqlPattern(`\bDELETE FROM (?:ONLY )?{}`),
	update:       sqlPattern(`\bUPDATE (?:ONLY )?{} (?:AS )?(?:\w+ )?SET\b`),
	where:        sqlPattern(`\bWHERE\b`),
	drops:        sqlPattern(`^DROP\b|^ALTER TABLE\b.*\bDROP\b|^TRUNCATE\b`),
	cascade:      sqlPattern(`\bCASCADE\b`),
	onDelete:     sqlPattern(`\bON (?:DELETE|UPDATE) CASCADE\b`),
	concurrently: sqlPattern(`\bCONCURRENTLY\b`),
	createIndex:  sqlPattern(`\bCREATE (?:UNIQUE )?INDEX (CONCURRENTLY )?(?:IF NOT EXISTS )?(?:{} )?ON (?:ONLY )?{}`),
	usingIndex:   sqlPattern(`\bUSING INDEX {}`),
}

var notCode = regexp.MustCompile(`(?s)--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'`)

// code returns a statement without its comments, and with all strings empty.
func code(text string) string {
	text = notCode.ReplaceAllStringFunc(text, func(part string) string {
		if strings.HasPrefix(part, "'") {
			return "''"
		}
		return " "
	})
	return strings.TrimSpace(text)
}

// A textRename is a rename as it is written in a statement.
type textRename struct{ kind, table, part, from, to string }

// renameIn returns the rename that a statement makes. ok is false if the statement is not a rename.
func renameIn(text string) (r textRename, ok bool) {
	m := patterns.rename.FindStringSubmatch(code(text))
	if m == nil {
		return textRename{}, false
	}
	return textRename{strings.ToUpper(m[1]), m[2], strings.ToUpper(m[3]), m[4], m[5]}, true
}

// renamed adds a finding if the rename is one of a table or column that existed before the file.
func (c *fileLinter) renamed(r textRename, line int) {
	switch {
	case r.kind == "INDEX" || r.part == "CONSTRAINT":
	case r.from == "":
		c.find("rename-table", r.table, line, "")
		delete(c.known, r.table)
		c.known[r.to] = true
		c.names[r.table] = true
	case !c.fresh[qualified(r.table, r.from)]:
		c.find("rename-column", qualified(r.table, r.from), line, "")
	}
}

// readStatement adds findings about the text of a statement in the up section. number is its index.
func (c *fileLinter) readStatement(number int) {
	s := c.script.Up[number]
	text := code(s.Text)
	if m := patterns.dropTable.FindStringSubmatch(text); m != nil {
		for _, t := range regexp.MustCompile(namePattern).FindAllStringSubmatch(m[1], -1) {
			if c.known[t[1]] && !c.copied(t[1], number) {
				c.find("drop-table", t[1], s.Line, "")
			}
		}
	}
	if m := patterns.alterTable.FindStringSubmatch(text); m != nil && c.known[m[1]] {
		table, _ := c.before.Table(m[1])
		for _, column := range patterns.dropColumn.FindAllStringSubmatch(text, -1) {
			if table == nil {
				continue
			}
			if _, ok := table.Column(column[1]); ok && !c.fresh[qualified(m[1], column[1])] {
				c.find("drop-column", qualified(m[1], column[1]), s.Line, "")
			}
		}
	}
	for _, r := range []struct {
		rule    string
		pattern *regexp.Regexp
		holds   bool
	}{
		{"truncate", patterns.truncate, true},
		{"delete-rows", patterns.deletes, true},
		{"update-all-rows", patterns.update, !patterns.where.MatchString(text)},
	} {
		for _, m := range r.pattern.FindAllStringSubmatch(text, -1) {
			if r.holds && c.known[m[1]] {
				c.find(r.rule, m[1], s.Line, "")
			}
		}
	}
	if patterns.drops.MatchString(text) && patterns.cascade.MatchString(patterns.onDelete.ReplaceAllString(text, "")) {
		c.find("drop-cascade", "", s.Line, "")
	}
	for _, m := range patterns.createIndex.FindAllStringSubmatch(text, -1) {
		if c.dialect == dialect.Postgres && m[1] == "" && c.known[m[3]] {
			c.find("create-index", qualified(m[3], m[2]), s.Line, "")
		}
	}
}

// copied reports whether one of the statements before an index copies the rows of a table to
// another table.
func (c *fileLinter) copied(table string, before int) bool {
	copies := sqlPattern(`^INSERT INTO {}.*\bSELECT\b.*\bFROM ["` + "`]?" + regexp.QuoteMeta(table) + `\b`)
	for _, s := range c.script.Up[:before] {
		if copies.MatchString(code(s.Text)) {
			return true
		}
	}
	return false
}

// buildsIndex reports whether the file has a separate statement that creates the index.
func (c *fileLinter) buildsIndex(index string) bool {
	for _, s := range c.script.Up {
		text := code(s.Text)
		if mentions(text, index) && (patterns.createIndex.MatchString(text) || patterns.usingIndex.MatchString(text)) {
			return true
		}
	}
	return false
}

// readMarks adds findings about statements that must not share a file with others, or must not run
// in a transaction.
func (c *fileLinter) readMarks() {
	for _, section := range [][]migrator.Statement{c.script.Up, c.script.Down} {
		if c.script.Outside && len(section) > 1 {
			c.find("several-statements", "", section[1].Line, "")
		}
		for _, s := range section {
			if !c.script.Outside && patterns.concurrently.MatchString(code(s.Text)) {
				c.find("concurrently-in-transaction", "", s.Line, "")
			}
		}
	}
}
