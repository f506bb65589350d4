package gqlexec

import (
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"

	"forge/internal/syntax"
)

// merging is a rule: fields with one name in the answer must be the same field with the same
// arguments, or belong to objects of different types; and even then, their types must have the same
// shape (GraphQL specification, section 5.3.2, "Field Selection Merging").
//
// The specification, and gqlparser, compare all pairs of such fields. But to be the same is
// transitive, so that it is enough to compare all with the first one. merging collects the fields
// of one name from all sets in one place of the answer, and then those below them. This takes as
// many steps as an operation stands for selections, times the number of object types where an
// interface is selected. All steps are taken from the budget.
type merging struct {
	*stepBudget
	fragments
	schema    *ast.Schema
	add       core.AddErrFunc
	found     int // conflicts
	path      []string
	arguments map[*ast.Field]string
}

func (all fragments) merging(b *stepBudget) core.RuleFunc {
	return func(events *core.Events, add core.AddErrFunc) {
		m := &merging{stepBudget: b, fragments: all, add: add, arguments: map[*ast.Field]string{}}
		events.OnOperation(func(w *core.Walker, o *ast.OperationDefinition) {
			m.schema = w.Schema
			m.merge([]ast.SelectionSet{o.SelectionSet}, false)
		})
	}
}

// merge checks sets in one place of the answer. They are exclusive if they belong to objects of
// different types, so that no answer has fields of two of them.
func (m *merging) merge(sets []ast.SelectionSet, exclusive bool) {
	c := collection{names: map[string]int{}}
	w := syntax.Walker{
		Fragment: func(s *ast.FragmentSpread) *ast.FragmentDefinition { return m.fragments[s.Name] },
		Visit: func(selection ast.Selection) syntax.Step {
			m.spend(1)
			if f, ok := selection.(*ast.Field); ok {
				c.field(f)
				return syntax.Over
			}
			return syntax.Into
		},
	}
	for _, set := range sets {
		w.Walk(set)
	}
	for _, fields := range c.fields {
		path := m.path
		if m.path = nil; len(fields) > 1 {
			m.path = append(path, fields[0].Alias)
		}
		m.group(fields, exclusive)
		m.path = path
	}
}

// collection has the fields of some sets by their names in the answer, in the order of the
// document.
type collection struct {
	fields [][]*ast.Field
	names  map[string]int // where in fields
}

func (c *collection) field(f *ast.Field) {
	if f.ObjectDefinition == nil {
		return // another rule reports that the schema does not have its parent
	}
	i, known := c.names[f.Alias]
	if !known {
		i = len(c.fields)
		c.names[f.Alias] = i
		c.fields = append(c.fields, nil)
	}
	c.fields[i] = append(c.fields[i], f)
}

// group checks fields of one name, and those below them.
func (m *merging) group(fields []*ast.Field, exclusive bool) {
	before := m.found
	types := objectTypes(fields)
	if !exclusive && len(types) < 2 {
		m.compare(fields, m.different)
		m.shapes(fields, before)
		m.children(fields, before, false)
		return
	}
	m.shapes(fields, before)
	m.children(fields, before, true)
	if exclusive {
		return
	}
	for _, t := range types {
		m.spend(len(fields))
		together := slices.DeleteFunc(slices.Clone(fields), func(f *ast.Field) bool {
			return isObject(f) && f.ObjectDefinition.Name != t
		})
		m.compare(together, m.different)
		m.children(together, before, false)
	}
}

// shapes compares the types of fields, unless the fields already have a conflict.
func (m *merging) shapes(fields []*ast.Field, before int) {
	if m.found == before {
		m.compare(fields, m.differentShape)
	}
}

// children checks the sets of fields, unless the fields already have a conflict.
func (m *merging) children(fields []*ast.Field, before int, exclusive bool) {
	var sets []ast.SelectionSet
	for _, f := range fields {
		if len(f.SelectionSet) > 0 {
			sets = append(sets, f.SelectionSet)
		}
	}
	if len(sets) > 0 && m.found == before {
		m.merge(sets, exclusive)
	}
}

// isObject reports whether a field is known to belong to an object of one type.
func isObject(f *ast.Field) bool {
	return f.ObjectDefinition.Kind == ast.Object && f.Definition != nil
}

// objectTypes returns the types of objects that fields belong to, each once.
func objectTypes(fields []*ast.Field) (names []string) {
	if len(fields) == 1 {
		return nil
	}
	seen := map[string]bool{}
	for _, f := range fields {
		if isObject(f) && !seen[f.ObjectDefinition.Name] {
			seen[f.ObjectDefinition.Name] = true
			names = append(names, f.ObjectDefinition.Name)
		}
	}
	return names
}

// compare reports each field that conflicts with the first one.
func (m *merging) compare(fields []*ast.Field, differ func(a, b *ast.Field) (why string)) {
	first := fields[0]
	for _, f := range fields[1:] {
		if why := differ(first, f); why != "" {
			m.report(first, f, why)
		}
		if first.Definition == nil {
			first = f // a field that the schema does not have has no type to compare with
		}
	}
}

// report reports a conflict of two fields, with the names of the fields above them.
func (m *merging) report(a, b *ast.Field, why string) {
	m.found++
	m.spend(len(m.path))
	names := strings.Join(m.path, `" conflict because subfields "`)
	m.add(core.At(a.Position), core.At(b.Position), core.Message(`Fields "%s" conflict because %s. `+
		`Use different aliases on the fields to fetch both if this was intentional.`, names, why))
}

// different returns why two fields are not the same, or "" if they are.
func (m *merging) different(a, b *ast.Field) string {
	switch {
	case a.Name != b.Name:
		return `"` + a.Name + `" and "` + b.Name + `" are different fields`
	case m.argumentsOf(a) != m.argumentsOf(b):
		return "they have differing arguments"
	}
	return ""
}

// differentShape returns why the values of two fields have different shapes, or "" if they have
// not.
func (m *merging) differentShape(a, b *ast.Field) string {
	if a.Definition == nil || b.Definition == nil || m.sameShape(a.Definition.Type, b.Definition.Type) {
		return ""
	}
	return `they return conflicting types "` + a.Definition.Type.String() + `" and "` + b.Definition.Type.String() + `"`
}

// sameShape reports whether values of two types have the same shape: lists and null in the same
// places, and in them objects, or the same scalar or enum.
func (m *merging) sameShape(a, b *ast.Type) bool {
	if a.NonNull != b.NonNull || (a.Elem == nil) != (b.Elem == nil) {
		return false
	}
	if a.Elem != nil {
		return m.sameShape(a.Elem, b.Elem)
	}
	leaf := m.schema.Types[a.NamedType].IsLeafType() || m.schema.Types[b.NamedType].IsLeafType()
	return !leaf || a.NamedType == b.NamedType
}

// argumentsOf returns a text that is the same for all fields with the same arguments, in any order
// of the arguments and of the members of objects.
func (m *merging) argumentsOf(f *ast.Field) string {
	if len(f.Arguments) == 0 {
		return ""
	}
	text, known := m.arguments[f]
	if !known {
		var b []byte
		for _, a := range slices.SortedStableFunc(slices.Values(f.Arguments), byName) {
			b = appendValue(append(append(b, a.Name...), ':'), a.Value)
		}
		m.spend(1 + len(b)/64)
		text = string(b)
		m.arguments[f] = text
	}
	return text
}

func byName(a, b *ast.Argument) int { return strings.Compare(a.Name, b.Name) }

func byMember(a, b *ast.ChildValue) int { return strings.Compare(a.Name, b.Name) }

// appendValue appends a text of a value. Different values have different texts.
func appendValue(b []byte, value *ast.Value) []byte {
	children := value.Children
	if value.Kind == ast.ObjectValue {
		children = slices.SortedStableFunc(slices.Values(children), byMember)
	}
	b = strconv.AppendQuote(strconv.AppendInt(b, int64(value.Kind), 10), value.Raw)
	b = append(b, '(')
	for _, child := range children {
		b = appendValue(append(append(b, child.Name...), ':'), child.Value)
	}
	return append(b, ')')
}
