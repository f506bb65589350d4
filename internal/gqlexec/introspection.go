package gqlexec

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/introspection"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/syntax"
)

// introspectionSwitch returns a check that refuses introspection. It returns nil if introspection
// is on.
func introspectionSwitch(on bool) check {
	if on {
		return nil
	}
	return refuseIntrospection
}

// refuseIntrospection refuses an operation that asks for __schema or __type. It looks into all
// fragments of the document, because every fragment in a valid document is used.
func refuseIntrospection(_ context.Context, c *checked) gqlerror.List {
	var found *ast.Field
	w := syntax.Walker{Visit: func(selection ast.Selection) syntax.Step {
		f, isField := selection.(*ast.Field)
		switch {
		case !isField:
			return syntax.Into
		case f.Name == "__schema" || f.Name == "__type":
			found = f
			return syntax.End
		}
		return syntax.Over // the two are only valid at the root, so not below other fields
	}}
	w.Walk(c.Operation.SelectionSet)
	for _, fragment := range c.Doc.Fragments {
		if found == nil {
			w.Walk(fragment.SelectionSet)
		}
	}
	if found == nil {
		return nil
	}
	return gqlerror.List{invalid(found.Position, "%s is not answered: introspection is off on this server", found.Name)}
}

// kindsWith lists the fields of __Type that only some kinds of types have, with these kinds. For
// other kinds the specification demands null (section 4.5.2), while gqlgen returns an empty list or
// false.
var kindsWith = map[string][]ast.DefinitionKind{
	"fields":        {ast.Object, ast.Interface},
	"interfaces":    {ast.Object, ast.Interface},
	"possibleTypes": {ast.Interface, ast.Union},
	"enumValues":    {ast.Enum},
	"inputFields":   {ast.InputObject},
	"isOneOf":       {ast.InputObject},
}

// introspectAsSpecified is a field middleware. It corrects gqlgen's answers about the schema.
func introspectAsSpecified(ctx context.Context, next graphql.Resolver) (any, error) {
	field := graphql.GetFieldContext(ctx)
	result, err := next(ctx)
	if err != nil || !strings.HasPrefix(field.Object, "__") {
		return result, err
	}
	switch of := field.Parent.Result.(type) {
	case *introspection.Type:
		kinds, only := kindsWith[field.Field.Name]
		if only && !slices.Contains(kinds, ast.DefinitionKind(of.Kind())) {
			return graphql.Null, nil
		}
	case *introspection.EnumValue:
		if field.Field.Name == "deprecationReason" {
			return reasonOr(result, of.IsDeprecated()), nil
		}
	case *introspection.InputValue:
		switch field.Field.Name {
		case "deprecationReason":
			return reasonOr(result, of.IsDeprecated()), nil
		case "defaultValue":
			return inGraphQL(of.DefaultValue), nil
		}
	}
	return withoutDeprecated(field, result), nil
}

// reasonOr returns the reason of a deprecation. If something is deprecated without a reason, it
// returns the default reason of @deprecated.
func reasonOr(reason any, deprecated bool) any {
	if written, _ := reason.(*string); written == nil && deprecated {
		missing := "No longer supported"
		return &missing
	}
	return reason
}

// withoutDeprecated removes deprecated arguments and input fields, unless the client has asked for
// them.
func withoutDeprecated(field *graphql.FieldContext, result any) any {
	values, ok := result.([]introspection.InputValue)
	if all, _ := field.Args["includeDeprecated"].(bool); !ok || all {
		return result
	}
	kept := make([]introspection.InputValue, 0, len(values))
	for _, v := range values {
		if !v.IsDeprecated() {
			kept = append(kept, v)
		}
	}
	return kept
}

// inGraphQL returns a default value in the syntax of GraphQL. gqlparser quotes strings in the
// syntax of Go.
func inGraphQL(value *string) *string {
	if value == nil || !strings.Contains(*value, `"`) {
		return value
	}
	var written strings.Builder
	for rest := *value; rest != ""; {
		before, _, _ := strings.Cut(rest, `"`)
		written.WriteString(before)
		rest = rest[len(before):]
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			break // no string is left
		}
		text, _ := strconv.Unquote(quoted)
		encoded, _ := json.Marshal(text)
		written.Write(encoded)
		rest = rest[len(quoted):]
	}
	text := written.String()
	return &text
}
