package main

import (
	"errors"
	goast "go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/read/binding"
	"forge/internal/write"
)

// MutateSchema implements gqlgen's plugin.SchemaMutator. It takes those root fields out that the
// framework answers itself, and the types that only they use, so that gqlgen wants no resolvers for
// them.
func (p plugin) MutateSchema(s *ast.Schema) error {
	unused := map[string]bool{}
	ofChanges := func(_ *ast.Schema, field string) bool { return binding.IsOfChanges(field) }
	if err := errors.Join(p.takeOut(s, s.Query, ofChanges, unused), p.takeOut(s, s.Mutation, isStandard, unused)); err != nil {
		return err
	}
	if s.Mutation != nil && len(s.Mutation.Fields) == 0 {
		delete(s.Types, s.Mutation.Name)
		s.Mutation = nil
	}
	takeSubscriptionOut(s, unused)
	drop(s, unused)
	return nil
}

// takeSubscriptionOut takes Subscription out, all of whose fields the framework answers. It adds the
// types that these use to the names.
func takeSubscriptionOut(s *ast.Schema, names map[string]bool) {
	if s.Subscription == nil {
		return
	}
	collectChanges(s, names)
	for _, f := range s.Subscription.Fields {
		page := s.Types[f.Type.Name()]
		if page == s.Query || len(page.Interfaces) > 0 {
			continue
		}
		names[page.Name] = true
		if list := page.Fields.ForName("changes"); list != nil {
			names[list.Type.Name()] = true
		}
	}
	delete(s.Types, s.Subscription.Name)
	s.Subscription = nil
}

// takeOut takes those fields of a root type out that are the framework's, unless the application has
// a resolver for them. It adds the types that they use to the names.
func (p plugin) takeOut(s *ast.Schema, root *ast.Definition, own func(*ast.Schema, string) bool, names map[string]bool) error {
	if root == nil {
		return nil
	}
	written, err := p.resolvers(root.Name)
	if err != nil {
		return err
	}
	root.Fields = slices.DeleteFunc(slices.Clone(root.Fields), func(f *ast.FieldDefinition) bool {
		if !own(s, f.Name) || written[binding.GoName(f.Name)] || p.cfg.Models[root.Name].Fields[f.Name].Resolver {
			return false
		}
		if root == s.Query {
			collectChanges(s, names)
		} else {
			collect(s, f, names)
		}
		return true
	})
	return nil
}

// isStandard reports whether a field of Mutation has the name of a standard mutation of a type with
// an ID. Which of these types are entities is known at the start of a server, not here.
func isStandard(s *ast.Schema, field string) bool {
	_, name, _, ok := write.Names(s, field)
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

// collectChanges adds the types that show the log of changes to the names.
func collectChanges(s *ast.Schema, names map[string]bool) {
	for _, name := range binding.ChangeTypes {
		if s.Types[name] != nil {
			names[name] = true
		}
	}
}

// collect adds the payload of a field, and the input types of its arguments, to the names.
func collect(s *ast.Schema, f *ast.FieldDefinition, names map[string]bool) {
	if payload := f.Type.Name(); payload != s.Query.Name && len(s.Types[payload].Interfaces) == 0 {
		names[payload] = true
		if errors := s.Types[payload].Fields.ForName("errors"); errors != nil {
			names[errors.Type.Name()] = true
		}
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
