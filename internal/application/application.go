// Package application describes an application to the framework that serves it.
package application

import (
	"context"
	"errors"
	"net/http"

	"forge/internal/database"
	"forge/internal/gqlexec"
	"forge/internal/password"
	"forge/internal/session"
)

// An Application is all that the framework has to know of what it serves. Each field is needed.
type Application struct {
	Version string // such as "0.1.0"
	Usage   string // completes "forge - ", in --help
	SDL     string // schema.graphqls

	// API returns the API, whose resolvers use the services.
	API func(Services) gqlexec.API

	Tables   []string // of the database, without the one of the migrations
	Accounts Accounts
	Demo     Demo
	// Playground returns the handler of the page at /. Whoever opens the page may sign in with one of
	// the accounts.
	Playground func(signIn bool, accounts []DemoAccount) http.Handler
}

// Services are what the framework provides to resolvers. To look at the API without running it, the
// zero value will do.
type Services struct {
	Passwords   *password.Hasher
	Sessions    *session.Sessions    // signs people in; nil if this server has no key for tokens
	Revocations *session.Revocations // has to learn at once whose tokens a resolver revokes
}

// Accounts are what people sign in to.
type Accounts struct {
	Roles []string // that an account may have
	// SetRole gives the account with a name one of Roles, and ends its sessions and tokens. It
	// returns ErrNoAccount if there is none.
	SetRole func(ctx context.Context, db *database.DB, name, role string) error
}

// ErrNoAccount is the error for a name that no account has.
var ErrNoAccount = errors.New("there is no such account")

// Demo is data to try the application with.
type Demo struct {
	Scale, MaxScale int    // of a first start, and the largest there is; the smallest is 1
	About           string // completes "how much: ", about one step of the scale
	// Fill stores the data of a scale in an empty database. With accounts, anybody can sign in with
	// the passwords of the demo accounts. It returns ErrNotEmpty, and stores nothing, if the
	// database has rows.
	Fill func(ctx context.Context, db *database.DB, scale int, accounts bool) error
	// Usable returns the demo accounts of a database that anybody can sign in with.
	Usable func(context.Context, *database.DB) ([]DemoAccount, error)
}

// A DemoAccount is an account whose password everybody knows.
type DemoAccount struct{ Username, Password, Role string }

// ErrNotEmpty is the error for demo data in a database that has rows: they never mix with what
// somebody stored.
var ErrNotEmpty = errors.New("the database is not empty: demo data are only for an empty one")
