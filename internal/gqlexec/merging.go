package gqlexec

import (
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"

	"forge/internal/syntax"
)

// merging is a rule about fields with the same name in the answer (GraphQL specification, section
// 5.3.2, "Field Selection Merging"). They must be the same field with the same arguments, unless
// they belong to objects of different types. In any case their types must have the same shape.
//
// The specification and gqlparser compare such fields in pairs. Being the same is transitive, so it
// is enough to compare all with the first one. merging collects the fields of one name from all
// sets at one place of the answer, checks them, and goes on with the sets below them. The number of
// steps is the number of selections that the operation stands for, times the number of object types
// where an interface is selected. Each step is taken from the budget.
type merging struct {
	*stepBudget
	fragments
	schema    *ast.Schema
	add       core.AddErrFunc
	found     int // how many conflicts were found
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

// merge checks the sets at one place of the answer. They are exclusive if they belong to objects of
// different types, so that no answer has fields of more than one of them.
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

// collection holds the fields of several sets, grouped by their names in the answer, in the order
// of the document.
type collection struct {
	fields [][]*ast.Field
	names  map[string]int // the index in fields
}

func (c *collection) field(f *ast.Field) {
	if f.ObjectDefinition == nil {
		return // another rule reports that the schema does not have the field's parent
	}
	i, known := c.names[f.Alias]
	if !known {
		i = len(c.fields)
		c.names[f.Alias] = i
		c.fields = append(c.fields, nil)
	}
	c.fields[i] = append(c.fields[i], f)
}

// group checks the fields of one name, and the fields below them.
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

// shapes compares the types of fields, unless a conflict was found since before.
func (m *merging) shapes(fields []*ast.Field, before int) {
	if m.found == before {
		m.compare(fields, m.differentShape)
	}
}

// children checks the sets below fields, unless a conflict was found since before.
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

// isObject reports whether the schema has the field and its parent is an object type.
func isObject(f *ast.Field) bool {
	return f.ObjectDefinition.Kind == ast.Object && f.Definition != nil
}

// objectTypes returns the names of the object types that the fields belong to, each once.
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

// compare reports each field for which differ returns how it conflicts with the first one.
func (m *merging) compare(fields []*ast.Field, differ func(a, b *ast.Field) (why string)) {
	first := fields[0]
	for _, f := range fields[1:] {
		if why := differ(first, f); why != "" {
			m.report(first, f, why)
		}
		if first.Definition == nil {
			first = f // the schema does not have this field, so there is no type to compare with
		}
	}
}

// report reports that two fields conflict. The message names the fields above them.
func (m *merging) report(a, b *ast.Field, why string) {
	m.found++
	m.spend(len(m.path))
	names := strings.Join(m.path, `" conflict because subfields "`)
	m.add(core.At(a.Position), core.At(b.Position), core.Message(`Fields "%s" conflict because %s. `+
		`Use different aliases on the fields to fetch both if this was intentional.`, names, why))
}

// different returns how two fields differ, or "" if they are the same field with the same
// arguments.
func (m *merging) different(a, b *ast.Field) string {
	switch {
	case a.Name != b.Name:
		return `"` + a.Name + `" and "` + b.Name + `" are different fields`
	case m.argumentsOf(a) != m.argumentsOf(b):
		return "they have differing arguments"
	}
	return ""
}

// differentShape returns how the shapes of two fields' values differ, or "" if they are the same.
func (m *merging) differentShape(a, b *ast.Field) string {
	if a.Definition == nil || b.Definition == nil || m.sameShape(a.Definition.Type, b.Definition.Type) {
		return ""
	}
	return `they return conflicting types "` + a.Definition.Type.String() + `" and "` + b.Definition.Type.String() + `"`
}

// sameShape reports whether values of two types have the same shape. Lists and null must be allowed
// in the same places, and scalars and enums must be the same.
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

// argumentsOf returns the arguments of a field as a text. Fields with the same arguments have the
// same text, whatever the order of arguments and of the fields of input objects.
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

// appendValue appends a value as a text. Different values have different texts.
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
