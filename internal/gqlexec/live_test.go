package gqlexec

import (
	"testing"

	"forge/internal/changes"
	"forge/internal/read"
)

// TestLiveLearns checks that a change is noticed which came while an answer was made that is the
// first to read its type.
func TestLiveLearns(t *testing.T) {
	t.Parallel()
	one := new(read.LookUp)
	both := touching{"port": nil, "boat": nil}
	for _, tt := range []struct {
		change string
		types  touching
		missed bool
	}{
		{"boat", both, true},
		{"boat", touching{"port": nil}, false},
		{"port", both, false}, // which has made the answer due already
		{"crew", both, false},
	} {
		l := new(live)
		if !l.touched(&changes.Change{Type: "crew"}) || l.learn(touching{"port": nil}) {
			t.Error("before the first answer, each change matters")
		}
		l.passed.Clear()
		if got := l.touched(&changes.Change{Type: tt.change}); got != (tt.change == "port") {
			t.Errorf("a change of a %s matters: %t", tt.change, got)
		}
		if got := l.learn(tt.types); got != tt.missed {
			t.Errorf("a change of a %s is missed by %v: %t", tt.change, tt.types, got)
		}
		_, known := tt.types[tt.change]
		if got := l.touched(&changes.Change{Type: tt.change}); got != known {
			t.Errorf("a later change of a %s matters: %t", tt.change, got)
		}
	}
	l := new(live)
	l.learn(touching{"port": one})
	l.touched(&changes.Change{Type: "port", Key: "elsewhere"})
	if !l.learn(touching{"port": nil}) {
		t.Error("a change of another row is missed by an answer that is the first to read all rows")
	}
}
