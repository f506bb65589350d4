package scaffold

import (
	"strings"
	"unicode"

	"github.com/go-openapi/inflect"

	"forge/internal/entity"
)

// rules are those of the English language by which ent names tables.
var rules = inflect.NewDefaultRuleset()

// naming holds the words for an entity.
type naming struct {
	one, many   string // in sentences: "order item", "order items"
	field, list string // root fields: "orderItem", "orderItems"
}

// nameOf returns the words for an entity. The plural is that of the table if it is the entity's
// name in the plural, and that of the English language if not.
func nameOf(e *entity.Entity) naming {
	n := naming{one: words(e.Name), field: lower(e.Name)}
	n.list = lower(plural(e.Name))
	if table := camel(e.Table); table != n.field && len(n.field) > 2 && strings.HasPrefix(table, n.field[:len(n.field)-2]) && nameForm.MatchString(table) {
		n.list = table
	}
	n.many = words(n.list)
	return n
}

// plural returns a name in the plural: that of its last word.
func plural(name string) string {
	i := strings.LastIndexFunc(name, unicode.IsUpper)
	if i <= 0 {
		return rules.Pluralize(name)
	}
	return name[:i] + upper(rules.Pluralize(strings.ToLower(name[i:])))
}

func lower(name string) string { return strings.ToLower(name[:1]) + name[1:] }
func upper(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

// camel returns the name of a column or a table as the API has it.
func camel(name string) string {
	parts := strings.Split(name, "_")
	for i, part := range parts {
		if i > 0 && part != "" {
			parts[i] = upper(part)
		}
	}
	return strings.Join(parts, "")
}

// split splits a name before each capital letter that begins a word.
func split(name string) (parts []string) {
	runes, from := []rune(name), 0
	for i := 1; i < len(runes); i++ {
		begins := unicode.IsUpper(runes[i]) && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		if begins {
			parts, from = append(parts, string(runes[from:i])), i
		}
	}
	return append(parts, string(runes[from:]))
}

// words returns a name as words of a sentence.
func words(name string) string { return strings.ToLower(strings.Join(split(name), " ")) }

// shout returns a name as enums have it: OWNER_ID for ownerId.
func shout(name string) string { return strings.ToUpper(strings.Join(split(name), "_")) }

// a returns the words with the article before them.
func a(words string) string {
	if strings.ContainsRune("aeio", rune(words[0])) {
		return "an " + words
	}
	return "a " + words
}

// sentence returns a text with a capital letter at its beginning, and a full stop.
func sentence(text string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return ""
	}
	if !strings.ContainsAny(text[len(text)-1:], ".!?:") {
		text += "."
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
