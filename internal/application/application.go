// Package application describes an application to the framework that serves it.
package application

import (
	"context"
	"errors"
	"io/fs"
	"net/http"

	"entgo.io/ent/dialect/sql/schema"

	"forge/internal/database"
	"forge/internal/demo"
	"forge/internal/gqlexec"
	"forge/internal/migrator"
	"forge/internal/password"
	"forge/internal/session"
	"forge/internal/viewer"
)

// An Application is all that the framework has to know of what it serves. Each field is needed.
type Application struct {
	Version string // such as "0.1.0"
	Usage   string // completes "forge - ", in --help
	SDL     string // schema.graphqls

	// API returns the API with what its resolvers need of the server. The zero Services will do where
	// no operation is run.
	API func(Services) gqlexec.API

	Migrations fs.FS            // postgres/*.sql and sqlite/*.sql
	Tables     []*schema.Table  // as ent has them
	Accounts   session.Accounts // that people sign in to
	// SetRole gives the account with a name a role, viewer.User or more, and ends its sessions and
	// tokens. It returns ErrNoAccount if there is none.
	SetRole func(ctx context.Context, db *database.DB, name string, role viewer.Role) error

	Demo demo.Data
	// Playground returns the handler of the page at /. Whoever opens the page may sign in with one of
	// the accounts.
	Playground func(signIn bool, accounts []demo.Account) http.Handler
}

// Migrator returns the migrations for a kind of database.
func (a Application) Migrator(dialect string) migrator.Source {
	return migrator.New(a.Migrations, dialect)
}

// Services are the parts of a server that resolvers need.
type Services struct {
	Passwords   *password.Hasher
	Sessions    *session.Sessions    // signs people in; with nil, nobody can sign in
	Revocations *session.Revocations // learns at once whose tokens are revoked here
}

// ErrNoAccount is the error for a name that no account has.
var ErrNoAccount = errors.New("there is no such account")
