package main

import (
	goast "go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/read/binding"
	"forge/internal/write"
)

// MutateSchema implements gqlgen's plugin.SchemaMutator. It takes those mutations out that package
// write carries out, and the types that only they use, so that gqlgen wants no resolvers for them.
func (p plugin) MutateSchema(s *ast.Schema) error {
	if s.Mutation == nil {
		return nil
	}
	written, err := p.resolvers(s.Mutation.Name)
	if err != nil {
		return err
	}
	unused := map[string]bool{}
	s.Mutation.Fields = slices.DeleteFunc(slices.Clone(s.Mutation.Fields), func(f *ast.FieldDefinition) bool {
		standard := isStandard(s, f.Name) && !written[binding.GoName(f.Name)] && !p.cfg.Models[s.Mutation.Name].Fields[f.Name].Resolver
		if standard {
			collect(s, f, unused)
		}
		return standard
	})
	if len(s.Mutation.Fields) == 0 {
		delete(s.Types, s.Mutation.Name)
		s.Mutation = nil
	}
	drop(s, unused)
	return nil
}

// isStandard reports whether a field of Mutation has the name of a standard mutation of a type with
// an ID. Which of these types are entities is known at the start of a server, not here.
func isStandard(s *ast.Schema, field string) bool {
	_, name, ok := write.Names(field)
	def := s.Types[name]
	return ok && def != nil && def.Kind == ast.Object && def.Fields.ForName("id") != nil && len(def.Interfaces) > 0
}

// resolvers returns the fields of a type that the application has resolvers for, by their
// binding.GoName.
func (p plugin) resolvers(name string) (map[string]bool, error) {
	found := map[string]bool{}
	if !p.cfg.Resolver.IsDefined() {
		return found, nil
	}
	files, err := filepath.Glob(filepath.Join(p.cfg.Resolver.Dir(), "*.go"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		source, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range source.Decls {
			if f, ok := d.(*goast.FuncDecl); ok && f.Recv != nil && binding.GoName(receiver(f)) == binding.GoName(name+p.cfg.Resolver.Type) {
				found[binding.GoName(f.Name.Name)] = true
			}
		}
	}
	return found, nil
}

// receiver returns the name of the type that a method belongs to.
func receiver(f *goast.FuncDecl) string {
	t := f.Recv.List[0].Type
	if star, ok := t.(*goast.StarExpr); ok {
		t = star.X
	}
	if id, ok := t.(*goast.Ident); ok {
		return id.Name
	}
	return ""
}

// collect adds the payload of a field, and the input types of its arguments, to the names.
func collect(s *ast.Schema, f *ast.FieldDefinition, names map[string]bool) {
	if payload := f.Type.Name(); payload != s.Query.Name && len(s.Types[payload].Interfaces) == 0 {
		names[payload] = true
	}
	for _, a := range f.Arguments {
		collectInputs(s, a.Type.Name(), names)
	}
}

func collectInputs(s *ast.Schema, name string, names map[string]bool) {
	if def := s.Types[name]; def.Kind == ast.InputObject && !names[name] {
		names[name] = true
		for _, f := range def.Fields {
			collectInputs(s, f.Type.Name(), names)
		}
	}
}

// drop deletes those of the types that no other type uses.
func drop(s *ast.Schema, names map[string]bool) {
	for _, def := range s.Types {
		if !names[def.Name] {
			keep(s, def, names)
		}
	}
	for name := range names {
		delete(s.Types, name)
	}
}

// keep takes the types that a type uses out of the names, and those that these use.
func keep(s *ast.Schema, def *ast.Definition, names map[string]bool) {
	used := slices.Clone(def.Types)
	for _, f := range def.Fields {
		used = append(used, f.Type.Name())
		for _, a := range f.Arguments {
			used = append(used, a.Type.Name())
		}
	}
	for _, name := range used {
		if names[name] {
			delete(names, name)
			keep(s, s.Types[name], names)
		}
	}
}
