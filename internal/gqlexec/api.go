package gqlexec

import (
	"context"
	"io/fs"
	"reflect"

	"entgo.io/ent/dialect/sql/schema"
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/computed"
	"forge/internal/entity"
	"forge/internal/persisted"
	"forge/internal/read"
	"forge/internal/read/binding"
	"forge/internal/session"
)

// API describes a GraphQL API and the application behind it.
type API struct {
	// Executable returns the generated schema. If the argument is not nil, it replaces the
	// definition of the schema.
	Executable func(*ast.Schema) graphql.ExecutableSchema
	// Access has an entry for each root field, under a name such as "Query.node". A field without
	// an entry is closed to everybody.
	Access map[string]Access
	// Entities are the kinds of rows that the API shows.
	Entities []*entity.Entity
	// Accounts are the accounts of viewers with a token.
	Accounts session.Accounts
	// Query runs an ent query for rows of an entity. The application passes ent.QueryEntity.
	Query read.Query
	// Tables are the tables of the database. Their CHECK constraints tell which columns a refused
	// value belongs to.
	Tables []*schema.Table
	// Resolvers is the type of the generated interface of all resolvers.
	Resolvers reflect.Type
	// Sources holds the source files of the resolvers, *.resolvers.go. If the source of a resolver
	// shows that it only returns a reference, the read engine answers the root field without
	// calling it. If Sources is nil, all resolvers are called.
	Sources fs.FS
	// SamplePrefix is the prefix of the ID that error messages show where an ID of any type is
	// expected.
	SamplePrefix string

	// Fields are middlewares around each resolver, inside of all others.
	Fields []graphql.FieldMiddleware
	// WithoutEngine turns off the read engine. Tests use it to compare the engine with other
	// resolvers.
	WithoutEngine bool
}

// Check returns a *binding.MismatchError if the GraphQL schema, the entities and the resolvers do
// not fit together. It needs no database.
func (a API) Check() error {
	_, err := a.engine(a.executable(), Options{})
	return err
}

// TrustedDocuments reads a manifest, and validates its documents as if a request had brought them;
// see persisted.Load. It returns an error if a document has more tokens than allowed. With tokens
// 0, any number is allowed.
func (a API) TrustedDocuments(path string, tokens int) (*persisted.Manifest, error) {
	v := Validator{Schema: a.executable().Schema(), Tokens: tokens}
	return persisted.Load(path, func(text string) (*ast.QueryDocument, gqlerror.List) {
		return v.Parse(context.Background(), text)
	})
}

// executable returns the generated schema, with the definition that is served to clients.
func (a API) executable() graphql.ExecutableSchema {
	return a.Executable(served(a.Executable(nil).Schema()))
}

// engine returns the read engine for the API.
func (a API) engine(executable graphql.ExecutableSchema, opts Options) (*read.Engine, error) {
	code, _ := executable.(computed.Code)
	return read.New(binding.Contract{
		Schema:    executable.Schema(),
		Entities:  a.Entities,
		Resolvers: a.Resolvers,
		Refers:    a.Refers(),
	}, read.Options{Query: a.Query, CursorKey: opts.CursorKey, Public: a.openToAll, Code: code, DisableCoalescing: opts.UnsharedReads})
}
