package gqlexec

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"strings"
)

// Refers returns a function that reports whether the resolver of a root field of Query only returns
// a reference. It returns nil if the API has no Sources.
func (a API) Refers() func(field string) bool {
	if a.Sources == nil {
		return nil
	}
	methods := referringMethods(a.Sources)
	return func(field string) bool { return methods[methodName(field)] }
}

// methodName returns the form of a field's name that is the same for the Go name of its method.
func methodName(field string) string { return strings.ToLower(strings.ReplaceAll(field, "_", "")) }

// referringMethods returns the methods of queryResolver that only return a reference. It panics if
// a source cannot be read, which does not happen, as the sources are embedded.
func referringMethods(sources fs.FS) map[string]bool {
	found := map[string]bool{}
	files, err := fs.Glob(sources, "*.resolvers.go")
	if err != nil {
		panic(err)
	}
	for _, name := range files {
		source, err := fs.ReadFile(sources, name)
		if err != nil {
			panic(err)
		}
		maps.Copy(found, refersOnly(source))
	}
	return found
}

// refersOnly returns those methods of queryResolver in a source file whose only statement returns a
// reference and no error. A reference is &model.ThingConnection{}, &model.Thing{ID: id} or
// gqlexec.Reference{ID: id}. If the file cannot be parsed, refersOnly returns none.
func refersOnly(source []byte) map[string]bool {
	file, err := parser.ParseFile(token.NewFileSet(), "", source, parser.SkipObjectResolution)
	if err != nil {
		return nil // then all resolvers are called
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

func isSelector(e ast.Expr, pkg, name string) bool {
	s, ok := e.(*ast.SelectorExpr)
	return ok && isName(s.X, pkg) && s.Sel.Name == name
}

// returnsReference reports whether a statement returns a reference and no error. A reference holds
// nothing, or only the parameter id.
func returnsReference(s ast.Stmt) bool {
	r, ok := s.(*ast.ReturnStmt)
	if !ok || len(r.Results) != 2 || !isName(r.Results[1], "nil") {
		return false
	}
	if lit, ok := r.Results[0].(*ast.CompositeLit); ok {
		return isSelector(lit.Type, "gqlexec", "Reference") && len(lit.Elts) == 1 && isID(lit.Elts[0])
	}
	address, ok := r.Results[0].(*ast.UnaryExpr)
	if !ok || address.Op != token.AND {
		return false
	}
	lit, ok := address.X.(*ast.CompositeLit)
	if !ok {
		return false
	}
	if of, ok := lit.Type.(*ast.SelectorExpr); !ok || !isName(of.X, "model") {
		return false
	}
	return len(lit.Elts) == 0 || len(lit.Elts) == 1 && isID(lit.Elts[0])
}

// isID reports whether an element of a composite literal is ID: id.
func isID(e ast.Expr) bool {
	pair, ok := e.(*ast.KeyValueExpr)
	return ok && isName(pair.Key, "ID") && isName(pair.Value, "id")
}
