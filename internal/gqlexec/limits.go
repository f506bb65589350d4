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
	"forge/internal/telemetry"
)

// Limits bound what one operation may ask for. They are checked before anything of it runs. 0 stands for no limit.
type Limits struct {
	Depth      int // fields inside each other
	Aliases    int
	RootFields int
	Directives int
	Cost       int // see measure
	Tokens     int // of the document
	// AnswerBytes is how large an answer may be, and how large the rows that it is made of. It is checked while the
	// answer is made.
	AnswerBytes int
}

// limiter refuses operations that pass a limit. Of introspection, the cost and the depth are not counted: it is there for
// those who develop, and its answer has a limit of its own.
type limiter struct {
	Limits
	engine *read.Engine
	tell   bool // what an operation costs
}

// costKey is where an operation's cost is kept among its statistics.
const costKey = "cost"

// check measures the operation, and refuses it if it passes a limit.
func (l limiter) check(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	roots := l.engine.RootFields(op)
	m := measure{limiter: l, op: op}
	if op.Operation.Operation == ast.Mutation {
		for _, root := range roots {
			m.inputs = max(m.inputs, l.engine.Inputs(root, op.Variables))
		}
	}
	m.sum.parts = &m
	found := m.sum.of(op.Operation.SelectionSet)
	found.cost = plus(found.cost, found.once)
	if l.tell {
		op.Stats.SetExtension(costKey, found.cost)
	}
	for _, check := range []struct {
		told          telemetry.Limit
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
			telemetry.FromContext(ctx).Refuse(check.told)
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

// tooManyTokens is the refusal of a document that was not parsed to its end. The parser stops at the first token that is too many; of what it
// refuses, this alone has no place in the document.
func tooManyTokens(ctx context.Context, limit int) *gqlerror.Error {
	telemetry.FromContext(ctx).Refuse(telemetry.Tokens)
	err := tooMuch(apperr.CodeTooComplex, "tokens", limit, limit+1)
	err.Message = fmt.Sprintf("more than %d tokens; at most %d are allowed", limit, limit)
	return err
}

// size is what a selection amounts to.
type size struct {
	depth, aliases, directives, cost int
	once                             int // of the cost: however many rows there are above
}

// most is where counting stops: fragments inside fragments can stand for more than there are numbers.
const most = 1 << 30

func plus(a, b int) int { return min(a+b, most) }

func times(a, b int) int {
	if b > 0 && a > most/b {
		return most
	}
	return a * b
}

// keyBytes is how many bytes of the name that a field has in the answer are part of the 1 that it costs.
const keyBytes = 32

// measure measures selections. A field costs 1, and 1 more for each 32 bytes of its name in the
// answer. The fields of a list cost as often as the list has entries: a page has its size, and a list
// without pages as many as read.Engine expects. Conditions, and whatever else makes a list slow to
// read, cost extra: see read.Engine.Cost.
type measure struct {
	limiter
	op     *graphql.OperationContext
	inputs int // the length of the longest list that a mutation takes, which its payload may have too
	sum    sum[size]
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
	found.cost = plus(found.cost, times(inside.cost, m.engine.Entries(f, m.op.Variables, m.inputs)))
	once, each := m.engine.Cost(f, m.op.Variables)
	found.cost = plus(found.cost, each)
	found.once = plus(inside.once, once)
	return found
}
