package gqlexec

import (
	"cmp"
	"fmt"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"forge/internal/read"
	"forge/internal/read/binding"
)

// emptyEngine returns an engine for a schema without entities.
func emptyEngine(t *testing.T) *read.Engine {
	t.Helper()
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: `type Query { a: String }`})
	engine, err := read.New(binding.Contract{Schema: schema}, read.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

// fill adds n different documents to a cache, and returns the cache.
func fill(t *testing.T, n int, text func(i int) string) documents {
	t.Helper()
	c := newDocuments(Validator{}, emptyEngine(t), nil)
	for i := range n {
		text := text(i)
		var first *ast.QueryDocument
		for range 1 + i%2 { // half of the documents are added twice, as by two clients at once
			parsed, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, 10_000)
			if err != nil {
				t.Fatal(err)
			}
			c.add(text, parsed)
			first = cmp.Or(first, parsed)
		}
		if known, ok := c.cache.Get(text); ok && known.parsed != first {
			t.Fatal("another document came back")
		}
	}
	return c
}

// TestDocumentsAreBounded adds more documents of each kind than the cache has room for. The cache,
// and the plans that the engine holds for its documents, stay within bounds.
func TestDocumentsAreBounded(t *testing.T) {
	t.Parallel()
	comment := "#" + strings.Repeat("x", 1<<20)
	switches := strings.Repeat("id @include(if: $a) label @skip(if: $b) ", 200)
	for _, tt := range []struct {
		name        string
		documents   int
		text        func(i int) string
		least, most int // how many are kept
	}{
		{"small", 1500, func(i int) string { return fmt.Sprintf("{ things(first: %d) { nodes { id } } }", i) }, 1000, 1000},
		{"near the limit of tokens", 60, func(i int) string {
			return fmt.Sprintf("{ a%d: things { nodes { %s } } }", i, strings.Repeat("id ", 9980))
		}, 5, 15},
		{"with values near it", 60, func(i int) string {
			return fmt.Sprintf("{ a%d: nodes(ids: [%s]) { id } }", i, strings.Repeat(`"" `, 9980))
		}, 8, 25},
		{"with many operations", 100, func(i int) string { return strings.Repeat(fmt.Sprintf("query a%d {viewer{id}} ", i), 1000) }, 10, 20},
		{"with switches", 100, func(i int) string {
			return fmt.Sprintf("query a%d($a: Boolean!, $b: Boolean!) { things { nodes { %s } } }", i, switches)
		}, 40, 70},
		{"with comments of 1 MiB", 10, func(i int) string { return fmt.Sprintf("{ a%d: viewer { id } } %s", i, comment) }, 0, 0},
		{"with comments of 60 KiB", 1200, func(i int) string { return fmt.Sprintf("{ a%d: viewer { id } } %s", i, comment[:60<<10]) }, 500, 560},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := fill(t, tt.documents, tt.text)
			values, bytes := c.cache.Held()
			if values < tt.least || values > tt.most || bytes > maxDocumentBytes {
				t.Errorf("%d documents with %d bytes are kept, want %d to %d with %d bytes at most", values, bytes, tt.least, tt.most, maxDocumentBytes)
			}
			operations := values
			if tt.name == "with many operations" {
				operations *= 1000
			}
			if got := c.engine.Kept(); got != operations {
				t.Errorf("the engine keeps %d operations of documents that have %d", got, operations)
			}
		})
	}
}

// TestWeightCountsWhatIsSpread weighs fragments that stand for far more fields than their text has.
func TestWeightCountsWhatIsSpread(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	text.WriteString("{ things { nodes { ...f0 } } }")
	for i := range 20 {
		fmt.Fprintf(&text, " fragment f%d on Thing { a: parts { nodes { owner { ...f%d } } } b: parts { nodes { owner { ...f%d } } } }", i, i+1, i+1)
	}
	text.WriteString(" fragment f20 on Thing { id }")
	doc, err := parser.ParseQuery(&ast.Source{Input: text.String()})
	if err != nil {
		t.Fatal(err)
	}
	var define func(ast.SelectionSet)
	define = func(set ast.SelectionSet) { // as validation does
		for _, s := range set {
			switch s := s.(type) {
			case *ast.Field:
				define(s.SelectionSet)
			case *ast.FragmentSpread:
				s.Definition = doc.Fragments.ForName(s.Name)
			}
		}
	}
	define(doc.Operations[0].SelectionSet)
	for _, f := range doc.Fragments {
		define(f.SelectionSet)
	}
	if got := weightOf(doc); got < 1<<20*planBytes {
		t.Errorf("a document that stands for a million fields is taken for %d bytes", got)
	}
}
