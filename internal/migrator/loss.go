package migrate

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"entgo.io/ent/dialect"
)

// A LossError says what data is lost when versions are undone.
type LossError struct {
	Versions []Version // to be undone, newest first
	Tables   []Loss    // that go or are emptied, and have rows
	Columns  []Loss    // that go from tables that stay, or get a narrower type, and have values
	NotKnown []Version // what these left is not known, so Tables are all that have rows, and may stay
}

// A Loss is a table that has rows, or a column that has values in some.
type Loss struct {
	Table, Column string // Column is "" for a whole table
	Rows          int64
}

// Error names everything that is lost.
func (e *LossError) Error() string {
	var all []string
	for _, t := range e.Tables {
		all = append(all, fmt.Sprintf("table %s (%s)", t.Table, inRows(t.Rows)))
	}
	for _, c := range e.Columns {
		all = append(all, fmt.Sprintf("column %s.%s (a value in %s)", c.Table, c.Column, inRows(c.Rows)))
	}
	what := "would lose data: "
	if e.NotKnown != nil {
		what = "may lose data, and which is not known, since an older build or a person applied " + list(e.NotKnown) +
			"; there is data in "
	}
	return "to undo " + list(e.Versions) + " " + what + strings.Join(all, ", ") + "; nothing was done; --yes does it nevertheless"
}

func inRows(n int64) string {
	if n == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}

// mayLose returns a *LossError when steps would lose data.
func (r runner) mayLose(ctx context.Context, conn *sql.Conn, h history, steps []step) error {
	if len(steps) == 0 {
		return nil
	}
	fail := func(err error) error { return fmt.Errorf("migrate: look for data that would be lost: %w", err) }
	e := &LossError{}
	var left []description // by the newest version, by the one before it, and so on to the one that stays
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
	var lost []place
	switch {
	case len(steps) == len(h.applied):
		e.NotKnown = nil // all goes, whatever it is
		fallthrough
	case e.NotKnown != nil:
		now, err := r.present(ctx, conn, h)
		if err != nil {
			return fail(err)
		}
		for _, t := range now.tables() {
			lost = append(lost, place{table: t})
		}
	default:
		lost = lostBetween(left, steps)
		for _, p := range r.endangered(left, steps) {
			if !slices.Contains(lost, p) && !slices.Contains(lost, place{table: p.table}) {
				lost = append(lost, p)
			}
		}
	}
	for _, p := range lost {
		n, err := p.count(ctx, conn)
		if err != nil {
			return fail(err)
		}
		switch loss := (Loss{p.table, p.column, n}); {
		case n == 0:
		case p.column == "":
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

// named is the version with a number, with its name if there is a file.
func (r runner) named(number int64) Version {
	versions, _ := versionsIn(r.files)
	if i := slices.IndexFunc(versions, func(v Version) bool { return v.Number == number }); i >= 0 {
		return versions[i]
	}
	return Version{Number: number}
}

// present describes the tables that are there and that the applied files made.
func (r runner) present(ctx context.Context, conn *sql.Conn, h history) (description, error) {
	tables, _, err := tablesUpTo(r.files, h.newest())
	if err != nil {
		return description{}, err
	}
	return describeTables(ctx, conn, r.dialect, tables)
}

// A place is where data is: a table, or one of its columns.
type place struct{ table, column string }

// count returns in how many rows of the place there is something.
func (p place) count(ctx context.Context, db querier) (n int64, err error) {
	what := "*"
	if p.column != "" {
		what = quoted(p.column)
	}
	err = db.QueryRowContext(ctx, "SELECT count("+what+") FROM "+quoted(p.table)).Scan(&n)
	return n, err
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// lostBetween lists the tables and columns that are there now and do not live
// through the steps, under the names that they have now. left is what each step
// finds, and at its end what stays. That a later step brings the name back
// does not bring the data back, so each is looked at by itself.
func lostBetween(left []description, steps []step) (lost []place) {
	follow(left, steps, func(_ step, now place, _, after description, p, next place) {
		if !slices.Contains(after.places(), next) {
			lost = append(lost, now)
		}
	})
	// A table takes its columns along.
	lost = slices.DeleteFunc(lost, func(p place) bool {
		return p.column != "" && slices.Contains(lost, place{table: p.table})
	})
	slices.SortFunc(lost, func(a, b place) int { return strings.Compare(a.table+"."+a.column, b.table+"."+b.column) })
	return lost
}

// follow calls visit for each table and column that is there now, and each step
// that finds it: with the name that it has now, what the step finds and leaves,
// and the names that it has there.
func follow(left []description, steps []step, visit func(s step, now place, before, after description, p, next place)) {
	alive := make(map[place]place) // the name by then, by the name now
	for _, p := range left[0].places() {
		alive[p] = p
	}
	for i, s := range steps {
		stays := left[i+1].places()
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

// endangered lists the tables and columns that stay, and whose rows or values may
// not: a step deletes rows, or turns values into those of another type. What it
// does to single values with UPDATE only its author knows.
func (r runner) endangered(left []description, steps []step) (all []place) {
	follow(left, steps, func(s step, now place, before, after description, p, next place) {
		switch {
		case p.column == "" && s.empties(p.table):
		case p.column != "" && r.dialect == dialect.Postgres && narrows(before.typeOf(p), after.typeOf(next)):
		default:
			return
		}
		all = append(all, now)
	})
	slices.SortFunc(all, func(a, b place) int { return strings.Compare(a.table+"."+a.column, b.table+"."+b.column) })
	return slices.Compact(all)
}

var deletions = regexp.MustCompile(`(?i)^\s*(?:DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?)\s+(?:ONLY\s+)?(?:` + sqlName + `\s*\.\s*)?(` + sqlName + `)`)

// empties reports whether the step deletes rows of the table.
func (s step) empties(table string) bool {
	return slices.ContainsFunc(s.script.section(s.down), func(st statement) bool {
		found := deletions.FindStringSubmatch(st.text)
		return found != nil && unquoted(found[1]) == table
	})
}

// narrows reports whether a value of one of PostgreSQL's types may become another
// value as one of the other.
func narrows(from, to string) bool {
	switch to {
	case "", from, "text", "character varying":
		return false
	case "bigint":
		return from != "integer" && from != "smallint"
	}
	return true
}

// typeOf is the type of a column, or "" if there is none of that name.
func (d description) typeOf(p place) string {
	for _, text := range d.lines {
		if l := parseLine(text); l.kind == "column" && l.table == p.table && l.name == p.column {
			kind, _, _ := strings.Cut(strings.Replace(l.rest, " NOT NULL", " NULL", 1), " NULL")
			return kind
		}
	}
	return ""
}

// places lists the tables of a description and their columns.
func (d description) places() (all []place) {
	for _, line := range d.lines {
		switch kindOf(line) {
		case "table":
			all = append(all, place{table: tableOf(line)})
		case "column":
			all = append(all, place{tableOf(line), nameOf(line)})
		}
	}
	return all
}

var renames = regexp.MustCompile(`(?i)\bALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?(?:` + sqlName + `\s*\.\s*)?(` + sqlName + `)\s+RENAME\s+` +
	`(?:(?:COLUMN\s+)?(` + sqlName + `)\s+)??TO\s+(` + sqlName + `)`)

// renamed is the name that a place has when the step has run.
func (s step) renamed(p place) place {
	for _, statement := range s.script.section(s.down) {
		for _, found := range renames.FindAllStringSubmatch(statement.text, -1) {
			table, column, name := unquoted(found[1]), found[2], unquoted(found[3])
			switch {
			case table != p.table:
			case column == "":
				p.table = name
			case unquoted(column) == p.column:
				p.column = name
			}
		}
	}
	return p
}
