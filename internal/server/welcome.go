package server

import (
	"context"
	"fmt"

	"forge/console"
	"forge/internal/application"
	"forge/internal/bootstrap"
	"forge/internal/database"
	"forge/internal/demo"
	"forge/internal/httpserver"
)

// demoAccounts returns the demo accounts that still have the passwords everybody knows. In
// production it returns none, and logs a warning for each of them.
func (s *Server) demoAccounts(ctx context.Context, db *database.DB, identity *Identity) ([]demo.Account, error) {
	if identity.issuer == nil {
		return nil, nil
	}
	accounts, err := bootstrap.Accounts(ctx, s.app, db)
	if !s.Production || err != nil {
		return accounts, err
	}
	for _, a := range accounts {
		s.log.WarnContext(ctx, "everybody knows the password of a demo user: give it another, or delete the user", "username", a.Username, "role", a.Role)
	}
	return nil, nil
}

// links returns the pages that the playground leads to: those that the server has.
func links(p httpserver.Parts) (all []application.Link) {
	if p.Console != nil {
		all = append(all, application.Link{Name: "Console", Path: console.Path})
	}
	if p.Inbox != nil {
		all = append(all, application.Link{Name: "Inbox", Path: "/inbox"})
	}
	return all
}

// welcome prints the addresses of the server, and the demo accounts that people can sign in with.
func (s *Server) welcome(url string, filled bool, accounts []demo.Account) {
	fmt.Fprintf(s.out, "Forge serves %s\n", database.Redact(s.DatabaseURL))
	if filled {
		fmt.Fprintln(s.out, "  which was empty and has demo data now")
	}
	fmt.Fprintf(s.out, "  API         %s/graphql\n", url)
	if s.Playground {
		fmt.Fprintf(s.out, "  Playground  %s/\n", url)
	}
	if s.Console {
		fmt.Fprintf(s.out, "  Console     %s%s\n", url, console.Path)
	}
	if !s.Production {
		fmt.Fprintf(s.out, "  Pages       %s/docs/\n", url)
	}
	if s.inboxPage() != nil && s.Auth {
		fmt.Fprintf(s.out, "  Inbox       %s/inbox\n", url)
	}
	for _, a := range accounts {
		fmt.Fprintf(s.out, "  Sign in as  %s, password %s (%s)\n", a.Username, a.Password, a.Role)
	}
	if !s.Auth {
		fmt.Fprintln(s.out, "  AUTH is off: nobody signs in, and each request acts as an administrator")
	}
	fmt.Fprintln(s.out, "Ctrl+C ends it.")
}
