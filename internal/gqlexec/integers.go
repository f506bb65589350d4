package gqlexec

import (
	"fmt"
	"math"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"forge/internal/scalar"
)

// validationRules returns the rules for documents: gqlparser's own, and more about the values of
// Ints and of other scalars.
func validationRules() *rules.Rules {
	all := rules.NewDefaultRules()
	all.AddRule("IntsOf32Bits", intsOf32Bits)
	all.AddRule("LiteralsOfCorrectType", literalsOfCorrectType)
	all.AddRule("NumbersAsWritten", numbersAsWritten)
	return all
}

// intsOf32Bits is a rule: a number for an Int has at most 32 bits (GraphQL specification, sections
// 3.5.1 and 5.6.1). gqlparser itself only refuses numbers of more than 64 bits.
func intsOf32Bits(observers *core.Events, addError core.AddErrFunc) {
	observers.OnValue(func(_ *core.Walker, value *ast.Value) {
		if value.Kind != ast.IntValue || value.Definition == nil || value.Definition.Name != "Int" || isInt(value.Raw) {
			return
		}
		if _, err := strconv.ParseInt(value.Raw, 10, 64); err == nil {
			addError(core.Message("%s", notInt(value.Raw)), core.At(value.Position))
		}
	})
}

// isInt reports whether a number without a fraction fits into 32 bits.
func isInt(written string) bool {
	_, err := strconv.ParseInt(written, 10, 32)
	return err == nil
}

// notInt returns the message about a number that an Int cannot have.
func notInt(written string) string {
	return fmt.Sprintf("%s is no Int: whole numbers from %d to %d are allowed", shortNumber(written), math.MinInt32, math.MaxInt32)
}

// shortNumber returns a number as messages show it, cut if it is long.
func shortNumber(written string) string {
	if len(written) > 40 {
		return written[:40] + "…"
	}
	return written
}

// numbersAsWritten is a rule: no number loses digits. A number for a BigInt or a Decimal becomes
// the text of the same digits, because gqlparser would read a float64. A number inside of a JSON
// document is refused if a float64 cannot hold it.
func numbersAsWritten(observers *core.Events, addError core.AddErrFunc) {
	observers.OnValue(func(_ *core.Walker, value *ast.Value) {
		if value.Definition == nil || value.ExpectedType == nil || value.ExpectedType.Elem != nil && value.Kind == ast.ListValue {
			return
		}
		switch value.Definition.Name {
		case "BigInt", "Decimal":
			if value.Kind == ast.IntValue || value.Kind == ast.FloatValue {
				value.Kind = ast.StringValue
			}
		case "JSON":
			if long := inexact(value); long != nil {
				addError(core.Message("the number %.40s of a JSON document would be rounded here; send the document in a variable", long.Raw), core.At(long.Position))
			}
		}
	})
}

// inexact returns a number of a document that would be rounded, or nil if there is none.
func inexact(value *ast.Value) *ast.Value {
	if value.Kind == ast.IntValue || value.Kind == ast.FloatValue {
		if _, err := value.Value(nil); err != nil || value.Kind == ast.FloatValue && !scalar.Exact(value.Raw) {
			return value
		}
	}
	for _, child := range value.Children {
		if long := inexact(child.Value); long != nil {
			return long
		}
	}
	return nil
}
