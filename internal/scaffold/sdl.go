package scaffold

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/lexer"
	"github.com/vektah/gqlparser/v2/parser"
)

// definition is a type of the SDL that may be written.
type definition struct {
	kind, name  string // kind is a word of the language, such as "input"
	description string
	node        bool // it implements Node
	members     []member
	writes      bool   // only mutations use it
	entity      string // that it is about, or ""
}

// member is a field of a type, or a value of an enum.
type member struct {
	description string
	name        string
	rest        string   // behind the name: arguments, type and default
	of          []string // what it is about: API names of fields and edges of the entity
}

// add adds a member without a description.
func (d *definition) add(name, rest string, of ...string) {
	d.members = append(d.members, member{name: name, rest: rest, of: of})
}

// describe adds a member with a description.
func (d *definition) describe(description, name, rest string, of ...string) {
	d.members = append(d.members, member{description, name, rest, of})
}

// String returns the text of the definition.
func (d *definition) String() string {
	var b strings.Builder
	writeDescription(&b, "", d.description)
	fmt.Fprintf(&b, "%s %s", d.kind, d.name)
	if d.node {
		b.WriteString(" implements Node")
	}
	if len(d.members) > 0 {
		b.WriteString(" {\n")
		for _, m := range d.members {
			b.WriteString(m.String())
		}
		b.WriteString("}")
	}
	b.WriteString("\n")
	return b.String()
}

// String returns the lines of the member.
func (m member) String() string {
	var b strings.Builder
	writeDescription(&b, "  ", m.description)
	fmt.Fprintf(&b, "  %s%s\n", m.name, m.rest)
	return b.String()
}

// typeNames returns the names in the member's type and arguments.
func (m member) typeNames() []string {
	return strings.FieldsFunc(m.rest, func(r rune) bool { return strings.ContainsRune(" ()[]!:,\n\"", r) })
}

func writeDescription(b *strings.Builder, indent, text string) {
	switch {
	case text == "":
	case strings.ContainsAny(text, "\"\\\n") || len(text) > 150:
		fmt.Fprintf(b, "%s\"\"\"\n", indent)
		for line := range strings.SplitSeq(wrapped(text, 140), "\n") {
			b.WriteString(strings.TrimRight(indent+strings.ReplaceAll(line, `"""`, `\"""`), " ") + "\n")
		}
		fmt.Fprintf(b, "%s\"\"\"\n", indent)
	default:
		fmt.Fprintf(b, "%s%q\n", indent, text)
	}
}

// wrapped breaks the lines of a text before the given width.
func wrapped(text string, width int) string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		current := ""
		for _, word := range strings.Fields(line) {
			if current != "" && len(current)+1+len(word) > width {
				lines, current = append(lines, current), ""
			}
			if current != "" {
				current += " "
			}
			current += word
		}
		lines = append(lines, current)
	}
	return strings.Join(lines, "\n")
}

// document is the text of an SDL, with what is in it.
type document struct {
	text    string
	defined map[string]*ast.Definition // extensions included
	ends    map[string]int             // where the } of a definition is, in bytes
}

// read reads an SDL. It returns an error if the text is not well formed.
func read(text string) (*document, error) {
	d := &document{text: text, defined: map[string]*ast.Definition{}, ends: map[string]int{}}
	if strings.TrimSpace(text) == "" {
		return d, nil
	}
	parsed, err := parser.ParseSchema(&ast.Source{Name: "schema.graphqls", Input: text})
	if err != nil {
		return nil, err
	}
	for _, def := range slices.Concat(parsed.Definitions, parsed.Extensions) {
		if known := d.defined[def.Name]; known != nil {
			known.Fields = append(known.Fields, def.Fields...)
			known.EnumValues = append(known.EnumValues, def.EnumValues...)
			continue
		}
		d.defined[def.Name] = def
	}
	d.findEnds()
	return d, nil
}

// findEnds finds the closing braces of definitions: the first of each name.
func (d *document) findEnds() {
	lex := lexer.New(&ast.Source{Input: d.text})
	depth, name, keyword := 0, "", false
	rest, passed := d.text, 0 // what follows the last brace, and how many characters are before it
	for {
		token, err := lex.ReadToken()
		if err != nil || token.Kind == lexer.EOF {
			return
		}
		switch {
		case token.Kind == lexer.BraceL, token.Kind == lexer.ParenL:
			depth++
		case token.Kind == lexer.ParenR:
			depth--
		case token.Kind == lexer.BraceR:
			rest, passed = after(rest, token.Pos.Start-passed), token.Pos.Start // positions are in characters
			if depth--; depth == 0 {
				if _, known := d.ends[name]; !known {
					d.ends[name] = len(d.text) - len(rest)
				}
			}
		case depth == 0 && token.Kind == lexer.Name && slices.Contains([]string{"type", "input", "enum", "interface"}, token.Value):
			keyword = true
		case depth == 0 && token.Kind == lexer.Name && keyword:
			name, keyword = token.Value, false
		}
	}
}

// after returns what follows the first n characters of a text.
func after(text string, n int) string {
	for range n {
		_, size := utf8.DecodeRuneInString(text)
		text = text[size:]
	}
	return text
}

// has reports whether a type has a field or a value of the name.
func (d *document) has(name, member string) bool {
	def := d.defined[name]
	return def != nil && (def.Fields.ForName(member) != nil || def.EnumValues.ForName(member) != nil)
}

// insertion is members to add to a type that stands.
type insertion struct {
	into    string
	members []member
}

// with returns the text with members added to types that stand, and with definitions at its end.
func (d *document) with(insertions []insertion, definitions []*definition) string {
	slices.SortStableFunc(insertions, func(a, b insertion) int { return d.ends[b.into] - d.ends[a.into] })
	text := d.text
	for _, i := range insertions {
		at := d.ends[i.into]
		var b strings.Builder
		if before := text[:at]; !strings.HasSuffix(before, "\n") {
			b.WriteString("\n")
		}
		for _, m := range i.members {
			b.WriteString(m.String())
		}
		text = text[:at] + b.String() + text[at:]
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	var b strings.Builder
	b.WriteString(text)
	for _, def := range definitions {
		if b.Len() > 0 {
			b.WriteString("\n")
		}
		b.WriteString(def.String())
	}
	return b.String()
}
