package gqlexec

import (
	"context"
	"maps"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"forge/internal/apperr"
	"forge/internal/syntax"
	"forge/internal/telemetry"
)

// maxWord is how long names and numbers may be, in bytes. Messages repeat them, and so do the
// comparisons of one name with another.
const maxWord = 1000

// Validator parses and validates documents. It is the only one that does, so there is one opinion
// of what a document means, and one bound on what it costs to find out.
//
// gqlparser's rules cannot be interrupted, and some take far longer than in proportion to a
// document: they follow fragments as often as they are spread, compare fields of one name in pairs,
// write out values anew for each list around them. So the rules of that kind are our own, with as
// many steps as there are selections; the others do a bounded amount of work for each part of the
// document that they are shown, which is taken from a budget before they see it (see budget).
type Validator struct {
	Schema *ast.Schema
	Tokens int  // at most in a document; 0 stands for no limit
	Hints  bool // whether errors name similar parts of the schema
}

// Parse returns the document of a text, or what is wrong with it. It takes a bounded number of
// steps, and ends soon after ctx does.
func (v Validator) Parse(ctx context.Context, text string) (*ast.QueryDocument, gqlerror.List) {
	if n := longestWord(text); n > maxWord {
		telemetry.FromContext(ctx).Refuse(telemetry.Tokens)
		return nil, gqlerror.List{tooMuch(apperr.CodeTooComplex, "characters stand in one name or number", maxWord, n)}
	}
	document, err := syntax.Parse(text, v.Tokens)
	if err != nil {
		wrong := gqlerror.WrapIfUnwrapped(err)
		wrong.Extensions = map[string]any{"code": string(apperr.CodeParseFailed)}
		return nil, gqlerror.List{wrong}
	}
	if errs := v.validate(ctx, text, document); len(errs) > 0 {
		return nil, errs
	}
	return document, nil
}

// validate returns what is wrong with a document, and completes it with the schema's definitions.
func (v Validator) validate(ctx context.Context, text string, document *ast.QueryDocument) gqlerror.List {
	var errs gqlerror.List
	budget := newStepBudget(ctx)
	stopped := spending(func() {
		errs = v.check(budget, document, false)
		if v.Hints && mayHint(text, errs) {
			errs = v.check(budget, document, true)
		}
	})
	if stopped == nil {
		return errs
	}
	if stopped.Extensions["code"] == string(apperr.CodeTooComplex) {
		telemetry.FromContext(ctx).Refuse(telemetry.Cost)
	} else {
		telemetry.FromContext(ctx).Refuse(telemetry.Deadline)
	}
	return gqlerror.List{stopped}
}

// mayHint is whether errors are few and words short enough to look for similar ones in the schema:
// that takes as many steps as all of it has letters, times the letters that were sent.
func mayHint(text string, errs gqlerror.List) bool {
	return 0 < len(errs) && len(errs) <= 50 && len(text) <= 10_000 && longestWord(text) <= 100
}

// check goes from what others build on to what builds on it: a document that is not what it seems
// to be is not looked at any further.
func (v Validator) check(b *stepBudget, document *ast.QueryDocument, hints bool) gqlerror.List {
	var found problems
	if len(document.Operations) == 0 {
		found.add("", core.Message("no operation provided"))
	}
	all := checkNames(document, &found)
	if len(found.errs) == 0 {
		all.checkSpreads(document, &found)
	}
	if len(found.errs) == 0 {
		all.checkExpansion(document, b)
		v.walk(b, document, all, hints, &found)
	}
	return found.errs
}

// walk holds a document to all rules.
func (v Validator) walk(b *stepBudget, document *ast.QueryDocument, all fragments, hints bool, found *problems) {
	events := &core.Events{}
	b.pay(events, nil)
	given := validationRules()
	for _, name := range []string{
		"KnownFragmentNames", "NoFragmentCycles", "UniqueFragmentNames", "UniqueOperationNames", // see fragments
		rules.MaxIntrospectionDepth.Name, rules.OverlappingFieldsCanBeMergedRule.Name, // replaced below
	} {
		given.RemoveRule(name)
	}
	if !hints {
		withoutHints(given)
	}
	given.AddRule(rules.MaxIntrospectionDepth.Name, all.introspection(b))
	given.AddRule(rules.OverlappingFieldsCanBeMergedRule.Name, all.merging(b))
	inner := given.GetInner()
	for _, name := range slices.Sorted(maps.Keys(inner)) {
		inner[name](events, func(options ...core.ErrorOption) {
			b.spend(1)
			found.add(name, options...)
		})
	}
	core.Walk(v.Schema, document, events)
}

// withoutHints replaces the rules that look for names of the schema like those that are not in it.
func withoutHints(all *rules.Rules) {
	for name, other := range map[string]core.Rule{
		rules.FieldsOnCorrectTypeRule.Name: rules.FieldsOnCorrectTypeRuleWithoutSuggestions,
		rules.KnownArgumentNamesRule.Name:  rules.KnownArgumentNamesRuleWithoutSuggestions,
		rules.KnownTypeNamesRule.Name:      rules.KnownTypeNamesRuleWithoutSuggestions,
		rules.ScalarLeafsRule.Name:         rules.ScalarLeafsRuleWithoutSuggestions,
		rules.ValuesOfCorrectTypeRule.Name: rules.ValuesOfCorrectTypeRuleWithoutSuggestions,
	} {
		all.ReplaceRule(name, other.RuleFunc)
	}
}

// maxProblems is how many errors are written out; of those beyond, there is only the number.
const maxProblems = 100

// problems is what is wrong with a document.
type problems struct{ errs gqlerror.List }

var furtherProblem = &gqlerror.Error{
	Message: "there are more errors", Extensions: map[string]any{"code": string(apperr.CodeValidationFailed)},
}

func (p *problems) add(rule string, options ...core.ErrorOption) {
	if len(p.errs) >= maxProblems {
		p.errs = append(p.errs, furtherProblem)
		return
	}
	err := &gqlerror.Error{Rule: rule, Extensions: map[string]any{"code": string(apperr.CodeValidationFailed)}}
	for _, option := range options {
		option(err)
	}
	p.errs = append(p.errs, err)
}

// validation has documents parsed and validated, each once for as long as it is kept.
type validation struct {
	Validator
	cache documentCache
}

// document puts the document of the request where gqlgen finds it: see prepared. gqlgen has room
// for one error here; the others are in it, see allOf.
func (v validation) document(ctx context.Context, request *graphql.RawParams) *gqlerror.Error {
	document, known := v.cache.Get(ctx, request.Query)
	if !known {
		var errs gqlerror.List
		if document, errs = v.Parse(ctx, request.Query); len(errs) > 0 {
			return &gqlerror.Error{Err: errs}
		}
		v.cache.Add(ctx, request.Query, document)
	}
	graphql.GetOperationContext(ctx).Doc = document
	return nil
}

// allOf returns the errors that validation has put into one.
func allOf(errs gqlerror.List) gqlerror.List {
	if len(errs) == 1 {
		if all, ok := errs[0].Err.(gqlerror.List); ok {
			return all
		}
	}
	return errs
}

// prepared is what gqlgen takes for its cache of documents: validation has been there before, and
// gqlgen does not parse or validate anything.
type prepared struct{}

// Get returns the document of the operation.
func (prepared) Get(ctx context.Context, _ string) (*ast.QueryDocument, bool) {
	return graphql.GetOperationContext(ctx).Doc, true
}

// Add has nothing to do.
func (prepared) Add(context.Context, string, *ast.QueryDocument) {}

// longestWord returns how long the longest name or number of a document is, those in texts and
// comments left out.
func longestWord(document string) (longest int) {
	length := 0
	for i := 0; i < len(document); i++ {
		switch c := document[i]; {
		case c == '_' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z':
			length++
			longest = max(longest, length)
			continue
		case c == '"':
			i = endOfText(document, i)
		case c == '#':
			i = endOfComment(document, i)
		}
		length = 0
	}
	return longest
}
