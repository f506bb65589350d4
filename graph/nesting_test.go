package graph

import (
	"strings"
	"testing"
)

func TestBracketDepth(t *testing.T) {
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
		{"{ a # {{{{\n { b } }", 2},
		{`{ a(b: "`, 2},
		{`{ a(b: """`, 2},
		{`{ a(b: "\`, 2},
		{"}}}}{", 0},
		{strings.Repeat("{", 500), 500},
	}
	for _, tt := range tests {
		if got := bracketDepth(tt.document); got != tt.want {
			t.Errorf("bracketDepth(%q) = %d, want %d", tt.document, got, tt.want)
		}
	}
}
