package migrator

import (
	"context"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"entgo.io/ent/dialect"

	"forge/internal/migrator/catalog"
)

// descriptionFormat is the number of the format that catalog.Describe writes. It must be increased
// when the format changes. Descriptions in different formats are not compared: a new build would
// otherwise report its new wording as drift.
const descriptionFormat = 1

// A description holds the lines of catalog.Describe for the tables that the versions created.
type description struct {
	by    string // the format and the kind of database, from describedBy
	lines []string
}

// String returns the text that is stored with a version: by is its first line.
func (d description) String() string { return strings.Join(append([]string{d.by}, d.lines...), "\n") }

// parseDescription parses a text that String has returned.
func parseDescription(text string) description {
	lines := strings.Split(text, "\n")
	return description{lines[0], lines[1:]}
}

// describedBy returns the format of descriptions, and the database with its major version.
// Descriptions depend on both. Major versions of PostgreSQL word the same condition in different
// ways, so after an upgrade of the server a comparison would show drift although nobody has changed
// anything.
func describedBy(ctx context.Context, db catalog.Querier, name string) (string, error) {
	if name == dialect.SQLite {
		return fmt.Sprintf("format %d, SQLite", descriptionFormat), nil
	}
	var major int
	if err := db.QueryRowContext(ctx, "SELECT current_setting('server_version_num')::int / 10000").Scan(&major); err != nil {
		return "", fmt.Errorf("ask for the server's version: %w", err)
	}
	return fmt.Sprintf("format %d, PostgreSQL %d", descriptionFormat, major), nil
}

// describeTables describes the given tables of a database.
func describeTables(ctx context.Context, db catalog.Querier, name string, tables []string) (description, error) {
	by, err := describedBy(ctx, db, name)
	if err != nil {
		return description{}, err
	}
	lines, err := catalog.Describe(ctx, db, name)
	if err != nil {
		return description{}, err
	}
	lines = slices.DeleteFunc(lines, func(line string) bool {
		// SQLite keeps capital letters in names that are not quoted.
		return !slices.ContainsFunc(tables, func(t string) bool { return strings.EqualFold(t, catalog.ParseLine(line).Table) })
	})
	return description{by, lines}, nil
}

// tables returns the names of the tables of a description.
func (d description) tables() (names []string) {
	for _, line := range d.lines {
		if catalog.ParseLine(line).Kind == "table" {
			names = append(names, catalog.ParseLine(line).Table)
		}
	}
	return names
}

// tableMade matches a statement that creates a table or renames one.
var tableMade = regexp.MustCompile(`(?i)\b(?:CREATE\s+(?:(?:UNLOGGED|VIRTUAL)\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?|RENAME\s+TO\s+)` +
	"(?:" + sqlName + `\s*\.\s*)?(` + sqlName + ")")

// sqlName matches a name in the SQL of either database.
const sqlName = "(?:\"(?:[^\"]|\"\")+\"|`[^`]+`|[\\pL_][\\pL\\d_$]*)"

// tablesMadeBy returns the names of the tables that a file creates, and the new names of the tables
// that it renames.
func tablesMadeBy(file string) (names []string) {
	for _, found := range tableMade.FindAllStringSubmatch(file, -1) {
		names = append(names, unquoted(found[1]))
	}
	return names
}

// tablesUpTo returns the names of the tables that the files up to a version create. sum is the
// checksum of that version's file.
func tablesUpTo(files fs.FS, number int64) (tables []string, sum string, err error) {
	versions, err := Versions(files)
	if err != nil {
		return nil, "", err
	}
	for _, v := range versions {
		if v.Number > number {
			break
		}
		text, err := fs.ReadFile(files, v.File())
		if err != nil {
			return nil, "", err
		}
		sum = checksum(text)
		tables = append(tables, tablesMadeBy(string(text))...)
	}
	return tables, sum, nil
}

// drift compares the schema of a database with the schema that its newest version left.
func drift(ctx context.Context, db catalog.Querier, name string, h history) (Drift, error) {
	newest := h.newest()
	if newest == 0 {
		return Drift{}, nil
	}
	was, known, err := descriptionOf(ctx, db, h, newest)
	if err != nil {
		return Drift{}, err
	}
	if !known {
		return Drift{NotCompared: fmt.Sprintf("what %d left is not known: an older build or a person applied it; `migrate up` writes down what is there", newest)}, nil
	}
	now, err := describeTables(ctx, db, name, was.tables())
	if err != nil {
		return Drift{}, err
	}
	if now.by != was.by {
		return Drift{NotCompared: fmt.Sprintf("what %d left was written down by %s, and this is %s; "+
			"`migrate up` writes it down again", newest, was.by, now.by)}, nil
	}
	return Drift{Lines: differences(was.without(h.begun), now.without(h.begun))}, nil
}

// without returns the description without the indexes that unfinished steps build or drop.
func (d description) without(steps map[int64]begun) description {
	d.lines = slices.DeleteFunc(slices.Clone(d.lines), func(line string) bool {
		for _, b := range steps {
			if catalog.ParseLine(line).Kind == "index" && catalog.ParseLine(line).Name == b.index {
				return true
			}
		}
		return false
	})
	return d
}

// differences returns the differences between two descriptions, each as a sentence. If a table is
// missing or new, its columns are not listed.
func differences(was, now description) (words []string) {
	was.lines, now.lines = afterDump(was.lines), afterDump(now.lines)
	missing := make(map[string]string) // lines by their subject
	tables, before := now.tables(), was.tables()
	for _, line := range was.lines {
		if catalog.ParseLine(line).Kind != "table" && !slices.Contains(tables, catalog.ParseLine(line).Table) || slices.Contains(now.lines, line) {
			continue
		}
		missing[catalog.Subject(line)] = line
	}
	for _, line := range now.lines {
		if slices.Contains(was.lines, line) || catalog.ParseLine(line).Kind != "table" && !slices.Contains(before, catalog.ParseLine(line).Table) {
			continue
		}
		if old, ok := missing[catalog.Subject(line)]; ok {
			words = append(words, "changed: "+old+" is now "+catalog.ParseLine(line).Rest)
			delete(missing, catalog.Subject(line))
		} else {
			words = append(words, "unexpected: "+line)
		}
	}
	for _, line := range was.lines {
		if missing[catalog.Subject(line)] == line {
			words = append(words, "missing: "+line)
		}
	}
	return words
}
