package read

import (
	"github.com/vektah/gqlparser/v2/ast"
)

// prices are what the parts of a connection's arguments cost, in points. They are in proportion to the
// time that was measured on SQLite, the slower one, when a condition is false for each row that there is.
type prices struct {
	where     int // a where input
	condition int // one on a column
	relation  int // one over related rows
	order     int // a term of orderBy that no index helps with
	count     int // totalCount
}

// A list at the root is a whole table. One below rows is the parts of it that belong to them, and is paid
// for once for each row above it, but as a whole table beside that: all of it may belong to one of them,
// and SQLite looks at all related rows for a condition over them, however few rows it is asked about.
var (
	rootPrices   = prices{where: 40, condition: 40, relation: 1000, order: 40, count: 40}
	nestedPrices = prices{where: 2, condition: 2, relation: 50, order: 2, count: 2}
)

// How much of what is cheap costs a point.
const (
	rowsAPoint    = 100 // that offset passes over
	entriesAPoint = 10  // of a list that a column is compared with
)

// maxCost is where the price of one field stops growing, well below where the sum of all would overflow.
const maxCost = 1 << 28

// Cost returns what the arguments of a connection cost beside its entries, once and for each row above it:
// conditions, above all those over related rows, terms of its order, rows that offset passes over, and
// totalCount, which counts all rows that match. It is 0 for other fields.
func (e *Engine) Cost(f *ast.Field, vars map[string]any) (once, each int) {
	o := e.connections[f.Definition.Type.Name()]
	if o == nil {
		return 0, 0
	}
	args := given{f, vars}
	if f.ObjectDefinition.Name == e.schema.Query.Name {
		return argumentCost(o, args, rootPrices, false), 0
	}
	each = argumentCost(o, args, nestedPrices, true)
	if offset, ok := parseInt(args.value("offset")); ok && offset > 0 {
		each = min(each+int(offset)/rowsAPoint, maxCost)
	}
	return argumentCost(o, args, rootPrices, true), each
}

func argumentCost(o *object, args given, of prices, below bool) int {
	c := costs{prices: of}
	if where, ok := args.value("where").(map[string]any); ok && len(where) > 0 {
		c.total += c.where
		c.all(o, where)
	}
	if terms := list(args.value("orderBy")); len(terms) > 0 {
		c.total += c.order * (len(terms) - 1)
		if below {
			c.total += c.order // indexes by the row above have the key next
		}
	}
	if offset, ok := parseInt(args.value("offset")); ok && offset > 0 && !below {
		c.total += int(offset) / rowsAPoint
	}
	if counted(args.field.SelectionSet, map[string]bool{}) {
		c.total += c.count
	}
	return min(c.total, maxCost)
}

// costs adds up what conditions cost.
type costs struct {
	prices
	total      int
	conditions int // seen so far
}

// all adds the conditions of a where input. It stops at the number of them that is refused anyway.
func (c *costs) all(o *object, input map[string]any) {
	if len(input) == 0 {
		c.conditions++ // it holds for every row, which is looked at all the same
		c.total += c.condition
	}
	for name, value := range input {
		if by := o.filters[name]; by != nil && value != nil && c.conditions <= maxConditions {
			c.conditions++
			c.one(o, by, value)
		}
	}
}

func (c *costs) one(o *object, by *filter, value any) {
	switch by.op {
	case "not", "and", "or":
		c.each(o, value)
	case "has":
		c.total += c.relation
	case "hasWith":
		c.total += c.relation
		c.each(by.to, value)
	case "In":
		c.total += c.condition + len(list(value))/entriesAPoint
	default:
		c.total += c.condition
	}
}

func (c *costs) each(o *object, value any) {
	for _, entry := range list(value) {
		if input, ok := entry.(map[string]any); ok {
			c.all(o, input)
		}
	}
}

// counted reports whether a connection's selection asks for totalCount. Each fragment is looked at once.
func counted(set ast.SelectionSet, seen map[string]bool) bool {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			if s.Name == "totalCount" {
				return true
			}
		case *ast.InlineFragment:
			if counted(s.SelectionSet, seen) {
				return true
			}
		case *ast.FragmentSpread:
			if !seen[s.Name] {
				seen[s.Name] = true
				if counted(s.Definition.SelectionSet, seen) {
					return true
				}
			}
		}
	}
	return false
}
