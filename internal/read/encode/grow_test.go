package encode

import (
	"context"
	"strings"
	"testing"

	"forge/internal/budget"
)

// TestGrow writes lists of lists of a megabyte in all. From the time when an eighth is written, no
// room needs to be made any more, unless the budget leaves none.
func TestGrow(t *testing.T) {
	entry := strings.Repeat("x", 1<<10)
	for name, of := range map[string]struct{ limit, outer, inner int }{
		"many short lists":   {0, 256, 4},
		"few long lists":     {2 << 20, 4, 256},
		"one list":           {0, 1024, 1},
		"one list in a list": {0, 1, 1024},
	} {
		w := Writer{Budget: budget.New(of.limit)}
		w.Start(context.Background(), nil, nil)
		room, entries := 0, 0
		ok := w.list(of.outer, func(int) bool {
			return w.list(of.inner, func(int) bool {
				if entries++; entries == of.outer*of.inner/8 {
					room = cap(w.Bytes)
				}
				w.Bytes = append(w.Bytes, entry...)
				return w.fits()
			})
		})
		if !ok || cap(w.Bytes) != room || room > 3*len(w.Bytes)/2 {
			t.Errorf("%s: %t, %d bytes, with room for %d at first and for %d at last", name, ok, len(w.Bytes), room, cap(w.Bytes))
		}
	}
}

// TestGrowWithin has the first entries of a list be much larger than the others. The room that is
// made for the list is no larger than the budget allows.
func TestGrowWithin(t *testing.T) {
	const limit = 300 << 10
	w := Writer{Budget: budget.New(limit)}
	w.Start(context.Background(), nil, nil)
	ok := w.list(100, func(i int) bool {
		if i < 8 {
			for range 8 {
				w.Bytes = append(w.Bytes, strings.Repeat("x", 4<<10)...)
				w.fits()
			}
		}
		return w.fits()
	})
	if !ok || cap(w.Bytes) > limit+countedAtOnce {
		t.Errorf("%t, room for %d bytes", ok, cap(w.Bytes))
	}
	if w.written != 0 || w.part != 1 {
		t.Errorf("after the list, %g of it is written, and %g an entry", w.written, w.part)
	}
}

// TestListWithoutValue has an entry of a list inside a list have no value. The writer then knows
// again how much of the list around is written.
func TestListWithoutValue(t *testing.T) {
	w := Writer{Budget: budget.New(0)}
	w.Start(context.Background(), nil, nil)
	w.list(2, func(int) bool {
		if w.list(3, func(i int) bool { return i < 2 }) || w.part != 0.5 {
			t.Errorf("an entry is %g of the list", w.part)
		}
		return true
	})
}
