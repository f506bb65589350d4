package main

import (
	"bytes"
	"testing"
)

func TestLevelsOpenAndClose(t *testing.T) {
	one, two := bytes.Repeat([]byte{1}, 16), bytes.Repeat([]byte{2}, 16)
	outer, inner := level{end: "]"}, level{end: ")"}
	var b []byte
	for _, row := range [][2][]byte{{one, one}, {one, one}, {one, two}, {two, two}} {
		if !outer.is(row[0]) {
			b = append(outer.start(inner.close(b), row[0]), '[')
		}
		if !inner.is(row[1]) {
			b = append(inner.start(b, row[1]), '(')
		}
		b = append(b, '.')
	}
	if got, want := string(outer.close(inner.close(b))), "[(..),(.)],[(.)]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := new(level).close(nil); len(got) > 0 {
		t.Errorf("a list without elements: %s", got)
	}
}
