package graph

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

// ExtensionName names the limiter for gqlgen.
func (limiter) ExtensionName() string { return "Limits" }

// Validate accepts every schema.
func (limiter) Validate(graphql.ExecutableSchema) error { return nil }

// costKey is where an operation's cost is kept among its statistics.
const costKey = "cost"

// MutateOperationContext measures the operation, and refuses it if it passes a limit.
func (l limiter) MutateOperationContext(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	prepared := l.engine.Prepare(op)
	roots := prepared.RootFields()
	m := measure{binding: prepared.Binding(), op: op}
	if op.Operation.Operation == ast.Mutation {
		for _, root := range roots {
			m.inputs = max(m.inputs, plan.Inputs(root, op.Variables))
		}
	}
	found := m.set(op.Operation.SelectionSet)
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

// add joins two selections that stand side by side.
func (s *size) add(other size) {
	s.depth = max(s.depth, other.depth)
	s.aliases = plus(s.aliases, other.aliases)
	s.directives = plus(s.directives, other.directives)
	s.cost = plus(s.cost, other.cost)
	s.once = plus(s.once, other.once)
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

// measure measures selections. A field costs 1, and 1 more for each 32 bytes of its name in the answer; the fields inside
// of a list cost as often as the list has entries: a page its size, a list without pages what plan.Price takes it for.
// Conditions, and what else makes a list slow to read, cost extra: see plan.Price.
type measure struct {
	binding   *binding.Binding
	op        *graphql.OperationContext
	inputs    int              // how long the longest list is that a mutation takes: its payload may have as many entries
	fragments map[string]*size // each is measured once
}

func (m *measure) set(set ast.SelectionSet) (total size) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			total.add(m.field(s))
		case *ast.InlineFragment:
			total.add(m.set(s.SelectionSet))
			total.directives = plus(total.directives, len(s.Directives))
		case *ast.FragmentSpread:
			total.add(m.fragment(s.Definition))
			total.directives = plus(total.directives, len(s.Directives))
		}
	}
	return total
}

func (m *measure) field(f *ast.Field) size {
	found := size{depth: 1, cost: 1 + len(f.Alias)/keyBytes, directives: len(f.Directives)}
	if f.Alias != f.Name {
		found.aliases = 1
	}
	inside := m.set(f.SelectionSet)
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

func (m *measure) fragment(f *ast.FragmentDefinition) size {
	known := m.fragments[f.Name]
	if known == nil {
		found := m.set(f.SelectionSet)
		known = &found
		if m.fragments == nil {
			m.fragments = map[string]*size{}
		}
		m.fragments[f.Name] = known
	}
	return *known
}
