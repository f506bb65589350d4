package gqlexec

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"
)

// literalsOfCorrectType is a rule for literals that gqlparser would accept for any scalar (GraphQL
// specification, sections 3.5 and 5.6.1). It refuses objects for built-in scalars and enums. For
// any other scalar, it refuses the kinds of literals that a variable of that type could not hold.
func literalsOfCorrectType(observers *core.Events, addError core.AddErrFunc) {
	observers.OnValue(func(_ *core.Walker, value *ast.Value) {
		def := value.Definition
		if def == nil || value.ExpectedType == nil {
			return
		}
		kind, literal := literalKinds[value.Kind]
		isList := value.Kind == ast.ListValue && value.ExpectedType.Elem != nil
		if !literal || isList || def.Kind == ast.InputObject {
			return
		}
		switch {
		case def.BuiltIn || def.Kind == ast.Enum:
			if value.Kind == ast.ObjectValue {
				addError(core.Message("%s is wanted, not an object", def.Name), core.At(value.Position))
			}
		case def.Kind == ast.Scalar && !takesKind(def.Name, kind):
			addError(core.Message("%s is wanted, not a %s", def.Name, kind), core.At(value.Position))
		}
	})
}

// literalKinds holds the kinds of literals, in the words of kindOf. Variables and null are not
// literals of a kind.
var literalKinds = map[ast.ValueKind]string{
	ast.IntValue: "number", ast.FloatValue: "number", ast.StringValue: "text", ast.BlockValue: "text",
	ast.BooleanValue: "truth value", ast.EnumValue: "name", ast.ListValue: "list", ast.ObjectValue: "object",
}
