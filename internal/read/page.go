package read

import (
	"context"
	"slices"

	"entgo.io/ent/dialect/sql"

	"forge/internal/apperr"
)

// The sizes of a page: what is given when nothing is said, and the most.
const (
	defaultPage = 20
	maxPage     = 100
)

// page is what a connection's arguments ask for. The rules are those of the Relay cursor specification
// (https://relay.dev/graphql/connections.htm), with offset added.
type page struct {
	first, last *int // at least one is set
	bySize      bool // as the client asked, not because nothing was said
	offset      int
	order       []term
	print       uint32
	after       []any // the values of the cursor; nil without one
	before      []any
	where       condition             // nil without one
	only        []func(*sql.Selector) // what the resolver asks of the rows; see Only
	more        bool                  // whether there are rows beyond the page, or before it, is asked for
}

// backward reports whether the page is counted from the end.
func (p *page) backward() bool { return p.first == nil }

// size is how many rows of the list can make a difference to the page.
func (p *page) size() (n int) {
	if p.first != nil {
		n = *p.first
	}
	if p.last != nil {
		n = max(n, *p.last)
	}
	return n
}

// limit is how many rows to read: one beyond those tells whether there are more.
func (p *page) limit() int {
	if p.more {
		return p.size() + 1
	}
	return p.size()
}

// pageOf reads the arguments of a connection.
func (r *run) pageOf(ctx context.Context, l *level) (*page, error) {
	args := given{l.field, r.op.Variables}
	p := &page{more: l.next || l.previous}
	if l.via == nil {
		p.only = r.only
	}
	var err error
	if p.order, err = l.object.orderOf(args.value("orderBy"), r.viewer.Role); err != nil {
		return nil, err
	}
	p.print = fingerprint(l.object, p.order)
	if p.first, err = sizeOf(args, "first", maxPage); err != nil {
		return nil, err
	}
	if p.last, err = sizeOf(args, "last", maxPage); err != nil {
		return nil, err
	}
	p.bySize = p.first != nil || p.last != nil
	if !p.bySize {
		size := defaultPage
		p.first = &size
	}
	offset, err := sizeOf(args, "offset", 0)
	if err != nil {
		return nil, err
	}
	if offset != nil {
		p.offset = *offset
	}
	if p.after, err = r.cursor(p, args, "after"); err != nil {
		return nil, err
	}
	if p.before, err = r.cursor(p, args, "before"); err != nil {
		return nil, err
	}
	if where, ok := args.value("where").(map[string]any); ok {
		p.where, err = filters{r, ctx, new(int), new(int)}.all(l.object, where, "where", 0)
	}
	return p, err
}

// sizeOf reads a number that may not be negative; most bounds it, unless it is 0.
func sizeOf(args given, name string, most int) (*int, error) {
	value := args.value(name)
	if value == nil {
		return nil, nil
	}
	n, ok := parseInt(value)
	switch {
	case most > 0 && (!ok || n < 0 || n > int64(most)):
		return nil, apperr.BadInput(name, "%s is %v; from 0 to %d is allowed", name, value, most)
	case !ok || n < 0:
		return nil, apperr.BadInput(name, "%s is %v; it may not be negative, nor past 32 bits", name, value)
	}
	size := int(n)
	return &size, nil
}

// cursor returns the values of the cursor that an argument holds, nil without one.
func (r *run) cursor(p *page, args given, name string) ([]any, error) {
	value := args.value(name)
	if value == nil {
		return nil, nil
	}
	text, _ := value.(string)
	values, err := r.parseCursor(text, p.print, p.order)
	if err != nil {
		return nil, apperr.BadInput(name, "%s", err)
	}
	return values, nil
}

// window is the part of what was read that makes up the page.
type window struct {
	rows           []int32
	next, previous bool
}

// cut takes the page out of the rows that were read for it, in the order in which they were read. beyond says that there is one more
// behind them, passed that there are some that offset has passed over. A cursor stands for a row on its side of the page, which may be gone by now.
func (p *page) cut(rows []int32, beyond, passed bool) window {
	if p.backward() {
		w := window{next: p.before != nil || passed, previous: beyond, rows: slices.Clone(rows)}
		slices.Reverse(w.rows)
		return w
	}
	w := window{next: beyond || len(rows) > *p.first, previous: p.after != nil || passed}
	if p.last != nil {
		w.previous = beyond || len(rows) > *p.last || passed
	}
	if !p.bySize && p.before != nil {
		w.next = true
	}
	w.rows = rows[:min(len(rows), *p.first)]
	if p.last != nil {
		w.rows = w.rows[max(0, len(w.rows)-*p.last):]
	}
	return w
}

// restrict adds the conditions of the page.
func (f *fetch) restrict(s *sql.Selector) {
	p := f.page
	p.filter(s)
	if p.after != nil {
		s.Where(beyond(p.order, f.parameters(afterValue, p.after), false)(s))
	}
	if p.before != nil {
		s.Where(beyond(p.order, f.parameters(beforeValue, p.before), true)(s))
	}
}

// parameters stand for the values of a cursor; a NULL stays one.
func (f *fetch) parameters(of source, values []any) []any {
	list := make([]any, len(values))
	for i, value := range values {
		if value != nil {
			list[i] = f.parameter(parameter{of, i})
		}
	}
	return list
}

// filter adds the conditions that also count: where and those of the resolver, not the cursors.
func (p *page) filter(s *sql.Selector) {
	for _, only := range p.only {
		only(s)
	}
	if p.where != nil {
		s.Where(p.where(s))
	}
}
