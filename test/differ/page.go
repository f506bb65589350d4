package differ

import (
	"slices"
	"strings"

	"forge/internal/collation"
	"forge/internal/entity"
	"forge/internal/search"
)

// ordering is an orderBy argument.
type ordering []orderTerm

type orderTerm struct {
	Field     string   `json:"field"`
	Direction string   `json:"direction,omitempty"`
	Collation *string  `json:"collation,omitempty"`
	words     []string // those of the argument search
}

// relevance is the name of the order by how well rows fit a search.
const relevance = "RELEVANCE"

// term is what a term of an order compares.
type term struct {
	edge   *entity.Edge  // to the related rows; nil for what the row itself has
	column *entity.Field // nil if the related rows are counted, or if the row has a relevance
	shown  string        // the field of the row itself that shows the column; "" if none does
	fits   bool          // how well the row fits the words is compared
	words  []string
}

// termOf returns what a term of an order of an entity's rows compares.
func (c *contents) termOf(e *entity.Entity, by orderTerm) term {
	if by.Field == relevance {
		return term{fits: true, words: by.words}
	}
	name := folded(by.Field)
	for i := range e.Fields {
		if folded(e.Fields[i].Name) == name {
			return term{column: &e.Fields[i]}
		}
	}
	for i := range e.Edges {
		edge := &e.Edges[i]
		for shown, column := range edge.Shows {
			if folded(shown) == name {
				return term{edge: edge, column: fieldOf(c.entities[edge.To], column), shown: shown}
			}
		}
		rest, ok := strings.CutPrefix(name, folded(edge.Name))
		if ok && !edge.Unique && rest == "count" {
			return term{edge: edge}
		}
		if to := c.entities[edge.To]; ok && edge.Unique {
			for j := range to.Fields {
				if folded(to.Fields[j].Name) == rest {
					return term{edge: edge, column: &to.Fields[j]}
				}
			}
		}
	}
	panic(e.Name + " cannot be ordered by " + name)
}

// value returns the value that the term compares.
func (t term) value(r *row) any {
	switch {
	case t.fits:
		return search.Relevance(t.words, r.searched())
	case t.edge == nil:
		return r.values[t.column.Column]
	case t.column == nil:
		return int64(len(r.related[t.edge.Name]))
	case len(r.related[t.edge.Name]) == 0:
		return nil
	}
	return r.related[t.edge.Name][0].values[t.column.Column]
}

// kind returns the kind of the values that the term compares.
func (t term) kind() entity.Kind {
	if t.column == nil {
		return entity.BigInt
	}
	return t.column.Kind
}

// compareRows returns which row comes first. NULLs come last in both directions, and the rows that
// fit a search best come first. The key breaks ties, in the direction of the last term. If a field
// is named twice, only the first time counts.
func (c *contents) compareRows(a, b *row, order ordering) int {
	desc := false
	for i, by := range order {
		if order[:i].has(by.Field) {
			continue
		}
		desc = by.Direction == "DESC"
		term := c.termOf(a.entity, by)
		x, y := term.value(a), term.value(b)
		switch {
		case x == nil && y == nil:
			continue
		case x == nil:
			return 1
		case y == nil:
			return -1
		}
		compare := compareValues
		if by.Collation != nil {
			compare = func(x, y any) int { return collation.Comparer(*by.Collation)(x.(string), y.(string)) }
		}
		if n := directed(compare(x, y), desc || term.fits); n != 0 {
			return n
		}
	}
	return directed(compareValues(a.key, b.key), desc)
}

// of sets the words of the search that the order is of.
func (o ordering) of(words []string) {
	for i := range o {
		o[i].words = words
	}
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
	contents            *contents
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
	compare := func(a, b *row) int { return c.contents.compareRows(a, b, c.order) }
	edges := []*row{}
	for _, r := range all {
		p.total++
		if (c.after == nil || compare(r, c.after) > 0) && (c.before == nil || compare(r, c.before) < 0) {
			edges = append(edges, r)
		}
	}
	slices.SortFunc(edges, compare)
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
