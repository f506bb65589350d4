package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"forge/internal/fault"
	"forge/internal/telemetry"
)

// maxWork is how many steps the validation of a document may take: far more than documents that are meant to be answered need, and
// a fraction of a second.
const maxWork = 200_000

// maxWord is how long names and numbers may be, in bytes. Validation makes a message of each mistake, and many of those name the operation or the
// fragment: a name of a megabyte, with a thousand mistakes below it, would take a gigabyte.
const maxWord = 1000

// validation refuses documents that validation would take long for, before it begins. gqlparser compares each field with each other of the same
// name, follows fragments anew from each operation and each fragment, and those of introspection as often as they are spread: a
// document within the limit of tokens could keep a processor busy for minutes.
type validation struct {
	known  documentCache // what is in it has been weighed
	tokens int
}

// ExtensionName names the check for gqlgen.
func (validation) ExtensionName() string { return "Validation" }

// Validate accepts every schema.
func (validation) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters weighs the document. One that does not parse is left to those who say why.
func (v validation) MutateOperationParameters(ctx context.Context, request *graphql.RawParams) *gqlerror.Error {
	if v.known.has(request.Query) {
		return nil
	}
	if n := longestWord(request.Query); n > maxWord {
		telemetry.FromContext(ctx).Refuse(telemetry.Tokens)
		return tooMuch(fault.TooComplex, "characters stand in one name or number", maxWord, n)
	}
	document, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: request.Query}, v.tokens)
	if err != nil || !tooHeavy(document) {
		return nil
	}
	telemetry.FromContext(ctx).Refuse(telemetry.Cost)
	refused := tooMuch(fault.TooComplex, "", maxWork, maxWork+1)
	refused.Message = "too many fields of one name, fragments or operations to check the document; send fewer of them at once"
	return refused
}

// longestWord returns how long the longest name or number of a document is, those in texts and comments left out.
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

func tooHeavy(document *ast.QueryDocument) bool {
	s := scale{fragments: map[string]*ast.FragmentDefinition{}, expanded: map[string]int{}}
	for _, f := range document.Fragments {
		s.fragments[f.Name] = f
	}
	for _, o := range document.Operations {
		s.root(o.SelectionSet)
	}
	for _, f := range document.Fragments {
		s.root(f.SelectionSet)
	}
	return s.spent > maxWork
}

// scale adds up what validation does for a document, and stops when that is more than maxWork.
type scale struct {
	fragments map[string]*ast.FragmentDefinition
	expanded  map[string]int // how many selections a fragment stands for
	spent     int
}

func (s *scale) spend(steps int) bool {
	s.spent = plus(s.spent, steps)
	return s.spent <= maxWork
}

// root weighs what is checked on its own: an operation, a fragment, an inline fragment.
func (s *scale) root(set ast.SelectionSet) {
	if s.spend(s.size(set)) {
		s.merge([]ast.SelectionSet{set}, 0)
	}
}

// size returns how many selections there are in a set, those of a fragment as often as it is spread. A fragment inside of itself, which
// validation refuses, counts once.
func (s *scale) size(set ast.SelectionSet) (total int) {
	for _, selection := range set {
		total = plus(total, 1)
		switch of := selection.(type) {
		case *ast.Field:
			total = plus(total, s.size(of.SelectionSet))
		case *ast.InlineFragment:
			total = plus(total, s.size(of.SelectionSet))
		case *ast.FragmentSpread:
			// It is looked for among all.
			total = plus(total, s.fragmentSize(of.Name)+len(s.fragments)/16)
		}
	}
	return total
}

func (s *scale) fragmentSize(name string) int {
	size, known := s.expanded[name]
	if f := s.fragments[name]; f != nil && !known {
		s.expanded[name] = 0
		size = s.size(f.SelectionSet)
		s.expanded[name] = size
	}
	return size
}

// merge weighs the comparison of sets that stand in each other's place in the answer: each with each, and in them all fields of one name.
func (s *scale) merge(sets []ast.SelectionSet, depth int) {
	if depth > 2*maxNesting {
		return // fragments inside of themselves, or others, which are roots too
	}
	all := level{scale: s, seen: map[*ast.Field]bool{}, named: map[string][]*ast.Field{}}
	for _, set := range sets {
		all.spreads = map[string]bool{}
		all.add(set)
		if n := len(all.spreads); !s.spend(n * n / 2) {
			return
		}
	}
	if !s.spend(all.size * (len(sets) - 1)) {
		return
	}
	for _, fields := range all.named {
		if !s.spend(len(fields) * (len(fields) - 1) / 2) {
			return
		}
		var inside []ast.SelectionSet
		for _, f := range fields {
			if len(f.SelectionSet) > 0 {
				inside = append(inside, f.SelectionSet)
			}
		}
		if len(inside) > 0 {
			s.merge(inside, depth+1)
		}
	}
	for _, set := range all.inline {
		s.root(set)
	}
}

// level is what stands side by side in an answer.
type level struct {
	*scale
	size    int
	seen    map[*ast.Field]bool
	named   map[string][]*ast.Field
	spreads map[string]bool // in the set that is added
	inline  []ast.SelectionSet
}

// add adds the fields of a set, and of the fragments in it.
func (l *level) add(set ast.SelectionSet) {
	for _, selection := range set {
		if l.size++; !l.spend(1) {
			return
		}
		switch of := selection.(type) {
		case *ast.Field:
			if !l.seen[of] {
				l.seen[of] = true
				l.named[of.Alias] = append(l.named[of.Alias], of)
			}
		case *ast.InlineFragment:
			l.inline = append(l.inline, of.SelectionSet)
			l.add(of.SelectionSet)
		case *ast.FragmentSpread:
			if f := l.fragments[of.Name]; f != nil && !l.spreads[of.Name] {
				l.spreads[of.Name] = true
				l.add(f.SelectionSet)
			}
		}
	}
}
