// Package application describes an application to the framework that serves it.
package application

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"forge/internal/database"
	"forge/internal/persisted"
)

// An Application is all that the framework has to know of what it serves. Each field is needed.
type Application struct {
	Version string // such as "0.1.0"
	Usage   string // completes "forge - ", in --help
	SDL     string // schema.graphqls

	// Check returns a *read.MismatchError if schema, entities and resolvers do not fit together.
	Check func() error
	// NewAPI returns the handler of the API on a database. Check has returned nil before.
	NewAPI func(*database.DB, Config, *slog.Logger) http.Handler
	// TrustedDocuments reads the manifest at a path, whose documents have at most so many tokens
	// each, or any number if tokens is 0.
	TrustedDocuments func(path string, tokens int) (*persisted.Manifest, error)

	Tables   []string // of the database, without the one of the migrations
	Accounts Accounts
	Demo     Demo
	// Playground returns the handler of the page at /. Whoever opens the page may sign in with one of
	// the accounts.
	Playground func(signIn bool, accounts []DemoAccount) http.Handler
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
