package plan

import (
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/read/binding"
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

// The sizes of a page: without first and last, and the largest.
const (
	DefaultPage = 20
	MaxPage     = 100
)

// MaxConditions is how many conditions one where argument may hold. SQLite reads expressions up to
// 1,000 deep, and a chain of ors is one.
const MaxConditions = 500

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
func Cost(b *binding.Binding, f *ast.Field, vars map[string]any) (once, each int) {
	o := b.Connections[f.Definition.Type.Name()]
	if o == nil {
		return 0, 0
	}
	args := Arguments{f, vars}
	if f.ObjectDefinition.Name == b.Schema.Query.Name {
		return argumentCost(o, args, rootPrices, false), 0
	}
	each = argumentCost(o, args, nestedPrices, true)
	if offset, ok := Int(args.Value("offset")); ok && offset > 0 {
		each = min(each+int(offset)/rowsAPoint, maxCost)
	}
	return argumentCost(o, args, rootPrices, true), each
}

func argumentCost(o *binding.Object, args Arguments, of prices, below bool) int {
	c := costs{prices: of}
	if where, ok := args.Value("where").(map[string]any); ok && len(where) > 0 {
		c.total += c.where
		c.all(o, where)
	}
	if terms := List(args.Value("orderBy")); len(terms) > 0 {
		c.total += c.order * (len(terms) - 1)
		if below {
			c.total += c.order // indexes by the row above have the key next
		}
	}
	if offset, ok := Int(args.Value("offset")); ok && offset > 0 && !below {
		c.total += int(offset) / rowsAPoint
	}
	if counted(args.Field.SelectionSet, map[string]bool{}) {
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
func (c *costs) all(o *binding.Object, input map[string]any) {
	if len(input) == 0 {
		c.conditions++ // it holds for every row, which is looked at all the same
		c.total += c.condition
	}
	for name, value := range input {
		if by := o.Filters[name]; by != nil && value != nil && c.conditions <= MaxConditions {
			c.conditions++
			c.one(o, by, value)
		}
	}
}

func (c *costs) one(o *binding.Object, by *binding.Filter, value any) {
	switch by.Op {
	case "not", "and", "or":
		c.each(o, value)
	case "has":
		c.total += c.relation
	case "hasWith":
		c.total += c.relation
		c.each(by.To, value)
	case "In":
		c.total += c.condition + len(List(value))/entriesAPoint
	default:
		c.total += c.condition
	}
}

func (c *costs) each(o *binding.Object, value any) {
	for _, entry := range List(value) {
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

// listEntries is what a list without pages is taken for, such as an order's items.
const listEntries = 5

// Entries returns how many entries the selection of a field stands for: a page's size, as its arguments ask for it; the number
// of IDs that the field is given; in a mutation's payload, the number of inputs; 1 if it is no list. A page that is too large counts
// as the largest.
func Entries(b *binding.Binding, f *ast.Field, vars map[string]any, inputs int) int {
	if b.Connections[f.Definition.Type.Name()] != nil {
		return pageEntries(Arguments{f, vars})
	}
	switch {
	case f.Definition.Type.Elem == nil, b.Connections[f.ObjectDefinition.Name] != nil:
		return 1 // what a page lists has been counted with the page
	case len(f.Arguments) > 0:
		return Inputs(f, vars)
	case strings.HasSuffix(f.ObjectDefinition.Name, "Payload"):
		return max(listEntries, inputs)
	}
	return listEntries
}

// Inputs returns how long the longest list is that a field is given as an argument.
func Inputs(f *ast.Field, vars map[string]any) (longest int) {
	for _, value := range f.ArgumentMap(vars) {
		longest = max(longest, len(graphql.CoerceList(value)))
	}
	return longest
}

func pageEntries(args Arguments) int {
	asked := -1
	for _, name := range []string{"first", "last"} {
		if n, ok := Int(args.Value(name)); ok {
			asked = max(asked, int(n))
		}
	}
	if asked < 0 {
		return DefaultPage
	}
	return min(asked, MaxPage)
}
