// A resolver of a query returns a reference to entities: an ID, or an empty connection. The read
// engine (package read) then reads the fields that the client selected, for the whole operation at
// once. Package gqlexec checks and runs operations.
package graph

//go:generate go run forge/internal/gqlgen

import (
	"context"
	"embed"
	"reflect"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vikstrous/dataloadgen"

	"forge/ent"
	"forge/ent/migrate"
	_ "forge/ent/runtime" // the hooks, interceptors and policies of ent/schema
	"forge/graph/generated"
	"forge/internal/application"
	"forge/internal/gqlexec"
	"forge/internal/loader"
	"forge/internal/write"
)

// usage is the end of the first line of --help, after "forge - ".
const usage = "a GraphQL server for users, heroes, teams, products and orders"

// Resolver is the root of all resolvers. Resolvers use the database through the unit of work on
// their context. With a zero Resolver, nobody can sign in or set passwords.
type Resolver struct {
	application.Services
}

// sources has the source of the resolvers. It is a part of the program, so it always fits the
// program.
//
//go:embed *.resolvers.go
var sources embed.FS

// messages has the application's translations of error messages, such as messages/de.json.
//
//go:embed messages/*.json
var messages embed.FS

// API describes the API for package gqlexec: its resolvers, its entities, and who may call which
// field.
func (r *Resolver) API() gqlexec.API {
	return gqlexec.API{
		Executable: func(schema *ast.Schema) graphql.ExecutableSchema {
			return generated.NewExecutableSchema(generated.Config{Schema: schema, Resolvers: r})
		},
		Access:       r.access(),
		Entities:     ent.Entities,
		Accounts:     Accounts{},
		Query:        ent.QueryEntity,
		Tables:       migrate.Tables,
		Resolvers:    reflect.TypeFor[generated.ResolverRoot](),
		Writes:       map[string]write.Functions{"User": r.userWrites(), "Product": productWrites()},
		Sources:      sources,
		Messages:     messages,
		SamplePrefix: "user",
	}
}

// loaders are the dataloaders of one operation.
type loaders struct {
	unitsSold *dataloadgen.Loader[uuid.UUID, int32]
}

func loadersOf(ctx context.Context) *loaders {
	return loader.Of(ctx, func() *loaders { return &loaders{unitsSold: loader.New(unitsSold)} })
}
