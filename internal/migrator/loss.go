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

// A LossError lists the data that is lost when versions are undone.
type LossError struct {
	Versions []Version // to be undone, newest first
	Tables   []Loss    // dropped or emptied, and with rows
	Columns  []Loss    // dropped from other tables or given a narrower type, and with values
	// NotKnown are the versions whose schema is not recorded. If there are any, Tables lists all
	// tables with rows, and some of these may stay.
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
	// The schema that the newest version left, the one that the version before it left, and so on.
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
		e.NotKnown = nil // every table is dropped, recorded or not
		fallthrough
	case e.NotKnown != nil:
		now, err := r.currentTables(ctx, conn, h)
		if err != nil {
			return fail(err)
		}
		for _, t := range now.tables() {
			lost = append(lost, catalog.Place{Table: t})
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

// named returns the version with a number. It has no name if there is no file for it.
func (r runner) named(number int64) Version {
	versions, _ := Versions(r.files)
	if i := slices.IndexFunc(versions, func(v Version) bool { return v.Number == number }); i >= 0 {
		return versions[i]
	}
	return Version{Number: number}
}

// currentTables describes the tables of the database that the applied files made.
func (r runner) currentTables(ctx context.Context, conn *sql.Conn, h history) (description, error) {
	tables, _, err := tablesUpTo(r.files, h.newest())
	if err != nil {
		return description{}, err
	}
	return describeTables(ctx, conn, r.dialect, tables)
}

// lostBetween lists the tables and columns that exist now and that the steps remove, under their
// present names. left has the schema before each step, and at the end the schema that stays. A
// later step that adds a column of the same name does not bring the data back, so each step is
// looked at by itself.
func lostBetween(left []description, steps []step) (lost []catalog.Place) {
	follow(left, steps, func(_ step, now catalog.Place, _, after description, p, next catalog.Place) {
		if !slices.Contains(catalog.Places(after.lines), next) {
			lost = append(lost, now)
		}
	})
	// A lost table stands for its columns.
	lost = slices.DeleteFunc(lost, func(p catalog.Place) bool {
		return p.Column != "" && slices.Contains(lost, catalog.Place{Table: p.Table})
	})
	slices.SortFunc(lost, func(a, b catalog.Place) int { return strings.Compare(a.Table+"."+a.Column, b.Table+"."+b.Column) })
	return lost
}

// follow calls visit for each present table and column, and for each step that finds it. now is
// its name at present, p its name before the step and next its name after it; before and after
// are the schemas around the step.
func follow(left []description, steps []step, visit func(s step, now catalog.Place, before, after description, p, next catalog.Place)) {
	alive := make(map[catalog.Place]catalog.Place) // names at the step, by present names
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

// emptiedOrNarrowed lists the tables and columns that stay but may lose data: a step deletes rows
// of the table, or changes the column to a type that does not hold every value. Single values
// that a step changes with UPDATE are not listed.
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

// deletions matches statements that delete rows of a table.
var deletions = regexp.MustCompile(`(?i)^\s*(?:DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?)\s+(?:ONLY\s+)?(?:` + sqlName + `\s*\.\s*)?(` + sqlName + `)`)

// empties reports whether the step deletes rows of the table.
func (s step) empties(table string) bool {
	return slices.ContainsFunc(s.script.section(s.down), func(st Statement) bool {
		found := deletions.FindStringSubmatch(st.Text)
		return found != nil && unquoted(found[1]) == table
	})
}

// narrows reports whether a change from one PostgreSQL type to another may change values.
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

// renames matches statements that rename a table or a column.
var renames = regexp.MustCompile(`(?i)\bALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?(?:` + sqlName + `\s*\.\s*)?(` + sqlName + `)\s+RENAME\s+` +
	`(?:(?:COLUMN\s+)?(` + sqlName + `)\s+)??TO\s+(` + sqlName + `)`)

// Lost lists the tables and columns of a schema that are gone once statements have led to another
// one. before and after are descriptions by catalog.Describe. A table that was renamed is not gone.
func Lost(before, after []string, statements []Statement) []catalog.Place {
	return lostBetween([]description{{lines: before}, {lines: after}}, []step{{script: Script{Up: statements}}})
}

// renamed returns the name that a place has after the step.
func (s step) renamed(p catalog.Place) catalog.Place {
	return Renamed(s.script.section(s.down), p)
}

// Renamed returns the name that a place has once statements have run.
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
