package gqlexec

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"forge/internal/changes"
	"forge/internal/computed"
	"forge/internal/entity"
	"forge/internal/message"
	"forge/internal/persisted"
	"forge/internal/read"
	"forge/internal/read/binding"
	"forge/internal/read/index"
	"forge/internal/rule"
	"forge/internal/schema"
	"forge/internal/session"
	"forge/internal/write"
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
	// Tables are the tables of the database. Their CHECK constraints tell which values are allowed,
	// and which columns a refused value belongs to.
	Tables []*schema.Table
	// Resolvers is the type of the generated interface of all resolvers.
	Resolvers reflect.Type
	// Writes are what the application adds to the standard mutations (see package write), by the
	// names of the entities.
	Writes map[string]write.Functions
	// Sources holds the source files of the resolvers, *.resolvers.go. If the source of a resolver
	// shows that it only returns a reference, the read engine answers the root field without
	// calling it. If Sources is nil, all resolvers are called.
	Sources fs.FS
	// Messages holds the application's translations of error messages: files such as
	// messages/de.json (see message.Load). It may be nil.
	Messages fs.FS
	// SamplePrefix is the prefix of the ID that error messages show where an ID of any type is
	// expected.
	SamplePrefix string

	// Fields are middlewares around each resolver, inside of all others.
	Fields []graphql.FieldMiddleware
	// WithoutEngine turns off the read engine. Tests use it to compare the engine with other
	// resolvers.
	WithoutEngine bool
}

// Check returns a *binding.MismatchError if the GraphQL schema, the entities, the resolvers and the
// table of access do not fit together. It needs no database.
func (a API) Check() error {
	executable := a.executable()
	_, err := a.engine(executable, Options{})
	mismatch, ok := errors.AsType[*binding.MismatchError](err)
	if err != nil && !ok {
		return err
	}
	if !ok {
		mismatch = new(binding.MismatchError)
	}
	mismatch.Findings = append(mismatch.Findings, rule.CheckTenants(a.Entities, a.Tables)...)
	mismatch.Findings = append(mismatch.Findings, changes.Check(a.Entities)...)
	if _, err := message.Load(a.Messages); err != nil {
		mismatch.Findings = append(mismatch.Findings, err.Error())
	}
	mismatch.Findings = append(mismatch.Findings, a.eraseFindings()...)
	_, findings := a.writes(executable)
	mismatch.Findings = append(mismatch.Findings, findings...)
	if mismatch.Findings = append(mismatch.Findings, a.accessFindings(executable.Schema())...); len(mismatch.Findings) > 0 {
		return mismatch
	}
	return nil
}

// eraseFindings returns the rules of erasure that cannot be kept.
func (a API) eraseFindings() (findings []string) {
	account := entity.Account(a.Entities)
	for _, e := range a.Entities {
		steps, column := rule.OwnerOf(e, a.Entities)
		if err := e.CheckErase(cmp.Or(e.Owner, rule.OwnerColumn(e)), len(steps) > 0); err != nil {
			findings = append(findings, err.Error())
		}
		if account == nil || e == account || len(e.Personal) == 0 && e.OwnerErased == "" {
			continue
		}
		if column == nil || column.Refers != account.Name {
			findings = append(findings, fmt.Sprintf("entity.Annotation: %s says what is erased with its owner, and no %s owns its rows; name the owner in its policy", e.Name, account.Name))
		}
	}
	return findings
}

// MissingIndexes returns the indexes that are missing for what the API offers. It returns a
// *binding.MismatchError if the schema and the entities do not fit together.
func (a API) MissingIndexes() ([]index.Missing, error) {
	b, err := a.bind()
	if err != nil {
		return nil, err
	}
	return index.Find(b, a.Tables), nil
}

// Folds returns the conditions that compare texts regardless of case as the database does, by their
// places in the schema.
func (a API) Folds() []string {
	b, err := a.bind()
	if err != nil {
		return nil // which the start tells
	}
	return b.Folding
}

func (a API) bind() (*binding.Binding, error) { return binding.Bind(a.contract(a.executable())) }

// Roles returns the roles of the application's own that its policies and its table of access name,
// in order.
func (a API) Roles() []string {
	names := rule.Roles(a.Entities)
	for _, access := range a.Access {
		names = append(names, access.Roles...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// maxRoles is how many roles of its own an application may have. For each set of them that viewers
// have, the read engine keeps statements of its own.
const maxRoles = 16

// accessFindings returns a sentence for each root field that Access has no entry for, and for each
// entry that is for no root field.
func (a API) accessFindings(schema *ast.Schema) (findings []string) {
	fields := map[string]bool{}
	for _, root := range []*ast.Definition{schema.Query, schema.Mutation, schema.Subscription} {
		if root == nil {
			continue
		}
		for _, f := range root.Fields {
			name := root.Name + "." + f.Name
			fields[name] = true
			if _, declared := a.Access[name]; !declared && !strings.HasPrefix(f.Name, "__") {
				findings = append(findings, name+": nothing says who may call it; give it an entry in graph/access.go")
			}
		}
	}
	if roles := a.Roles(); len(roles) > maxRoles {
		findings = append(findings, fmt.Sprintf("ent/schema and graph/access.go name %d roles of the application's own: %s; up to %d are allowed", len(roles), strings.Join(roles, ", "), maxRoles))
	}
	for _, name := range slices.Sorted(maps.Keys(a.Access)) {
		for _, role := range a.Access[name].Roles {
			if !rule.Role(role).Valid() {
				findings = append(findings, fmt.Sprintf("%s: graph/access.go names the role %q; %s", name, role, rule.RoleAllowed))
			}
		}
		if !fields[name] {
			findings = append(findings, name+": graph/access.go says who may call it, but there is no such root field; take the entry out")
		}
	}
	return findings
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
	return read.New(a.contract(executable), read.Options{Query: a.Query, Cursors: opts.Cursors, Public: a.openToAll, Tables: a.Tables, Code: code, DisableCoalescing: opts.UnsharedReads})
}

// writes returns the standard mutations by the names of their fields, and what of them does not fit
// together.
func (a API) writes(executable graphql.ExecutableSchema) (map[string]*write.Mutation, []string) {
	mutations, findings := write.Bind(write.Contract{
		Schema: executable.Schema(), Entities: a.Entities, Tables: a.Tables, Resolvers: a.Resolvers, Functions: a.Writes, Query: a.Query})
	_, generated := executable.(computed.Roots)
	if root := executable.Schema().Mutation; root != nil && !generated && len(mutations) > 0 && len(binding.ResolversOf(a.Resolvers, root.Name)) > 0 {
		findings = append(findings, root.Name+": nothing calls the resolvers of mutations beside standard ones; run go generate ./..., with forge/internal/gqlgen")
	}
	return mutations, findings
}

func (a API) contract(executable graphql.ExecutableSchema) binding.Contract {
	return binding.Contract{Schema: executable.Schema(), Entities: a.Entities, Resolvers: a.Resolvers, Refers: a.Refers()}
}
