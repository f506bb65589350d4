package gqlexec

import (
	"context"
	"fmt"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/apperr"
	"forge/internal/read"
	"forge/internal/read/binding"
	"forge/internal/read/plan"
	"forge/internal/telemetry"
)

// Limits bound what one operation may ask for. They are checked before the operation runs. 0 stands
// for no limit.
type Limits struct {
	Depth      int // fields inside each other
	Aliases    int
	RootFields int
	Directives int
	Cost       int // see measure
	Tokens     int // of the document
	// AnswerBytes bounds the size of an answer, and that of the rows that it is made of. It is
	// checked while the answer is made.
	AnswerBytes int
}

// limiter refuses operations that exceed a limit. It does not count the cost and the depth of
// introspection, which is for developers and has a limit of its own.
type limiter struct {
	Limits
	engine *read.Engine
	report bool // the cost of an operation
}

// costKey is the key of an operation's cost among its statistics.
const costKey = "cost"

// check measures the operation, and refuses it if it exceeds a limit.
func (l limiter) check(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	prepared := l.engine.Prepare(op)
	roots := prepared.RootFields()
	m := measure{binding: prepared.Binding(), op: op}
	if op.Operation.Operation == ast.Mutation {
		for _, root := range roots {
			m.inputs = max(m.inputs, plan.Inputs(root, op.Variables))
		}
	}
	m.sum.parts = &m
	found := m.sum.of(op.Operation.SelectionSet)
	found.cost = plus(found.cost, found.once)
	if l.report {
		op.Stats.SetExtension(costKey, found.cost)
	}
	for _, check := range []struct {
		limited       telemetry.Limit
		code          apperr.Code
		what          string
		limit, actual int
	}{
		{telemetry.Depth, apperr.CodeTooDeep, "fields stand inside each other", l.Depth, found.depth},
		{telemetry.Aliases, apperr.CodeTooManyAliases, "aliases", l.Aliases, found.aliases},
		{telemetry.RootFields, apperr.CodeTooComplex, "root fields", l.RootFields, len(roots)},
		{telemetry.Directives, apperr.CodeTooComplex, "directives", l.Directives, found.directives},
		{telemetry.Cost, apperr.CodeTooComplex, "points of cost", l.Cost, found.cost},
	} {
		if check.limit > 0 && check.actual > check.limit {
			telemetry.FromContext(ctx).Refuse(check.limited)
			return tooMuch(check.code, check.what, check.limit, check.actual)
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
// first token too many; of all its errors, only this one has no location.
func tooManyTokens(ctx context.Context, limit int) *gqlerror.Error {
	telemetry.FromContext(ctx).Refuse(telemetry.Tokens)
	err := tooMuch(apperr.CodeTooComplex, "tokens", limit, limit+1)
	err.Message = fmt.Sprintf("more than %d tokens; at most %d are allowed", limit, limit)
	return err
}

// size is the result of a measurement.
type size struct {
	depth, aliases, directives, cost int
	once                             int // the part of the cost that does not depend on rows above
}

// most is where counting stops: nested fragments can stand for more fields than an int can count.
const most = 1 << 30

func plus(a, b int) int { return min(a+b, most) }

func times(a, b int) int {
	if b > 0 && a > most/b {
		return most
	}
	return a * b
}

// keyBytes is the length up to which the name of a field in the answer costs nothing extra.
const keyBytes = 32

// measure measures selections. A field costs 1, and 1 more for each 32 bytes of its name in the
// answer. The fields of a list cost as often as the list has entries: a page has its size, and a
// list without pages as many as plan.Price expects. Conditions, and whatever else makes a list
// slow to read, cost extra: see plan.Price.
type measure struct {
	binding *binding.Binding
	op      *graphql.OperationContext
	inputs  int // the length of the longest list among a mutation's arguments: its payload may be as long
	sum     sum[size]
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
	}
}

func (m *measure) field(f *ast.Field) size {
	found := size{depth: 1, cost: 1 + len(f.Alias)/keyBytes, directives: len(f.Directives)}
	if f.Alias != f.Name {
		found.aliases = 1
	}
	inside := m.sum.of(f.SelectionSet)
	found.aliases = plus(found.aliases, inside.aliases)
	found.directives = plus(found.directives, inside.directives)
	if strings.HasPrefix(f.Name, "__") {
		return found
	}
	found.depth += inside.depth
	price := plan.PriceOf(m.binding, f, m.op.Variables, m.inputs)
	found.cost = plus(found.cost, times(inside.cost, price.Entries))
	found.cost = plus(found.cost, price.Each)
	found.once = plus(inside.once, price.Once)
	return found
}
