package migrate

import "strings"

// A line of describe begins with a kind and with what it is about, a table or
// something that belongs to one: `index "heroes" "hero_name" …`.
type line struct {
	kind, table, name string // name is "" for a table
	rest              string // what it looks like
}

func parseLine(text string) line {
	var l line
	l.kind, l.rest, _ = strings.Cut(text, " ")
	l.table, l.rest = nextName(l.rest)
	if l.kind != "table" {
		l.name, l.rest = nextName(l.rest)
	}
	return l
}

// nextName takes the first name off a text. One with odd characters is quoted as in SQL.
func nextName(text string) (name, rest string) {
	if inner, ok := strings.CutPrefix(text, `"`); ok {
		for i := 0; i < len(inner); i++ {
			if inner[i] != '"' {
				continue
			}
			if strings.HasPrefix(inner[i+1:], `"`) {
				i++
				continue
			}
			return strings.ReplaceAll(inner[:i], `""`, `"`), strings.TrimLeft(inner[i+1:], " .")
		}
	}
	i := strings.IndexAny(text, " .")
	if i < 0 {
		return text, ""
	}
	return text[:i], strings.TrimLeft(text[i:], " .")
}

func kindOf(text string) string  { return parseLine(text).kind }
func tableOf(text string) string { return parseLine(text).table }
func nameOf(text string) string  { return parseLine(text).name }

// subjectOf is the beginning of a line, that says what it is about.
func subjectOf(text string) string {
	return strings.TrimSpace(strings.TrimSuffix(text, parseLine(text).rest))
}
