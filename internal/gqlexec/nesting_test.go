package gqlexec

import (
	"strings"
	"testing"
)

func TestNesting(t *testing.T) {
	tests := []struct {
		document string
		want     int
	}{
		{"", 0},
		{"{ a }", 1},
		{"query($a: [Int!]) { a(b: {c: [1]}) { d } }", 4},
		{`{ a(b: "{{{{") }`, 2},
		{`{ a(b: "\"{{{{") }`, 2},
		{`{ a(b: """{{ " {{ \""" {{""") { c } }`, 2},
		{`{ a(b: """\\""" """) { c { d } } }`, 3},
		{`{ a(b: """x""""") { c { d } } }`, 3},
		{`{ a(b: """"{{{""") }`, 2},
		{"{ a # {{{{\n { b } }", 2},
		{`{ a(b: "`, 2},
		{`{ a(b: """`, 2},
		{`{ a(b: "\`, 2},
		{"}}}}{", 0},
		{strings.Repeat("{", 500), 500},
	}
	for _, tt := range tests {
		if got := Nesting(tt.document); got != tt.want {
			t.Errorf("Nesting(%q) = %d, want %d", tt.document, got, tt.want)
		}
	}
}

func TestValueDepth(t *testing.T) {
	deep := any("x")
	for range 500 {
		deep = []any{map[string]any{"not": deep, "and": nil}}
	}
	for _, tt := range []struct {
		value any
		want  int
	}{
		{nil, 0},
		{map[string]any(nil), 1},
		{map[string]any{"a": 1, "b": []any{"x", map[string]any{}}}, 3},
		{deep, 1000},
	} {
		if got := valueDepth(tt.value); got != tt.want {
			t.Errorf("valueDepth(%.60v) = %d, want %d", tt.value, got, tt.want)
		}
	}
}
