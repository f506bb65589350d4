package dev

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"entgo.io/ent/dialect"

	"forge/internal/migrator"
	"forge/internal/migrator/catalog"
)

// A state holds the schema and the rows of a database at one time.
type state struct {
	lines  []string // the schema, as catalog.DescribeAll returns it
	tables map[string]table
}

// A table holds the rows of a table. Each row has a value for each column.
type table struct {
	columns []string
	rows    [][]value
}

// A value is a value of any type as text, or NULL.
type value struct {
	text string
	null bool
}

func (s state) rows() (n int) {
	for _, t := range s.tables {
		n += len(t.rows)
	}
	return n
}

// state reads the schema and all rows of the database.
func (v *verifier) state(ctx context.Context) (s state, err error) {
	if s.lines, err = catalog.DescribeAll(ctx, v.db, v.source.Dialect()); err != nil {
		return s, err
	}
	s.tables = make(map[string]table)
	for _, p := range catalog.Places(s.lines) {
		t := s.tables[p.Table]
		if p.Column != "" {
			t.columns = append(t.columns, p.Column)
		}
		s.tables[p.Table] = t
	}
	for name, t := range s.tables {
		if t.rows, err = v.rowsOf(ctx, name, t.columns); err != nil {
			return s, fmt.Errorf("read the rows of %s: %w", name, err)
		}
		s.tables[name] = t
	}
	return s, nil
}

// rowsOf reads the rows of a table. SQLite may store values of several types in one column, so 7
// and '7' become different texts.
func (v *verifier) rowsOf(ctx context.Context, table string, columns []string) (all [][]value, err error) {
	asText := "CAST(%s AS text)"
	if v.source.Dialect() == dialect.SQLite {
		asText = "CASE WHEN %[1]s IS NOT NULL THEN quote(%[1]s) END"
	}
	texts := []string{"1"}
	for _, c := range columns {
		texts = append(texts, fmt.Sprintf(asText, catalog.Quote(c)))
	}
	rows, err := v.db.QueryContext(ctx, "SELECT "+strings.Join(texts, ", ")+" FROM "+catalog.Quote(table))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		read := make([]*string, len(texts))
		into := make([]any, len(texts))
		for i := range read {
			into[i] = &read[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		var row []value
		for _, text := range read[1:] {
			if text == nil {
				row = append(row, value{null: true})
			} else {
				row = append(row, value{text: *text})
			}
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

// only returns each row with just its values in the given columns, in that order.
func (t table) only(columns []string) (rows [][]value) {
	for _, row := range t.rows {
		var part []value
		for _, c := range columns {
			part = append(part, row[slices.Index(t.columns, c)])
		}
		rows = append(rows, part)
	}
	return rows
}

// compareRows compares the rows before up with the rows after down. If the file acknowledges that
// rows are lost, there is only a note.
func (t *trial) compareRows(before, after, back state) {
	lost := migrator.Lost(before.lines, after.lines, t.script.Up)
	for _, name := range before.names() {
		was := before.tables[name]
		is, stays := back.tables[name]
		if !stays || len(was.rows) == 0 {
			continue // compareSchema reports a missing table
		}
		excused := t.allows(catalog.Place{Table: name}, losesRows...) ||
			slices.Contains(lost, catalog.Place{Table: name}) && t.allows(catalog.Place{Table: name}, "drop-table")
		if excused {
			t.verdict.note("the rows of %s need not be kept, as the file acknowledges", name)
			continue
		}
		var columns []column
		for _, c := range was.columns {
			p := catalog.Place{Table: name, Column: c}
			switch {
			case !slices.Contains(is.columns, c):
			case slices.Contains(lost, p) && t.allows(p, "drop-column"), t.allows(p, "change-type"):
				t.verdict.note("what is in %s.%s need not be kept, as the file acknowledges", name, c)
			default:
				columns = append(columns, column{p, c})
			}
		}
		t.compareTable(catalog.Place{Table: name}, name, "down", columns, was, is)
	}
}

// losesRows are the rules of lint about statements that remove or change rows on purpose.
var losesRows = []string{"delete-rows", "drop-cascade", "truncate", "update-all-rows"}

// compareCarried compares the rows after the second up with the rows after the first. It leaves out
// new columns, because a default may result in another value each time.
func (t *trial) compareCarried(before, after, again state) {
	for _, name := range before.names() {
		now := migrator.Renamed(t.script.Up, catalog.Place{Table: name}).Table
		if t.allows(catalog.Place{Table: name}, losesRows...) {
			continue
		}
		var columns []column
		for _, c := range before.tables[name].columns {
			p := migrator.Renamed(t.script.Up, catalog.Place{Table: name, Column: c})
			excused := t.allows(catalog.Place{Table: name, Column: c}, "drop-column", "change-type") || t.allows(p, "drop-column", "change-type")
			if !excused && slices.Contains(after.tables[now].columns, p.Column) && slices.Contains(again.tables[now].columns, p.Column) {
				columns = append(columns, column{catalog.Place{Table: name, Column: c}, p.Column})
			}
		}
		t.compareTable(catalog.Place{Table: name}, now, "the second up", columns, after.tables[now], again.tables[now])
	}
}

// A column is a column to compare. name is the name that it has at that time. before is the place
// that it had before the file, which comments in the file use.
type column struct {
	before catalog.Place
	name   string
}

// maxRows is the number of different rows that a fault lists.
const maxRows = 20

// compareTable adds a fault if rows of a table are missing or unexpected, and a note about
// differences that the file acknowledges. before is the place of the table before the file.
func (t *trial) compareTable(before catalog.Place, name, when string, columns []column, was, is table) {
	gone, added := unmatched(was.only(names(columns)), is.only(names(columns)))
	if gone == nil && added == nil {
		return
	}
	kept := slices.DeleteFunc(slices.Clone(columns), func(c column) bool { return t.excuses(c.before, changeValues) })
	if len(kept) < len(columns) {
		t.verdict.note("values of %s are changed, after %s, as the file acknowledges", name, when)
		columns = kept
		gone, added = unmatched(was.only(names(kept)), is.only(names(kept)))
	}
	if gone == nil && added != nil && t.excuses(before, insertRows) {
		t.verdict.note("rows of %s are added, after %s, as the file acknowledges", name, when)
		added = nil
	}
	var lines []string
	for _, row := range gone {
		lines = append(lines, "\n    missing: "+rowText(names(columns), row))
	}
	for _, row := range added {
		lines = append(lines, "\n    unexpected: "+rowText(names(columns), row))
	}
	if len(lines) > maxRows {
		lines = append(lines[:maxRows], fmt.Sprintf("\n    and %d more", len(lines)-maxRows))
	}
	if lines != nil {
		t.verdict.fault("rows of %s are not kept, after %s; make the sections keep them, or acknowledge it with -- verify:allow and one of %s:%s",
			name, when, strings.Join(VerifyRules(), ", "), strings.Join(lines, ""))
	}
}

func names(columns []column) (all []string) {
	for _, c := range columns {
		all = append(all, c.name)
	}
	return all
}

// unmatched returns the rows of was that are missing in is, and the rows of is that are not in was.
// A value in the place of NULL does not count as a difference, because up may have filled it in.
func unmatched(was, is [][]value) (gone, added [][]value) {
	added = slices.Clone(is)
	slices.SortStableFunc(was, func(a, b []value) int { return cmp.Compare(nulls(a), nulls(b)) })
	for _, row := range was {
		i := slices.IndexFunc(added, func(other []value) bool { return same(row, other) })
		if i < 0 {
			gone = append(gone, row)
			continue
		}
		added = slices.Delete(added, i, i+1)
	}
	if len(added) == 0 {
		added = nil
	}
	return gone, added
}

func nulls(row []value) (n int) {
	for _, v := range row {
		if v.null {
			n++
		}
	}
	return n
}

func same(was, is []value) bool {
	for i := range was {
		if !was[i].null && was[i] != is[i] {
			return false
		}
	}
	return true
}

func rowText(columns []string, row []value) string {
	var all []string
	for i, c := range columns {
		text := row[i].text
		if row[i].null {
			text = "NULL"
		}
		all = append(all, c+"="+catalog.OneLine(text))
	}
	return "(" + strings.Join(all, ", ") + ")"
}

// names returns the sorted names of the tables.
func (s state) names() []string { return slices.Sorted(maps.Keys(s.tables)) }
