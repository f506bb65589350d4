package gqlexec

import (
	"context"
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"forge/internal/apperr"
	"forge/internal/syntax"
	"forge/internal/telemetry"
)

// maxWord is how many bytes a name or a number may have. Error messages repeat names, and rules
// compare them with each other.
const maxWord = 1000

// Validator parses and validates documents. All documents pass it, so that a document means the
// same everywhere, and the cost of validation has one bound.
//
// gqlparser's rules cannot be interrupted. Some of them take far longer than in proportion to the
// document: they follow a fragment each time it is spread, compare fields of one name in pairs, or
// encode a value again for each list around it. This package replaces the first two kinds by rules
// of its own, with as many steps as there are selections. The other rules do a bounded amount of
// work for each part of the document. This work is taken from a budget before the rules see the
// part (see stepBudget).
type Validator struct {
	Schema *ast.Schema
	Tokens int  // how many a document may have; 0 means no limit
	Hints  bool // errors name similar parts of the schema
}

// Parse returns the document of a text, or the errors in it. The number of steps is bounded, and
// Parse returns soon after ctx ends.
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

// validate returns the errors in a document. It sets the definitions from the schema in the parts
// of the document.
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

// mayHint reports whether there are so few errors, and such short words, that looking for similar
// names in the schema is cheap. The search takes as many steps as all names of the schema have
// letters, times the letters of the wrong names.
func mayHint(text string, errs gqlerror.List) bool {
	return 0 < len(errs) && len(errs) <= 50 && len(text) <= 10_000 && longestWord(text) <= 100
}

// check checks a document in stages. It stops after a stage that found errors, because later stages
// rely on it.
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

// walk applies all remaining rules, in one walk of gqlparser over the document.
func (v Validator) walk(b *stepBudget, document *ast.QueryDocument, all fragments, hints bool, found *problems) {
	events := &core.Events{}
	b.pay(events, nil)
	applied := validationRules()
	for _, name := range []string{
		"KnownFragmentNames", "NoFragmentCycles", "UniqueFragmentNames", "UniqueOperationNames", // see fragments
		rules.MaxIntrospectionDepth.Name, rules.OverlappingFieldsCanBeMergedRule.Name, // replaced below
	} {
		applied.RemoveRule(name)
	}
	if !hints {
		withoutHints(applied)
	}
	applied.AddRule(rules.MaxIntrospectionDepth.Name, all.introspection(b))
	applied.AddRule(rules.OverlappingFieldsCanBeMergedRule.Name, all.merging(b))
	inner := applied.GetInner()
	for _, name := range slices.Sorted(maps.Keys(inner)) {
		inner[name](events, func(options ...core.ErrorOption) {
			b.spend(1)
			found.add(name, options...)
		})
	}
	core.Walk(v.Schema, document, events)
}

// withoutHints replaces the rules that look for similar names in the schema by rules that do not.
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

// maxProblems is how many errors get a message of their own. Further ones are only counted.
const maxProblems = 100

// problems collects the errors in a document.
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

// longestWord returns the length of the longest name or number in a document. Words in strings and
// comments do not count.
func longestWord(document string) (longest int) {
	length := 0
	for i := 0; i < len(document); i++ {
		switch c := document[i]; {
		case c == '_' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z':
			length++
			longest = max(longest, length)
			continue
		case c == '"':
			i = endOfString(document, i)
		case c == '#':
			i = endOfComment(document, i)
		}
		length = 0
	}
	return longest
}
