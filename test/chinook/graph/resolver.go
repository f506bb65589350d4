// Package graph holds the resolvers of the shop's API.
package graph

import (
	"embed"
	"reflect"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/internal/gqlexec"
	"forge/internal/ids"
	"forge/internal/viewer"
	"forge/test/chinook/ent"
	"forge/test/chinook/ent/migrate"
	_ "forge/test/chinook/ent/runtime" // the policies of ent/schema
	"forge/test/chinook/graph/generated"
	"forge/test/chinook/graph/model"
)

//go:generate go run forge/internal/gqlgen

// Resolver is the root of all resolvers.
type Resolver struct{}

//go:embed *.resolvers.go
var sources embed.FS

// API describes the API: its resolvers, its entities, and that everybody may read.
func API() gqlexec.API {
	api := gqlexec.API{
		Executable: func(schema *ast.Schema) graphql.ExecutableSchema {
			return generated.NewExecutableSchema(generated.Config{Schema: schema, Resolvers: &Resolver{}})
		},
		Access:       map[string]gqlexec.Access{},
		Entities:     ent.Entities,
		Query:        ent.QueryEntity,
		Tables:       migrate.Tables,
		Resolvers:    reflect.TypeFor[generated.ResolverRoot](),
		Sources:      sources,
		SamplePrefix: "artist",
	}
	for _, f := range api.Executable(nil).Schema().Query.Fields {
		api.Access["Query."+f.Name] = gqlexec.Access{Role: viewer.Anonymous}
	}
	return api
}

// references returns a reference for each ID, in the same order.
func references(list []*ids.ID) []model.Node {
	nodes := make([]model.Node, len(list))
	for i, id := range list {
		nodes[i] = gqlexec.Reference{ID: *id}
	}
	return nodes
}
