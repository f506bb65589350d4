package server

import (
	"context"
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"forge/console"
	"forge/internal/application"
	"forge/internal/bootstrap"
	"forge/internal/database"
	"forge/internal/demo"
	"forge/internal/httpserver"
	"forge/internal/terminal"
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
	if p.Docs != nil {
		all = append(all, application.Link{Name: "Pages", Path: "/docs/"})
	}
	if p.Inbox != nil {
		all = append(all, application.Link{Name: "Inbox", Path: "/inbox"})
	}
	return all
}

// welcome prints the addresses of the server, the demo accounts that people can sign in with, and
// what to try next.
func (s *Server) welcome(url string, filled bool, accounts []demo.Account) {
	bold, link := fmt.Sprint, fmt.Sprint
	if terminal.Colours(s.out, s.environ) {
		bold = func(a ...any) string { return terminal.Bold(fmt.Sprint(a...)) }
		link = func(a ...any) string { return terminal.Link(fmt.Sprint(a...)) }
	}
	fmt.Fprintf(s.out, "%s %s\n", bold("Forge serves"), database.Redact(s.DatabaseURL))
	if filled {
		fmt.Fprintln(s.out, "  which was empty and has demo data now")
	}
	fmt.Fprintf(s.out, "  API         %s\n", link(url+"/graphql"))
	if s.Playground {
		fmt.Fprintf(s.out, "  Playground  %s\n", link(url+"/"))
	}
	if s.Console {
		fmt.Fprintf(s.out, "  Console     %s\n", link(url+console.Path))
	}
	if !s.Production {
		fmt.Fprintf(s.out, "  Pages       %s\n", link(url+"/docs/"))
	}
	if s.inboxPage() != nil && s.Auth {
		fmt.Fprintf(s.out, "  Inbox       %s\n", link(url+"/inbox"))
	}
	for _, a := range accounts {
		fmt.Fprintf(s.out, "  Sign in as  %s, password %s (%s)\n", a.Username, a.Password, a.Role)
	}
	if !s.Auth {
		fmt.Fprintln(s.out, "  AUTH is off: nobody signs in, and each request acts as an administrator")
	}
	if query := exampleQuery(s.app.SDL); query != "" && !s.Auth && !s.Production && s.TrustedDocuments == "" {
		fmt.Fprintf(s.out, "%s\n  curl %s/graphql -H 'Content-Type: application/json' -d '{\"query\": \"%s\"}'\n", bold("Try, in another terminal:"), url, query)
	}
	fmt.Fprintln(s.out, "Ctrl+C ends it.")
}

// exampleQuery returns a query of the first rows of the first connection that a schema offers
// without arguments that are required. It returns "" if there is none.
func exampleQuery(sdl string) string {
	doc, err := parser.ParseSchema(&ast.Source{Input: sdl})
	if err != nil {
		return ""
	}
	for _, list := range []ast.DefinitionList{doc.Definitions, doc.Extensions} {
		for _, def := range list {
			for _, f := range def.Fields {
				if def.Name == "Query" && strings.HasSuffix(f.Type.Name(), "Connection") && f.Arguments.ForName("first") != nil && optional(f.Arguments) {
					return "{ " + f.Name + "(first: 3) { totalCount nodes { id } } }"
				}
			}
		}
	}
	return ""
}

func optional(args ast.ArgumentDefinitionList) bool {
	for _, a := range args {
		if a.Type.NonNull && a.DefaultValue == nil {
			return false
		}
	}
	return true
}
