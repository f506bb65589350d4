package gqlexec

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/apperr"
	"forge/internal/scalar"
)

// valueFaults finds the errors in the values of variables. gqlparser would return the first alone.
// It also accepts strings for numbers, numbers for strings, and enum values in another case, which
// the GraphQL specification does not (sections 3.5 and 3.9).
type valueFaults struct {
	variables
	errs apperr.Errors
}

// place is where a value stands: a step inside of another value, or the variable itself.
type place struct {
	in    *place
	name  string                   // of a member or a variable; "" if it is an element of a list
	index int                      // of an element
	op    *ast.OperationDefinition // of a variable
}

// longestName is how many bytes of a member's name errors repeat. Clients choose the names.
const longestName = 60

// path returns the path of the argument in which a value stands, such as input.tracks.2.name.
func (p *place) path() string {
	switch {
	case p.in == nil:
		return argumentOf(p.op, p.name)
	case p.name == "":
		return p.in.path() + "." + strconv.Itoa(p.index)
	}
	return p.in.path() + "." + p.name
}

// label returns how messages call the value: the last name of its path, with the indexes after it.
func (p *place) label() string {
	if p.in != nil && p.name == "" {
		return p.in.label() + "." + strconv.Itoa(p.index)
	}
	return last(p.path())
}

// refuse adds an error about the value at a place. The message begins with the label of the place.
func (f *valueFaults) refuse(at *place, format string, args ...any) {
	if f.errs.Full() {
		f.errs.Skip()
		return
	}
	f.add(at, "%s "+format, append([]any{at.label()}, args...)...)
}

func (f *valueFaults) add(at *place, format string, args ...any) {
	f.errs.Add(apperr.BadInput(at.path(), format, args...))
}

// checkVariable checks the value that a request has for a variable.
func (f *valueFaults) checkVariable(op *ast.OperationDefinition, def *ast.VariableDefinition, sent map[string]any) {
	at := &place{op: op, name: def.Variable}
	value, given := sent[def.Variable]
	switch {
	case given:
		f.check(def.Type, value, at)
	case def.Type.NonNull && def.DefaultValue == nil:
		f.refuse(at, "must be given")
	}
}

func (f *valueFaults) check(t *ast.Type, value any, at *place) {
	switch {
	case value == nil && t.NonNull:
		f.refuse(at, "cannot be null")
	case value == nil:
	case t.Elem != nil:
		f.checkList(t.Elem, value, at)
	default:
		f.checkNamed(f.schema.Types[t.NamedType], value, at)
	}
}

// checkList checks the entries of a list. A value that is no list stands for a list of one entry.
func (f *valueFaults) checkList(t *ast.Type, value any, at *place) {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	inside := &place{in: at} // of one entry after the other
	for inside.index = range list {
		f.check(t, list[inside.index], inside)
	}
}

func (f *valueFaults) checkNamed(def *ast.Definition, value any, at *place) {
	switch def.Kind {
	case ast.InputObject:
		f.checkObject(def, value, at)
	case ast.Enum:
		if text, ok := value.(string); ok && def.EnumValues.ForName(text) != nil {
			return
		}
		if f.hints {
			f.refuse(at, "must be one of %s", valuesOf(def))
		} else {
			f.refuse(at, "must be one of the values that are allowed")
		}
	case ast.Scalar:
		f.checkScalar(def.Name, value, at)
	}
}

// valuesOf returns the first values of an enum.
func valuesOf(def *ast.Definition) string {
	const most = 20
	var names []string
	for _, v := range def.EnumValues {
		if len(names) == most {
			names = append(names, "…")
			break
		}
		names = append(names, v.Name)
	}
	return strings.Join(names, ", ")
}

// checkObject checks an input object: the fields of its type, in the order of the schema, and then
// the members that are no fields.
func (f *valueFaults) checkObject(def *ast.Definition, value any, at *place) {
	members, ok := value.(map[string]any)
	if !ok {
		f.refuse(at, "must be an object")
		return
	}
	known, inside := 0, &place{in: at} // of one member after the other
	for _, field := range def.Fields {
		inside.name = field.Name
		member, given := members[field.Name]
		switch {
		case given:
			known++
			f.check(field.Type, member, inside)
		case field.Type.NonNull && field.DefaultValue == nil:
			f.refuse(inside, "must be given")
		}
	}
	if known == len(members) {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if def.Fields.ForName(name) == nil {
			if len(name) > longestName {
				name = strings.ToValidUTF8(name[:longestName], "") + "…"
			}
			inside.name = name
			f.refuse(inside, "is not a field of this input")
		}
	}
}

func (f *valueFaults) checkScalar(name string, value any, at *place) {
	kind := kindOf(value)
	switch {
	case !takesKind(name, kind):
		f.refuse(at, wantedKind(name))
	case name == "ID" && kind == "number" && strings.ContainsAny(fmt.Sprint(value), ".eE"):
		f.refuse(at, wantedKind(name))
	case name == "Int" && !isInt(fmt.Sprint(value)):
		f.refuse(at, "must be a whole number from %d to %d, not %s", math.MinInt32, math.MaxInt32, shortNumber(fmt.Sprint(value)))
	case name == "Float":
		if _, err := scalar.UnmarshalFloat(value); err != nil {
			f.add(at, "%s", err)
		}
	}
}

// wantedKind returns the end of a message about a value of another kind than a scalar takes.
func wantedKind(name string) string {
	switch name {
	case "Int":
		return "must be a whole number"
	case "Float":
		return "must be a number"
	case "Boolean":
		return "must be true or false"
	case "ID":
		return "must be an ID: a text, or a whole number"
	case "BigInt", "Decimal":
		return "must be a number, or a text with one"
	}
	return "must be a text"
}
