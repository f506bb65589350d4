package syntax_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"forge/internal/syntax"
)

// TestStrings reads strings as the specification does, sections 2.10.4 and 2.1.
func TestStrings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{`{a(s: "\uD83D\uDE00")}`, `"😀"`},
		{`{a(s: "\ud83d\ude00x\uD83D\uDE00")}`, `"😀x😀"`},
		{`{a(s: "\u{1F600}")}`, `"😀"`},
		{`{a(s: "\u{41}\u{0041}\u{10FFFF}")}`, `"AA\U0010ffff"`},
		{`{a(s: "\u{22}\u{5C}\u{A}\u{d}\u{9}\u{0}")}`, `"\"\\\n\r\t\x00"`},
		{`{a(s: "\\uD83D")}`, `"\\uD83D"`},
		{`{a(s: "\\\uD83D\uDE00\"")}`, `"\\😀\""`},
		{`{a(s: """\uD83D""")}`, `"\\uD83D"`},
		{`{a(s: """""")}`, `""`},
		{`{a(s: """"a""")}`, `"\"a"`},
		{`{a(s: """a\"""b""")}`, `"a\"\"\"b"`},
		{`{a(s: ["""a"""""])}`, `["a",""]`},
		{`{a(s: ["""a""""b"])}`, `["a","b"]`},
		{`{a(s: ["""a""""""b"""])}`, `["a","b"]`},
		{`{a(s: ["""""""b"])}`, `["","b"]`},
		{`{a(s: ["a""b"])}`, `["a","b"]`},
		{"\uFEFF{a(s: \"#\")} # \"", `"#"`},
	} {
		doc, err := syntax.Parse(tt.text, 0)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		field := doc.Operations[0].SelectionSet[0].(*ast.Field)
		if got := field.Arguments[0].Value.String(); got != tt.want {
			t.Errorf("%s is read as %s, want %s", tt.text, got, tt.want)
		}
	}
}

// TestRefused parses texts that gqlparser accepts and the specification does not. Each error must
// have the position of the mistake. A position of 0 means that gqlparser finds the mistake itself;
// its columns for strings are not those of the specification.
func TestRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text         string
		line, column int
	}{
		{`{a(s: "é\uD83D")}`, 1, 9},
		{`{a(s: "\uDE00\uD83D")}`, 1, 8},
		{`{a(s: "\uD83D\u0041")}`, 1, 8},
		{`{a(s: "\uD83D\u{DE00}")}`, 1, 8},
		{"{\r\na(\rs:\n\"\\uD83D\\\")}", 4, 2},
		{`{a(s: "\u{D83D}")}`, 1, 8},
		{`{a(s: "\u{110000}")}`, 1, 8},
		{`{a(s: "\u{100000000000000041}")}`, 1, 8},
		{`{a(s: "\u{}")}`, 1, 8},
		{`{a(s: "\u{+1}")}`, 1, 8},
		{`{a(s: "\u{41")}`, 1, 8},
		{`{a(s: """a"""")}`, 0, 0},
		{`{a(s: """a"""""")}`, 0, 0},
		{`{a(s: "\x")}`, 1, 8},
		{`{a(s: "\u12")}`, 1, 8},
		{`{a(s: "\u12x4")}`, 1, 8},
		{`"\x" query {a}`, 1, 2},
		{`{a(s: "\`, 1, 8},
		{`{a(n: 1b: 2)}`, 1, 8},
		{`{a(n: -1.5e+3_)}`, 1, 14},
		{`{a(n: 0xF)}`, 1, 8},
		{`{... "on" T {a}}`, 1, 6},
		{`{... """on""" T {a}}`, 1, 6},
		{`fragment f($a: Int) on T {a}`, 1, 11},
		{`"d" fragment f($a: Int) on T {a}`, 1, 15},
		{` # nothing`, 1, 11},
		{"", 1, 1},
		{`"d" {a}`, 0, 0},
		{`"d" "e" query {a}`, 0, 0},
		{`{"d" a}`, 0, 0},
		{`query ($a: String = "d" "e") {a}`, 0, 0},
		{`query @x("d" 1) {a}`, 0, 0},
	} {
		_, err := syntax.Parse(tt.text, 0)
		wrong, ok := errors.AsType[*gqlerror.Error](err)
		if !ok {
			t.Errorf("%s is taken", tt.text)
			continue
		}
		at := wrong.Locations[0]
		if tt.line != 0 && (at.Line != tt.line || at.Column != tt.column) {
			t.Errorf("%s: %s, at %d:%d, want %d:%d", tt.text, wrong.Message, at.Line, at.Column, tt.line, tt.column)
		}
	}
}

// TestDescriptions passes over descriptions of operations, fragments and variables, which are new
// in the edition of September 2025.
func TestDescriptions(t *testing.T) {
	t.Parallel()
	const described = `
"one \u{1F600}" query A("two" $a: String = "x" """three
	lines""" $b: [String] = ["y"]) { a }
"""four""" # no description
fragment F on T { b(c: "query", d: ["e"]) }
"five" mutation { c }`
	doc, err := syntax.Parse(described, 0)
	if err != nil {
		t.Fatal(err)
	}
	b := doc.Operations[0].VariableDefinitions[1]
	if b.Variable != "b" || b.Position.Line != 3 || b.Position.Column != 11 || b.DefaultValue.String() != `["y"]` {
		t.Errorf("$b is %s = %s, at %d:%d", b.Variable, b.DefaultValue, b.Position.Line, b.Position.Column)
	}
	if len(doc.Fragments) != 1 || len(doc.Operations) != 2 {
		t.Errorf("%d operations and %d fragments", len(doc.Operations), len(doc.Fragments))
	}
}

// TestPlaces checks that what follows a rewritten string stays where it was.
func TestPlaces(t *testing.T) {
	t.Parallel()
	const text = `{a(s: "\uD83D\uDE00é\u{1F600}\u{0041}") b}`
	doc, err := syntax.Parse(text, 0)
	if err != nil {
		t.Fatal(err)
	}
	b := doc.Operations[0].SelectionSet[1].(*ast.Field)
	if want := utf8.RuneCountInString(text) - 1; b.Position.Column != want {
		t.Errorf("b is in column %d, want %d", b.Position.Column, want)
	}
}

// FuzzNormalize checks that a document is normalized once and for all, that lines stay where they
// are, and that no refusal is without a place.
func FuzzNormalize(f *testing.F) {
	for _, text := range []string{
		`{a(s: "\uD83D\uDE00") b}`, `"d" query A("e" $a: String = """f""""") { a }`, `{a(n: 1.5e3 m: -0) ... on T {b}}`, `"\u{41}" query {a}`,
		"{ # é\r\n a(s: [\"\\\"\", \"\"\"\\\"\"\"\"\"\"]) }", `fragment F on T @d(a: "x") { b }`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		once, err := syntax.Normalize(text)
		if err != nil {
			if len(err.Locations) != 1 || err.Extensions["code"] != "GRAPHQL_PARSE_FAILED" {
				t.Errorf("refused with %v", err)
			}
			return
		}
		if len(once) > 3*len(text)+3 || strings.Count(once, "\n") != strings.Count(text, "\n") {
			t.Errorf("%q becomes %q", text, once)
		}
		if _, err := parser.ParseQuery(&ast.Source{Input: once}); err != nil {
			return
		}
		if twice, err := syntax.Normalize(once); err != nil || twice != once {
			t.Errorf("%q becomes %q, and that %q, %v", text, once, twice, err)
		}
	})
}
