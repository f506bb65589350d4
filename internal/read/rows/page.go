package rows

import (
	"fmt"
	"hash/fnv"
	"strconv"

	"forge/internal/apperr"
	"forge/internal/entity"
	"forge/internal/read/binding"
	"forge/internal/read/plan"
	"forge/internal/viewer"
)

// Page is what a connection's arguments ask for, except for its conditions. The rules are those of
// the Relay cursor specification (https://relay.dev/graphql/connections.htm), with offset added.
type Page struct {
	First, Last   *int // at least one is set
	Size          int  // how many rows of the list can make a difference to the page
	Limit         int  // how many rows to read: one more if it matters whether there are more
	Offset        int
	Backward      bool // the page is counted from the end
	More          bool // the answer says whether there are rows outside of the page
	Order         []Term
	Fingerprint   uint32 // of Order
	After, Before []any  // the values of the cursors; nil without one

	bySize bool // the size is what the client asked for
}

// ReadPage reads the arguments of a node that is a connection.
func ReadPage(n *plan.Node, args plan.Arguments, role viewer.Role, cursors *Cursors) (*Page, error) {
	p := &Page{More: n.Next || n.Previous}
	var err error
	if p.Order, err = order(n.Object, args.OrderBy, role); err != nil {
		return nil, err
	}
	p.Fingerprint = fingerprint(n.Object, p.Order)
	first, err := size("first", args.First, plan.MaxPage)
	if err != nil {
		return nil, err
	}
	last, err := size("last", args.Last, plan.MaxPage)
	if err != nil {
		return nil, err
	}
	p.setSize(first, last)
	offset, err := size("offset", args.Offset, 0)
	if err != nil {
		return nil, err
	}
	if offset != nil {
		p.Offset = *offset
	}
	if args.After != nil {
		if p.After, err = cursors.argument("after", args.After, p); err != nil {
			return nil, err
		}
	}
	if args.Before != nil {
		p.Before, err = cursors.argument("before", args.Before, p)
	}
	return p, err
}

// setSize sets the size as the client asked for it, or the default.
func (p *Page) setSize(first, last *int) {
	p.bySize = first != nil || last != nil
	if !p.bySize {
		first = new(plan.DefaultPage)
	}
	p.First, p.Last, p.Backward = first, last, first == nil
	p.Size = 0
	for _, n := range []*int{first, last} {
		if n != nil {
			p.Size = max(p.Size, *n)
		}
	}
	p.Limit = p.Size
	if p.More {
		p.Limit++
	}
}

// size reads an argument that may be neither negative nor above most; 0 stands for no bound.
func size(name string, n plan.Number, most int) (*int, error) {
	switch {
	case n.Given == nil:
		return nil, nil
	case most > 0 && (!n.Valid || n.Int < 0 || n.Int > int64(most)):
		return nil, apperr.BadInput(name, "%s is %v; from 0 to %d is allowed", name, n.Given, most)
	case !n.Valid || n.Int < 0:
		return nil, apperr.BadInput(name, "%s is %v; it may not be negative, nor past 32 bits", name, n.Given)
	}
	return new(int(n.Int)), nil
}

// Term is one part of an order.
type Term struct {
	Column   string
	Kind     entity.Kind
	Desc     bool
	Nullable bool
}

// order reads an orderBy argument. The key comes last, so that the order is total. Its direction is
// that of the term before it, so that one index serves both directions.
func order(o *binding.Object, value any, role viewer.Role) ([]Term, error) {
	key := Term{Column: o.Key.Name, Kind: entity.ID}
	if value == nil {
		return []Term{key}, nil
	}
	var terms []Term
	for i, entry := range plan.List(value) {
		input := entry.(map[string]any)
		f := o.Orders[fmt.Sprint(input["field"])]
		if f == nil {
			return nil, apperr.BadInput(fmt.Sprintf("orderBy.%d.field", i), "%.40q is nothing to order by", input["field"])
		}
		if o.Entity.Visible[f.Name] != entity.ToAll && role != viewer.Admin {
			return nil, apperr.Forbidden(fmt.Sprintf("orderBy.%d.field", i), "only an administrator may order by this")
		}
		t := Term{Column: f.Column, Kind: f.Kind, Desc: input["direction"] == "DESC", Nullable: f.Nullable}
		if direction, given := input["direction"]; given && !t.Desc && direction != "ASC" {
			return nil, apperr.BadInput(fmt.Sprintf("orderBy.%d.direction", i), "%.40q is no direction: it is ASC or DESC", direction)
		}
		if !ordersBy(terms, t.Column) {
			terms = append(terms, t)
			key.Desc = t.Desc
		}
	}
	return append(terms, key), nil
}

// ordersBy reports whether terms order by the column already: a second time would change nothing.
func ordersBy(terms []Term, column string) bool {
	for _, t := range terms {
		if t.Column == column {
			return true
		}
	}
	return false
}

// fingerprint returns a number that tells orders apart. A cursor is encrypted for one order, so
// that no other list accepts it.
func fingerprint(o *binding.Object, terms []Term) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(o.Entity.Name))
	for _, t := range terms {
		_, _ = h.Write([]byte("|" + t.Column + strconv.FormatBool(t.Desc)))
	}
	return h.Sum32()
}

// MayHaveSkipped reports whether the answer depends on whether the offset has skipped rows. They
// stand before the page, or after it if it is counted from the end. Where there is a cursor on that
// side, its row is enough.
func (p *Page) MayHaveSkipped(n *plan.Node) bool {
	if p.Backward {
		return n.Next && p.Before == nil
	}
	return n.Previous && (p.After == nil || p.Last != nil)
}

// FirstSkipped returns the page that holds the first of the rows that the offset skips.
func (p *Page) FirstSkipped() *Page {
	one := *p
	one.Offset, one.More = 0, false
	if p.Backward {
		one.setSize(nil, new(1))
	} else {
		one.setSize(new(1), nil)
	}
	return &one
}

// ByKey reports whether the list is in the order of its keys, so that its cursors are keys.
func (p *Page) ByKey() bool { return len(p.Order) == 1 && p.Order[0].Kind == entity.ID }
