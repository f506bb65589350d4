package rows

import (
	"slices"

	"forge/internal/apperr"
	"forge/internal/entity"
	"forge/internal/read/plan"
	"forge/internal/viewer"
)

// Page is what a connection's arguments ask for, except for its conditions. The rules are those of
// the Relay cursor specification (https://relay.dev/graphql/connections.htm), with offset added.
type Page struct {
	First, Last   *int // at least one is set
	Offset        int
	Order         []Term
	Fingerprint   uint32 // of Order
	After, Before []any  // the values of the cursors; nil without one

	bySize bool // the size is what the client asked for
	more   bool // whether there are rows after the page, or before it, is asked for
}

// ReadPage reads the arguments of a node that is a connection.
func ReadPage(n *plan.Node, args plan.Arguments, role viewer.Role, cursors *Cursors) (*Page, error) {
	p := &Page{more: n.Next || n.Previous}
	var err error
	if p.Order, err = order(n.Object, args.Value("orderBy"), role); err != nil {
		return nil, err
	}
	p.Fingerprint = fingerprint(n.Object, p.Order)
	if p.First, err = size(args, "first", plan.MaxPage); err != nil {
		return nil, err
	}
	if p.Last, err = size(args, "last", plan.MaxPage); err != nil {
		return nil, err
	}
	p.bySize = p.First != nil || p.Last != nil
	if !p.bySize {
		p.First = new(plan.DefaultPage)
	}
	offset, err := size(args, "offset", 0)
	if err != nil {
		return nil, err
	}
	if offset != nil {
		p.Offset = *offset
	}
	if p.After, err = cursors.argument(p, args, "after"); err != nil {
		return nil, err
	}
	if p.Before, err = cursors.argument(p, args, "before"); err != nil {
		return nil, err
	}
	return p, nil
}

// size reads an argument that may be neither negative nor above most; 0 stands for no bound.
func size(args plan.Arguments, name string, most int) (*int, error) {
	value := args.Value(name)
	if value == nil {
		return nil, nil
	}
	n, ok := plan.Int(value)
	switch {
	case most > 0 && (!ok || n < 0 || n > int64(most)):
		return nil, apperr.BadInput(name, "%s is %v; from 0 to %d is allowed", name, value, most)
	case !ok || n < 0:
		return nil, apperr.BadInput(name, "%s is %v; it may not be negative, nor past 32 bits", name, value)
	}
	return new(int(n)), nil
}

// argument returns the values of the cursor that an argument holds, nil without one.
func (c *Cursors) argument(p *Page, args plan.Arguments, name string) ([]any, error) {
	value := args.Value(name)
	if value == nil {
		return nil, nil
	}
	text, _ := value.(string)
	values, err := c.Parse(text, p.Fingerprint, p.Order)
	if err != nil {
		return nil, apperr.BadInput(name, "%s", err)
	}
	return values, nil
}

// Backward reports whether the page is counted from the end.
func (p *Page) Backward() bool { return p.First == nil }

// Size returns how many rows of the list can make a difference to the page.
func (p *Page) Size() (n int) {
	if p.First != nil {
		n = *p.First
	}
	if p.Last != nil {
		n = max(n, *p.Last)
	}
	return n
}

// Limit returns how many rows to read: one more than the page has, if it matters whether there are
// more.
func (p *Page) Limit() int {
	if p.more {
		return p.Size() + 1
	}
	return p.Size()
}

// Window is the rows of a page, and whether there are others on either side of it.
type Window struct {
	Rows           []int32
	Next, Previous bool
}

// cut returns the page out of the rows that were read for it, in the order in which they were read.
// more says that there is another row after them, and skipped that the offset has skipped some. A
// cursor stands for a row on its side of the page, though the row may be gone by now.
func (p *Page) cut(rows []int32, more, skipped bool) Window {
	if p.Backward() {
		w := Window{Next: p.Before != nil || skipped, Previous: more, Rows: slices.Clone(rows)}
		slices.Reverse(w.Rows)
		return w
	}
	w := Window{Next: more || len(rows) > *p.First, Previous: p.After != nil || skipped}
	if p.Last != nil {
		w.Previous = more || len(rows) > *p.Last || skipped
	}
	if !p.bySize && p.Before != nil {
		w.Next = true
	}
	w.Rows = rows[:min(len(rows), *p.First)]
	if p.Last != nil {
		w.Rows = w.Rows[max(0, len(w.Rows)-*p.Last):]
	}
	return w
}

// MayHaveSkipped reports whether the answer depends on whether the offset has skipped rows. They
// stand before the page, or after it if it is counted from the end. Where there is a cursor on that
// side, its row is enough.
func (p *Page) MayHaveSkipped(n *plan.Node) bool {
	if p.Backward() {
		return n.Next && p.Before == nil
	}
	return n.Previous && (p.After == nil || p.Last != nil)
}

// WantsMore reports whether the answer says if there are rows outside of the page.
func (p *Page) WantsMore() bool { return p.more }

// FirstSkipped returns the page that holds the first of the rows that the offset skips.
func (p *Page) FirstSkipped() *Page {
	one := *p
	one.Offset, one.First, one.Last, one.more = 0, new(1), nil, false
	if p.Backward() {
		one.First, one.Last = nil, new(1)
	}
	return &one
}

// ByKey reports whether the list is in the order of its keys, so that its cursors are keys.
func (p *Page) ByKey() bool { return len(p.Order) == 1 && p.Order[0].Kind == entity.ID }
