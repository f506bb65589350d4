package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/templates"
	"github.com/vektah/gqlparser/v2/ast"
)

// Implement implements gqlgen's plugin.ResolverImplementer. It returns the body that a resolver
// has. Without one, a root field of Query that is about one row or a page of rows gets a body that
// refers to them, and others get one that panics.
func (plugin) Implement(present string, f *codegen.Field) string {
	stub := fmt.Sprintf("panic(fmt.Errorf(%q))", "not implemented: "+f.GoFieldName+" - "+f.Name)
	of, pointer := strings.CutPrefix(templates.CurrentImports.LookupType(f.TypeReference.GO), "*")
	switch {
	case present != "" && present != stub:
		return present
	case pointer && isLookUp(f):
		return "return &" + of + "{ID: id}, nil"
	case pointer && isList(f):
		return "return &" + of + "{}, nil"
	}
	return stub
}

// isLookUp reports whether a field is named after the type of an object with an ID, which its only
// argument says.
func isLookUp(f *codegen.Field) bool {
	def := f.TypeReference.Definition
	return isQuery(f) && def.Kind == ast.Object && len(def.Interfaces) > 0 && def.Fields.ForName("id") != nil && f.Name == templates.LcFirst(def.Name) &&
		len(f.Args) == 1 && f.Args[0].Name == "id" && f.Args[0].ArgumentDefinition.Type.String() == "ID!"
}

// pageArguments are the arguments of a list that the read engine knows.
var pageArguments = []string{"first", "after", "last", "before", "offset", "where", "search", "orderBy", "deleted"}

// isList reports whether a field is a page of rows that nothing but these arguments chooses.
func isList(f *codegen.Field) bool {
	def := f.TypeReference.Definition
	known := !slices.ContainsFunc(f.Args, func(a *codegen.FieldArgument) bool { return !slices.Contains(pageArguments, a.Name) })
	return isQuery(f) && known && def.Kind == ast.Object && def.Fields.ForName("edges") != nil && def.Fields.ForName("pageInfo") != nil &&
		slices.ContainsFunc(f.Args, func(a *codegen.FieldArgument) bool { return a.Name == "where" })
}

func isQuery(f *codegen.Field) bool { return f.Object.Root && f.Object.Name == "Query" }
