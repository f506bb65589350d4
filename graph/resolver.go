// Package graph answers the operations of schema.graphqls.
//
// A resolver of a query says which entities a field means: by an ID, or by being a connection. The
// read engine reads the parts of them that the client selected, for the whole operation at once
// (package read). Package gqlexec checks and runs operations.
package graph

//go:generate go tool gqlgen generate

import (
	"embed"
	"reflect"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"forge/ent"
	"forge/ent/migrate"
	_ "forge/ent/runtime" // the hooks, interceptors and policies of ent/schema
	"forge/graph/generated"
	"forge/internal/gqlexec"
	"forge/internal/password"
	"forge/internal/session"
)

// Resolver is the root of all resolvers. They reach the database through the unit of work on the
// context. The zero value serves an API without passwords and sessions.
type Resolver struct {
	Passwords   *password.Hasher     // hashes the passwords that administrators set
	Sessions    *session.Sessions    // signs people in; with nil, nobody can sign in
	Revocations *session.Revocations // learns at once whose tokens are revoked here
}

// The sources of the resolvers are a part of the program, so that they cannot differ from it.
//
//go:embed *.resolvers.go
var sources embed.FS

// API returns the API with the resolvers.
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
		Sources:      sources,
		SamplePrefix: "user",
	}
}
