// Command gqlgen is gqlgen with a plugin that generates what package computed needs, and leaves out
// what the framework answers itself. It reads gqlgen.yml of the working directory or of a directory
// above it. With -unchecked, it leaves to the compiler to check the generated code.
package main

import (
	_ "embed"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"

	"github.com/99designs/gqlgen/api"
	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"
	"github.com/99designs/gqlgen/codegen/templates"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/computed"
)

func main() {
	unchecked := flag.Bool("unchecked", false, "do not check the generated code")
	flag.Parse()
	if err := generate(*unchecked); err != nil {
		fmt.Fprintln(os.Stderr, "gqlgen:", err)
		os.Exit(1)
	}
}

func generate(unchecked bool) error {
	cfg, err := config.LoadConfigFromDefaultLocations()
	if err != nil {
		return err
	}
	cfg.SkipValidation = cfg.SkipValidation || unchecked
	return api.Generate(cfg, api.AddPlugin(plugin{cfg}))
}

//go:embed computed.gotpl
var template string

// plugin generates the methods Computed and Mutate of the executable schema, in computed.go beside
// it. Before that, it takes the standard mutations out of the schema that gqlgen knows.
type plugin struct{ cfg *config.Config }

// Name implements gqlgen's plugin.Plugin.
func (plugin) Name() string { return "computed" }

// GenerateCode implements gqlgen's plugin.CodeGenerator.
func (plugin) GenerateCode(data *codegen.Data) error {
	types := []computedType{}
	for _, o := range data.Objects {
		if t := typeOf(o); len(t.Computed) > 0 {
			types = append(types, t)
		}
	}
	return templates.Render(templates.Options{
		PackageName:     data.Config.Exec.Package,
		Filename:        filepath.Join(filepath.Dir(data.Config.Exec.Filename), "computed.go"),
		Data:            map[string]any{"Types": types, "Mutation": data.MutationRoot, "Query": data.QueryRoot, "Package": reflect.TypeFor[computed.Code]().PkgPath()},
		GeneratedHeader: true,
		Packages:        data.Config.Packages,
		Template:        template,
		PruneOptions:    data.Config.GetPruneOptions(),
	})
}

// computedType is an object type with fields that have a resolver.
type computedType struct {
	*codegen.Object
	Computed []*codegen.Field // those with a resolver
	Scalars  []*codegen.Field // those that an object can hold for the resolvers
}

func typeOf(o *codegen.Object) (t computedType) {
	if o.Root || o.BuiltIn {
		return t
	}
	t.Object = o
	for _, f := range o.Fields {
		switch kind := f.TypeReference.Definition.Kind; {
		case f.IsResolver:
			t.Computed = append(t.Computed, f)
		case f.IsVariable() && (kind == ast.Scalar || kind == ast.Enum):
			t.Scalars = append(t.Scalars, f)
		}
	}
	return t
}
