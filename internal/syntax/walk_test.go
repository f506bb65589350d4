package syntax

import (
	"slices"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// TestWalker walks a document in several ways, and compares the names that it comes by.
func TestWalker(t *testing.T) {
	t.Parallel()
	doc, err := parser.ParseQuery(&ast.Source{Input: `{ a { b ...f } ... { c } ...f ...g d }
		fragment f on T { e ...g }
		fragment g on T { h ...f }`})
	if err != nil {
		t.Fatal(err)
	}
	fragment := func(s *ast.FragmentSpread) *ast.FragmentDefinition { return doc.Fragments.ForName(s.Name) }
	for _, tt := range []struct {
		name     string
		fragment func(*ast.FragmentSpread) *ast.FragmentDefinition
		step     func(name string) Step
		want     []string
		ended    bool
	}{
		{"everything, each fragment once", fragment, func(string) Step { return Into },
			[]string{"a", "b", "...f", "e", "...g", "h", "...f", "...", "c", "...f", "...g", "d"}, false},
		{"no fragments", nil, func(string) Step { return Into }, []string{"a", "b", "...f", "...", "c", "...f", "...g", "d"}, false},
		{"not into fields", fragment, func(name string) Step {
			if name == "a" {
				return Over
			}
			return Into
		}, []string{"a", "...", "c", "...f", "e", "...g", "h", "...f", "...g", "d"}, false},
		{"to the first h", fragment, func(name string) Step {
			if name == "h" {
				return End
			}
			return Into
		}, []string{"a", "b", "...f", "e", "...g", "h"}, true},
		{"unknown fragments", func(*ast.FragmentSpread) *ast.FragmentDefinition { return nil }, func(string) Step { return Into },
			[]string{"a", "b", "...f", "...", "c", "...f", "...g", "d"}, false},
	} {
		var got []string
		w := Walker{Fragment: tt.fragment, Visit: func(selection ast.Selection) Step {
			name := "..."
			switch s := selection.(type) {
			case *ast.Field:
				name = s.Name
			case *ast.FragmentSpread:
				name += s.Name
			}
			got = append(got, name)
			return tt.step(name)
		}}
		if ended := !w.Walk(doc.Operations[0].SelectionSet); !slices.Equal(got, tt.want) || ended != tt.ended {
			t.Errorf("%s: %q, ended %t; want %q, %t", tt.name, got, ended, tt.want, tt.ended)
		}
	}
}
