package plan

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/entity"
	"forge/internal/read/binding"
	"forge/internal/read/kind"
	"forge/internal/scalar"
	"forge/internal/syntax"
)

// Unit is what one point of cost is counted as. Most parts of an answer cost less than a point.
const Unit = 100

// These are the costs of the parts of an answer. They are in proportion to measured times, in which
// a point is some 5 µs of both processors: a row that is read and written, with the fields that it
// usually has.
const (
	rowCost    = Unit      // an entry of a list
	objectCost = Unit / 10 // an object that is no entry, such as the row that an edge to one leads to
	fieldCost  = Unit / 50 // a field; a name of many bytes costs more
)

// keyBytes is how many bytes of a field's name in the answer are free of cost.
const keyBytes = 32

// prices are the points that the parts of a connection's arguments cost. They are in proportion to
// times measured on SQLite, the slower of the two databases, with conditions that are false for
// every row.
type prices struct {
	where     int // a where argument
	condition int // a condition on a column
	text      int // NotIn, or a condition on a part of a text
	fold      int // a condition on a text regardless of case, which is written in capitals for each row
	document  int // a condition on a JSON document or a list, which is decoded for each row
	value     int // a value after the first in what it is compared with, which is also decoded for each row
	relation  int // a condition over related rows
	order     int // a term of orderBy that no index helps with
	derived   int // a term of orderBy by related rows or by language, which compares what no index has
	search    int // a search
	relevance int // an order by relevance, for which the words of each row that matches are counted
	count     int // totalCount and aggregate
	measure   int // each result of a function, beside the count
	distinct  int // each number of different values, for which PostgreSQL sorts all values
	bucket    int // each bucket that times are cut to
	groups    int // the field groups
}

// rootPrices are the prices of reading a whole table, as a connection at the root does.
// nestedPrices are the prices of reading the few rows that belong to one parent row. A nested
// connection costs nestedPrices for each parent row, and rootPrices once, for two reasons: all rows
// of the table may belong to one parent, and on SQLite a condition over related rows reads all
// related rows, however few parent rows there are.
var (
	rootPrices = prices{where: 40, condition: 40, text: 100, fold: 600, document: 2000, value: 60, relation: 1000, order: 40, derived: 2000,
		search: 300, relevance: 2000, count: 40, measure: 40, distinct: 400, bucket: 500, groups: 200}
	nestedPrices = prices{where: 2, condition: 2, text: 5, fold: 30, document: 100, value: 3, relation: 50, order: 2, derived: 100,
		search: 15, relevance: 100, count: 2, measure: 2, distinct: 20, bucket: 25, groups: 10}
)

// MaxConditions is how many conditions one where argument may hold. SQLite accepts expressions that
// are nested up to 1,000 deep, and a chain of ORs nests once for each condition.
const MaxConditions = 500

// rowsAPoint and entriesAPoint are how many rows, and how many entries, cost one point together.
// One of them alone costs less than a point.
const (
	rowsAPoint    = 100 // rows that the offset skips
	entriesAPoint = 10  // entries of a list that a column is compared with
)

// computedCall is what the call of a resolver costs for each row, in points, whatever it does.
const computedCall = 2

// computedOnce is what a computed field that uses the database costs once, in points: a statement
// of its own, which may well search a table.
const computedOnce = 200

// maxCost is the most points that the arguments of one field cost. It is small enough that the sum
// over all fields of an operation does not overflow.
const maxCost = 1 << 21

// FieldCost returns the cost of writing a field's name, in parts of a point; see Unit.
func FieldCost(f *ast.Field) int { return fieldCost * (1 + len(f.Alias)/keyBytes) }

// Price is the cost of a field, without its name and the fields inside of it. One point is counted
// as Unit.
type Price struct {
	// Once and Each are what the arguments of a connection cost: Once for the field, and Each for
	// each parent row. Costly are conditions, above all those over related rows, the terms of
	// orderBy, rows that the offset skips, and totalCount, which counts all rows that match. A
	// computed field has them as well: Once if it uses the database, and Each for the call
	// of its resolver and its price.
	// For other fields both are 0.
	Once, Each int
	// Entry is the cost of each entry, without the fields inside of it.
	Entry int
	// Entries is how many entries the field is taken to have. For a connection it is the size of
	// the page, and for another list with an argument first the number that it asks for. For a list
	// of nodes with other arguments it is the length of the longest list among them, as for a list
	// of IDs, and for another list with arguments it is at least listEntries. For a list in a
	// mutation's payload it is the number of inputs, and at least listEntries. For any other list
	// it is listEntries, and for a field that is no list it is 1.
	Entries int
	// Beside says that the field stands beside the entries of a connection: its cost is not that of
	// each entry.
	Beside bool
}

// PriceOf returns the price of a field. In a mutation, inputs is the length of the longest list
// among the arguments of its root fields.
func PriceOf(b *binding.Binding, f *ast.Field, variables map[string]any, inputs int) Price {
	var p Price
	o := b.Connections[f.Definition.Type.Name()]
	switch {
	case p.ofChanges(b, f, variables):
	case o != nil:
		p.page(b, o, f, variables)
	case b.Connections[f.ObjectDefinition.Name] != nil && f.Name == "groups":
		p.Entry, p.Entries, p.Beside = rowCost, groupsOf(f, variables), true
	case b.Connections[f.ObjectDefinition.Name] != nil || isEdge(b, f.ObjectDefinition.Name):
		p.Entries = 1 // the entries of a page, and the objects in them, are counted with the connection
		p.Beside = f.Name == "aggregate"
	default:
		p.Entries = entries(b, f, variables, inputs)
		if f.Definition.Type.Elem != nil {
			p.Entry = rowCost
		} else if len(f.SelectionSet) > 0 {
			p.Entry = objectCost
		}
	}
	if b.Schema.Mutation != nil && f.ObjectDefinition.Name == b.Schema.Mutation.Name {
		p.Each += Unit * writeCost(b, f, variables)
	}
	parts := parts(b, f) // rows of each are read
	p.Once, p.Each, p.Entry = parts*p.Once, parts*p.Each, parts*p.Entry
	if of := b.Objects[f.ObjectDefinition.Name]; of != nil && of.Fields[f.Name] != nil && of.Fields[f.Name].Computed != nil {
		p.Each += Unit * (computedCall + of.Fields[f.Name].Computed.Price)
		if !of.Fields[f.Name].Computed.Outside {
			p.Once += Unit * computedOnce
		}
	}
	return p
}

// writeCost returns the points that the rows which a mutation may write cost: a point for each
// object inside of the input, for each row that may fulfil a condition, and for several rows that
// are named by their IDs.
func writeCost(b *binding.Binding, f *ast.Field, variables map[string]any) int {
	args := f.ArgumentMap(variables)
	points := inputCost(args["input"]) / Unit
	if where, ok := args["where"].(map[string]any); ok {
		most, _ := scalar.Int(args["atMost"])
		points += int(min(max(most, 0), maxCost))
		if o := b.Objects[strings.TrimSuffix(f.Definition.Arguments.ForName("where").Type.Name(), "WhereInput")]; o != nil {
			points += argumentCost(o, Arguments{Where: where}, rootPrices, questions{}, false)
		}
	}
	return min(points, maxCost)
}

// inputCost returns the cost of the rows in an input, in parts of a point; see Unit.
func inputCost(value any) (cost int) {
	if object, ok := value.(map[string]any); ok {
		for _, member := range object {
			if _, ok := member.(map[string]any); ok {
				cost += Unit
			}
			cost = min(cost+inputCost(member), maxCost*Unit)
		}
		return cost
	}
	if list := reflect.ValueOf(value); list.Kind() == reflect.Slice {
		for i := range list.Len() {
			entry := list.Index(i).Interface()
			if _, ok := entry.(map[string]any); ok {
				cost += Unit
			} else {
				cost += Unit / entriesAPoint
			}
			cost = min(cost+inputCost(entry), maxCost*Unit)
		}
	}
	return cost
}

// isEdge reports whether a type is that of a connection's edges.
func isEdge(b *binding.Binding, name string) bool {
	of, ok := strings.CutSuffix(name, "Edge")
	return ok && b.Connections[of+"Connection"] != nil
}

// parts returns of how many entities or edges a field reads rows, where it may show only some of
// them: as many rows of each as the field shows.
func parts(b *binding.Binding, f *ast.Field) int {
	n := len(b.Members[f.Definition.Type.Name()])
	if of := b.Objects[f.ObjectDefinition.Name]; of != nil && of.Fields[f.Name] != nil {
		n = len(of.Fields[f.Name].Members)
	}
	return max(1, n)
}

// page adds the price of a connection.
func (p *Price) page(b *binding.Binding, o *binding.Object, f *ast.Field, variables map[string]any) {
	args := ReadArguments(f, variables)
	p.Entry, p.Entries = rowCost, args.Entries()
	asked := questionsOf(o, f.SelectionSet, variables)
	nested := f.ObjectDefinition.Name != b.Schema.Query.Name
	p.Once = Unit * argumentCost(o, args, rootPrices, asked, nested)
	if !nested {
		return
	}
	points := argumentCost(o, args, nestedPrices, asked, true)
	if skipped := int(args.Offset.Int); skipped > 0 {
		points = min(points+skipped/rowsAPoint, maxCost)
	}
	p.Each = Unit * points
}

func argumentCost(o *binding.Object, args Arguments, of prices, asked questions, nested bool) int {
	c := costs{prices: of}
	if where, ok := args.Where.(map[string]any); ok && len(where) > 0 {
		c.total += c.where
		c.all(o, where)
	}
	if args.Search != nil {
		c.total += c.search
	}
	c.orders(o, args.OrderBy, nested)
	if skipped := int(args.Offset.Int); skipped > 0 && !nested {
		c.total += skipped / rowsAPoint
	}
	return min(c.total+asked.cost(of), maxCost)
}

// orders adds the terms of an orderBy argument. At the root an index serves the first term, unless
// it is by related rows or by language. Below a row no index by the parent's key does.
func (c *costs) orders(o *binding.Object, value any, nested bool) {
	for i, entry := range List(value) {
		input, _ := entry.(map[string]any)
		by := o.Orders[fmt.Sprint(input["field"])]
		switch {
		case by != nil && by.Fit:
			c.total += c.relevance
		case by != nil && by.Edge != nil:
			c.total += c.derived
		}
		if input["collation"] != nil {
			c.total += c.derived
		}
		if i > 0 || nested {
			c.total += c.order
		}
	}
}

// costs adds up the cost of the conditions of one where argument.
type costs struct {
	prices
	total      int
	conditions int // the number of conditions seen so far
}

// all adds the conditions of a where input. It stops after MaxConditions: with more of them, the
// argument is refused anyway.
func (c *costs) all(o *binding.Object, input map[string]any) {
	if len(input) == 0 {
		c.conditions++ // it holds for every row, but costs a look at each
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
	if by.Counts || by.Shown != "" {
		c.total += c.relation
	}
	if by.Counts {
		return
	}
	switch by.Op {
	case "not", "and", "or":
		c.each(o, value)
	case "has":
		c.total += c.relation
	case "hasWith":
		c.total += c.relation
		c.each(by.To, value)
	case "Has", "HasEvery", "HasSome", "IsEmpty", "HasKey", "PathEquals":
		c.document(value)
	case "In":
		c.total += c.condition + len(List(value))/entriesAPoint
	case "NotIn":
		c.total += c.text + len(List(value))/entriesAPoint
	default:
		switch {
		case by.Field != nil && by.Field.Kind == entity.JSON:
			c.document(value)
		case by.Folds():
			c.total += c.fold
		case by.Op == "Contains" || by.Op == "ContainsFold" || by.Op == "HasSuffix":
			c.total += c.text
		default:
			c.total += c.condition
		}
	}
}

// document adds a condition on a JSON document or a list that is compared with a value.
func (c *costs) document(value any) {
	c.total = min(c.total+c.prices.document+c.value*(ValuesOf(value)-1), maxCost)
}

func (c *costs) each(o *binding.Object, value any) {
	for _, entry := range List(value) {
		if input, ok := entry.(map[string]any); ok {
			c.all(o, input)
		}
	}
}

// BytesAValue is how many bytes of a text count as one more value.
const BytesAValue = 100

// ValuesOf returns how many values an argument holds: itself, what is in it, and texts by their
// length. A list may be a slice of any type, because gqlparser makes one of its own where a single
// value stands for a list.
func ValuesOf(value any) int {
	n := 1
	switch value := value.(type) {
	case nil:
	case string:
		n += len(value) / BytesAValue
	case map[string]any:
		for _, member := range value {
			n += ValuesOf(member)
		}
	default:
		if list := reflect.ValueOf(value); list.Kind() == reflect.Slice {
			for i := range list.Len() {
				n += ValuesOf(list.Index(i).Interface())
			}
		}
	}
	return n
}

// questions is what a connection's selection asks of all rows that match.
type questions struct {
	counts   bool // totalCount or aggregate is selected
	results  int  // how many results of functions are selected, compared and ordered by
	distinct int  // how many of them are numbers of different values
	buckets  int  // how many units of time groups are formed by
	groups   int  // how many fields are groups
	sorts    int  // how many terms of the orders of groups are by language
}

// cost returns the points that the questions cost. Each one is a scan of the rows.
func (q questions) cost(of prices) int {
	points := 0
	if q.counts {
		points = of.count
	}
	for _, part := range [][2]int{{q.results - q.distinct, of.measure}, {q.distinct, of.distinct}, {q.buckets, of.bucket}, {q.groups, of.groups}, {q.sorts, of.derived}} {
		points = min(points+min(part[0], maxCost)*part[1], maxCost)
	}
	return points
}

// questionsOf returns what the selection of a connection asks of all rows.
func questionsOf(o *binding.Object, set ast.SelectionSet, variables map[string]any) (asked questions) {
	w := syntax.Walker{Fragment: syntax.Definition, Visit: func(selection ast.Selection) syntax.Step {
		f, isField := selection.(*ast.Field)
		if !isField {
			return syntax.Into
		}
		switch f.Name {
		case "totalCount":
			asked.counts = true
		case "aggregate":
			asked.counts = true
			asked.selected(f.SelectionSet)
		case "groups":
			asked.groups++
			asked.selected(f.SelectionSet)
			asked.arguments(o, f.ArgumentMap(variables))
		}
		return syntax.Over
	}}
	w.Walk(set)
	return asked
}

// selected adds the results of functions that are selected in aggregate or groups.
func (q *questions) selected(set ast.SelectionSet) {
	w := syntax.Walker{Fragment: syntax.Definition, Visit: func(selection ast.Selection) syntax.Step {
		f, isField := selection.(*ast.Field)
		switch {
		case !isField:
			return syntax.Into
		case f.Name == "key":
			return syntax.Over
		case f.Definition.Arguments.ForName("field") != nil:
			q.distinct++
			q.results++
		case len(f.SelectionSet) == 0:
			q.results++
		}
		return syntax.Into
	}}
	w.Walk(set)
}

// arguments adds what the arguments of the field groups ask for.
func (q *questions) arguments(o *binding.Object, args map[string]any) {
	for _, entry := range List(args["by"]) {
		if by, _ := entry.(map[string]any); by["bucket"] != nil {
			q.buckets++
		}
	}
	having, _ := args["having"].(map[string]any)
	for name, value := range having {
		if have := o.Summary.Have[name]; have != nil && value != nil {
			q.result(have.Field.Column.Measure)
		}
	}
	for _, entry := range List(args["orderBy"]) {
		by, _ := entry.(map[string]any)
		if rank := o.Summary.Rank[fmt.Sprint(by["field"])]; rank != nil && rank.Column.Measure != nil {
			q.result(rank.Column.Measure)
		}
		if by["collation"] != nil {
			q.sorts++
		}
	}
}

func (q *questions) result(m *binding.Measure) {
	q.results++
	if m.Function == kind.CountDistinct {
		q.distinct++
	}
}

// groupsOf returns how many groups a field has at most.
func groupsOf(f *ast.Field, variables map[string]any) int {
	first := NumberOf(Argument(f, f.Definition.Arguments.ForName("first"), variables))
	if f.Definition.Arguments.ForName("first") == nil || first.Given == nil {
		return DefaultPage
	}
	return int(min(max(first.Int, 0), MaxGroups))
}

// listEntries is how many entries a list without pages is taken to have.
const listEntries = 5

// entries returns Price.Entries of a field that is not a connection.
func entries(b *binding.Binding, f *ast.Field, variables map[string]any, inputs int) int {
	switch {
	case f.Definition.Type.Elem == nil:
		return 1
	case f.Definition.Arguments.ForName("first") != nil:
		first, _ := scalar.Int(Argument(f, f.Definition.Arguments.ForName("first"), variables))
		return int(max(first, 0))
	case len(f.Arguments) > 0:
		n := Inputs(f, variables)
		if !b.IsNode(f.Definition.Type.Name()) {
			n = max(n, listEntries) // only of IDs is it known that each is one entry at most
		}
		return n
	case strings.HasSuffix(f.ObjectDefinition.Name, "Payload"):
		return max(listEntries, inputs)
	}
	return listEntries
}

// Inputs returns the length of the longest list among a field's arguments. The argument atMost
// counts as a list of that length.
func Inputs(f *ast.Field, vars map[string]any) (longest int) {
	for name, value := range f.ArgumentMap(vars) {
		longest = max(longest, len(graphql.CoerceList(value)))
		if name == "atMost" {
			most, _ := scalar.Int(value)
			longest = max(longest, int(min(most, maxCost)))
		}
	}
	return longest
}
