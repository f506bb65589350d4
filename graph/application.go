package graph

import (
	"context"
	"net/http"

	"forge/ent"
	entmigrate "forge/ent/migrate"
	_ "forge/ent/runtime" // the hooks, interceptors and defaults of ent/schema
	"forge/ent/user"
	"forge/internal/application"
	"forge/internal/database"
	"forge/internal/demo"
	"forge/internal/gqlexec"
	"forge/internal/session"
	"forge/internal/unit"
	"forge/internal/viewer"
	"forge/migrate"
	"forge/playground"
	"forge/seed"
)

// Application describes the application to the framework. Package cli runs it.
func Application(sdl, version string) application.Application {
	return application.Application{
		Version: version,
		Usage:   "a GraphQL server for users, heroes, teams, products and orders",
		SDL:     sdl,
		API: func(s application.Services) gqlexec.API {
			return (&Resolver{s.Passwords, s.Sessions, s.Revocations}).API()
		},
		Migrations: migrate.Files,
		Tables:     entmigrate.Tables,
		Accounts:   application.Accounts{Roles: []string{string(user.RoleADMIN), string(user.RoleUSER)}, SetRole: setRole},
		Demo: demo.Data{
			Scale:    seed.Demo,
			MaxScale: seed.MaxScale,
			About:    "20 users, 1 team, 200 heroes, 5 products and 100 orders for each step",
			Fill:     seed.Fill,
			Usable:   seed.Usable,
		},
		Playground: func(signIn bool, accounts []demo.Account) http.Handler {
			cfg := playground.Config{SignIn: signIn}
			for _, a := range accounts {
				cfg.Accounts = append(cfg.Accounts, playground.Account(a))
			}
			return playground.Handler(cfg)
		},
	}
}

// setRole gives a user a role. It also ends the user's tokens, because they contain the old role.
func setRole(ctx context.Context, db *database.DB, username, role string) error {
	u := unit.New(db, unit.Write)
	defer u.Rollback()
	ctx = viewer.NewContext(unit.NewContext(ctx, u), viewer.System)
	found, err := ent.UnitClient(u).User.Query().Where(user.Username(username)).Select(user.FieldID).Only(ctx)
	if ent.IsNotFound(err) {
		return application.ErrNoAccount
	}
	if err != nil {
		return err
	}
	at, err := session.Stamp(ctx, found.ID)
	if err != nil {
		return err
	}
	if err := ent.UnitClient(u).User.UpdateOneID(found.ID).SetRole(user.Role(role)).SetTokensValidAfter(at).Exec(ctx); err != nil {
		return err
	}
	if err := session.End(ctx, ent.UnitClient(u), found.ID); err != nil {
		return err
	}
	return u.Commit(ctx)
}
