// Package application describes an application to the framework that serves it.
package application

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"slices"

	"forge/internal/account"
	"forge/internal/cookie"
	"forge/internal/database"
	"forge/internal/demo"
	"forge/internal/factor"
	"forge/internal/gqlexec"
	"forge/internal/migrator"
	"forge/internal/operator"
	"forge/internal/password"
	"forge/internal/provider"
	"forge/internal/schema"
	"forge/internal/session"
	"forge/internal/upload"
	"forge/internal/viewer"
	"forge/internal/webhook"
)

// An Application is all that the framework has to know about the application that it serves. All
// fields must be set.
type Application struct {
	Version string // such as "0.1.0"
	Usage   string // the end of the first line of --help, after "forge - "
	SDL     string // the text of schema.graphqls

	// API returns the API. Services are what its resolvers need from the server. They may be zero
	// if no operation will run.
	API func(Services) gqlexec.API

	Migrations fs.FS            // postgres/*.sql and sqlite/*.sql
	Tables     []*schema.Table  // the tables as ent describes them
	Accounts   account.Accounts // stores the accounts that people sign in to
	Mails      fs.FS            // the templates of mails; see mail.Templates
	// SetRole gives the account with that name a role: viewer.User or a higher one. It also ends
	// the account's sessions and tokens. It returns ErrNoAccount if there is no such account.
	SetRole func(ctx context.Context, db *database.DB, name string, role viewer.Role) error

	Docs fs.FS // the pages about the program; see site.Options
	Demo demo.Data
	// Playground returns the handler of the page at /.
	Playground func(Page) http.Handler
}

// Page says what the page at / offers.
type Page struct {
	SignIn   bool
	Accounts []demo.Account // the demo accounts that it suggests
	// Build is what the page tells one build from the next by while somebody works on the source:
	// it reloads when there is another one. Otherwise it is empty.
	Build string
	// Explain says that administrators may see the statements of a query, and their plans.
	Explain bool
	Links   []Link // the other pages of the server
}

// Link leads to another page of the server.
type Link struct {
	Name string // for people
	Path string
}

// Migrator returns the migrations for a kind of database.
func (a Application) Migrator(dialect string) migrator.Source {
	return migrator.New(a.Migrations, dialect)
}

// Schemas returns PostgreSQL's schemas in which there are tables, in the order of their names. It
// leaves out the one of the tables that name none.
func (a Application) Schemas() (all []string) {
	for _, e := range a.API(Services{}).Entities {
		if e.Schema != "" && !slices.Contains(all, e.Schema) {
			all = append(all, e.Schema)
		}
	}
	slices.Sort(all)
	return all
}

// Services are the parts of a server that resolvers use.
type Services struct {
	Passwords   *password.Hasher
	Sessions    *session.Sessions    // signs people in; if nil, nobody can sign in
	Factors     *factor.Factors      // second factors and passkeys; nil if Sessions is
	Revocations *session.Revocations // is told at once when this server revokes tokens
	Cookies     *cookie.Cookies      // keeps the tokens of sessions; if nil, they are in answers
	Webhooks    *webhook.Webhooks    // the endpoints of webhooks
	Providers   *provider.Providers  // signs people in with accounts at providers; if nil, there are none
	Uploads     *upload.Uploads      // the files of rows; nil if this server keeps none
	Account     *account.Service     // what is proved by mail; nil if nobody can sign in
	Operator    *operator.Operator   // tells administrators of the server; nil if it tells nothing
}

// ErrNoAccount means that no account has the name.
var ErrNoAccount = errors.New("there is no such account")
