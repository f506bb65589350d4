package gqlexec

import "github.com/vektah/gqlparser/v2/ast"

// sum adds up the parts of selections: how many fields they stand for, how deep they go, and so on.
// Each fragment is added up once and counted wherever it is spread, so that the time depends on the
// length of a document and not on how many selections it stands for.
//
// It follows fragments, so that they must have been checked (checkSpreads). The check itself, and
// the merging of fields, which compares selections of several sets, have walks of their own.
type sum[T any] struct {
	parts[T]
	// known are the fragments of the document, by their names. It is nil once validation has put
	// its definition into each spread.
	known     fragments
	fragments map[string]T
}

// parts says what is added up, and how.
type parts[T any] interface {
	// part returns the part of a selection. For a field it includes the selections below it.
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

// fieldVisit visits the fields of selections, each before those below it, and each fragment once.
type fieldVisit struct {
	// visit returns false to end the visit.
	visit func(*ast.Field) bool
	// skips, if it is set, reports whether selections with these directives are left out.
	skips func(ast.DirectiveList) bool
	seen  map[string]bool // fragments
}

// fields visits the fields of a set. It returns false if the visit was ended.
func (v *fieldVisit) fields(set ast.SelectionSet) bool {
	for _, selection := range set {
		ok := true
		switch s := selection.(type) {
		case *ast.Field:
			ok = v.left(s.Directives) || v.visit(s) && v.fields(s.SelectionSet)
		case *ast.InlineFragment:
			ok = v.left(s.Directives) || v.fields(s.SelectionSet)
		case *ast.FragmentSpread:
			ok = v.left(s.Directives) || v.fragment(s)
		}
		if !ok {
			return false
		}
	}
	return true
}

func (v *fieldVisit) left(directives ast.DirectiveList) bool {
	return v.skips != nil && v.skips(directives)
}

func (v *fieldVisit) fragment(spread *ast.FragmentSpread) bool {
	if v.seen[spread.Name] || spread.Definition == nil {
		return true
	}
	if v.seen == nil {
		v.seen = map[string]bool{}
	}
	v.seen[spread.Name] = true
	return v.fields(spread.Definition.SelectionSet)
}
