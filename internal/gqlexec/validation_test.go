package gqlexec

import (
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

func mustParse(t *testing.T, text string) *ast.QueryDocument {
	t.Helper()
	document, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, 10000)
	if err != nil {
		t.Fatal(err)
	}
	return document
}
