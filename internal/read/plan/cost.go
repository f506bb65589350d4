package plan

import (
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/read/binding"
	"forge/internal/syntax"
)

// prices are the points that the parts of a connection's arguments cost. They are in proportion to
// the time that was measured on SQLite, the slower database, for conditions that are false for
// every row.
type prices struct {
	where     int // a where argument
	condition int // a condition on a column
	relation  int // a condition over related rows
	order     int // a term of orderBy that no index helps with
	count     int // totalCount
}

// A list at the root is a whole table. A nested list is paid for once for each parent row, as the
// rows that belong to it. It is also paid for once as a whole table: all rows may belong to one
// parent, and SQLite looks at all related rows for a condition over them, however few rows it is
// asked about.
var (
	rootPrices   = prices{where: 40, condition: 40, relation: 1000, order: 40, count: 40}
	nestedPrices = prices{where: 2, condition: 2, relation: 50, order: 2, count: 2}
)

// MaxConditions is how many conditions one where argument may hold. SQLite reads expressions up to
// 1,000 deep, and a chain of ors is one.
const MaxConditions = 500

// How much of something cheap costs one point.
const (
	rowsAPoint    = 100 // that the offset skips
	entriesAPoint = 10  // of a list that a column is compared with
)

// maxCost is the most that one field costs. It is small enough for the sum of all fields not to
// overflow.
const maxCost = 1 << 28

// Price is what a field costs beside the fields inside of it.
type Price struct {
	// Once and Each are what the arguments of a connection cost: once, and for each parent row.
	// Conditions cost, above all those over related rows, and so do terms of the order, rows that
	// the offset skips, and totalCount, which counts all rows that match. Other fields cost
	// nothing.
	Once, Each int
	// Entries is how many entries the selection stands for. For a connection that is the size of
	// the page, the largest size at most. For a field with a list of IDs it is their number, and in
	// a mutation's payload the number of inputs. It is 1 if the field is no list.
	Entries int
}

// PriceOf returns the price of a field. In a mutation, inputs is how long its longest list is.
func PriceOf(b *binding.Binding, f *ast.Field, variables map[string]any, inputs int) Price {
	o := b.Connections[f.Definition.Type.Name()]
	if o == nil {
		return Price{Entries: entries(b, f, variables, inputs)}
	}
	args := ReadArguments(f, variables)
	p := Price{Entries: args.Entries()}
	counts := counted(f.SelectionSet)
	if f.ObjectDefinition.Name == b.Schema.Query.Name {
		p.Once = argumentCost(o, args, rootPrices, counts, false)
		return p
	}
	p.Once = argumentCost(o, args, rootPrices, counts, true)
	p.Each = argumentCost(o, args, nestedPrices, counts, true)
	if skipped := int(args.Offset.Int); skipped > 0 {
		p.Each = min(p.Each+skipped/rowsAPoint, maxCost)
	}
	return p
}

func argumentCost(o *binding.Object, args Arguments, of prices, counts, nested bool) int {
	c := costs{prices: of}
	if where, ok := args.Where.(map[string]any); ok && len(where) > 0 {
		c.total += c.where
		c.all(o, where)
	}
	if args.OrderBy != nil {
		terms := len(List(args.OrderBy))
		c.total += c.order * max(0, terms-1)
		if nested && terms > 0 {
			c.total += c.order // an index by the parent's key has the own key next
		}
	}
	if skipped := int(args.Offset.Int); skipped > 0 && !nested {
		c.total += skipped / rowsAPoint
	}
	if counts {
		c.total += c.count
	}
	return min(c.total, maxCost)
}

// costs adds up the cost of conditions.
type costs struct {
	prices
	total      int
	conditions int // seen so far
}

// all adds the conditions of a where input. It stops where so many of them will be refused.
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

// counted reports whether a connection's selection asks for totalCount.
func counted(set ast.SelectionSet) (found bool) {
	w := syntax.Walker{Fragment: syntax.Definition, Visit: func(selection ast.Selection) syntax.Step {
		f, isField := selection.(*ast.Field)
		switch {
		case !isField:
			return syntax.Into
		case f.Name == "totalCount":
			found = true
			return syntax.End
		}
		return syntax.Over
	}}
	w.Walk(set)
	return found
}

// listEntries is how many entries a list without pages is taken to have.
const listEntries = 5

// entries returns the entries of a field that is not a connection; see Price.
func entries(b *binding.Binding, f *ast.Field, variables map[string]any, inputs int) int {
	switch {
	case f.Definition.Type.Elem == nil, b.Connections[f.ObjectDefinition.Name] != nil:
		return 1 // what a page lists has been counted with the page
	case len(f.Arguments) > 0:
		return Inputs(f, variables)
	case strings.HasSuffix(f.ObjectDefinition.Name, "Payload"):
		return max(listEntries, inputs)
	}
	return listEntries
}

// Inputs returns the length of the longest list among a field's arguments.
func Inputs(f *ast.Field, vars map[string]any) (longest int) {
	for _, value := range f.ArgumentMap(vars) {
		longest = max(longest, len(graphql.CoerceList(value)))
	}
	return longest
}
