package migrator

import (
	"regexp"
	"slices"
)

var (
	// listCast matches how PostgreSQL writes a condition such as status IN ('NEW', 'OLD') on a
	// varchar column: with a cast around the list. After a dump of it is restored, PostgreSQL writes
	// the same condition with a cast around each entry.
	listCast = regexp.MustCompile(`\(ARRAY\[(` + varcharText + `(?:, ` + varcharText + `)*)\]\)::text\[\]`)
	entry    = regexp.MustCompile(varcharText)
)

const varcharText = `'(?:[^']|'')*'::character varying`

// afterDump returns the lines of a description as they read after a dump was restored.
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
