package read

import (
	"context"
	"database/sql/driver"
	"slices"
)

// loadSkipped finds out, for each key, whether the page's offset has passed over rows. Where there are rows behind it, it has. Where there are none, it may also
// have led past the end of an empty list: a statement that reads one row without the offset tells, if it is asked for.
func (r *run) loadSkipped(ctx context.Context, f *fetch, taken []int) error {
	p := f.page
	if p == nil || !p.more || p.offset == 0 {
		return nil
	}
	res := &r.results[f.level.slot]
	res.passed = make([]bool, len(taken))
	for place, n := range taken {
		res.passed[place] = n > 0 || res.beyond[place]
	}
	if !slices.Contains(res.passed, false) || !p.asksForPassed(f.level) {
		return nil
	}
	one, of := *p, *f
	one.offset, one.first, one.last, one.more = 0, new(1), nil, false
	if p.backward() {
		one.first, one.last = nil, new(1)
	}
	of.page = &one
	return of.each(ctx, func(values []driver.Value) error {
		place, err := of.placeOf(values, len(of.columns))
		if err == nil {
			res.passed[place] = true
		}
		return err
	})
}

// asksForPassed reports whether what was asked for depends on the rows that the offset has passed over: they stand before the page, or behind it if it is counted
// from the end. A cursor answers for them.
func (p *page) asksForPassed(l *level) bool {
	if p.backward() {
		return l.next && p.before == nil
	}
	return l.previous && (p.after == nil || p.last != nil)
}
