package differ

import (
	"slices"
	"strings"

	"forge/internal/entity"
)

// ordering is an orderBy argument.
type ordering []struct {
	Field     string `json:"field"`
	Direction string `json:"direction,omitempty"`
}

// column returns the column that a term of an order compares.
func (r *row) column(term string) *entity.Field {
	for i, f := range r.entity.Fields {
		if strings.EqualFold(f.Name, strings.ReplaceAll(term, "_", "")) {
			return &r.entity.Fields[i]
		}
	}
	panic(r.entity.Name + " cannot be ordered by " + term)
}

// by returns the value that a term of an order compares.
func (r *row) by(term string) any { return r.values[r.column(term).Column] }

// compare returns which row comes first. NULLs come last in both directions. The key breaks ties,
// in the direction of the last term. If a field is named twice, only the first time counts.
func (o ordering) compare(a, b *row) int {
	desc := false
	for i, term := range o {
		if o[:i].has(term.Field) {
			continue
		}
		desc = term.Direction == "DESC"
		x, y := a.by(term.Field), b.by(term.Field)
		switch {
		case x == nil && y == nil:
			continue
		case x == nil:
			return 1
		case y == nil:
			return -1
		}
		if c := directed(compareValues(x, y), desc); c != 0 {
			return c
		}
	}
	return directed(compareValues(a.key, b.key), desc)
}

func (o ordering) has(field string) bool {
	for _, term := range o {
		if term.Field == field {
			return true
		}
	}
	return false
}

func directed(c int, desc bool) int {
	if desc {
		return -c
	}
	return c
}

// cut says which part of a list a page is. after and before are nil without a cursor.
type cut struct {
	first, last, offset *int
	after, before       *row
	order               ordering
}

// page is the part of a list that is shown.
type page struct {
	rows           []*row
	total          int
	next, previous bool
}

// of returns the page by the rules of the Relay specification, section "Pagination algorithm".
// offset skips rows from where the page starts. The page has neighbours where rows were skipped.
func (c cut) of(all []*row) (p page) {
	edges := []*row{}
	for _, r := range all {
		p.total++
		if (c.after == nil || c.order.compare(r, c.after) > 0) && (c.before == nil || c.order.compare(r, c.before) < 0) {
			edges = append(edges, r)
		}
	}
	slices.SortFunc(edges, c.order.compare)
	skip := 0
	if c.offset != nil {
		skip = *c.offset
	}
	switch skipped := min(skip, len(edges)); {
	case c.first == nil && c.last != nil:
		edges = edges[:len(edges)-skipped]
		p.next = c.before != nil || skipped > 0
		p.previous = len(edges) > *c.last
	default:
		edges = edges[skipped:]
		p.previous = skipped > 0
		if c.last != nil {
			p.previous = p.previous || len(edges) > *c.last
		} else {
			p.previous = p.previous || c.after != nil
		}
		if c.first != nil {
			p.next = len(edges) > *c.first
		} else {
			p.next = len(edges) > 20 || c.before != nil
		}
	}
	first := c.first
	if first == nil && c.last == nil {
		first = new(20)
	}
	if first != nil {
		edges = edges[:min(len(edges), *first)]
	}
	if c.last != nil {
		edges = edges[max(0, len(edges)-*c.last):]
	}
	p.rows = edges
	return p
}
