package catalog

import "strings"

// A Line is a parsed line of a description. It describes a table, or something that belongs to a
// table, such as an index.
type Line struct {
	Kind, Table, Name string // Name is "" for a table
	Rest              string // the definition
}

// ParseLine parses a line that Describe returns.
func ParseLine(text string) Line {
	var l Line
	l.Kind, l.Rest, _ = strings.Cut(text, " ")
	l.Table, l.Rest = nextName(l.Rest)
	if l.Kind != "table" {
		l.Name, l.Rest = nextName(l.Rest)
	}
	return l
}

// nextName returns the name at the beginning of a text, and the rest of the text. A name with
// unusual characters is quoted as in SQL.
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

// Subject returns the part of a line before the definition: the kind, the table and the name.
func Subject(text string) string {
	return strings.TrimSpace(strings.TrimSuffix(text, ParseLine(text).Rest))
}
