package migrator

import (
	"regexp"
	"slices"
)

var (
	// listCast matches a condition such as status IN ('NEW', 'OLD') on a varchar column, as
	// PostgreSQL writes it: with a cast of the whole list. If the database is restored from a dump,
	// PostgreSQL writes the same condition with a cast of each entry.
	listCast = regexp.MustCompile(`\(ARRAY\[(` + varcharText + `(?:, ` + varcharText + `)*)\]\)::text\[\]`)
	entry    = regexp.MustCompile(varcharText)
)

const varcharText = `'(?:[^']|'')*'::character varying`

// afterDump returns the lines of a description in the form that they have after the database was
// restored from a dump.
func afterDump(lines []string) []string {
	lines = slices.Clone(lines)
	for i := range lines {
		lines[i] = listCast.ReplaceAllStringFunc(lines[i], func(list string) string {
			entries := listCast.FindStringSubmatch(list)[1]
			return "ARRAY[" + entry.ReplaceAllString(entries, "($0)::text") + "]"
		})
	}
	return lines
}
