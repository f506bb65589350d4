package main

import (
	"context"
	"fmt"

	"forge/internal/bootstrap"
	"forge/internal/database"
	"forge/playground"
	"forge/seed"
)

// accounts returns the demo users that whoever starts the server can sign in as. In production none is shown, and the log warns of those that are left.
func (p program) accounts(ctx context.Context, db *database.DB, who *identity) ([]seed.Account, error) {
	if who.issuer == nil {
		return nil, nil
	}
	accounts, err := bootstrap.Accounts(ctx, db)
	if !p.Production || err != nil {
		return accounts, err
	}
	for _, a := range accounts {
		p.log.WarnContext(ctx, "everybody knows the password of a demo user: give it another, or delete the user", "username", a.Username, "role", a.Role)
	}
	return nil, nil
}

// page says what the playground is told.
func (p program) page(accounts []seed.Account) playground.Config {
	cfg := playground.Config{SignIn: p.Auth}
	for _, a := range accounts {
		cfg.Accounts = append(cfg.Accounts, playground.Account(a))
	}
	return cfg
}

// welcome tells where the server is, and who to sign in as where that is known.
func (p program) welcome(url string, filled bool, accounts []seed.Account) {
	fmt.Fprintf(p.out, "Forge serves %s\n", database.Redact(p.DatabaseURL))
	if filled {
		fmt.Fprintln(p.out, "  which was empty and has demo data now")
	}
	fmt.Fprintf(p.out, "  API         %s/graphql\n", url)
	if p.Playground {
		fmt.Fprintf(p.out, "  Playground  %s/\n", url)
	}
	for _, a := range accounts {
		fmt.Fprintf(p.out, "  Sign in as  %s, password %s (%s)\n", a.Username, a.Password, a.Role)
	}
	if !p.Auth {
		fmt.Fprintln(p.out, "  AUTH is off: nobody signs in, and each request acts as an administrator")
	}
	fmt.Fprintln(p.out, "Ctrl+C ends it.")
}
