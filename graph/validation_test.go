package graph

import (
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
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
