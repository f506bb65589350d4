package operator

import (
	"regexp"
	"strings"
)

// literals match what of a statement may be or hold a value, and what must not be taken for one:
// comments, texts in all ways in which PostgreSQL writes them, names in quotes, names and
// placeholders that hold digits, and numbers. A text that does not end, because PostgreSQL cuts
// long statements, reaches to the end, and so does what depends on settings of the session:
// backslashes, and text in dollar quotes. Comments may stand within each other: one that has the
// beginning of another reaches to the end as well.
var literals = regexp.MustCompile(`(?s)` +
	`--[^\n]*|/\*(?:[^*/]|\*+[^*/]|/+[^*/])*\*+/|/\*.*` + // 0: left out
	`|([eE]'(?:[^'\\]|\\.|'')*(?:'|$)|(?:[bBxXnN]|[uU]&)?'(?:[^'\\]|'')*(?:'|\\.*|$)|\$(?:[A-Za-z_\x{80}-\x{10FFFF}][\w\x{80}-\x{10FFFF}]*)?\$.*)` + // 1: texts
	`|((?:[uU]&)?"(?:[^"]|"")*(?:"|$)|\$\d+|[\pL_][\pL\d_$]*)` + // 2: kept
	`|(\d[\w.]*|\.\d\w*)`) // 3: numbers

const maxShape = 500 // bytes of a shape

// shape returns a statement without the values in it.
func shape(statement string) string {
	kept := literals.ReplaceAllStringFunc(statement, func(found string) string {
		m := literals.FindStringSubmatch(found)
		switch {
		case m == nil || m[1] != "" || m[3] != "":
			return "?"
		case m[2] != "":
			return found
		}
		return " "
	})
	kept = blanks.ReplaceAllString(kept, " ")
	if len(kept) > maxShape {
		kept = strings.ToValidUTF8(kept[:maxShape], "") + "…"
	}
	return kept
}

var blanks = regexp.MustCompile(`\s+`)
