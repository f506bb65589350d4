// Package kinds is an application with one entity that has a column of every kind. Its tests
// compare what both databases answer.
package kinds

import (
	"embed"
	"reflect"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/gqlexec"
	"forge/internal/viewer"
	"forge/test/kinds/ent"
	"forge/test/kinds/ent/migrate"
	_ "forge/test/kinds/ent/runtime" // the policy of the entity
	"forge/test/kinds/generated"
)

//go:generate go run forge/internal/gqlgen

// Resolver is the root of all resolvers.
type Resolver struct{}

//go:embed *.resolvers.go
var sources embed.FS

// API describes the application.
func (r *Resolver) API() gqlexec.API {
	everybody := gqlexec.Access{Role: viewer.Anonymous}
	return gqlexec.API{
		Executable: func(schema *ast.Schema) graphql.ExecutableSchema {
			return generated.NewExecutableSchema(generated.Config{Schema: schema, Resolvers: r})
		},
		Access: map[string]gqlexec.Access{
			"Query.node": everybody, "Query.sample": everybody, "Query.samples": everybody,
			"Mutation.createSample": everybody, "Mutation.updateSample": everybody, "Mutation.deleteSample": everybody,
		},
		Entities:     ent.Entities,
		Query:        ent.QueryEntity,
		Tables:       migrate.Tables,
		Resolvers:    reflect.TypeFor[generated.ResolverRoot](),
		Sources:      sources,
		SamplePrefix: "sample",
	}
}
