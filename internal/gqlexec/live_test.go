package gqlexec

import (
	"testing"

	"forge/internal/changes"
)

// TestLiveLearns checks that a change is noticed which came while an answer was made that is the
// first to read its type.
func TestLiveLearns(t *testing.T) {
	t.Parallel()
	both := map[string]bool{"port": true, "boat": true}
	for _, tt := range []struct {
		change string
		types  map[string]bool
		missed bool
	}{
		{"boat", both, true},
		{"boat", map[string]bool{"port": true}, false},
		{"port", both, false}, // which has made the answer due already
		{"crew", both, false},
	} {
		l := new(live)
		if !l.touched(&changes.Change{Type: "crew"}) || l.learn(map[string]bool{"port": true}) {
			t.Error("before the first answer, each change matters")
		}
		l.passed.Clear()
		if got := l.touched(&changes.Change{Type: tt.change}); got != (tt.change == "port") {
			t.Errorf("a change of a %s matters: %t", tt.change, got)
		}
		if got := l.learn(tt.types); got != tt.missed {
			t.Errorf("a change of a %s is missed by %v: %t", tt.change, tt.types, got)
		}
		if got := l.touched(&changes.Change{Type: tt.change}); got != tt.types[tt.change] {
			t.Errorf("a later change of a %s matters: %t", tt.change, got)
		}
	}
}
