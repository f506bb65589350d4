package graph

import (
	"embed"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	gql "github.com/vektah/gqlparser/v2/ast"

	"forge/ent"
	_ "forge/ent/runtime" // the hooks, interceptors and policies of ent/schema
	"forge/graph/generated"
	"forge/internal/read"
)

// Check returns a *read.MismatchError that says all that schema.graphqls, ent/schema and the resolvers do not fit together in, or nil. It needs no
// database.
func Check() error {
	_, err := newEngine(&Resolver{}, nil)
	return err
}

// newEngine returns the read engine for the API with the resolvers.
func newEngine(resolvers generated.ResolverRoot, cursorKey []byte) (*read.Engine, error) {
	return read.NewEngine(read.Contract{
		Schema:    contract(),
		Entities:  ent.Entities,
		Query:     ent.QueryEntity,
		Resolvers: reflect.TypeFor[generated.ResolverRoot](),
		Refers:    referring(resolvers),
	}, cursorKey)
}

// contract returns the schema without @defer, which gqlgen adds: Forge answers at once, and a client that asks for parts to come
// later is told that there is no such directive. Nor has it scalars that nothing in it has (GraphQL specification, section 3.5).
func contract() *gql.Schema {
	schema := *generated.NewExecutableSchema(generated.Config{}).Schema()
	schema.Directives = maps.Clone(schema.Directives)
	delete(schema.Directives, "defer")
	schema.Types = maps.Clone(schema.Types)
	for _, scalar := range []string{"Int", "Float", "ID"} {
		if !uses(&schema, scalar) {
			delete(schema.Types, scalar)
		}
	}
	return &schema
}

// The sources of the resolvers are a part of the program, so that it knows which of them have code of their own: the two cannot differ.
//
//go:embed *.resolvers.go
var sources embed.FS

// referring reports of root fields of queries whether their resolvers do nothing but refer to what the field means. The read engine answers those
// without calling them. All others are called, so that what they refuse is refused.
func referring(resolvers generated.ResolverRoot) func(field string) bool {
	if _, ok := resolvers.Query().(*queryResolver); !ok {
		return nil // they are not those of the sources
	}
	return func(field string) bool { return referringMethods()[methodName(field)] }
}

// methodName returns the part of a field's name that its method's name has as well.
func methodName(field string) string { return strings.ToLower(strings.ReplaceAll(field, "_", "")) }

// referringMethods returns the methods of queryResolver that do nothing but refer.
var referringMethods = sync.OnceValue(func() map[string]bool {
	found := map[string]bool{}
	files, err := sources.ReadDir(".")
	if err != nil {
		panic(err) // it is embedded
	}
	for _, file := range files {
		source, err := sources.ReadFile(file.Name())
		if err != nil {
			panic(err)
		}
		maps.Copy(found, refersOnly(source))
	}
	return found
})

// refersOnly returns the methods of queryResolver in a source file that are one statement: return &model.XConnection{}, nil, or
// return &model.X{ID: id}, nil, or return reference{id}, nil.
func refersOnly(source []byte) map[string]bool {
	file, err := parser.ParseFile(token.NewFileSet(), "", source, parser.SkipObjectResolution)
	if err != nil {
		return nil // what cannot be read is called
	}
	found := map[string]bool{}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if ok && f.Recv != nil && isPointerTo(f.Recv.List[0].Type, "queryResolver") && f.Body != nil && len(f.Body.List) == 1 && returnsReference(f.Body.List[0]) {
			found[methodName(f.Name.Name)] = true
		}
	}
	return found
}

func isPointerTo(t ast.Expr, name string) bool {
	star, ok := t.(*ast.StarExpr)
	return ok && isName(star.X, name)
}

func isName(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

// returnsReference reports whether the statement returns a value that holds the parameter id or nothing, and no error.
func returnsReference(s ast.Stmt) bool {
	r, ok := s.(*ast.ReturnStmt)
	if !ok || len(r.Results) != 2 || !isName(r.Results[1], "nil") {
		return false
	}
	if lit, ok := r.Results[0].(*ast.CompositeLit); ok {
		return isName(lit.Type, "reference") && len(lit.Elts) == 1 && isName(lit.Elts[0], "id")
	}
	address, ok := r.Results[0].(*ast.UnaryExpr)
	if !ok || address.Op != token.AND {
		return false
	}
	lit, ok := address.X.(*ast.CompositeLit)
	if !ok {
		return false
	}
	of, ok := lit.Type.(*ast.SelectorExpr)
	if !ok || !isName(of.X, "model") {
		return false
	}
	return len(lit.Elts) == 0 || len(lit.Elts) == 1 && isID(lit.Elts[0])
}

// isID reports whether an element of a literal is ID: id.
func isID(e ast.Expr) bool {
	pair, ok := e.(*ast.KeyValueExpr)
	return ok && isName(pair.Key, "ID") && isName(pair.Value, "id")
}

// uses is whether a field or an argument of the schema has a type.
func uses(schema *gql.Schema, name string) bool {
	for _, def := range schema.Types {
		for _, field := range def.Fields {
			if field.Type.Name() == name || slices.ContainsFunc(field.Arguments, func(a *gql.ArgumentDefinition) bool { return a.Type.Name() == name }) {
				return true
			}
		}
	}
	return false
}
