package graph

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
)

// each returns n texts in a row.
func each(n int, text func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(text(i))
	}
	return b.String()
}

func mustParse(t *testing.T, text string) *ast.QueryDocument {
	t.Helper()
	document, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, 10000)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func TestTooHeavy(t *testing.T) {
	spread := func(on, format string) func(int) string {
		return func(i int) string {
			return fmt.Sprintf("fragment f%d on "+on+" {"+strings.ReplaceAll(format, "next", "f%[2]d")+"} ", i, i+1)
		}
	}
	tests := map[string]string{
		"one name":           "{" + strings.Repeat("__typename ", 4900) + "}",
		"one nested name":    "{" + strings.Repeat("users { nodes { id } } ", 600) + "}",
		"inline fragments":   "{" + strings.Repeat("... { users { nodes { id } } } ", 600) + "}",
		"nested inline":      "{" + strings.Repeat("... {", 90) + strings.Repeat("__typename ", 200) + strings.Repeat("}", 91),
		"side by side":       "{" + each(900, func(i int) string { return fmt.Sprintf("...f%d ", i) }) + "}" + each(900, func(i int) string { return fmt.Sprintf("fragment f%d on Query { a%[1]d: __typename } ", i) }),
		"chain":              "{...f0} " + each(1000, spread("Query", "...next")) + "fragment f1000 on Query { __typename }",
		"many operations":    each(600, func(i int) string { return fmt.Sprintf("query q%d {...f0} ", i) }) + each(600, spread("Query", "...next")) + "fragment f600 on Query { __typename }",
		"doubled":            "{...f0} " + each(100, spread("Query", "...next ...next")) + "fragment f100 on Query { __typename }",
		"doubled schema":     "{ __schema {...f0} } " + each(100, spread("__Schema", "...next ...next")) + "fragment f100 on __Schema { __typename }",
		"large and repeated": "{" + strings.Repeat("users {...f} ", 300) + "} fragment f on UserConnection {" + each(1000, func(i int) string { return fmt.Sprintf("a%d: totalCount ", i) }) + "}",
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !tooHeavy(mustParse(t, text)) {
				t.Error("it is let through")
			}
		})
	}
}

// TestNotTooHeavy has documents that are as large as clients write them, and one whose own mistake is to be told.
func TestNotTooHeavy(t *testing.T) {
	tests := map[string]struct {
		text   string
		errors int
	}{
		"many fields":        {"{" + each(2400, func(i int) string { return fmt.Sprintf("a%d: __typename ", i) }) + "}", 0},
		"a fragment a part":  {"{ users { nodes {" + each(200, func(i int) string { return fmt.Sprintf("...f%d ", i) }) + "} } }" + each(200, func(i int) string { return fmt.Sprintf("fragment f%d on User { id username email version } ", i) }), 0},
		"same in each":       {"{" + each(100, func(i int) string { return fmt.Sprintf("a%d: users { nodes { id ...f } } ", i) }) + "} fragment f on User { id heroes { nodes { id team { id name } } } }", 0},
		"inside of itself":   {"{ users { nodes {...f} } } fragment f on User { heroes { nodes { owner {...f} } } }", 1},
		"side by side twice": {strings.Repeat(" ", 10) + "{ users { nodes { id } } users { nodes { username } } }", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			document := mustParse(t, tt.text)
			if tooHeavy(document) {
				t.Fatal("it is refused")
			}
			if errs := validator.ValidateWithRules(contract(), document, nil); len(errs) != tt.errors {
				t.Errorf("%d errors, want %d: %v", len(errs), tt.errors, errs)
			}
		})
	}
}
