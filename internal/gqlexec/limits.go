package gqlexec

import (
	"context"
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/graphqlhttp"
	"forge/internal/read/binding"
	"forge/internal/read/plan"
	"forge/internal/telemetry"
)

// Limits bound what one operation may ask for. They are checked before the operation runs. 0 means
// no limit.
type Limits struct {
	Depth      int // how deep fields stand inside each other
	Aliases    int
	RootFields int
	Directives int
	Cost       int // in points; see measure
	Tokens     int // in the document
	// AnswerBytes bounds the size of an answer, and of the rows that the answer is made from. It is
	// checked while the answer is made.
	AnswerBytes int
}

// limiter refuses operations that exceed a limit. Introspection does not count for cost and depth.
// It is meant for developers and has a limit of its own.
type limiter struct {
	Limits
	report bool // add the cost to the operation's statistics
}

// costKey is the key of the cost in the statistics of an operation.
const costKey = "cost"

// searchesKey is the key in the statistics of an operation that may search tables: it has
// conditions, orders or questions that cost searchCost points or more, however many rows come.
const (
	searchesKey = "searches"
	searchCost  = 300
)

// check measures the operation, and returns an error if it exceeds a limit. The number of values in
// the arguments of all fields is limited as well. The values of a variable count at each use of the
// variable, because they are decoded anew for each: a variable of a megabyte in a thousand places
// would take a gigabyte.
func (l limiter) check(ctx context.Context, c *checked) gqlerror.List {
	m := newMeasure(c)
	found := m.sum.of(c.Operation.SelectionSet)
	cost := (plus(found.cost, found.once) + plan.Unit - 1) / plan.Unit
	if found.once >= searchCost*plan.Unit {
		c.Stats.SetExtension(searchesKey, true)
	}
	if l.report {
		c.Stats.SetExtension(costKey, cost)
	}
	for _, check := range []struct {
		limited       telemetry.Limit
		code          apperr.Code
		what          string
		limit, actual int
	}{
		{telemetry.Cost, apperr.CodeTooComplex, "values in the arguments of all fields, or as much text", graphqlhttp.MaxValues, found.values},
		{telemetry.Depth, apperr.CodeTooDeep, "fields stand inside each other", l.Depth, found.depth},
		{telemetry.Aliases, apperr.CodeTooManyAliases, "aliases", l.Aliases, found.aliases},
		{telemetry.RootFields, apperr.CodeTooComplex, "root fields", l.RootFields, max(len(c.roots), len(c.live))},
		{telemetry.Directives, apperr.CodeTooComplex, "directives", l.Directives, found.directives},
		{telemetry.Cost, apperr.CodeTooComplex, "points of cost", l.Cost, cost},
	} {
		if check.limit > 0 && check.actual > check.limit {
			telemetry.FromContext(ctx).Refuse(check.limited)
			return gqlerror.List{tooMuch(check.code, check.what, check.limit, check.actual)}
		}
	}
	return nil
}

func tooMuch(code apperr.Code, what string, limit, actual int) *gqlerror.Error {
	err := gqlerror.Errorf("%d %s; at most %d are allowed", actual, what, limit)
	err.Extensions = map[string]any{"code": string(code), "limit": limit, "actual": actual}
	return err
}

// tooManyTokens returns the error for a document with too many tokens. The parser stops at the
// first token above the limit, so the exact number is not known.
func tooManyTokens(ctx context.Context, limit int) *gqlerror.Error {
	telemetry.FromContext(ctx).Refuse(telemetry.Tokens)
	err := tooMuch(apperr.CodeTooComplex, "tokens", limit, limit+1)
	err.Message = fmt.Sprintf("more than %d tokens; at most %d are allowed", limit, limit)
	return err
}

// size is what was measured of one or more selections.
type size struct {
	depth, aliases, directives int
	// cost and once are in parts of a point; see plan.Unit. once does not grow with the parent
	// rows.
	cost, once int
	beside     int // the cost of what stands beside the entries of the list around, not in each
	values     int // how many values are in arguments
}

// most is the largest number that is counted to. Nested fragments can stand for more fields than an
// int can count.
const most = 1 << 30

func plus(a, b int) int { return min(a+b, most) }

func times(a, b int) int {
	if b > 0 && a > most/b {
		return most
	}
	return a * b
}

// measure measures selections. The cost is in proportion to the time that the answer takes at most:
// it counts the rows that can come, their fields, and what makes a list slow to read, such as
// conditions. Fields below a list cost as often as the list can have entries. See plan.Price.
type measure struct {
	binding   *binding.Binding
	variables map[string]any
	values    map[string]int // how many values each variable has
	seen      int            // how many values were found so far, each fragment counted once
	// inputs is the length of the longest list among a mutation's arguments. Lists in the payload
	// may be as long.
	inputs int
	sum    sum[size]
}

func newMeasure(c *checked) *measure {
	m := &measure{binding: c.binding, variables: c.Variables}
	m.sum.parts = m
	if len(c.Variables) > 0 {
		m.values = make(map[string]int, len(c.Variables))
	}
	for name, value := range c.Variables {
		m.values[name] = plan.ValuesOf(value)
	}
	if c.Operation.Operation == ast.Mutation {
		m.readInputs(c.roots)
	}
	return m
}

// readInputs sets inputs. It stops when the arguments have too many values: it takes time for each,
// and the mutation is refused anyway.
func (m *measure) readInputs(roots []*ast.Field) {
	values := 0
	for _, root := range roots {
		if values = plus(values, m.valuesIn(root)); values > graphqlhttp.MaxValues {
			return
		}
		m.inputs = max(m.inputs, plan.Inputs(root, m.variables))
	}
}

// part returns the size of a selection.
func (m *measure) part(selection ast.Selection) size {
	switch s := selection.(type) {
	case *ast.Field:
		return m.field(s)
	case *ast.InlineFragment:
		return size{directives: len(s.Directives)}
	case *ast.FragmentSpread:
		return size{directives: len(s.Directives)}
	}
	return size{}
}

// add returns the size of two selections side by side.
func (m *measure) add(a, b size) size {
	return size{
		depth:      max(a.depth, b.depth),
		aliases:    plus(a.aliases, b.aliases),
		directives: plus(a.directives, b.directives),
		cost:       plus(a.cost, b.cost),
		once:       plus(a.once, b.once),
		beside:     plus(a.beside, b.beside),
		values:     plus(a.values, b.values),
	}
}

// field returns the size of a field and of all fields below it. It does not compute the cost after
// too many values were found: that takes time for each, and the operation is refused anyway.
func (m *measure) field(f *ast.Field) size {
	found := size{depth: 1, cost: plan.FieldCost(f), directives: len(f.Directives), values: m.valuesIn(f)}
	if f.Alias != f.Name {
		found.aliases = 1
	}
	m.seen = plus(m.seen, found.values)
	inside := m.sum.of(f.SelectionSet)
	found.aliases = plus(found.aliases, inside.aliases)
	found.directives = plus(found.directives, inside.directives)
	found.values = plus(found.values, inside.values)
	if strings.HasPrefix(f.Name, "__") || m.seen > graphqlhttp.MaxValues {
		return found
	}
	found.depth += inside.depth
	price := plan.PriceOf(m.binding, f, m.variables, m.inputs)
	found.cost = plus(found.cost, times(plus(price.Entry, inside.cost), price.Entries))
	found.cost = plus(found.cost, plus(price.Each, inside.beside))
	if price.Beside {
		found.beside, found.cost = found.cost, 0
	}
	found.once = plus(inside.once, price.Once)
	return found
}

// valuesIn returns the number of values in the arguments of a field.
func (m *measure) valuesIn(f *ast.Field) (n int) {
	for _, a := range f.Arguments {
		n = plus(n, m.valuesInLiteral(a.Value))
	}
	return n
}

func (m *measure) valuesInLiteral(value *ast.Value) (n int) {
	if value.Kind == ast.Variable {
		return m.values[value.Raw]
	}
	n = 1 + len(value.Raw)/plan.BytesAValue
	for _, child := range value.Children {
		n = plus(n, m.valuesInLiteral(child.Value))
	}
	return n
}

// sum adds up something over selections, such as how many fields they stand for. It visits each
// fragment once, and adds its result at each spread. So the time depends on the length of the
// document, and not on how many selections it stands for.
//
// sum follows spreads, so checkSpreads must have accepted the document. Code that adds nothing up
// uses syntax.Walker.
type sum[T any] struct {
	parts[T]
	// known holds the fragments of the document by their names. It is nil if validation has already
	// set the definition in each spread.
	known     fragments
	fragments map[string]T
}

// parts says what to add up.
type parts[T any] interface {
	// part returns the part of one selection. For a field, this includes the selections below the
	// field.
	part(ast.Selection) T
	add(a, b T) T
}

func (s *sum[T]) of(set ast.SelectionSet) (total T) {
	for _, selection := range set {
		total = s.add(total, s.part(selection))
		switch selection := selection.(type) {
		case *ast.InlineFragment:
			total = s.add(total, s.of(selection.SelectionSet))
		case *ast.FragmentSpread:
			total = s.add(total, s.fragment(selection))
		}
	}
	return total
}

func (s *sum[T]) fragment(spread *ast.FragmentSpread) T {
	total, ok := s.fragments[spread.Name]
	if ok {
		return total
	}
	definition := spread.Definition
	if s.known != nil {
		definition = s.known[spread.Name]
	}
	total = s.of(definition.SelectionSet)
	if s.fragments == nil {
		s.fragments = map[string]T{}
	}
	s.fragments[spread.Name] = total
	return total
}
