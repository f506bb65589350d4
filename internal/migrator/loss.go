package migrator

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"entgo.io/ent/dialect"

	"forge/internal/migrator/catalog"
)

// A LossError lists the data that would be lost if versions were undone.
type LossError struct {
	Versions []Version // the versions to undo, newest first
	Tables   []Loss    // the tables with rows that would be dropped or emptied
	// Columns are columns with values, of tables that stay. They would be dropped, or given a
	// narrower type.
	Columns []Loss
	// NotKnown are versions whose schema is not recorded. If there are any, Tables lists all tables
	// with rows, and some of these may not be affected.
	NotKnown []Version
}

// A Loss is a table with rows, or a column with values.
type Loss struct {
	Table, Column string // Column is "" for a whole table
	Rows          int64
}

// Error lists everything that is lost.
func (e *LossError) Error() string {
	var all []string
	for _, t := range e.Tables {
		all = append(all, fmt.Sprintf("table %s (%s)", t.Table, InRows(t.Rows)))
	}
	for _, c := range e.Columns {
		all = append(all, fmt.Sprintf("column %s.%s (a value in %s)", c.Table, c.Column, InRows(c.Rows)))
	}
	what := "would lose data: "
	if e.NotKnown != nil {
		what = "may lose data, and which is not known, since an older build or a person applied " + list(e.NotKnown) +
			"; there is data in "
	}
	return "to undo " + list(e.Versions) + " " + what + strings.Join(all, ", ") + "; nothing was done; --yes does it nevertheless"
}

// InRows returns a number of rows in words, such as "1 row".
func InRows(n int64) string {
	if n == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}

// checkLoss returns a *LossError if steps would lose data.
func (r runner) checkLoss(ctx context.Context, conn *sql.Conn, h history, steps []step) error {
	if len(steps) == 0 {
		return nil
	}
	fail := func(err error) error { return fmt.Errorf("migrate: look for data that would be lost: %w", err) }
	e := &LossError{}
	// left holds the schema that the newest version left, then the one that the version before it
	// left, and so on.
	var left []description
	for i := 0; i <= len(steps); i++ {
		at := len(h.applied) - 1 - i
		number := int64(0)
		if at >= 0 {
			number = h.applied[at].number
		}
		d, known, err := descriptionOf(ctx, conn, h, number)
		if err != nil {
			return fail(err)
		}
		if !known {
			e.NotKnown = append(e.NotKnown, r.named(number))
		}
		left = append(left, d)
	}
	for _, s := range steps {
		e.Versions = append(e.Versions, s.version)
	}
	var lost []catalog.Place
	switch {
	case len(steps) == len(h.applied):
		e.NotKnown = nil // all tables are dropped, whether their schema is recorded or not
		fallthrough
	case e.NotKnown != nil:
		now, err := r.currentTables(ctx, conn, h)
		if err != nil {
			return fail(err)
		}
		for _, p := range catalog.Places(now.lines) {
			if p.Column == "" {
				lost = append(lost, p)
			}
		}
	default:
		lost = lostBetween(left, steps)
		for _, p := range r.emptiedOrNarrowed(left, steps) {
			if !slices.Contains(lost, p) && !slices.Contains(lost, catalog.Place{Table: p.Table}) {
				lost = append(lost, p)
			}
		}
	}
	for _, p := range lost {
		n, err := p.Count(ctx, conn)
		if err != nil {
			return fail(err)
		}
		switch loss := (Loss{p.Table, p.Column, n}); {
		case n == 0:
		case p.Column == "":
			e.Tables = append(e.Tables, loss)
		default:
			e.Columns = append(e.Columns, loss)
		}
	}
	if e.Tables == nil && e.Columns == nil {
		return nil
	}
	return e
}

// named returns the version with a number. Its name is empty if there is no file for it.
func (r runner) named(number int64) Version {
	versions, _ := Versions(r.files)
	if i := slices.IndexFunc(versions, func(v Version) bool { return v.Number == number }); i >= 0 {
		return versions[i]
	}
	return Version{Number: number}
}

// currentTables describes the tables that the applied files have created.
func (r runner) currentTables(ctx context.Context, conn *sql.Conn, h history) (description, error) {
	tables, _, err := tablesUpTo(r.files, h.newest())
	if err != nil {
		return description{}, err
	}
	return describeTables(ctx, conn, r.dialect, tables)
}

// lostBetween returns the tables and columns that exist now and would be removed by steps. It
// returns them with their present names. left holds the schema before each step, and then the
// schema after the last step. Each step counts by itself: a later step may add a column of the same
// name, but that does not bring the data back.
func lostBetween(left []description, steps []step) (lost []catalog.Place) {
	follow(left, steps, func(_ step, now catalog.Place, _, after description, p, next catalog.Place) {
		if !slices.Contains(catalog.Places(after.lines), next) {
			lost = append(lost, now)
		}
	})
	// If a table is lost, its columns need not be listed.
	lost = slices.DeleteFunc(lost, func(p catalog.Place) bool {
		return p.Column != "" && slices.Contains(lost, catalog.Place{Table: p.Table})
	})
	slices.SortFunc(lost, func(a, b catalog.Place) int { return strings.Compare(a.Table+"."+a.Column, b.Table+"."+b.Column) })
	return lost
}

// follow calls visit for each table and column that exists now, once for each step before which it
// still exists. now is its present name, p its name before the step and next its name after the
// step. before and after are the schemas before and after the step.
func follow(left []description, steps []step, visit func(s step, now catalog.Place, before, after description, p, next catalog.Place)) {
	alive := make(map[catalog.Place]catalog.Place) // names at the current step, by present names
	for _, p := range catalog.Places(left[0].lines) {
		alive[p] = p
	}
	for i, s := range steps {
		stays := catalog.Places(left[i+1].lines)
		for now, p := range alive {
			next := s.renamed(p)
			visit(s, now, left[i], left[i+1], p, next)
			alive[now] = next
			if !slices.Contains(stays, next) {
				delete(alive, now)
			}
		}
	}
}

// emptiedOrNarrowed returns the tables and columns that would stay but may lose data: a step
// deletes rows of the table, or gives the column a type that cannot hold every value. Changes of
// single values by UPDATE do not count.
func (r runner) emptiedOrNarrowed(left []description, steps []step) (all []catalog.Place) {
	follow(left, steps, func(s step, now catalog.Place, before, after description, p, next catalog.Place) {
		switch {
		case p.Column == "" && s.empties(p.Table):
		case p.Column != "" && r.dialect == dialect.Postgres && narrows(before.typeOf(p), after.typeOf(next)):
		default:
			return
		}
		all = append(all, now)
	})
	slices.SortFunc(all, func(a, b catalog.Place) int { return strings.Compare(a.Table+"."+a.Column, b.Table+"."+b.Column) })
	return slices.Compact(all)
}

// deletions matches a statement that deletes rows of a table.
var deletions = regexp.MustCompile(`(?i)^\s*(?:DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?)\s+(?:ONLY\s+)?(?:` + sqlName + `\s*\.\s*)?(` + sqlName + `)`)

// empties reports whether the step has a statement that deletes rows of the table.
func (s step) empties(table string) bool {
	return slices.ContainsFunc(s.script.section(s.down), func(st Statement) bool {
		found := deletions.FindStringSubmatch(st.Text)
		return found != nil && unquoted(found[1]) == table
	})
}

// narrows reports whether a change from one PostgreSQL type to another can change values.
func narrows(from, to string) bool {
	switch to {
	case "", from, "text", "character varying":
		return false
	case "bigint":
		return from != "integer" && from != "smallint"
	}
	return true
}

// typeOf returns the type of a column, or "" if there is no such column.
func (d description) typeOf(p catalog.Place) string {
	for _, text := range d.lines {
		if l := catalog.ParseLine(text); l.Kind == "column" && l.Table == p.Table && l.Name == p.Column {
			kind, _, _ := strings.Cut(strings.Replace(l.Rest, " NOT NULL", " NULL", 1), " NULL")
			return kind
		}
	}
	return ""
}

// renames matches a statement that renames a table or a column.
var renames = regexp.MustCompile(`(?i)\bALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?(?:` + sqlName + `\s*\.\s*)?(` + sqlName + `)\s+RENAME\s+` +
	`(?:(?:COLUMN\s+)?(` + sqlName + `)\s+)??TO\s+(` + sqlName + `)`)

// Lost returns the tables and columns that are lost when statements change a schema from before to
// after. before and after are descriptions of catalog.Describe. A table that was renamed is not
// lost.
func Lost(before, after []string, statements []Statement) []catalog.Place {
	return lostBetween([]description{{lines: before}, {lines: after}}, []step{{script: Script{Up: statements}}})
}

// renamed returns the place of the same table or column after the step.
func (s step) renamed(p catalog.Place) catalog.Place {
	return Renamed(s.script.section(s.down), p)
}

// Renamed returns the place of the same table or column after statements have run.
func Renamed(statements []Statement, p catalog.Place) catalog.Place {
	for _, statement := range statements {
		for _, found := range renames.FindAllStringSubmatch(statement.Text, -1) {
			table, column, name := unquoted(found[1]), found[2], unquoted(found[3])
			switch {
			case table != p.Table:
			case column == "":
				p.Table = name
			case unquoted(column) == p.Column:
				p.Column = name
			}
		}
	}
	return p
}
