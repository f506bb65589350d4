package gqlexec

import (
	"context"
	"io/fs"
	"reflect"

	"entgo.io/ent/dialect/sql/schema"
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/entity"
	"forge/internal/persisted"
	"forge/internal/read"
	"forge/internal/read/binding"
	"forge/internal/session"
)

// API is an API and what stands behind it.
type API struct {
	// Executable returns the generated schema, with the given schema in the place of its own unless
	// that is nil.
	Executable func(*ast.Schema) graphql.ExecutableSchema
	// Access has an entry for each root field, such as "Query.node". A field without one is closed.
	Access map[string]Access
	// Entities are the kinds of rows that the API shows.
	Entities []*entity.Entity
	// Accounts are those of the viewers with a token.
	Accounts session.Accounts
	// Query runs an ent query for rows of an entity: ent.QueryEntity.
	Query read.Query
	// Tables are those of the database. Their CHECK constraints tell which columns a refused value
	// belongs to.
	Tables []*schema.Table
	// Resolvers is the generated interface of all resolvers.
	Resolvers reflect.Type
	// Sources has the files of the resolvers, *.resolvers.go. The read engine answers a root field
	// without calling its resolver if the source shows that the resolver only refers to entities.
	// With nil, all resolvers are called.
	Sources fs.FS
	// SamplePrefix begins the ID in an error message about an ID of any kind.
	SamplePrefix string

	// Fields stand around each resolver, inside of all other steps.
	Fields []graphql.FieldMiddleware
	// WithoutEngine leaves the read engine out, for tests that compare it with other resolvers.
	WithoutEngine bool
}

// Check returns a *binding.MismatchError that lists all mismatches between the GraphQL schema, the
// entities and the resolvers, or nil if there are none. It needs no database.
func (a API) Check() error {
	_, err := a.engine(a.executable().Schema(), Options{})
	return err
}

// TrustedDocuments reads a manifest and validates its documents as those of requests are; see
// persisted.Load. No document may have more tokens than allowed, unless that is 0.
func (a API) TrustedDocuments(path string, tokens int) (*persisted.Manifest, error) {
	v := Validator{Schema: a.executable().Schema(), Tokens: tokens}
	return persisted.Load(path, func(text string) (*ast.QueryDocument, gqlerror.List) {
		return v.Parse(context.Background(), text)
	})
}

// executable returns the generated schema without the parts that no operation can use.
func (a API) executable() graphql.ExecutableSchema {
	return a.Executable(served(a.Executable(nil).Schema()))
}

// engine returns the read engine for the API.
func (a API) engine(schema *ast.Schema, opts Options) (*read.Engine, error) {
	return read.New(binding.Contract{
		Schema:    schema,
		Entities:  a.Entities,
		Resolvers: a.Resolvers,
		Refers:    a.Refers(),
	}, read.Options{Query: a.Query, CursorKey: opts.CursorKey, Public: a.openToAll, DisableCoalescing: opts.UnsharedReads})
}
