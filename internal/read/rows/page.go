package rows

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"

	"forge/internal/apperr"
	"forge/internal/collation"
	"forge/internal/entity"
	"forge/internal/ids"
	"forge/internal/read/binding"
	"forge/internal/read/plan"
	"forge/internal/search"
	"forge/internal/viewer"
)

// Page is the page that a connection's arguments ask for, without the argument where. The rules are
// those of the Relay cursor specification (https://relay.dev/graphql/connections.htm), with offset
// added.
type Page struct {
	First, Last   *int // nil if not set; at least one is set
	Size          int  // the larger of First and Last
	Limit         int  // how many rows to read: one more than Size if More
	Offset        int
	Backward      bool // the page is counted from the end of the list
	More          bool // the answer says whether rows precede or follow the page
	Order         []Term
	Fingerprint   uint32   // of Order; see fingerprint
	After, Before []any    // the values in the cursors; nil without a cursor
	Search        []string // the words that rows must have; nil without a search
	Deleted       bool     // the rows are those that are marked as deleted
	// AfterToo and BeforeToo say that the page may include a row with the same values as the
	// cursor. Among rows of several entities, rows with the same key are in the order of their
	// entities.
	AfterToo, BeforeToo bool

	bySize bool // the client has given first or last
}

// ReadPage returns the page that the arguments of a connection ask for. It returns an error that
// names the argument if one is not valid, or if the viewer's role may not order by a field or ask
// for deleted rows.
func ReadPage(n *plan.Node, args plan.Arguments, role viewer.Role, cursors *Cursors) (*Page, error) {
	p := &Page{More: n.Next || n.Previous, Deleted: args.Deleted && n.Object.ListsDeleted()}
	if p.Deleted && role != viewer.Admin {
		return nil, apperr.Forbidden("deleted", "only an administrator may ask for what is deleted")
	}
	var err error
	if text, ok := args.Search.(string); ok {
		if p.Search, err = search.Words(text); err != nil {
			return nil, apperr.BadInput("search", "%s", err)
		}
	}
	if p.Order, err = order(n.Object, args.OrderBy, role, p.Search != nil); err != nil {
		return nil, err
	}
	p.Fingerprint = fingerprint(n.Object, n.Object.Entity.Name, p.Order)
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
		var of int
		if p.After, of, err = cursors.argument("after", args.After, n.Object, p); err != nil {
			return nil, err
		}
		p.AfterToo = of < 0
	}
	if args.Before != nil {
		var of int
		p.Before, of, err = cursors.argument("before", args.Before, n.Object, p)
		p.BeforeToo = of > 0
	}
	return p, err
}

// setSize sets the page's size to that of the arguments, or else to the default.
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

// size returns the value of an argument, or nil if it is not given. It returns an error if the
// value is negative or above most. If most is 0, there is no upper bound.
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

// Term is one part of an order: what rows are ordered by, and the direction.
type Term struct {
	Column   string         // the column of the rows themselves; "" if By says what is compared
	By       *binding.Order // an order by related rows; nil if it is by Column
	Kind     entity.Kind
	Form     ids.Form // of the key
	Desc     bool
	Nullable bool
	// Collation is the language whose order texts have, or "" for the order of code points. Texts
	// that are equal to the language are in the order of code points.
	Collation string
	// IndexedBelow is that of binding.Order.
	IndexedBelow []string
}

// Name returns a text that differs for terms that compare something else, or in another order of
// texts.
func (t *Term) Name() string {
	name := t.Column
	if t.By != nil {
		name = t.By.Name()
	}
	if t.Collation != "" {
		name += "~" + t.Collation
	}
	return name
}

// maxTerms is how many terms an orderBy may have. A term may be a query inside of the statement,
// and PostgreSQL takes longer to plan with each.
const maxTerms = 20

// order returns the terms of an orderBy argument, and the key as the last term, so that no two rows
// are equal. The key has the direction of the term before, so that one index serves both
// directions.
//
// The rows that fit a search best come first in both directions: by then, the direction is only
// that of the key.
func order(o *binding.Object, value any, role viewer.Role, searched bool) ([]Term, error) {
	key := Term{Column: o.Key.Name, Kind: entity.ID, Form: o.Key.Form}
	if value == nil {
		return []Term{key}, nil
	}
	entries := plan.List(value)
	if len(entries) > maxTerms {
		return nil, apperr.BadInput("orderBy", "there are %d terms; up to %d are allowed", len(entries), maxTerms)
	}
	var terms []Term
	for i, entry := range entries {
		t, err := term(o, entry.(map[string]any), fmt.Sprintf("orderBy.%d.", i), role)
		if err != nil {
			return nil, err
		}
		fits := t.By != nil && t.By.Fit
		if fits && !searched {
			return nil, apperr.BadInput(fmt.Sprintf("orderBy.%d.field", i), "rows have a relevance only for a search; it needs the argument search")
		}
		if !ordersBy(terms, t) {
			key.Desc = t.Desc
			t.Desc = t.Desc || fits
			terms = append(terms, t)
		}
	}
	return append(terms, key), nil
}

// term returns the term of one entry of an orderBy argument. Its errors name a field of the entry,
// whose path is at.
func term(o *binding.Object, input map[string]any, at string, role viewer.Role) (t Term, err error) {
	by := o.Orders[fmt.Sprint(input["field"])]
	if by == nil {
		return t, apperr.BadInput(at+"field", "%.40q is nothing to order by", input["field"])
	}
	if by.Closed && role != viewer.Admin {
		return t, apperr.Forbidden(at+"field", "only an administrator may order by this")
	}
	t = Term{Kind: by.Kind(), Desc: input["direction"] == "DESC", Nullable: by.Nullable}
	if by.Field == nil || by.Edge != nil {
		t.By = by
	} else {
		t.Column, t.IndexedBelow = by.Field.Column, by.IndexedBelow
	}
	if direction, given := input["direction"]; given && !t.Desc && direction != "ASC" {
		return t, apperr.BadInput(at+"direction", "%.40q is no direction: it is ASC or DESC", direction)
	}
	t.Collation, err = collated(t.Kind, input["collation"], at+"collation")
	return t, err
}

// collated returns the language whose order a term asks for, or "" if it asks for none. The text of
// the client goes no further unless it is one of the known languages.
func collated(of entity.Kind, value any, at string) (string, error) {
	switch language, ok := value.(string); {
	case value == nil:
		return "", nil
	case of != entity.String:
		return "", apperr.BadInput(at, "only texts can be ordered by a language; leave collation out here")
	case !ok || !collation.Known(language):
		return "", apperr.BadInput(at, "%.20q is no language that texts can be ordered by; allowed: %s", value, strings.Join(collation.Languages(), ", "))
	default:
		return language, nil
	}
}

// ordersBy reports whether one of the terms already compares what t compares. Comparing it again
// would change nothing, also by another collation: texts are equal only if they are the same.
func ordersBy(terms []Term, t Term) bool {
	for i := range terms {
		if terms[i].By == t.By && terms[i].Column == t.Column {
			return true
		}
	}
	return false
}

// fingerprint returns a number that differs for different orders, and for the entity whose row a
// cursor stands for, if the list has several. A cursor is encrypted for the number of its order, so
// that no other list accepts the cursor.
func fingerprint(o *binding.Object, entity string, terms []Term) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(o.ListName()))
	if o.Of != "" {
		_, _ = h.Write([]byte("|" + entity))
	}
	for _, t := range terms {
		_, _ = h.Write([]byte("|" + t.Name() + strconv.FormatBool(t.Desc)))
	}
	return h.Sum32()
}

// MayHaveSkipped reports whether the answer says if there are rows on the side of the page where
// the offset skips some, and no cursor answers that already. The offset skips rows before the page,
// or after it if the page is counted from the end.
func (p *Page) MayHaveSkipped(n *plan.Node) bool {
	if p.Backward {
		return n.Next && p.Before == nil
	}
	return n.Previous && (p.After == nil || p.Last != nil)
}

// FirstSkipped returns a page that holds only the first row that the offset skips.
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

// ByKey reports whether the list is ordered by key alone, so that its cursors hold nothing but a
// key.
func (p *Page) ByKey() bool { return len(p.Order) == 1 && p.Order[0].Kind == entity.ID }
